#include "placement_run.h"

#include <algorithm>
#include <limits>

namespace azexporter::zones {
namespace {

// What the loss adds to the taints of the zone's nodes.
std::vector<kube::Taint> TaintsOf(LossKind kind) {
  switch (kind) {
    case LossKind::kFailure:
      return {{"node.kubernetes.io/unreachable", "", "NoSchedule"},
              {"node.kubernetes.io/unreachable", "", "NoExecute"}};
    case LossKind::kEvacuation:
      return {{"node.kubernetes.io/unschedulable", "", "NoSchedule"}};
  }
  return {};
}

// Whether nodes with these taints, too, count for a constraint.
bool KeepsNodes(const Eligibility& eligibility, const std::vector<kube::Taint>& taints) {
  return !eligibility.honor_taints ||
         std::all_of(taints.begin(), taints.end(), [&](const kube::Taint& taint) {
           return kube::Tolerates(eligibility.tolerations, taint);
         });
}

}  // namespace

bool PlacementFacts::KindsAlike() const {
  const auto failed = TaintsOf(LossKind::kFailure);
  const auto drained = TaintsOf(LossKind::kEvacuation);
  const auto& tallies = rules.tallies();
  return std::all_of(tallies.begin(), tallies.end(), [&](const Tally& tally) {
    return tally.ground == nullptr || KeepsNodes(tally.ground->eligibility, failed) ==
                                          KeepsNodes(tally.ground->eligibility, drained);
  });
}

std::int64_t DomainCounts::Of(std::uint32_t domain) const {
  const auto found = std::lower_bound(
      counts_.begin(), counts_.end(), domain,
      [](const auto& count, std::uint32_t wanted) { return count.first < wanted; });
  return found != counts_.end() && found->first == domain ? found->second : 0;
}

void DomainCounts::Add(std::uint32_t domain) {
  const auto found = std::lower_bound(
      counts_.begin(), counts_.end(), domain,
      [](const auto& count, std::uint32_t wanted) { return count.first < wanted; });
  if (found == counts_.end() || found->first != domain) {
    counts_.insert(found, {domain, 1});
    least_ = -1;
  } else if (found->second++ == least_) {
    least_ = -1;
  }
}

std::int64_t DomainCounts::Least(std::int64_t domains) const {
  if (static_cast<std::int64_t>(counts_.size()) < domains || counts_.empty()) return 0;
  if (least_ < 0) {
    least_ = std::min_element(counts_.begin(), counts_.end(), [](const auto& a, const auto& b) {
               return a.second < b.second;
             })->second;
  }
  return least_;
}

PlacementRun::PlacementRun(const PlacementFacts& facts, std::string_view zone, LossKind kind)
    : facts_(facts),
      taints_(TaintsOf(kind)),
      lost_(facts.nodes.size(), false),
      lost_parts_(facts.nodes.parts().size(), false),
      free_(facts.room.free),
      next_node_(facts.nodes.parts().size(), 0) {
  result_.zone = zone;
  result_.kind = kind;
  for (std::size_t i = 0; i < lost_parts_.size(); ++i) {
    lost_parts_[i] = !zone.empty() && facts.nodes.parts()[i].zone == zone;
  }
  for (std::uint32_t node = 0; node < lost_.size(); ++node) {
    lost_[node] = lost_parts_[facts.nodes.part_of(node)];
  }
}

Placement PlacementRun::Run() {
  CountNodes();
  CountPods();
  MakeCounts();
  result_.before = MakeHeadroom();
  for (const Mover& mover : facts_.movers) {
    const auto nodes = facts_.pods.NodesOf(facts_.pods.groups()[mover.group]);
    const std::int64_t pods =
        std::count_if(nodes.begin(), nodes.end(), [&](std::uint32_t node) { return lost_[node]; });
    if (pods > 0) Place(mover, pods);
  }
  result_.after = MakeHeadroom();
  for (const auto& [key, pods] : unplaced_) {
    result_.unplaced.push_back(
        {facts_.pods.workload(key.workload), key.reason, key.resource, key.detail, pods});
  }
  std::stable_sort(
      result_.unplaced.begin(), result_.unplaced.end(),
      [](const UnplacedPods& a, const UnplacedPods& b) { return a.workload < b.workload; });
  return std::move(result_);
}

void PlacementRun::CountNodes() {
  for (std::uint32_t node = 0; node < lost_.size(); ++node) {
    if (lost_[node]) {
      ++result_.lost_nodes;
    } else if (facts_.nodes.receives(node)) {
      ++result_.receiving_nodes;
      if (facts_.room.unlimited[node]) ++result_.unlimited_nodes;
    }
  }
}

void PlacementRun::CountPods() {
  result_.pending = facts_.pods.pending();
  for (const PodGroup& group : facts_.pods.groups()) {
    if (group.role != PodRole::kMoves && group.role != PodRole::kBare) continue;
    const auto nodes = facts_.pods.NodesOf(group);
    const std::int64_t lost =
        std::count_if(nodes.begin(), nodes.end(), [&](std::uint32_t node) { return lost_[node]; });
    if (group.role == PodRole::kBare) {
      result_.bare += lost;
      continue;
    }
    result_.displaced += lost;
    if (kube::ControllerOf(group.pod->owners)->kind == "StatefulSet") result_.stateful += lost;
  }
}

// What is counted once the pods of the lost nodes are gone.
void PlacementRun::MakeCounts() {
  std::vector<std::int64_t> scratch(lost_.size());  // domains are not more than nodes
  std::vector<std::uint32_t> touched;
  counts_.reserve(facts_.rules.tallies().size());
  for (const Tally& tally : facts_.rules.tallies()) {
    touched.clear();
    for (const std::uint32_t number : tally.groups) {
      const PodGroup& group = facts_.pods.groups()[number];
      const bool stays = group.role == PodRole::kStays;
      for (const std::uint32_t node : facts_.pods.NodesOf(group)) {
        if ((lost_[node] && !stays) || !Counts(tally, node)) continue;
        const std::uint32_t domain = tally.domains->of_node[node];
        if (domain != Domains::kNone && scratch[domain]++ == 0) touched.push_back(domain);
      }
    }
    std::sort(touched.begin(), touched.end());
    std::vector<std::pair<std::uint32_t, std::int64_t>> counts;
    counts.reserve(touched.size());
    for (const std::uint32_t domain : touched) {
      counts.emplace_back(domain, std::exchange(scratch[domain], 0));
    }
    counts_.emplace_back(std::move(counts));
  }
}

bool PlacementRun::Counts(const Tally& tally, std::uint32_t node) const {
  return tally.ground == nullptr ||
         (tally.ground->nodes[node] && (!lost_[node] || KeepsLostNodes(*tally.ground)));
}

// Whether the lost nodes still count for the constraint.
bool PlacementRun::KeepsLostNodes(const Ground& ground) const {
  return KeepsNodes(ground.eligibility, taints_);
}

std::int64_t PlacementRun::DomainsOf(const SpreadRule& rule) {
  const Tally& tally = facts_.rules.tallies()[rule.tally];
  if (KeepsLostNodes(*tally.ground)) return rule.domains;
  const auto [known, added] = domains_left_.try_emplace({tally.ground, tally.domains}, 0);
  if (!added) return known->second;
  std::vector<bool> seen(tally.domains->names.size());
  for (std::uint32_t node = 0; node < lost_.size(); ++node) {
    if (lost_[node] || !tally.ground->nodes[node]) continue;
    const std::uint32_t domain = tally.domains->of_node[node];
    if (!seen[domain]) ++known->second;
    seen[domain] = true;
  }
  return known->second;
}

Headroom PlacementRun::MakeHeadroom() const {
  const std::size_t width = facts_.room.names.size();
  std::vector<std::int64_t> sum(width);
  std::vector<std::int64_t> most(width);
  for (std::uint32_t node = 0; node < lost_.size(); ++node) {
    if (lost_[node] || !facts_.nodes.receives(node) || facts_.room.unlimited[node]) continue;
    for (std::size_t i = 0; i < width; ++i) {
      const std::int64_t free = std::max<std::int64_t>(0, free_[node * width + i]);
      if (__builtin_add_overflow(sum[i], free, &sum[i])) {
        sum[i] = std::numeric_limits<std::int64_t>::max();
      }
      most[i] = std::max(most[i], free);
    }
  }
  Headroom headroom;
  for (std::size_t i = 0; i < width; ++i) {
    headroom.free.Set(facts_.room.names[i], sum[i]);
    headroom.largest.Set(facts_.room.names[i], most[i]);
  }
  return headroom;
}

// So many pods of one group: where one finds no node, the others do not either.
void PlacementRun::Place(const Mover& mover, std::int64_t pods) {
  mover_ = &mover;
  rules_ = &facts_.rules.RulesOf(mover.group);
  spread_domains_.clear();
  for (const SpreadRule& rule : rules_->spread) spread_domains_.push_back(DomainsOf(rule));
  leading_ =
      static_cast<std::size_t>(std::find_if(rules_->spread.begin(), rules_->spread.end(),
                                            [](const SpreadRule& rule) { return rule.by_zone; }) -
                               rules_->spread.begin());
  full_at_.assign(lost_parts_.size(), kOpen);
  for (std::uint32_t part = 0; part < full_at_.size(); ++part) {
    if (!lost_parts_[part] && BeyondRoom(part) != nullptr) full_at_[part] = kFull;
  }
  for (; pods > 0; --pods) {
    const std::uint32_t node = FindNode();
    if (node == kNone) break;
    Take(node);
    ++result_.placed;
  }
  if (pods == 0) return;
  const Stop stop = WhyNot();
  const bool about_resource = stop.reason >= PlacementReason::kInsufficientCpu &&
                              stop.reason <= PlacementReason::kInsufficientResource;
  const std::string resource = about_resource ? facts_.room.names[stop.resource] : "";
  unplaced_[{facts_.pods.groups()[mover.group].workload, stop.reason, resource, DetailOf(stop)}] +=
      pods;
}

std::uint32_t PlacementRun::FindNode() {
  while (true) {
    const std::uint32_t part = BestPart();
    if (part == kNone) return kNone;
    const std::uint32_t node = NodeIn(part);
    if (node != kNone) return node;
    NoteRoom(part);
    full_at_[part] = BeyondRoom(part) != nullptr ? kFull : NodeSpreadLevel();
  }
}

std::uint32_t PlacementRun::BestPart() const {
  const auto parts = static_cast<std::uint32_t>(lost_parts_.size());
  const std::int64_t level = NodeSpreadLevel();
  std::uint32_t best = kNone;
  std::int64_t fewest = 0;
  for (std::uint32_t i = 0; i < parts; ++i) {
    const std::uint32_t part = (next_part_ + i) % parts;
    if (lost_parts_[part] || full_at_[part] == kFull || full_at_[part] == level ||
        mover_->open->by_part[part].empty() || !ReachesPart(part) || !PartAllows(part)) {
      continue;
    }
    std::int64_t pods = 0;
    if (leading_ < rules_->spread.size()) {
      const SpreadRule& rule = rules_->spread[leading_];
      const Domains& domains = *facts_.rules.tallies()[rule.tally].domains;
      pods = counts_[rule.tally].Of(domains.of_node[facts_.nodes.parts()[part].sample]);
    }
    if (best != kNone && pods >= fewest) continue;
    best = part;
    fewest = pods;
  }
  return best;
}

std::uint32_t PlacementRun::NodeIn(std::uint32_t part) const {
  const auto& nodes = mover_->open->by_part[part];
  const auto start = std::lower_bound(nodes.begin(), nodes.end(), next_node_[part]);
  const auto fits = [&](std::uint32_t node) {
    return Fits(node) && Reaches(node) && NodeAllows(node);
  };
  auto found = std::find_if(start, nodes.end(), fits);
  if (found != nodes.end()) return *found;
  found = std::find_if(nodes.begin(), start, fits);
  return found == start ? kNone : *found;
}

void PlacementRun::Take(std::uint32_t node) {
  const std::uint32_t part = facts_.nodes.part_of(node);
  next_part_ = part + 1;
  next_node_[part] = node + 1;
  if (!facts_.room.unlimited[node]) {
    std::int64_t* free = &free_[node * facts_.room.names.size()];
    for (const Request& request : mover_->requests) free[request.resource] -= request.amount;
    --free[NodeRoom::kPods];
  }
  for (const std::uint32_t number : facts_.rules.TalliesOf(mover_->group)) {
    const Tally& tally = facts_.rules.tallies()[number];
    if (!Counts(tally, node)) continue;
    const std::uint32_t domain = tally.domains->of_node[node];
    if (domain != Domains::kNone) counts_[number].Add(domain);
  }
}

void PlacementRun::NoteRoom(std::uint32_t part) {
  const std::size_t width = facts_.room.names.size();
  constexpr std::int64_t kNoLimit = std::numeric_limits<std::int64_t>::max();
  std::vector<std::int64_t>& most = most_free_[{mover_->open, part}];
  most.resize(width, kNoLimit);
  for (const Request& request : mover_->requests) {
    std::int64_t free = 0;
    for (const std::uint32_t node : mover_->open->by_part[part]) {
      free = std::max(
          free, facts_.room.unlimited[node] ? kNoLimit : free_[node * width + request.resource]);
    }
    most[request.resource] = free;
  }
}

// The first request that is more than is free on any node of the part, as far as was noted.
const Request* PlacementRun::BeyondRoom(std::uint32_t part) const {
  const auto known = most_free_.find({mover_->open, part});
  if (known == most_free_.end()) return nullptr;
  const auto beyond = std::find_if(
      mover_->requests.begin(), mover_->requests.end(),
      [&](const Request& request) { return request.amount > known->second[request.resource]; });
  return beyond == mover_->requests.end() ? nullptr : &*beyond;
}

std::int64_t PlacementRun::NodeSpreadLevel() const {
  std::int64_t level = 0;
  for (std::size_t i = 0; i < rules_->spread.size(); ++i) {
    const SpreadRule& rule = rules_->spread[i];
    if (!rule.by_zone) level += counts_[rule.tally].Least(spread_domains_[i]);
  }
  return level;
}

}  // namespace azexporter::zones
