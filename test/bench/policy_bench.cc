// What the policy audit of a running cluster costs, in milliseconds: the first one; one after
// nothing changed; after a workload told of its pods, which no check reads; after a workload was
// scaled; after a node came, which has everything judged again. And with everything in one
// namespace. Not a test; run by hand:
//
//   build/ci/test/policy_bench [PODS]      (250000 unless said otherwise: 5,000 workloads)

#include <charconv>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "azexporter/audit/live.h"
#include "azexporter/kube/object_cache.h"
#include "zone_cluster.h"

namespace azexporter::audit {
namespace {

using Parts = kube::ClusterState::Parts;

// The list with its middle object changed.
template <class T>
kube::SharedList<T> WithChange(const kube::SharedList<T>& list,
                               const std::function<void(T&)>& change) {
  kube::ObjectCache<T> cache;
  cache.Replace({list->begin(), list->end()});
  T object = *(*list)[list->size() / 2];
  change(object);
  cache.Upsert(std::make_shared<const T>(std::move(object)));
  return cache.List();
}

// In one namespace, by names that stay different.
template <class T>
kube::SharedList<T> Joined(const kube::SharedList<T>& list) {
  kube::Objects<T> joined;
  for (const auto& object : *list) {
    T copy = *object;
    copy.meta.name = copy.meta.ns + "-" + copy.meta.name;
    copy.meta.ns = "all";
    joined.push_back(std::make_shared<const T>(std::move(copy)));
  }
  return kube::MakeList(std::move(joined));
}

// From one cluster to the other and back.
double Between(const Parts& one, const Parts& other) {
  const kube::ClusterState first(one);
  const kube::ClusterState second(other);
  LiveAudit audit;
  audit.Update(first);
  bool changed = false;
  return bench::Shortest([&] {
    changed = !changed;
    audit.Update(changed ? second : first);
  });
}

void Measure(const char* title, const Parts& parts) {
  const kube::ClusterState cluster(parts);
  LiveAudit audit;
  const auto report = audit.Update(cluster);
  std::printf("%s: %zu objects in %zu namespaces, %zu findings\n", title, report->objects,
              audit.judged(), report->findings.size());
  std::printf("  first                %10.3f\n",
              bench::Shortest([&] { LiveAudit().Update(cluster); }));
  std::printf("  nothing changed      %10.3f\n", Between(parts, parts));
  Parts status = parts;
  status.deployments = WithChange<kube::Deployment>(parts.deployments, [](auto& d) { ++d.ready; });
  std::printf("  a status             %10.3f\n", Between(parts, status));
  Parts scaled = parts;
  scaled.deployments =
      WithChange<kube::Deployment>(parts.deployments, [](auto& d) { ++d.desired; });
  std::printf("  a workload scaled    %10.3f\n", Between(parts, scaled));
  Parts grown = parts;
  grown.nodes = WithChange<kube::Node>(parts.nodes, [](auto& n) { n.meta.name += "-new"; });
  std::printf("  a node came          %10.3f\n", Between(parts, grown));
}

int Main(int argc, char** argv) {
  int pods = 250'000;
  if (argc > 1) {
    const std::string_view given = argv[1];
    std::from_chars(given.data(), given.data() + given.size(), pods);
  }
  const bench::ZoneCluster made = bench::MakeZoneCluster(pods);
  Measure("as it is", made.parts);
  Parts joined = made.parts;
  joined.deployments = Joined(joined.deployments);
  joined.stateful_sets = Joined(joined.stateful_sets);
  joined.budgets = Joined(joined.budgets);
  joined.services = Joined(joined.services);
  joined.endpoint_slices = Joined(joined.endpoint_slices);
  joined.claims = Joined(joined.claims);
  Measure("in one namespace", joined);
  return 0;
}

}  // namespace
}  // namespace azexporter::audit

int main(int argc, char** argv) { return azexporter::audit::Main(argc, argv); }
