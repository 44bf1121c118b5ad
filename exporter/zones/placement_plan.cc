#include "placement_plan.h"

#include <algorithm>

#include "azexporter/base/fnv.h"
#include "lost_nodes.h"

namespace azexporter::zones {
namespace {

double ShareOf(const std::vector<Request>& requests, const NodeRoom& room) {
  double share = 0;
  for (const Request& request : requests) {
    const std::int64_t total = room.total[request.resource];
    if (total <= 0) continue;
    share = std::max(share, static_cast<double>(request.amount) / static_cast<double>(total));
  }
  return share;
}

SpecFacts FactsOf(const kube::PodSpec& spec, const PlanBasis& basis) {
  Eligibility eligibility;
  eligibility.node_selector = spec.node_selector;
  eligibility.node_affinity = spec.required_node_affinity;
  SpecFacts made;
  made.wanted = &basis.nodes.ClassOf(basis.domains.GroundOf(eligibility));
  eligibility.honor_taints = true;
  eligibility.tolerations = spec.tolerations;
  made.open = &basis.nodes.ClassOf(basis.domains.GroundOf(eligibility));
  made.requests = basis.room.RequestsOf(spec.requests);
  made.priority = spec.priority;
  made.share = ShareOf(made.requests, basis.room);
  return made;
}

// No constraint tells a failed node from a drained one.
bool KindsAlike(const PlacementRules& rules) {
  const auto failed = TaintsOf(LossKind::kFailure);
  const auto drained = TaintsOf(LossKind::kEvacuation);
  return std::all_of(rules.tallies().begin(), rules.tallies().end(), [&](const Tally& tally) {
    return tally.ground == nullptr || KeepsNodes(tally.ground->eligibility, failed) ==
                                          KeepsNodes(tally.ground->eligibility, drained);
  });
}

std::vector<const NamespaceGroups*> Pointers(const PlacementPlan::Namespaces& namespaces) {
  std::vector<const NamespaceGroups*> pointers;
  for (const auto& groups : namespaces) pointers.push_back(groups.get());
  return pointers;
}

}  // namespace

PlacementPlan::PlacementPlan(const kube::ClusterState& now, Namespaces namespaces,
                             const PlanBasis& basis)
    : namespaces_(std::move(namespaces)),
      pods_(Pointers(namespaces_)),
      rules_(now, pods_, basis.domains, basis.defaults) {
  pods_.ForgetLabels();
  AddMovers(now, basis);
  kinds_alike_ = KindsAlike(rules_);
}

void PlacementPlan::AddMovers(const kube::ClusterState& now, const PlanBasis& basis) {
  const WorkloadRef* last = nullptr;
  std::uint64_t turn = 0;
  for (std::uint32_t number = 0; number < pods_.groups().size(); ++number) {
    const PodGroup& group = pods_.groups()[number];
    if (group.role != PodRole::kMoves) continue;
    const auto [spec, added] = specs_.try_emplace(group.pod->spec.get());
    if (added) spec->second = FactsOf(*group.pod->spec, basis);
    const WorkloadRef& workload = pods_.workload(group.workload);
    if (std::exchange(last, &workload) != &workload) {
      turn = base::Fnv1a(workload.ns + "/" + workload.kind + "/" + workload.name);
    }
    Mover& mover = movers_.emplace_back(Mover{number, &spec->second, turn, {}});
    for (const std::string& claim : group.pod->claims) {
      const VolumeReach* reach = basis.nodes.ReachOf(now, group.pod->meta.ns, claim);
      if (reach != nullptr) mover.volumes.emplace_back(claim, reach);
    }
  }
  std::sort(movers_.begin(), movers_.end(),
            [&](const Mover& a, const Mover& b) { return PlacedBefore(*this, a, *this, b); });
}

bool PlacedBefore(const PlacementPlan& plan, const Mover& mover, const PlacementPlan& other_plan,
                  const Mover& other) {
  const SpecFacts& spec = *mover.spec;
  if (spec.priority != other.spec->priority) return spec.priority > other.spec->priority;
  if (spec.share != other.spec->share) return spec.share > other.spec->share;
  if (&plan != &other_plan) {
    const std::string& ns = plan.GroupOf(mover).pod->meta.ns;
    const int order = ns.compare(other_plan.GroupOf(other).pod->meta.ns);
    if (order != 0) return order < 0;
  }
  return mover.group < other.group;
}

}  // namespace azexporter::zones
