#pragma once

// Finds the zones of volumes and of topology terms, with an index of the nodes by label for each
// key in question, so that a volume costs few nodes and not all.
//
// Thread safety: one thread only.

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "azexporter/base/hash_index.h"
#include "azexporter/zones/volumes.h"

namespace azexporter::zones {

class VolumePlaces {
 public:
  explicit VolumePlaces(const kube::ObjectList<kube::Node>& nodes);  // must outlive this

  // The reference stays valid.
  const VolumePlace& Of(const kube::PersistentVolume& volume);
  // That the requirements on zone keys leave; absent where there are none.
  std::optional<std::set<std::string>> NamedZones(std::span<const kube::Requirement> requirements);

 private:
  using Nodes = std::vector<const kube::Node*>;

  VolumePlace Find(const kube::NodeSelector& affinity);
  // Among which all nodes are that fulfil the term, and few others.
  Nodes Candidates(const kube::NodeSelectorTerm& term);
  const Nodes& With(const std::string& key, const std::string& value);
  std::set<std::string> ZonesIn(const kube::Requirement& requirement);

  const kube::ObjectList<kube::Node>& nodes_;
  std::map<std::string, std::unordered_map<std::string_view, Nodes>> by_label_;
  // Of each affinity, which volumes of one kind and zone have alike.
  std::vector<std::pair<kube::NodeSelector, std::unique_ptr<const VolumePlace>>> places_;
  base::HashIndex place_index_;
};

}  // namespace azexporter::zones
