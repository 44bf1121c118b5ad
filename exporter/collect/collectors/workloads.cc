// az_workload_*: where the pods of each workload are.

#include <array>

#include "../collectors.h"
#include "../family_builder.h"

namespace azexporter::collect {
namespace {

constexpr std::array<std::string_view, 3> kWorkload = {"namespace", "workload_kind", "workload"};
constexpr std::array<std::string_view, 5> kWorkloadZoneState = {"namespace", "workload_kind",
                                                                "workload", "zone", "state"};

constexpr std::string_view kPodStateValues[] = {"total", "ready"};
constexpr model::LabelValues kPodState[] = {{"state", kPodStateValues}};

constexpr model::MetricDesc kFamilies[] = {
    {"az_workload_pods",
     "Pods of the workload in the zone, neither finished nor terminating: in total, and the ready "
     "ones of them. Without the label zone: those on no node, or on a node without zone.",
     model::MetricType::kGauge, kWorkloadZoneState, model::kNumber, kPodState},
    {"az_workload_pods_desired",
     "Pods the workload is to have; of owners that azexporter does not watch there is no series.",
     model::MetricType::kGauge, kWorkload, model::kNumber},
};

void AddPods(FamilyBuilder& pods, const zones::WorkloadRef& ref, std::string_view zone,
             const zones::PodCounts& counts) {
  pods.Add({ref.ns, ref.kind, ref.name, zone, "total"}, static_cast<double>(counts.total));
  pods.Add({ref.ns, ref.kind, ref.name, zone, "ready"}, static_cast<double>(counts.ready));
}

// A workload that has pods, or wants some, has its series in every zone.
void AddWorkload(FamilyBuilder& pods, const zones::WorkloadDistribution& workload,
                 const zones::ZoneReport& report) {
  if (workload.pods.total == 0 && workload.desired.value_or(0) == 0) return;
  for (const zones::ZoneStatus& zone : report.zones) {
    const auto found = workload.zones.find(zone.zone);
    AddPods(pods, workload.workload, zone.zone,
            found != workload.zones.end() ? found->second : zones::PodCounts{});
  }
  const auto elsewhere = workload.zones.find("");
  if (elsewhere != workload.zones.end()) {
    AddPods(pods, workload.workload, "", elsewhere->second);
  }
}

Collected Collect(const CollectorInputs& inputs) {
  const zones::ZoneReport& report = inputs.report;
  Collected collected;
  const Ground ground = GroundOf(report, report.workloads);
  collected.fault = ground.fault;
  if (!ground.known) return collected;
  FamilyBuilder pods(kFamilies[0]);
  FamilyBuilder desired(kFamilies[1]);
  for (const auto& ns : report.namespaces) {
    for (const zones::WorkloadDistribution& workload : ns->workloads) {
      AddWorkload(pods, workload, report);
      const zones::WorkloadRef& ref = workload.workload;
      if (!workload.desired) continue;
      desired.Add({ref.ns, ref.kind, ref.name}, static_cast<double>(*workload.desired));
    }
  }
  collected.families.push_back(pods.Take());
  collected.families.push_back(desired.Take());
  return collected;
}

}  // namespace

const Collector& WorkloadsCollector() {
  static constexpr Collector kRow = {"workloads", "Pods of each workload by zone.", kFamilies,
                                     &Collect};
  return kRow;
}

}  // namespace azexporter::collect
