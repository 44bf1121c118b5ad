#include "mover_placer.h"

#include <algorithm>
#include <limits>
#include <memory>

namespace azexporter::zones {

void MoverPlacer::Begin() { most_free_.clear(); }

// So many pods of one group: where one finds no node, the others do not either.
void MoverPlacer::Place(const MoverRef& ref, TallyCounts& counts, Placing& placing) {
  ref_ = ref;
  plan_ = facts_.plans()[ref.slot].get();
  mover_ = &facts_.mover(ref);
  rules_ = &plan_->rules().RulesOf(mover_->group);
  counts_ = &counts;
  placing_ = &placing;
  room_.SetTurn(ref);
  spread_domains_.clear();
  for (const SpreadRule& rule : rules_->spread) {
    spread_domains_.push_back(lost_.DomainsOf(rule, TallyOf(rule.tally)));
  }
  leading_ =
      static_cast<std::size_t>(std::find_if(rules_->spread.begin(), rules_->spread.end(),
                                            [](const SpreadRule& rule) { return rule.by_zone; }) -
                               rules_->spread.begin());
  BeginParts();
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

void MoverPlacer::BeginParts() {
  const std::uint32_t parts = lost_.all_parts();
  next_part_ = static_cast<std::uint32_t>(mover_->turn % parts);
  full_at_.assign(parts, kOpen);
  for (std::uint32_t part = 0; part < parts; ++part) {
    const auto& nodes = facts_.nodes().parts()[part].nodes;
    next_node_[part] = nodes[mover_->turn / parts % nodes.size()];
    if (lost_.part(part) || BeyondRoom(part) == nullptr) continue;
    full_at_[part] = kFull;
    NoteAsked({.part = part});
  }
}

void MoverPlacer::NoteAsked(const NodeRange& range) {
  for (NodeRange& known : placing_->asked) {
    if (known.part != range.part || range.first < known.first) continue;
    if (known.last != NodeRange::kEnd && range.first > known.last + 1) continue;
    known.last = std::max(known.last, range.last);
    return;
  }
  placing_->asked.push_back(range);
}

std::uint32_t MoverPlacer::FindNode() {
  while (true) {
    const std::uint32_t part = BestPart();
    if (part == kNone) return kNone;
    const std::uint32_t node = NodeIn(part);
    if (node != kNone) return node;
    NoteRoom(part);
    full_at_[part] = BeyondRoom(part) != nullptr ? kFull : NodeSpreadLevel();
  }
}

std::uint32_t MoverPlacer::BestPart() const {
  const auto parts = lost_.all_parts();
  const std::int64_t level = NodeSpreadLevel();
  std::uint32_t best = kNone;
  std::int64_t fewest = 0;
  for (std::uint32_t i = 0; i < parts; ++i) {
    const std::uint32_t part = (next_part_ + i) % parts;
    if (lost_.part(part) || full_at_[part] == kFull || full_at_[part] == level ||
        mover_->spec->open->by_part[part].empty() || !ReachesPart(part) || !PartAllows(part)) {
      continue;
    }
    std::int64_t pods = 0;
    if (leading_ < rules_->spread.size()) {
      const SpreadRule& rule = rules_->spread[leading_];
      const Domains& domains = *TallyOf(rule.tally).domains;
      pods =
          counts_->Of(rule.tally).Of(domains.of_node[facts_.nodes().parts()[part].nodes.front()]);
    }
    if (best != kNone && pods >= fewest) continue;
    best = part;
    fewest = pods;
  }
  return best;
}

std::uint32_t MoverPlacer::NodeIn(std::uint32_t part) {
  const auto& nodes = mover_->spec->open->by_part[part];
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

void MoverPlacer::Take(std::uint32_t node) {
  const std::uint32_t part = facts_.nodes().part_of(node);
  next_part_ = part + 1;
  next_node_[part] = node + 1;
  if (placing_->nodes.empty()) placing_->nodes.reserve(static_cast<std::size_t>(placing_->pods));
  placing_->nodes.push_back(node);
  room_.Take(ref_, node);
  counts_->Add(*mover_, node);
}

void MoverPlacer::NoteRoom(std::uint32_t part) {
  constexpr std::int64_t kNoLimit = std::numeric_limits<std::int64_t>::max();
  std::vector<std::int64_t>& most = most_free_[{mover_->spec->open, part}];
  most.resize(facts_.room().width(), kNoLimit);
  for (const Request& request : mover_->spec->requests) most[request.resource] = 0;
  for (const std::uint32_t node : mover_->spec->open->by_part[part]) {
    const bool unlimited = facts_.room().unlimited[node];
    const std::int64_t* free = unlimited ? nullptr : room_.Free(node);
    for (const Request& request : mover_->spec->requests) {
      std::int64_t& known = most[request.resource];
      known = std::max(known, unlimited ? kNoLimit : free[request.resource]);
    }
  }
}

// The first request that is more than is free on any node of the part, as far as was noted.
const Request* MoverPlacer::BeyondRoom(std::uint32_t part) const {
  const auto known = most_free_.find({mover_->spec->open, part});
  if (known == most_free_.end()) return nullptr;
  const auto beyond = std::find_if(
      mover_->spec->requests.begin(), mover_->spec->requests.end(),
      [&](const Request& request) { return request.amount > known->second[request.resource]; });
  return beyond == mover_->spec->requests.end() ? nullptr : &*beyond;
}

std::int64_t MoverPlacer::NodeSpreadLevel() const {
  std::int64_t level = 0;
  for (std::size_t i = 0; i < rules_->spread.size(); ++i) {
    const SpreadRule& rule = rules_->spread[i];
    if (!rule.by_zone) level += counts_->Of(rule.tally).Least(spread_domains_[i]);
  }
  return level;
}

}  // namespace azexporter::zones
