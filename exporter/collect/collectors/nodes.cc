// kube_node_*: the nodes, named as kube-state-metrics names them, with the zone added.

#include <array>

#include "../collectors.h"
#include "../family_builder.h"

namespace azexporter::collect {
namespace {

constexpr std::array<std::string_view, 4> kConditionLabels = {"node", "condition", "status",
                                                              "topology_kubernetes_io_zone"};
constexpr std::array<std::string_view, 2> kNodeLabels = {"node", "topology_kubernetes_io_zone"};

constexpr model::MetricDesc kFamilies[] = {
    {"kube_node_spec_unschedulable", "Whether a node can schedule new pods.",
     model::MetricType::kGauge, kNodeLabels},
    {"kube_node_status_condition", "The condition of a cluster node.", model::MetricType::kGauge,
     kConditionLabels},
};

Collected Collect(const CollectorInputs& inputs) {
  Collected collected;
  collected.fault = FaultOf(inputs.report.nodes);
  if (!inputs.report.nodes.known) return collected;
  FamilyBuilder unschedulable(kFamilies[0]);
  FamilyBuilder conditions(kFamilies[1]);
  using Status = kube::ConditionStatus;
  constexpr std::pair<std::string_view, Status> kStatuses[] = {
      {"true", Status::kTrue}, {"false", Status::kFalse}, {"unknown", Status::kUnknown}};
  for (const auto& node : inputs.cluster.nodes()) {
    unschedulable.Add({node->meta.name, node->zone()}, node->unschedulable ? 1 : 0);
    for (const kube::NodeCondition& condition : node->conditions) {
      for (const auto& [text, status] : kStatuses) {
        conditions.Add({node->meta.name, condition.type, text, node->zone()},
                       condition.status == status ? 1 : 0);
      }
    }
  }
  collected.families.push_back(unschedulable.Take());
  collected.families.push_back(conditions.Take());
  return collected;
}

}  // namespace

const Collector& NodesCollector() {
  static constexpr Collector kRow = {"nodes", "Conditions and schedulability of nodes.", kFamilies,
                                     &Collect};
  return kRow;
}

}  // namespace azexporter::collect
