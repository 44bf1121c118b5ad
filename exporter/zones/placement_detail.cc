// What is told of a refusal beyond its reason.

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string>

#include "mover_placer.h"

namespace azexporter::zones {
namespace {

// "500m", "512Mi", "3": as one would write it.
std::string AmountText(std::string_view resource, std::int64_t amount) {
  if (resource == "cpu") {
    return amount % 1000 == 0 ? std::to_string(amount / 1000) : std::to_string(amount) + "m";
  }
  const bool bytes =
      resource == "memory" || resource == "ephemeral-storage" || resource.starts_with("hugepages-");
  constexpr std::string_view kUnits[] = {"", "Ki", "Mi", "Gi", "Ti"};
  std::size_t unit = 0;
  while (bytes && amount % 1024 == 0 && unit + 1 < std::size(kUnits)) {
    amount /= 1024;
    ++unit;
  }
  return std::to_string(amount) + std::string(kUnits[unit]);
}

// "node selector pool=gpu, required node affinity"
std::string AffinityText(const kube::PodSpec& spec) {
  std::string text;
  if (!spec.node_selector.empty()) {
    text = "node selector " + kube::SelectorText(kube::LabelSelector{spec.node_selector, {}});
  }
  if (spec.required_node_affinity) {
    text += std::string(text.empty() ? "" : ", ") + "required node affinity";
  }
  return text;
}

// The first that keeps the pods off: "dedicated=db:NoSchedule", as kubectl takes it.
std::string TaintText(const kube::Node& node, const kube::PodSpec& spec) {
  for (const kube::Taint& taint : node.taints) {
    if (!KeepsPodsOff(taint) || kube::Tolerates(spec.tolerations, taint)) continue;
    return taint.key + (taint.value.empty() ? "" : "=") + taint.value + ":" + taint.effect;
  }
  return "";
}

}  // namespace

std::string MoverPlacer::DetailOf(const Stop& stop) const {
  const kube::PodSpec& spec = *plan_->GroupOf(*mover_).pod->spec;
  switch (stop.reason) {
    case PlacementReason::kNoNodes:
    case PlacementReason::kTooManyPods:
      return "";
    case PlacementReason::kNodeAffinity:
      return AffinityText(spec);
    case PlacementReason::kTaints:
      return TaintText(facts_.node(stop.node), spec);
    case PlacementReason::kVolumeZone:
      return VolumeDetail();
    case PlacementReason::kInsufficientCpu:
    case PlacementReason::kInsufficientMemory:
    case PlacementReason::kInsufficientResource:
      for (const Request& request : mover_->spec->requests) {
        if (request.resource != stop.resource) continue;
        const std::string& name = facts_.room().names[stop.resource];
        return "needs " + AmountText(name, request.amount) + " on one node";
      }
      return "";
    case PlacementReason::kHostPorts:
      return "port " + TallyOf(rules_->exclusions[stop.rule].tally).selector;
    case PlacementReason::kPodAffinity: {
      const Tally& tally = TallyOf(rules_->affinity->tallies.front());
      return "needs pods " + tally.selector + " in the same " + tally.topology_key;
    }
    case PlacementReason::kAntiAffinity: {
      const Exclusion& rule = rules_->exclusions[stop.rule];
      const Tally& tally = TallyOf(rule.tally);
      return std::string(rule.kind == ExclusionKind::kOwn ? "its own" : "of pods there") +
             ", against " + tally.selector + " in the same " + tally.topology_key;
    }
    case PlacementReason::kTopologySpread:
      return SpreadDetail(rules_->spread[stop.rule], stop.rule, stop.node);
  }
  return "";
}

std::string MoverPlacer::SpreadDetail(const SpreadRule& rule, std::size_t number,
                                      std::uint32_t node) const {
  const Tally& tally = TallyOf(rule.tally);
  const auto text = [&](std::string_view more) {
    return fmt::format("DoNotSchedule over {} (maxSkew {}){}", tally.topology_key, rule.max_skew,
                       more);
  };
  if (tally.domains->of_node[node] == Domains::kNone) return text(", no such label on the nodes");
  if (spread_domains_[number] < rule.min_domains) {
    return text(fmt::format(", {} of minDomains {}", spread_domains_[number], rule.min_domains));
  }
  if (!rule.by_zone || !lost_.KeptBy(*tally.ground)) return text("");
  const DomainCounts& counts = counts_->Of(rule.tally);
  for (std::uint32_t other = 0; other < lost_.all_nodes(); ++other) {
    if (!lost_.node(other) || !tally.ground->nodes[other]) continue;
    const std::int64_t pods = counts.Of(tally.domains->of_node[other]);
    if (pods != counts.Least(spread_domains_[number])) break;
    return text(fmt::format(", {} still counts with {}", lost_.zone(), pods));
  }
  return text("");
}

// Names the first claim that keeps the pod from all nodes that receive any, else the first.
std::string MoverPlacer::VolumeDetail() const {
  const auto reaches_one = [&](const VolumeReach& reach) {
    for (std::uint32_t part = 0; part < lost_.all_parts(); ++part) {
      if (lost_.part(part) || !reach.parts[part]) continue;
      const auto& nodes = mover_->spec->wanted->by_part[part];
      if (std::any_of(nodes.begin(), nodes.end(),
                      [&](std::uint32_t node) { return reach.nodes[node]; })) {
        return true;
      }
    }
    return false;
  };
  auto at = std::find_if(mover_->volumes.begin(), mover_->volumes.end(),
                         [&](const auto& volume) { return !reaches_one(*volume.second); });
  if (at == mover_->volumes.end()) at = mover_->volumes.begin();
  return fmt::format("volume {} {} {}", at->first,
                     at->second->bound ? "is bound to" : "may only be made in", at->second->where);
}

}  // namespace azexporter::zones
