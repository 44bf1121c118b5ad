// What a ZoneReport costs, with the loss of every zone, in bare passes: one pass over all pods that
// counts the ready ones by zone; and what the next one costs after a single pod became ready or
// not, after one went, which plays through anew where the pods of a lost zone would go, and after
// all nodes renewed their Leases. Not a test; run by hand:
//
//   build/ci/test/zone_report_bench [PODS]      (1500, 15000 and 150000 unless said otherwise)

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "azexporter/kube/object_cache.h"
#include "azexporter/zones/zone_report.h"
#include "zone_cluster.h"

namespace azexporter::zones {
namespace {

using bench::BarePass;
using bench::Shortest;

const ExpectedZones kExpected = {{"us-east-1a", {}}, {"us-east-1b", {}}, {"us-east-1c", {}}};
const std::set<std::string> kSeen;

ReportInputs InputsOf(std::shared_ptr<const kube::ClusterState> cluster, bool place) {
  return {.cluster = std::move(cluster),
          .expected = kExpected,
          .expectations = {.known = true},
          .probes = {},
          .postgres = {},
          .seen_zones = kSeen,
          .pod_namespace = "",
          .pod_selector = {},
          .place = place,
          .now_ms = bench::kNowMs};
}

using State = std::shared_ptr<const kube::ClusterState>;

// The cluster, and the same with its middle pod no longer ready, or without it. As a watch leaves
// them: they share what did not change.
std::pair<State, State> OneChange(const bench::ZoneCluster& made, bool gone) {
  kube::ClusterState::Parts parts = made.parts;
  const auto state = [&] { return std::make_shared<const kube::ClusterState>(parts); };
  const kube::Object<kube::Pod> middle = (*parts.pods)[parts.pods->size() / 2];
  kube::ObjectCache<kube::Pod> pods;
  pods.Replace({parts.pods->begin(), parts.pods->end()});
  parts.pods = pods.List();
  const State before = state();
  if (gone) {
    pods.Remove(*middle);
  } else {
    kube::Pod pod = *middle;
    pod.ready = kube::ConditionStatus::kFalse;
    pods.Upsert(std::make_shared<const kube::Pod>(std::move(pod)));
  }
  parts.pods = pods.List();
  return {before, state()};
}

// The same cluster with a Lease of each node, all of them renewed at that time.
State WithLeases(const bench::ZoneCluster& made, std::int64_t renewed_ms) {
  kube::ClusterState::Parts parts = made.parts;
  kube::Objects<kube::NodeLease> leases;
  for (const auto& node : *parts.nodes) {
    kube::NodeLease lease;
    lease.meta.name = node->meta.name;
    lease.meta.ns = kube::NodeLease::kNamespace;
    lease.renewed_ms = renewed_ms;
    leases.push_back(std::make_shared<const kube::NodeLease>(std::move(lease)));
  }
  parts.node_leases = kube::MakeList(std::move(leases));
  parts.health.push_back({.resource = std::string(kube::NodeLease::kResource),
                          .synced = true,
                          .last_contact_ms = bench::kNowMs});
  return std::make_shared<const kube::ClusterState>(std::move(parts));
}

// From one cluster to the other and back.
double UpdateBetween(const State& one, const State& other) {
  ZoneModel model;
  model.Update(InputsOf(one, true));
  bool changed = false;
  return Shortest([&] {
    changed = !changed;
    model.Update(InputsOf(changed ? other : one, true));
  });
}

void Measure(int pods) {
  const bench::ZoneCluster made = bench::MakeZoneCluster(pods);
  const auto cluster = std::make_shared<const kube::ClusterState>(made.parts);
  const double bare = Shortest([&] { BarePass(*cluster); });
  const double without = Shortest([&] { MakeZoneReport(InputsOf(cluster, false)); });
  const double whole = Shortest([&] { MakeZoneReport(InputsOf(cluster, true)); });

  const auto [ready, unready] = OneChange(made, false);
  const double event = UpdateBetween(ready, unready);
  const auto [there, without_it] = OneChange(made, true);
  const double gone = UpdateBetween(there, without_it);
  const double renewed =
      UpdateBetween(WithLeases(made, bench::kNowMs - 10'000), WithLeases(made, bench::kNowMs));
  const ZoneReport report = MakeZoneReport(InputsOf(cluster, true));
  std::printf(
      "%7d pods, %4zu nodes, %5zu workloads: bare pass %7.3f ms; report %8.2f ms = %4.1f passes, "
      "%8.2f ms = %4.1f with placements; a pod's readiness %6.3f ms, a pod gone %7.3f ms, Leases "
      "renewed %6.3f ms\n",
      pods, cluster->nodes().size(),
      cluster->deployments().size() + cluster->stateful_sets().size(), bare, without,
      without / bare, whole, whole / bare, event, gone, renewed);
  if (report.losses.size() != 3) std::printf("there should be three zones\n");
}

int Main(int argc, char** argv) {
  if (argc == 1) {
    for (const int pods : {1'500, 15'000, 150'000}) Measure(pods);
    return 0;
  }
  int pods = 0;
  const std::string_view text = argv[1];
  const auto end = std::from_chars(text.data(), text.data() + text.size(), pods);
  if (end.ec != std::errc() || pods < 100) {
    std::fprintf(stderr, "usage: zone_report_bench [PODS], at least 100\n");
    return 2;
  }
  Measure(pods);
  return 0;
}

}  // namespace
}  // namespace azexporter::zones

int main(int argc, char** argv) { return azexporter::zones::Main(argc, argv); }
