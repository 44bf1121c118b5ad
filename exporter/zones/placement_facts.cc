#include <algorithm>
#include <tuple>
#include <unordered_map>

#include "placement_run.h"

namespace azexporter::zones {
namespace {

// What follows from a spec alone.
struct SpecFacts {
  const NodeClass* wanted = nullptr;
  const NodeClass* open = nullptr;
  std::vector<Request> requests;
  double share = 0;
};

double ShareOf(const std::vector<Request>& requests, const NodeRoom& room) {
  double share = 0;
  for (const Request& request : requests) {
    const std::int64_t total = room.total[request.resource];
    if (total <= 0) continue;
    share = std::max(share, static_cast<double>(request.amount) / static_cast<double>(total));
  }
  return share;
}

SpecFacts FactsOf(const kube::PodSpec& spec, PlacementFacts& facts) {
  Eligibility eligibility;
  eligibility.node_selector = spec.node_selector;
  eligibility.node_affinity = spec.required_node_affinity;
  SpecFacts made;
  made.wanted = &facts.nodes.ClassOf(facts.domains.GroundOf(eligibility));
  eligibility.honor_taints = true;
  eligibility.tolerations = spec.tolerations;
  made.open = &facts.nodes.ClassOf(facts.domains.GroundOf(eligibility));
  made.requests = facts.room.RequestsOf(spec.requests);
  made.share = ShareOf(made.requests, facts.room);
  return made;
}

void SortMovers(PlacementFacts& facts) {
  const auto key = [&](const Mover& mover) {
    const std::int64_t priority = facts.pods.groups()[mover.group].pod->spec->priority;
    return std::tuple(-priority, -mover.share, mover.group);
  };
  std::sort(facts.movers.begin(), facts.movers.end(),
            [&](const Mover& a, const Mover& b) { return key(a) < key(b); });
}

}  // namespace

PlacementFacts::PlacementFacts(const kube::ClusterState& of, NodeDomains& node_domains,
                               std::span<const NamespaceGroups* const> namespaces,
                               const DefaultConstraints& defaults)
    : cluster(of),
      domains(node_domains),
      pods(namespaces),
      nodes(of, domains),
      room(RoomOf(of, pods)),
      rules(of, pods, domains, defaults) {
  std::unordered_map<const kube::PodSpec*, SpecFacts> by_spec;
  for (std::uint32_t number = 0; number < pods.groups().size(); ++number) {
    const PodGroup& group = pods.groups()[number];
    if (group.role != PodRole::kMoves) continue;
    const auto [found, added] = by_spec.try_emplace(group.pod->spec.get());
    if (added) found->second = FactsOf(*group.pod->spec, *this);
    const SpecFacts& spec = found->second;
    Mover mover{number, spec.wanted, spec.open, spec.requests, spec.share, {}};
    for (const std::string& claim : group.pod->claims) {
      const VolumeReach* reach = nodes.ReachOf(group.pod->meta.ns, claim);
      if (reach != nullptr) mover.volumes.emplace_back(claim, reach);
    }
    movers.push_back(std::move(mover));
  }
  SortMovers(*this);
}

}  // namespace azexporter::zones
