#include "placement_run.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "lost_nodes.h"

namespace azexporter::zones {
PlacementRun::PlacementRun(const PlacementFacts& facts, std::string_view zone, LossKind kind)
    : facts_(facts),
      taints_(TaintsOf(kind)),
      lost_(facts.nodes().size(), false),
      lost_parts_(facts.nodes().parts().size(), false),
      next_node_(facts.nodes().parts().size(), 0) {
  result_.zone = zone;
  result_.kind = kind;
  for (std::size_t i = 0; i < lost_parts_.size(); ++i) {
    const NodePart& part = facts.nodes().parts()[i];
    lost_parts_[i] = !zone.empty() && part.zone == zone;
    for (const std::uint32_t node : part.nodes) lost_[node] = lost_parts_[i];
  }
}

Placement PlacementRun::Update() {
  ++update_;
  free_ = facts_.room().free;
  most_free_.clear();
  CountNodes();
  TakePlans();
  FindChangedRoom();
  result_.before = MakeHeadroom();
  auto last = order_.cbegin();
  for (const MoverRef& ref : facts_.order()) {
    PlanRun& run = plans_[ref.slot];
    Placing& placing = run.placings[ref.number];
    bool again = placing.update == 0;
    if (!again) {
      for (; !(*last == ref); ++last) Leave(*last);
      ++last;
      again = Touched(ref, placing);
    }
    if (again) {
      PlaceAgain(ref, run, placing);
    } else {
      Repeat(ref, run, placing);
    }
    placing.update = update_;
    result_.placed += static_cast<std::int64_t>(placing.nodes.size());
  }
  result_.after = MakeHeadroom();
  AddUnplaced();
  order_ = facts_.order();
  room_ = facts_.room().free;
  gone_.clear();
  different_.clear();
  return result_;
}

void PlacementRun::CountNodes() {
  result_.lost_nodes = result_.receiving_nodes = result_.unlimited_nodes = 0;
  for (std::uint32_t node = 0; node < lost_.size(); ++node) {
    if (lost_[node]) {
      ++result_.lost_nodes;
    } else if (facts_.nodes().receives(node)) {
      ++result_.receiving_nodes;
      if (facts_.room().unlimited[node]) ++result_.unlimited_nodes;
    }
  }
}

void PlacementRun::TakePlans() {
  result_.displaced = result_.placed = result_.stateful = result_.bare = result_.pending = 0;
  plans_.resize(std::max(plans_.size(), facts_.plans().size()));
  for (std::size_t slot = 0; slot < plans_.size(); ++slot) {
    const auto& plan = facts_.plans()[slot];
    PlanRun& run = plans_[slot];
    if (run.plan != plan) {
      if (run.plan != nullptr) gone_.emplace(run.plan.get(), std::move(run));
      run = plan == nullptr ? PlanRun() : Begin(plan);
    }
    if (plan == nullptr) continue;
    result_.displaced += run.displaced;
    result_.stateful += run.stateful;
    result_.bare += run.bare;
    result_.pending += plan->pods().pending();
  }
}

PlacementRun::PlanRun PlacementRun::Begin(std::shared_ptr<const PlacementPlan> plan) const {
  PlanRun run;
  const auto lost = [&](const PodGroup& group) {
    const auto nodes = plan->pods().NodesOf(group);
    return std::count_if(nodes.begin(), nodes.end(),
                         [&](std::uint32_t node) { return lost_[node]; });
  };
  for (const PodGroup& group : plan->pods().groups()) {
    if (group.role == PodRole::kBare) run.bare += lost(group);
  }
  run.placings.reserve(plan->movers().size());
  for (const Mover& mover : plan->movers()) {
    const PodGroup& group = plan->GroupOf(mover);
    Placing& placing = run.placings.emplace_back();
    placing.pods = lost(group);
    run.displaced += placing.pods;
    if (kube::ControllerOf(group.pod->owners)->kind == "StatefulSet") run.stateful += placing.pods;
  }
  run.plan = std::move(plan);
  return run;
}

// --- what differs --------------------------------------------------------------------------------

void PlacementRun::FindChangedRoom() {
  if (order_.empty() || room_.size() != free_.size()) return;
  const std::size_t width = facts_.room().width();
  for (std::uint32_t node = 0; node < lost_.size(); ++node) {
    if (facts_.room().unlimited[node]) continue;
    const std::int64_t* now = &free_[node * width];
    const std::int64_t* before = &room_[node * width];
    if (std::equal(now, now + width, before)) continue;
    std::vector<std::int64_t>& more = different_[node];
    for (std::size_t i = 0; i < width; ++i) more.push_back(now[i] - before[i]);
  }
}

bool PlacementRun::Touched(const MoverRef& ref, const Placing& placing) const {
  const NodeClass& open = *ref.mover().open;
  return std::any_of(placing.asked.begin(), placing.asked.end(), [&](const NodeRange& range) {
    const auto& nodes = open.by_part[range.part];
    for (auto at = different_.lower_bound(range.first);
         at != different_.end() && at->first <= range.last; ++at) {
      if (facts_.nodes().part_of(at->first) == range.part &&
          std::binary_search(nodes.begin(), nodes.end(), at->first) &&
          AnswersDifferently(at->first, ref.mover(), placing)) {
        return true;
      }
    }
    return false;
  });
}

bool PlacementRun::AnswersDifferently(std::uint32_t node, const Mover& mover,
                                      const Placing& placing) const {
  // One that took some of the pods had less room for each.
  if (std::find(placing.nodes.begin(), placing.nodes.end(), node) != placing.nodes.end()) {
    return true;
  }
  const std::vector<std::int64_t>& more = different_.at(node);
  const std::int64_t* now = &free_[node * more.size()];
  std::vector<std::int64_t> before(now, now + more.size());
  for (std::size_t i = 0; i < more.size(); ++i) before[i] -= more[i];
  return Lacking(now, mover.requests) != Lacking(before.data(), mover.requests);
}

void PlacementRun::NoteRoomOf(std::uint32_t node, const std::vector<Request>& requests,
                              std::int64_t times) {
  if (facts_.room().unlimited[node]) return;
  const auto found = different_.try_emplace(node, facts_.room().width()).first;
  std::vector<std::int64_t>& more = found->second;
  for (const Request& request : requests) more[request.resource] += times * request.amount;
  more[NodeRoom::kPods] += times;
  if (std::all_of(more.begin(), more.end(), [](std::int64_t amount) { return amount == 0; })) {
    different_.erase(found);
  }
}

// The mover is there no more.
void PlacementRun::Leave(const MoverRef& ref) {
  const PlanRun& run = gone_.at(ref.plan);
  for (const std::uint32_t node : run.placings[ref.number].nodes) {
    NoteRoomOf(node, ref.mover().requests, 1);
  }
}

// --- one mover after the other -------------------------------------------------------------------

void PlacementRun::Repeat(const MoverRef& ref, PlanRun& run, const Placing& placing) {
  const Mover& mover = ref.mover();
  for (const std::uint32_t node : placing.nodes) {
    Occupy(node, mover.requests);
    if (run.counted == update_) Count(run, mover, node);
  }
}

void PlacementRun::PlaceAgain(const MoverRef& ref, PlanRun& run, Placing& placing) {
  const std::vector<std::uint32_t> before = std::exchange(placing.nodes, {});
  const bool had_rest = std::exchange(placing.rest, nullptr) != nullptr;
  placing.asked.clear();
  run_ = &run;
  plan_ = ref.plan;
  mover_ = &ref.mover();
  placing_ = &placing;
  if (placing.pods > 0) {
    if (run.counted != update_) StartCounting(run);
    Place(placing);
  }
  run.unplaced_changed = run.unplaced_changed || had_rest || placing.rest != nullptr;
  if (order_.empty() || before == placing.nodes) return;
  for (const std::uint32_t node : before) NoteRoomOf(node, mover_->requests, 1);
  for (const std::uint32_t node : placing.nodes) NoteRoomOf(node, mover_->requests, -1);
}

// With what this update has placed so far.
void PlacementRun::StartCounting(PlanRun& run) {
  run.counts = CountsOf(*run.plan);
  run.counted = update_;
  for (std::size_t i = 0; i < run.placings.size(); ++i) {
    if (run.placings[i].update != update_) continue;
    for (const std::uint32_t node : run.placings[i].nodes) {
      Count(run, run.plan->movers()[i], node);
    }
  }
}

// What is counted once the pods of the lost nodes are gone.
std::vector<DomainCounts> PlacementRun::CountsOf(const PlacementPlan& plan) const {
  std::vector<DomainCounts> all;
  std::vector<std::int64_t> scratch(lost_.size());  // domains are not more than nodes
  std::vector<std::uint32_t> touched;
  all.reserve(plan.rules().tallies().size());
  for (const Tally& tally : plan.rules().tallies()) {
    touched.clear();
    for (const std::uint32_t number : tally.groups) {
      const PodGroup& group = plan.pods().groups()[number];
      const bool stays = group.role == PodRole::kStays;
      for (const std::uint32_t node : plan.pods().NodesOf(group)) {
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
    all.emplace_back(std::move(counts));
  }
  return all;
}

bool PlacementRun::Counts(const Tally& tally, std::uint32_t node) const {
  return tally.ground == nullptr ||
         (tally.ground->nodes[node] && (!lost_[node] || KeepsLostNodes(*tally.ground)));
}

void PlacementRun::Count(PlanRun& run, const Mover& mover, std::uint32_t node) const {
  for (const std::uint32_t number : run.plan->rules().TalliesOf(mover.group)) {
    const Tally& tally = run.plan->rules().tallies()[number];
    if (!Counts(tally, node)) continue;
    const std::uint32_t domain = tally.domains->of_node[node];
    if (domain != Domains::kNone) run.counts[number].Add(domain);
  }
}

void PlacementRun::Occupy(std::uint32_t node, const std::vector<Request>& requests) {
  if (facts_.room().unlimited[node]) return;
  std::int64_t* free = &free_[node * facts_.room().width()];
  for (const Request& request : requests) free[request.resource] -= request.amount;
  --free[NodeRoom::kPods];
}

// Whether the lost nodes still count for the constraint.
bool PlacementRun::KeepsLostNodes(const Ground& ground) const {
  return KeepsNodes(ground.eligibility, taints_);
}

std::int64_t PlacementRun::DomainsOf(const SpreadRule& rule) {
  const Tally& tally = TallyOf(rule.tally);
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

// --- placing -------------------------------------------------------------------------------------

// So many pods of one group: where one finds no node, the others do not either.
void PlacementRun::Place(Placing& placing) {
  rules_ = &plan_->rules().RulesOf(mover_->group);
  spread_domains_.clear();
  for (const SpreadRule& rule : rules_->spread) spread_domains_.push_back(DomainsOf(rule));
  leading_ =
      static_cast<std::size_t>(std::find_if(rules_->spread.begin(), rules_->spread.end(),
                                            [](const SpreadRule& rule) { return rule.by_zone; }) -
                               rules_->spread.begin());
  const auto parts = static_cast<std::uint32_t>(lost_parts_.size());
  next_part_ = static_cast<std::uint32_t>(mover_->turn % parts);
  full_at_.assign(parts, kOpen);
  for (std::uint32_t part = 0; part < parts; ++part) {
    const auto& nodes = facts_.nodes().parts()[part].nodes;
    next_node_[part] = nodes[mover_->turn / parts % nodes.size()];
    if (lost_parts_[part] || BeyondRoom(part) == nullptr) continue;
    full_at_[part] = kFull;
    NoteAsked({.part = part});
  }
  while (placing.unplaced() > 0) {
    const std::uint32_t node = FindNode();
    if (node == kNone) break;
    Take(node);
  }
  if (placing.unplaced() == 0) return;
  const Stop stop = WhyNot();
  const bool about_resource = stop.reason >= PlacementReason::kInsufficientCpu &&
                              stop.reason <= PlacementReason::kInsufficientResource;
  placing.rest = std::make_shared<const UnplacedPods>(
      UnplacedPods{plan_->pods().workload(plan_->GroupOf(*mover_).workload), stop.reason,
                   about_resource ? facts_.room().names[stop.resource] : "", DetailOf(stop),
                   placing.unplaced()});
}

void PlacementRun::NoteAsked(const NodeRange& range) {
  for (NodeRange& known : placing_->asked) {
    if (known.part != range.part || range.first < known.first) continue;
    if (known.last != NodeRange::kEnd && range.first > known.last + 1) continue;
    known.last = std::max(known.last, range.last);
    return;
  }
  placing_->asked.push_back(range);
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
      const Domains& domains = *TallyOf(rule.tally).domains;
      pods = CountsIn(rule.tally).Of(domains.of_node[facts_.nodes().parts()[part].nodes.front()]);
    }
    if (best != kNone && pods >= fewest) continue;
    best = part;
    fewest = pods;
  }
  return best;
}

std::uint32_t PlacementRun::NodeIn(std::uint32_t part) {
  const auto& nodes = mover_->open->by_part[part];
  const auto start = std::lower_bound(nodes.begin(), nodes.end(), next_node_[part]);
  const auto fits = [&](std::uint32_t node) {
    return Fits(node) && Reaches(node) && NodeAllows(node);
  };
  auto found = std::find_if(start, nodes.end(), fits);
  if (found != nodes.end()) {
    NoteAsked({part, *start, *found});
    return *found;
  }
  NoteAsked({.part = part});
  found = std::find_if(nodes.begin(), start, fits);
  return found == start ? kNone : *found;
}

void PlacementRun::Take(std::uint32_t node) {
  const std::uint32_t part = facts_.nodes().part_of(node);
  next_part_ = part + 1;
  next_node_[part] = node + 1;
  placing_->nodes.push_back(node);
  Occupy(node, mover_->requests);
  Count(*run_, *mover_, node);
}

void PlacementRun::NoteRoom(std::uint32_t part) {
  const std::size_t width = facts_.room().width();
  constexpr std::int64_t kNoLimit = std::numeric_limits<std::int64_t>::max();
  std::vector<std::int64_t>& most = most_free_[{mover_->open, part}];
  most.resize(width, kNoLimit);
  for (const Request& request : mover_->requests) {
    std::int64_t free = 0;
    for (const std::uint32_t node : mover_->open->by_part[part]) {
      free = std::max(
          free, facts_.room().unlimited[node] ? kNoLimit : free_[node * width + request.resource]);
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
    if (!rule.by_zone) level += CountsIn(rule.tally).Least(spread_domains_[i]);
  }
  return level;
}

// --- what is told --------------------------------------------------------------------------------

Headroom PlacementRun::MakeHeadroom() const {
  const std::size_t width = facts_.room().width();
  std::vector<std::int64_t> sum(width);
  std::vector<std::int64_t> most(width);
  for (std::uint32_t node = 0; node < lost_.size(); ++node) {
    if (lost_[node] || !facts_.nodes().receives(node) || facts_.room().unlimited[node]) continue;
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
    if (i > NodeRoom::kPods && facts_.room().total[i] == 0) continue;  // no node has it
    headroom.free.Set(facts_.room().names[i], sum[i]);
    headroom.largest.Set(facts_.room().names[i], most[i]);
  }
  return headroom;
}

void PlacementRun::Summarize(PlanRun& run) {
  const auto key = [](const UnplacedPods& row) {
    return std::tie(row.workload, row.reason, row.resource, row.detail);
  };
  auto& rows = run.unplaced;
  rows.clear();
  for (const Placing& placing : run.placings) {
    if (placing.rest != nullptr) rows.push_back(placing.rest);
  }
  std::sort(rows.begin(), rows.end(),
            [&](const auto& a, const auto& b) { return key(*a) < key(*b); });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (kept > 0 && key(*rows[kept - 1]) == key(*rows[i])) {
      UnplacedPods both = *rows[kept - 1];
      both.pods += rows[i]->pods;
      rows[kept - 1] = std::make_shared<const UnplacedPods>(std::move(both));
    } else {
      rows[kept++] = rows[i];
    }
  }
  rows.resize(kept);
  run.unplaced_changed = false;
}

void PlacementRun::AddUnplaced() {
  result_.unplaced.clear();
  for (const auto& slot_of : facts_.slots()) {
    const std::string& ns = slot_of.first;
    PlanRun& run = plans_[slot_of.second];
    if (run.unplaced_changed) Summarize(run);
    const auto& rows = run.unplaced;
    const auto first = std::partition_point(rows.begin(), rows.end(),
                                            [&](const auto& row) { return row->workload.ns < ns; });
    const auto end = std::partition_point(first, rows.end(),
                                          [&](const auto& row) { return row->workload.ns == ns; });
    result_.unplaced.insert(result_.unplaced.end(), first, end);
  }
}

}  // namespace azexporter::zones
