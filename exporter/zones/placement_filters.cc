// What each filter says of a node, and why a pod found none.

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "mover_placer.h"

namespace azexporter::zones {

bool MoverPlacer::Reaches(std::uint32_t node) const {
  return std::all_of(mover_->volumes.begin(), mover_->volumes.end(),
                     [&](const auto& volume) { return volume.second->nodes[node]; });
}

bool MoverPlacer::ReachesPart(std::uint32_t part) const {
  return std::all_of(mover_->volumes.begin(), mover_->volumes.end(),
                     [&](const auto& volume) { return volume.second->parts[part]; });
}

bool MoverPlacer::Fits(std::uint32_t node) const {
  return room_.Lacking(node, mover_->spec->requests) == PlacementRoom::kFits;
}

// The rules that are the same for all nodes of the part.
bool MoverPlacer::PartAllows(std::uint32_t part) const {
  const std::uint32_t node = facts_.nodes().parts()[part].nodes.front();
  for (std::size_t i = 0; i < rules_->spread.size(); ++i) {
    if (rules_->spread[i].by_zone && !Allows(rules_->spread[i], i, node)) return false;
  }
  return std::all_of(rules_->exclusions.begin(), rules_->exclusions.end(),
                     [&](const Exclusion& rule) { return !rule.by_zone || Allows(rule, node); });
}

// The others.
bool MoverPlacer::NodeAllows(std::uint32_t node) const {
  for (std::size_t i = 0; i < rules_->spread.size(); ++i) {
    if (!rules_->spread[i].by_zone && !Allows(rules_->spread[i], i, node)) return false;
  }
  return AffinityAllows(node) &&
         std::all_of(rules_->exclusions.begin(), rules_->exclusions.end(),
                     [&](const Exclusion& rule) { return rule.by_zone || Allows(rule, node); });
}

bool MoverPlacer::Allows(const SpreadRule& rule, std::size_t number, std::uint32_t node) const {
  const std::uint32_t domain = TallyOf(rule.tally).domains->of_node[node];
  if (domain == Domains::kNone) return false;
  const DomainCounts& counts = counts_->Of(rule.tally);
  const std::int64_t domains = spread_domains_[number];
  const std::int64_t least = domains < rule.min_domains ? 0 : counts.Least(domains);
  return counts.Of(domain) + (rule.self ? 1 : 0) - least <= rule.max_skew;
}

bool MoverPlacer::Allows(const Exclusion& rule, std::uint32_t node) const {
  const std::uint32_t domain = TallyOf(rule.tally).domains->of_node[node];
  return domain == Domains::kNone || counts_->Of(rule.tally).Of(domain) == 0;
}

bool MoverPlacer::AffinityAllows(std::uint32_t node) const {
  if (!rules_->affinity) return true;
  const AffinityRule& rule = *rules_->affinity;
  bool everywhere = true;
  for (const std::uint32_t tally : rule.tallies) {
    const std::uint32_t domain = TallyOf(tally).domains->of_node[node];
    if (domain == Domains::kNone) return false;
    everywhere = everywhere && counts_->Of(tally).Of(domain) > 0;
  }
  return everywhere || (rule.self && std::all_of(rule.tallies.begin(), rule.tallies.end(),
                                                 [&](std::uint32_t tally) {
                                                   return counts_->Of(tally).empty();
                                                 }));
}

// REQUIRES: no node would take another pod of the group.
MoverPlacer::Stop MoverPlacer::WhyNot() {
  Stop furthest = WhyNotStatic();
  if (furthest.reason != PlacementReason::kTaints) return furthest;
  for (std::uint32_t part = 0; part < lost_.all_parts(); ++part) {
    if (lost_.part(part) || !ReachesPart(part)) continue;
    // Where the first thing asked for is more than any node has free, all stop there.
    const Request* beyond = BeyondRoom(part);
    const bool all_alike = beyond != nullptr && beyond == mover_->spec->requests.data() &&
                           beyond->resource < NodeRoom::kPods;
    // Beginning where it is the mover's turn: else one node would answer for all movers.
    const auto& nodes = mover_->spec->open->by_part[part];
    const auto start = std::lower_bound(nodes.begin(), nodes.end(), next_node_[part]);
    const auto stops = [&](std::uint32_t node) {
      if (!Reaches(node)) return false;
      const Stop stop = StopOf(node);
      if (stop.FurtherThan(furthest)) furthest = stop;
      return all_alike || furthest.reason == PlacementReason::kTopologySpread;
    };
    const auto last = std::find_if(start, nodes.end(), stops);
    if (last != nodes.end()) {
      NoteAsked({part, *start, *last});
    } else {
      NoteAsked({.part = part});
      std::find_if(nodes.begin(), start, stops);
    }
    if (furthest.reason == PlacementReason::kTopologySpread) break;
  }
  return furthest;
}

// The furthest any node gets through the filters up to the taints.
MoverPlacer::Stop MoverPlacer::WhyNotStatic() const {
  if (lost_.receiving() == 0) return {PlacementReason::kNoNodes};
  Stop furthest{PlacementReason::kNodeAffinity};
  for (std::uint32_t part = 0; part < lost_.all_parts(); ++part) {
    const auto& nodes = mover_->spec->wanted->by_part[part];
    if (lost_.part(part) || nodes.empty()) continue;
    furthest.reason = PlacementReason::kVolumeZone;
    if (!ReachesPart(part)) continue;
    const auto reached =
        std::find_if(nodes.begin(), nodes.end(), [&](std::uint32_t node) { return Reaches(node); });
    if (reached != nodes.end()) return {PlacementReason::kTaints, 0, 0, *reached};
  }
  return furthest;
}

// REQUIRES: the node's labels, volumes and taints admit the pod, and something refuses it.
MoverPlacer::Stop MoverPlacer::StopOf(std::uint32_t node) const {
  const std::uint32_t resource = room_.Lacking(node, mover_->spec->requests);
  if (resource != PlacementRoom::kFits) {
    return {resource == NodeRoom::kCpu      ? PlacementReason::kInsufficientCpu
            : resource == NodeRoom::kMemory ? PlacementReason::kInsufficientMemory
            : resource == NodeRoom::kPods   ? PlacementReason::kTooManyPods
                                            : PlacementReason::kInsufficientResource,
            resource, 0, node};
  }
  const auto& exclusions = rules_->exclusions;
  const auto refusing = [&](bool host_port) {
    return static_cast<std::size_t>(std::find_if(exclusions.begin(), exclusions.end(),
                                                 [&](const Exclusion& rule) {
                                                   return (rule.kind == ExclusionKind::kHostPort) ==
                                                              host_port &&
                                                          !Allows(rule, node);
                                                 }) -
                                    exclusions.begin());
  };
  if (const std::size_t rule = refusing(true); rule < exclusions.size()) {
    return {PlacementReason::kHostPorts, 0, rule, node};
  }
  if (!AffinityAllows(node)) return {PlacementReason::kPodAffinity, 0, 0, node};
  if (const std::size_t rule = refusing(false); rule < exclusions.size()) {
    return {PlacementReason::kAntiAffinity, 0, rule, node};
  }
  std::size_t rule = 0;
  while (rule + 1 < rules_->spread.size() && Allows(rules_->spread[rule], rule, node)) ++rule;
  return {PlacementReason::kTopologySpread, 0, rule, node};
}

}  // namespace azexporter::zones
