#include "placement_askers.h"

#include <algorithm>

namespace azexporter::zones {
namespace {

// Whoever asked more nodes of a part than this stands in the part's list.
constexpr std::ptrdiff_t kMany = 64;

}  // namespace

PlacementAskers::PlacementAskers(const PlacementFacts& facts)
    : facts_(facts), by_node_(facts.nodes().size()), by_part_(facts.nodes().parts().size()) {}

template <class Visit>
void PlacementAskers::ForEachList(const Mover& mover, const std::vector<NodeRange>& asked,
                                  Visit visit) {
  for (const NodeRange& range : asked) {
    const std::vector<std::uint32_t>& nodes = mover.spec->open->by_part[range.part];
    const auto first = std::lower_bound(nodes.begin(), nodes.end(), range.first);
    const auto end = std::upper_bound(first, nodes.end(), range.last);
    if (end - first > kMany) {
      visit(by_part_[range.part], true);
    } else {
      std::for_each(first, end, [&](std::uint32_t node) { visit(by_node_[node], false); });
    }
  }
}

PlacementAskers::List::const_iterator PlacementAskers::From(const List& list,
                                                            std::uint32_t rank) const {
  return std::partition_point(list.begin(), list.end(),
                              [&](const MoverRef& ref) { return facts_.RankOf(ref) < rank; });
}

void PlacementAskers::Clear() {
  for (auto* lists : {&by_node_, &by_part_}) {
    for (List& list : *lists) list.clear();
  }
}

void PlacementAskers::Add(const MoverRef& ref, const std::vector<NodeRange>& asked) {
  const std::uint32_t rank = facts_.RankOf(ref);
  ForEachList(facts_.mover(ref), asked, [&](List& list, bool) {
    if (list.empty() || facts_.RankOf(list.back()) < rank) {
      list.push_back(ref);
      return;
    }
    const auto at = From(list, rank);
    if (!(*at == ref)) list.insert(at, ref);
  });
}

void PlacementAskers::Remove(const MoverRef& ref, const std::vector<NodeRange>& asked) {
  const std::uint32_t rank = facts_.RankOf(ref);
  ForEachList(facts_.mover(ref), asked, [&](List& list, bool) {
    const auto at = From(list, rank);
    if (at != list.end() && *at == ref) list.erase(at);
  });
}

void PlacementAskers::Forget(std::uint32_t slot, const PlacementPlan& plan,
                             const std::vector<Placing>& placings) {
  const auto forget = [&](List& list) {
    std::erase_if(list, [&](const MoverRef& ref) { return ref.slot == slot; });
  };
  std::for_each(by_part_.begin(), by_part_.end(), forget);
  for (std::size_t i = 0; i < placings.size(); ++i) {
    ForEachList(plan.movers()[i], placings[i].asked, [&](List& list, bool of_part) {
      if (!of_part) forget(list);
    });
  }
}

std::uint32_t PlacementAskers::Next(std::uint32_t node, std::uint32_t rank) const {
  std::uint32_t next = kNone;
  for (const List* list : {&by_node_[node], &by_part_[facts_.nodes().part_of(node)]}) {
    const auto at = From(*list, rank);
    if (at != list->end()) next = std::min(next, facts_.RankOf(*at));
  }
  return next;
}

}  // namespace azexporter::zones
