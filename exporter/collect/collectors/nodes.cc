// kube_node_*: the nodes, named as kube-state-metrics names them, with the zone added.

#include <array>
#include <set>
#include <string>

#include "../collectors.h"
#include "../family_builder.h"

namespace azexporter::collect {
namespace {

constexpr std::array<std::string_view, 4> kConditionLabels = {"node", "condition", "status",
                                                              "topology_kubernetes_io_zone"};
constexpr std::array<std::string_view, 4> kResourceLabels = {"node", "resource", "unit",
                                                             "topology_kubernetes_io_zone"};
constexpr std::array<std::string_view, 2> kNodeLabels = {"node", "topology_kubernetes_io_zone"};

constexpr std::string_view kStatusValues[] = {"true", "false", "unknown"};
constexpr model::LabelValues kStatus[] = {{"status", kStatusValues}};

constexpr model::MetricDesc kFamilies[] = {
    {"kube_node_spec_unschedulable", "Whether a node can schedule new pods.",
     model::MetricType::kGauge, kNodeLabels, model::kFlag},
    {"kube_node_status_allocatable",
     "The allocatable for different resources of a node that are available for scheduling.",
     model::MetricType::kGauge, kResourceLabels, model::kAmount},
    {"kube_node_status_condition", "The condition of a cluster node.", model::MetricType::kGauge,
     kConditionLabels, model::kFlag, kStatus},
};

// The unit by the rules of kube-state-metrics; "" for resources that it leaves out: native ones it
// does not know.
// Semantics: kube-state-metrics internal/store/node.go, kubernetes pkg/apis/core/v1/helper.
std::string_view UnitOf(std::string_view resource) {
  if (resource == "storage" || resource == "ephemeral-storage") return "byte";
  if (resource.starts_with("hugepages-") || resource.starts_with("attachable-volumes-")) {
    return "byte";
  }
  const bool native = resource.find('/') == std::string_view::npos ||
                      resource.find("kubernetes.io/") != std::string_view::npos;
  return native || resource.starts_with("requests.") ? "" : "integer";
}

void AddAllocatable(FamilyBuilder& family, const kube::Node& node) {
  if (node.allocatable == kube::Resources{}) return;  // the kubelet reported none
  const auto add = [&](std::string_view resource, std::string_view unit, double amount) {
    family.Add({node.meta.name, resource, unit, node.zone()}, amount);
  };
  add("cpu", "core", static_cast<double>(node.allocatable.cpu_milli) / 1000);
  add("memory", "byte", static_cast<double>(node.allocatable.memory_bytes));
  add("pods", "integer", static_cast<double>(node.allocatable.pods));
  std::set<std::string> added;  // of names that come out alike the first is told
  for (const auto& [name, amount] : node.allocatable.others) {
    const std::string_view unit = UnitOf(name);
    std::string label = ResourceLabel(name);
    if (unit.empty() || !added.insert(label).second) continue;
    add(label, unit, static_cast<double>(amount));
  }
}

Collected Collect(const CollectorInputs& inputs) {
  Collected collected;
  collected.fault = FaultOf(inputs.report.nodes);
  if (!inputs.report.nodes.known) return collected;
  FamilyBuilder unschedulable(kFamilies[0]);
  FamilyBuilder allocatable(kFamilies[1]);
  FamilyBuilder conditions(kFamilies[2]);
  using Status = kube::ConditionStatus;
  constexpr std::pair<std::string_view, Status> kStatuses[] = {
      {"true", Status::kTrue}, {"false", Status::kFalse}, {"unknown", Status::kUnknown}};
  for (const auto& node : inputs.cluster.nodes()) {
    unschedulable.Add({node->meta.name, node->zone()}, node->unschedulable ? 1 : 0);
    AddAllocatable(allocatable, *node);
    for (const kube::NodeCondition& condition : node->conditions) {
      for (const auto& [text, status] : kStatuses) {
        conditions.Add({node->meta.name, condition.type, text, node->zone()},
                       condition.status == status ? 1 : 0);
      }
    }
  }
  collected.families.push_back(unschedulable.Take());
  collected.families.push_back(allocatable.Take());
  collected.families.push_back(conditions.Take());
  return collected;
}

}  // namespace

const Collector& NodesCollector() {
  static constexpr Collector kRow = {"nodes", "Conditions, schedulability and room of nodes.",
                                     kFamilies, &Collect};
  return kRow;
}

}  // namespace azexporter::collect
