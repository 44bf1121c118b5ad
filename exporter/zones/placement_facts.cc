#include "placement_facts.h"

#include <algorithm>
#include <utility>

namespace azexporter::zones {
namespace {

std::vector<const NamespaceGroups*> Pointers(const GroupsByNamespace& namespaces) {
  std::vector<const NamespaceGroups*> pointers;
  for (const auto& [ns, groups] : namespaces) pointers.push_back(groups.get());
  return pointers;
}

}  // namespace

PlacementFacts::PlacementFacts(const kube::ClusterState& cluster, NodeDomains& domains,
                               DefaultConstraints defaults)
    : cluster_(cluster),
      domains_(domains),
      defaults_(std::move(defaults)),
      nodes_(cluster, domains),
      room_(RoomOf(cluster.nodes(), {})) {}

void PlacementFacts::UpdateSought(const GroupsByNamespace& namespaces, const Names& changed) {
  for (const std::string& ns : changed) {
    sought_.erase(ns);
    for (auto& [seeking, found] : sought_) found.erase(ns);
  }
  const auto look = [&](const auto& seeking, const auto& other) {
    if (seeking.first == other.first) return;
    if (!other.second->SoughtBy(seeking.second->outward(), other.first)) return;
    sought_[seeking.first].insert(other.first);
  };
  for (const auto& seeking : namespaces) {
    if (seeking.second->outward().terms.empty()) continue;
    if (changed.contains(seeking.first)) {
      for (const auto& other : namespaces) look(seeking, other);
      continue;
    }
    for (const std::string& ns : changed) {
      const auto other = namespaces.find(ns);
      if (other != namespaces.end()) look(seeking, *other);
    }
  }
}

PlacementFacts::Names PlacementFacts::FindJoined(const GroupsByNamespace& namespaces) const {
  const bool ports = std::any_of(namespaces.begin(), namespaces.end(), [](const auto& entry) {
    return entry.second->outward().moves_ports;
  });
  Names joined;
  for (const auto& [ns, groups] : namespaces) {
    if (ports && groups->outward().holds_ports) joined.insert(ns);
  }
  for (const auto& [ns, found] : sought_) {
    if (found.empty()) continue;
    joined.insert(ns);
    joined.insert(found.begin(), found.end());
  }
  return joined;
}

// Where that will do, by what changed alone.
void PlacementFacts::UpdateRoom(const GroupsByNamespace& namespaces, const Names& changed) {
  const auto now = [&](const std::string& ns) {
    const auto found = namespaces.find(ns);
    return found == namespaces.end() ? nullptr : found->second.get();
  };
  const bool known = std::all_of(changed.begin(), changed.end(), [&](const std::string& ns) {
    return now(ns) == nullptr || room_.Knows(*now(ns));
  });
  if (!known || !room_.exact) {
    room_ = RoomOf(cluster_.nodes(), Pointers(namespaces));
    return;
  }
  for (const std::string& ns : changed) {
    const auto before = known_.find(ns);
    if (before != known_.end()) room_.GiveBack(*before->second);
    if (now(ns) != nullptr) room_.Take(*now(ns));
  }
}

std::uint32_t PlacementFacts::Add(std::shared_ptr<const PlacementPlan> plan) {
  if (free_slots_.empty()) {
    free_slots_.push_back(static_cast<std::uint32_t>(plans_.size()));
    plans_.emplace_back();
  }
  const std::uint32_t slot = free_slots_.back();
  free_slots_.pop_back();
  plans_[slot] = std::move(plan);
  return slot;
}

void PlacementFacts::AddToOrder(std::span<const std::uint32_t> slots) {
  const auto before = [&](const MoverRef& a, const MoverRef& b) {
    return PlacedBefore(*plans_[a.slot], mover(a), *plans_[b.slot], mover(b));
  };
  std::vector<MoverRef> added;
  for (const std::uint32_t slot : slots) {
    for (std::uint32_t i = 0; i < plans_[slot]->movers().size(); ++i) added.push_back({slot, i});
  }
  std::sort(added.begin(), added.end(), before);
  // Few are added to many.
  std::vector<MoverRef> merged;
  merged.reserve(order_.size() + added.size());
  auto at = order_.cbegin();
  for (const MoverRef& ref : added) {
    const auto behind = std::upper_bound(at, order_.cend(), ref, before);
    merged.insert(merged.end(), at, behind);
    merged.push_back(ref);
    at = behind;
  }
  merged.insert(merged.end(), at, order_.cend());
  order_ = std::move(merged);
  ranks_.resize(plans_.size());
  for (const std::uint32_t slot : slots) ranks_[slot].resize(plans_[slot]->movers().size());
  for (std::uint32_t rank = 0; rank < order_.size(); ++rank) {
    ranks_[order_[rank].slot][order_[rank].number] = rank;
  }
}

std::uint32_t PlacementFacts::RankOf(const PlacementPlan& plan, const Mover& mover) const {
  const auto found = std::partition_point(order_.begin(), order_.end(), [&](const MoverRef& ref) {
    return PlacedBefore(*plans_[ref.slot], this->mover(ref), plan, mover);
  });
  return static_cast<std::uint32_t>(found - order_.begin());
}

void PlacementFacts::Update(const kube::ClusterState& now, const GroupsByNamespace& namespaces,
                            const Names& changed) {
  const std::vector<std::string> resources = room_.names;
  UpdateRoom(namespaces, changed);
  UpdateSought(namespaces, changed);
  auto joined = FindJoined(namespaces);
  const auto is_joined = [&](const std::string& ns) { return joined.contains(ns); };
  const bool all = room_.names != resources;  // requests go by their numbers
  const bool join = joined != joined_ || std::any_of(changed.begin(), changed.end(), is_joined);
  DropPlans([&](const std::string& ns) {
    return all || changed.contains(ns) || (join && (joined_.contains(ns) || is_joined(ns)));
  });
  joined_ = std::move(joined);
  AddToOrder(MakePlans(now, namespaces));
  for (const std::string& ns : changed) {
    const auto found = namespaces.find(ns);
    if (found == namespaces.end()) {
      known_.erase(ns);
    } else {
      known_[ns] = found->second;
    }
  }
}

void PlacementFacts::DropPlans(const std::function<bool(const std::string&)>& stale) {
  std::erase_if(slots_, [&](const auto& entry) {
    const auto& [ns, slot] = entry;
    if (!stale(ns)) return false;
    if (plans_[slot] != nullptr) {
      plans_[slot] = nullptr;
      free_slots_.push_back(slot);
    }
    return true;
  });
  std::erase_if(order_, [&](const MoverRef& ref) { return plans_[ref.slot] == nullptr; });
}

std::vector<std::uint32_t> PlacementFacts::MakePlans(const kube::ClusterState& now,
                                                     const GroupsByNamespace& namespaces) {
  std::vector<std::uint32_t> added;
  const auto add = [&](PlacementPlan::Namespaces of) {
    added.push_back(Add(std::make_shared<const PlacementPlan>(
        now, std::move(of), PlanBasis{domains_, nodes_, room_, defaults_})));
    return added.back();
  };
  PlacementPlan::Namespaces together;
  for (const auto& [ns, groups] : namespaces) {
    if (slots_.contains(ns)) continue;
    if (joined_.contains(ns)) {
      together.push_back(groups);
    } else {
      slots_[ns] = add({groups});
    }
  }
  if (together.empty()) return added;
  const std::uint32_t slot = add(std::move(together));
  for (const std::string& ns : joined_) slots_[ns] = slot;
  return added;
}

}  // namespace azexporter::zones
