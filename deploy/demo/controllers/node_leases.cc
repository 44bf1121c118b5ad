// What kubelets do to say that their nodes are there.
// Semantics: kubernetes.io/docs/concepts/architecture/leases/#node-heart-beats.

#include <fmt/format.h>

#include "controllers/controllers.h"
#include "region.h"

namespace azexporter::platform {

using simulator::Json;
using simulator::ObjectKey;
using simulator::ObjectPtr;
using simulator::StringAt;

namespace {

// Whatever the pace: who watches Leases has a clock of its own.
constexpr std::int64_t kRenewMs = 10'000;
constexpr int kDurationSeconds = 40;

// A MicroTime.
std::string MicroTime(std::int64_t ms) {
  std::string text = simulator::Rfc3339(ms);
  text.pop_back();
  return text + fmt::format(".{:03}000Z", ms % 1000);
}

}  // namespace

void RenewNodeLeases(World& world) {
  const std::int64_t now_ms = world.NowMs();
  if (now_ms < world.leases_due_ms) return;
  world.leases_due_ms = now_ms + kRenewMs;
  for (const ObjectPtr& node : world.store.List(Type("v1", "Node"), "").items) {
    const std::string name = StringAt(*node, {"metadata", "name"});
    if (world.silent_nodes.contains(name) || world.stalled_nodes.contains(name)) continue;
    const ObjectKey key{&Type("coordination.k8s.io/v1", "Lease"), "kube-node-lease", name};
    const auto renewed = world.store.Modify(
        key, [&](Json& lease) { lease["spec"]["renewTime"] = MicroTime(now_ms); });
    if (renewed) continue;
    (void)world.store.Create({{"kind", "Lease"},
                              {"apiVersion", "coordination.k8s.io/v1"},
                              {"metadata", {{"name", name}, {"namespace", "kube-node-lease"}}},
                              {"spec",
                               {{"holderIdentity", name},
                                {"leaseDurationSeconds", kDurationSeconds},
                                {"renewTime", MicroTime(now_ms)}}}});
  }
}

}  // namespace azexporter::platform
