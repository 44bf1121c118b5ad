#pragma once

// A collector turns what is known (a ZoneReport and the views it was made from) into metric
// families. It is a pure function with a row in the table of collectors: no I/O, no state.
//
// To add one: a file exporter/collect/collectors/NAME.cc with its families and its function, a row
// in collector_table.cc, a line in exporter/CMakeLists.txt, a test.

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/base/result.h"
#include "azexporter/kube/cluster_state.h"
#include "azexporter/model/metric_family.h"
#include "azexporter/probe/prober.h"
#include "azexporter/zones/zone_report.h"

namespace azexporter::audit {
struct Report;
}  // namespace azexporter::audit

namespace azexporter::collect {

struct CollectorOptions {
  // kube_pod_status_phase and kube_pod_status_ready: eight more series a pod.
  bool pods_detail = false;
  // az_policy_*: watches custom resources, and audits them beside the built-in kinds.
  bool policy_custom_resources = false;
  // Instances of CloudNativePG's Clusters are looked for: not being able to list them is a fault.
  bool postgres_cnpg = false;
  // The same of OpsTree's RedisClusters.
  bool redis_opstree = false;
};

// One consistent set of facts. All of it stays unchanged during a round.
struct CollectorInputs {
  const kube::ClusterState& cluster;
  const zones::ZoneReport& report;
  std::span<const probe::TargetFacts> probes;
  CollectorOptions options;
  std::shared_ptr<const audit::Report> policy = {};  // null: not audited
};

// Pods of the cluster that change together: see kube::ObjectList.
using PodChunk = kube::ObjectList<kube::Pod>::Chunk;

// Families and a fault may come together: old facts are still shown while their source fails.
struct Collected {
  std::vector<model::MetricFamily> families;
  std::optional<base::Error> fault;
  // Collector::of_pods is to be asked, too.
  bool with_pods = false;
};

// A row of the table.
struct Collector {
  std::string_view name;  // --no-collector.NAME
  std::string_view help;
  std::span<const model::MetricDesc> families;  // every family it can make
  Collected (*collect)(const CollectorInputs&);
  // What is said of each pod, for some of them at a time. It must depend on these pods, the zones
  // of their nodes and the options alone: it is taken over as long as these stay. Null: nothing.
  std::vector<model::MetricFamily> (*of_pods)(const PodChunk& pods,
                                              const CollectorInputs& inputs) = nullptr;
};

// Sorted by name.
std::span<const Collector> Collectors();

}  // namespace azexporter::collect
