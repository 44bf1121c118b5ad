#include "volume_places.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace azexporter::zones {
namespace {

bool NamesZones(const kube::Requirement& requirement) {
  return requirement.op == kube::SelectorOp::kIn && requirement.key.ends_with("/zone");
}

std::uint64_t HashOf(const kube::NodeSelector& affinity) {
  std::uint64_t hash = affinity.terms.size();
  for (const kube::NodeSelectorTerm& term : affinity.terms) {
    for (const auto* requirements : {&term.match_expressions, &term.match_fields}) {
      for (const kube::Requirement& requirement : *requirements) {
        hash = base::MixHash(hash, base::HashText(requirement.key));
        for (const std::string& value : requirement.values)
          hash = base::MixHash(hash, base::HashText(value));
      }
    }
  }
  return hash;
}

std::set<std::string> Common(const std::set<std::string>& a, const std::set<std::string>& b) {
  std::set<std::string> common;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(),
                        std::inserter(common, common.end()));
  return common;
}

}  // namespace

VolumePlaces::VolumePlaces(const kube::ObjectList<kube::Node>& nodes) : nodes_(nodes) {}

const VolumePlaces::Nodes& VolumePlaces::With(const std::string& key, const std::string& value) {
  static const Nodes kNone;
  const auto [index, added] = by_label_.try_emplace(key);
  if (added) {
    for (const auto& node : nodes_) {
      const std::string* label = kube::Find(node->meta.labels, key);
      if (label != nullptr) index->second[*label].push_back(node.get());
    }
  }
  const auto found = index->second.find(value);
  return found == index->second.end() ? kNone : found->second;
}

VolumePlaces::Nodes VolumePlaces::Candidates(const kube::NodeSelectorTerm& term) {
  Nodes nodes;
  for (const kube::Requirement& requirement : term.match_expressions) {
    if (requirement.op != kube::SelectorOp::kIn) continue;
    for (const std::string& value : requirement.values) {
      const Nodes& with = With(requirement.key, value);
      nodes.insert(nodes.end(), with.begin(), with.end());
    }
    return nodes;
  }
  for (const auto& node : nodes_) nodes.push_back(node.get());
  return nodes;
}

// An empty value is how Azure's driver says "in no zone".
std::set<std::string> VolumePlaces::ZonesIn(const kube::Requirement& requirement) {
  std::set<std::string> zones;
  for (const std::string& value : requirement.values) {
    std::set<std::string> translated;
    if (!IsZoneKey(requirement.key)) {
      for (const kube::Node* node : With(requirement.key, value)) {
        if (!node->zone().empty()) translated.emplace(node->zone());
      }
    }
    if (translated.empty() && !value.empty()) translated.insert(value);
    zones.merge(translated);
  }
  return zones;
}

std::optional<std::set<std::string>> VolumePlaces::NamedZones(
    std::span<const kube::Requirement> requirements) {
  std::optional<std::set<std::string>> zones;
  for (const kube::Requirement& requirement : requirements) {
    if (!NamesZones(requirement)) continue;
    std::set<std::string> these = ZonesIn(requirement);
    zones = zones ? Common(*zones, these) : std::move(these);
  }
  return zones;
}

VolumePlace VolumePlaces::Find(const kube::NodeSelector& affinity) {
  VolumePlace place;
  place.stranded = true;
  std::set<std::string> zones;
  for (const kube::NodeSelectorTerm& term : affinity.terms) {
    std::set<std::string> of_nodes;
    for (const kube::Node* node : Candidates(term)) {
      if (!term.Matches(node->meta.name, node->meta.labels)) continue;
      place.stranded = false;
      if (!node->zone().empty()) of_nodes.insert(std::string(node->zone()));
    }
    const auto named = NamedZones(term.match_expressions);
    if (named && of_nodes.empty()) of_nodes = *named;
    if (named && !Common(*named, of_nodes).empty()) of_nodes = Common(*named, of_nodes);
    zones.merge(of_nodes);
  }
  place.reach = zones.empty() ? VolumeReach::kUnknown : VolumeReach::kZones;
  place.zones.assign(zones.begin(), zones.end());
  return place;
}

const VolumePlace& VolumePlaces::Of(const kube::PersistentVolume& volume) {
  static const VolumePlace kEverywhere{VolumeReach::kEverywhere, {}, false};
  if (!volume.node_affinity) return kEverywhere;
  const std::uint64_t hash = HashOf(*volume.node_affinity);
  std::uint32_t number = place_index_.Find(
      hash, [&](std::uint32_t i) { return places_[i].first == *volume.node_affinity; });
  if (number == base::HashIndex::kNone) {
    number = static_cast<std::uint32_t>(places_.size());
    place_index_.Insert(hash, number);
    places_.emplace_back(*volume.node_affinity,
                         std::make_unique<const VolumePlace>(Find(*volume.node_affinity)));
  }
  return *places_[number].second;
}

}  // namespace azexporter::zones
