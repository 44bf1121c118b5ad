#include "placement_nodes.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace azexporter::zones {
namespace {

constexpr std::string_view kZoneLabel = "topology.kubernetes.io/zone";
constexpr std::string_view kOldZoneLabel = "failure-domain.beta.kubernetes.io/zone";

// False where `from` was held at an end of 64 bits.
bool Subtract(std::int64_t& from, std::int64_t amount) {
  if (!__builtin_sub_overflow(from, amount, &from)) return true;
  from = amount > 0 ? std::numeric_limits<std::int64_t>::min()
                    : std::numeric_limits<std::int64_t>::max();
  return false;
}

// Calls `take(name, amount)` for each resource that is not 0.
template <class Take>
void ForEach(const kube::Resources& resources, Take take) {
  if (resources.cpu_milli != 0) take("cpu", resources.cpu_milli);
  if (resources.memory_bytes != 0) take("memory", resources.memory_bytes);
  if (resources.pods != 0) take("pods", resources.pods);
  for (const auto& [name, amount] : resources.others) {
    if (amount != 0) take(name, amount);
  }
}

std::uint64_t HashOf(const kube::NodeSelector* nodes, std::string_view zones) {
  std::uint64_t hash = base::HashText(zones);
  if (nodes == nullptr) return hash;
  for (const kube::NodeSelectorTerm& term : nodes->terms) {
    for (const kube::Requirement& requirement : term.match_expressions) {
      for (const std::string& value : requirement.values)
        hash = base::MixHash(hash, base::HashText(value));
    }
  }
  return hash;
}

// "a__b", as the volume's label has several zones, contains "a".
bool Contains(std::string_view zones, std::string_view zone) {
  constexpr std::string_view kBetween = "__";
  while (true) {
    const std::size_t end = zones.find(kBetween);
    if (zones.substr(0, end) == zone) return true;
    if (end == std::string_view::npos) return false;
    zones.remove_prefix(end + kBetween.size());
  }
}

}  // namespace

std::uint32_t NodeRoom::NumberOf(std::string_view name) const {
  if (name == "cpu") return kCpu;
  if (name == "memory") return kMemory;
  if (name == "pods") return kPods;
  const auto found = std::lower_bound(names.begin() + kPods + 1, names.end(), name);
  return static_cast<std::uint32_t>(found - names.begin());
}

std::vector<Request> NodeRoom::RequestsOf(const kube::Resources& requests) const {
  std::vector<Request> all;
  ForEach(requests, [&](std::string_view name, std::int64_t amount) {
    if (amount > 0 && name != "pods") all.push_back({NumberOf(name), amount});
  });
  return all;
}

bool NodeRoom::Knows(std::string_view name) const {
  return std::binary_search(names.begin() + kPods + 1, names.end(), name);
}

bool NodeRoom::Knows(const NamespaceGroups& pods) const {
  return std::all_of(pods.groups().begin(), pods.groups().end(), [&](const PodGroup& group) {
    const auto& others = group.pod->spec->requests.others;
    return std::all_of(others.begin(), others.end(),
                       [&](const auto& other) { return Knows(other.first); });
  });
}

// Calls `visit(what is free on its node, what it asks for)` for each pod.
template <class Visit>
void NodeRoom::ForEachPod(const NamespaceGroups& pods, Visit visit) {
  const kube::PodSpec* spec = nullptr;
  std::vector<Request> requests;
  for (const PodGroup& group : pods.groups()) {
    if (group.pod->spec.get() != spec) {
      spec = group.pod->spec.get();
      requests = RequestsOf(spec->requests);
    }
    for (std::uint32_t i = group.first; i < group.first + group.count; ++i) {
      visit(&free[pods.nodes()[i] * width()], requests);
    }
  }
}

void NodeRoom::Take(const NamespaceGroups& pods) {
  ForEachPod(pods, [&](std::int64_t* of_node, const std::vector<Request>& requests) {
    for (const Request& r : requests) exact &= Subtract(of_node[r.resource], r.amount);
    --of_node[kPods];
  });
}

void NodeRoom::GiveBack(const NamespaceGroups& pods) {
  ForEachPod(pods, [&](std::int64_t* of_node, const std::vector<Request>& requests) {
    for (const Request& r : requests) of_node[r.resource] += r.amount;
    ++of_node[kPods];
  });
}

NodeRoom RoomOf(const kube::ObjectList<kube::Node>& nodes,
                std::span<const NamespaceGroups* const> pods) {
  NodeRoom room;
  std::set<std::string_view> others;
  const auto note = [&](const kube::Resources& resources) {
    for (const auto& [name, amount] : resources.others) others.insert(name);
  };
  for (const auto& node : nodes) note(node->allocatable);
  for (const NamespaceGroups* in : pods) {
    const kube::PodSpec* last = nullptr;
    for (const PodGroup& group : in->groups()) {
      if (std::exchange(last, group.pod->spec.get()) != last) note(group.pod->spec->requests);
    }
  }
  room.names.insert(room.names.end(), others.begin(), others.end());
  room.free.assign(nodes.size() * room.width(), 0);
  room.total.assign(room.width(), 0);
  std::size_t first = 0;
  for (const auto& node : nodes) {
    room.unlimited.push_back(node->allocatable == kube::Resources());
    ForEach(node->allocatable, [&](std::string_view name, std::int64_t amount) {
      const std::uint32_t number = room.NumberOf(name);
      room.free[first + number] = amount;
      Subtract(room.total[number], -amount);
    });
    first += room.width();
  }
  for (const NamespaceGroups* in : pods) room.Take(*in);
  return room;
}

PlacementNodes::PlacementNodes(const kube::ClusterState& cluster, NodeDomains& domains)
    : cluster_(cluster), domains_(domains) {
  MakeParts();
  for (const auto& node : cluster.nodes()) {
    receives_.push_back(node->ready() == kube::ConditionStatus::kTrue && !node->unschedulable);
  }
  for (const auto& storage_class : cluster.storage_classes()) {
    if (!storage_class->is_default) continue;
    // Of several the youngest is the default.
    if (default_class_ == nullptr ||
        storage_class->meta.created_ms > default_class_->meta.created_ms) {
      default_class_ = storage_class.get();
    }
  }
}

void PlacementNodes::MakeParts() {
  using Key = std::tuple<std::string_view, std::string_view>;
  std::map<Key, std::vector<std::uint32_t>> nodes;
  // An empty value is a domain of its own: not the same as no label.
  constexpr std::string_view kNoLabel = "/";
  const auto value = [&](const kube::Node& node, std::string_view key) {
    const std::string* found = kube::Find(node.meta.labels, key);
    return found == nullptr ? kNoLabel : std::string_view(*found);
  };
  std::uint32_t number = 0;
  for (const auto& node : cluster_.nodes()) {
    nodes[{value(*node, kZoneLabel), value(*node, kOldZoneLabel)}].push_back(number++);
  }
  part_of_.resize(cluster_.nodes().size());
  for (const auto& [key, members] : nodes) {
    for (const std::uint32_t node : members) {
      part_of_[node] = static_cast<std::uint32_t>(parts_.size());
    }
    parts_.push_back({cluster_.nodes()[members[0]]->zone(), members});
  }
}

const NodeClass& PlacementNodes::ClassOf(const Ground& ground) {
  std::unique_ptr<NodeClass>& made = classes_[&ground];
  if (made) return *made;
  made = std::make_unique<NodeClass>();
  made->by_part.resize(parts_.size());
  for (std::uint32_t node = 0; node < size(); ++node) {
    if (ground.nodes[node] && receives_[node]) made->by_part[part_of_[node]].push_back(node);
  }
  return *made;
}

const VolumeReach* PlacementNodes::ReachOf(const kube::ClusterState& now, const std::string& ns,
                                           const std::string& name) {
  const kube::PersistentVolumeClaim* claim = now.FindClaim(ns, name);
  if (claim == nullptr) return nullptr;
  if (!claim->volume_name.empty()) {
    const kube::PersistentVolume* volume = now.FindVolume(claim->volume_name);
    if (volume == nullptr) return nullptr;
    std::string_view zones = kube::Lookup(volume->meta.labels, kZoneLabel);
    if (zones.empty()) zones = kube::Lookup(volume->meta.labels, kOldZoneLabel);
    return ReachOf(volume->node_affinity ? &*volume->node_affinity : nullptr, zones, true);
  }
  const kube::StorageClass* storage_class =
      claim->storage_class ? cluster_.FindStorageClass(*claim->storage_class) : default_class_;
  if (storage_class == nullptr || storage_class->allowed_topologies.empty()) return nullptr;
  kube::NodeSelector allowed;
  for (const kube::TopologyTerm& term : storage_class->allowed_topologies) {
    allowed.terms.push_back({term.match_expressions, {}});
  }
  return ReachOf(&allowed, "", false);
}

const VolumeReach* PlacementNodes::ReachOf(const kube::NodeSelector* nodes, std::string_view zones,
                                           bool bound) {
  if (nodes == nullptr && zones.empty()) return nullptr;
  const std::uint64_t hash = HashOf(nodes, zones);
  const std::uint32_t known = reach_index_.Find(hash, [&](std::uint32_t i) {
    const Reach& made = *reaches_[i];
    return made.reach.bound == bound && made.zones == zones &&
           made.nodes.has_value() == (nodes != nullptr) &&
           (nodes == nullptr || *made.nodes == *nodes);
  });
  if (known != base::HashIndex::kNone) return &reaches_[known]->reach;
  reach_index_.Insert(hash, static_cast<std::uint32_t>(reaches_.size()));
  Reach& made = *reaches_.emplace_back(std::make_unique<Reach>());
  if (nodes != nullptr) made.nodes = *nodes;
  made.zones = zones;
  made.reach.bound = bound;
  Find(made);
  return &made.reach;
}

void PlacementNodes::Find(Reach& made) {
  VolumeReach& reach = made.reach;
  reach.nodes.assign(size(), false);
  reach.parts.assign(parts_.size(), false);
  const auto ask = [&](const kube::NodeSelectorTerm* term, std::uint32_t number) {
    const kube::Node& node = *cluster_.nodes()[number];
    const std::string_view zone = node.zone();
    const bool in_zone = made.zones.empty() || zone.empty() || Contains(made.zones, zone);
    if (!in_zone || (term != nullptr && !term->Matches(node.meta.name, node.meta.labels))) return;
    reach.nodes[number] = true;
    reach.parts[part_of_[number]] = true;
  };
  const auto ask_all = [&](const kube::NodeSelectorTerm* term) {
    for (std::uint32_t number = 0; number < size(); ++number) ask(term, number);
  };
  if (!made.nodes) {
    ask_all(nullptr);
  } else {
    for (const kube::NodeSelectorTerm& term : made.nodes->terms) {
      const auto* candidates = domains_.Candidates({}, term.match_expressions);
      if (candidates == nullptr) {
        ask_all(&term);
      } else {
        for (const std::uint32_t number : *candidates) ask(&term, number);
      }
    }
  }
  Describe(reach);
}

void PlacementNodes::Describe(VolumeReach& reach) const {
  std::set<std::string_view> zones;
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    if (reach.parts[i]) zones.insert(parts_[i].zone.empty() ? "no zone" : parts_[i].zone);
  }
  for (const std::string_view zone : zones) {
    reach.where += (reach.where.empty() ? "" : ", ") + std::string(zone);
  }
  if (zones.empty()) reach.where = "no node that is there";
}

}  // namespace azexporter::zones
