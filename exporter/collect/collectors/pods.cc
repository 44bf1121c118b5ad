// kube_pod_*: the pods, named as kube-state-metrics names them, with the zone of their node added.

#include <array>

#include "../collectors.h"
#include "../family_builder.h"

namespace azexporter::collect {
namespace {

constexpr std::array<std::string_view, 11> kInfoLabels = {"namespace",
                                                          "pod",
                                                          "uid",
                                                          "host_ip",
                                                          "pod_ip",
                                                          "node",
                                                          "created_by_kind",
                                                          "created_by_name",
                                                          "priority_class",
                                                          "host_network",
                                                          "topology_kubernetes_io_zone"};
constexpr std::array<std::string_view, 5> kPhaseLabels = {"namespace", "pod", "uid", "phase",
                                                          "topology_kubernetes_io_zone"};
constexpr std::array<std::string_view, 5> kReadyLabels = {"namespace", "pod", "uid", "condition",
                                                          "topology_kubernetes_io_zone"};

constexpr std::string_view kHostNetworkValues[] = {"true", "false"};
constexpr model::LabelValues kHostNetwork[] = {{"host_network", kHostNetworkValues}};
constexpr std::string_view kPhaseValues[] = {"Pending", "Succeeded", "Failed", "Unknown",
                                             "Running"};
constexpr model::LabelValues kPhase[] = {{"phase", kPhaseValues}};
constexpr std::string_view kConditionValues[] = {"true", "false", "unknown"};
constexpr model::LabelValues kCondition[] = {{"condition", kConditionValues}};

constexpr model::MetricDesc kFamilies[] = {
    {"kube_pod_info", "Information about pod.", model::MetricType::kGauge, kInfoLabels,
     model::kAlwaysOne, kHostNetwork},
    {"kube_pod_status_phase", "The pods current phase.", model::MetricType::kGauge, kPhaseLabels,
     model::kFlag, kPhase},
    {"kube_pod_status_ready", "Describes whether the pod is ready to serve requests.",
     model::MetricType::kGauge, kReadyLabels, model::kFlag, kCondition},
};

const kube::Owner* ControllerOf(const kube::Pod& pod) {
  for (const kube::Owner& owner : pod.owners) {
    if (owner.controller) return &owner;
  }
  return nullptr;
}

void AddInfo(FamilyBuilder& family, const kube::Pod& pod, std::string_view zone) {
  const kube::Owner* owner = ControllerOf(pod);
  family.Add({pod.meta.ns, pod.meta.name, pod.meta.uid, pod.host_ip, pod.pod_ip, pod.node_name,
              owner != nullptr ? std::string_view(owner->kind) : std::string_view(),
              owner != nullptr ? std::string_view(owner->name) : std::string_view(),
              pod.spec->priority_class, pod.spec->host_network ? "true" : "false", zone},
             1);
}

void AddDetail(FamilyBuilder& phases, FamilyBuilder& ready, const kube::Pod& pod,
               std::string_view zone) {
  using kube::PodPhase;
  for (PodPhase phase : {PodPhase::kPending, PodPhase::kSucceeded, PodPhase::kFailed,
                         PodPhase::kUnknown, PodPhase::kRunning}) {
    phases.Add({pod.meta.ns, pod.meta.name, pod.meta.uid, kube::PodPhaseName(phase), zone},
               pod.phase == phase ? 1 : 0);
  }
  using Status = kube::ConditionStatus;
  constexpr std::pair<std::string_view, Status> kStatuses[] = {
      {"true", Status::kTrue}, {"false", Status::kFalse}, {"unknown", Status::kUnknown}};
  for (const auto& [text, status] : kStatuses) {
    ready.Add({pod.meta.ns, pod.meta.name, pod.meta.uid, text, zone}, pod.ready == status ? 1 : 0);
  }
}

Collected Collect(const CollectorInputs& inputs) {
  Collected collected;
  // A pod's zone is its node's: without current nodes the label would be wrong.
  collected.fault = FaultOf(inputs.report.pods);
  if (!collected.fault) collected.fault = FaultOf(inputs.report.nodes);
  collected.with_pods = inputs.report.pods.known && inputs.report.nodes.known;
  return collected;
}

std::vector<model::MetricFamily> OfPods(const PodChunk& pods, const CollectorInputs& inputs) {
  FamilyBuilder info(kFamilies[0]);
  FamilyBuilder phases(kFamilies[1]);
  FamilyBuilder ready(kFamilies[2]);
  for (const auto& pod : pods) {
    const std::string_view zone = inputs.cluster.ZoneOf(*pod);
    AddInfo(info, *pod, zone);
    if (inputs.options.pods_detail) AddDetail(phases, ready, *pod, zone);
  }
  std::vector<model::MetricFamily> families;
  families.push_back(info.Take());
  families.push_back(phases.Take());
  families.push_back(ready.Take());
  return families;
}

}  // namespace

const Collector& PodsCollector() {
  static constexpr Collector kRow = {"pods", "Pods with their node, owner and zone.", kFamilies,
                                     &Collect, &OfPods};
  return kRow;
}

}  // namespace azexporter::collect
