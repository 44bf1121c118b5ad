#include "../checks.h"

#include <algorithm>
#include "../context.h"

namespace azexporter::audit {
namespace {

using base::YamlNode;

// The claim of the manifests, where one node at a time may mount it.
const Object* OneNodeClaim(const Context& context, const std::string& ns, const std::string& name) {
  const Object* claim = context.manifests.Find(kCore, "PersistentVolumeClaim", ns, name);
  if (claim == nullptr) return nullptr;
  const auto& modes = ItemsAt(claim->root, {"spec", "accessModes"});
  const bool one_node = std::ranges::all_of(modes, [](const YamlNode& mode) {
    return mode.scalar() == "ReadWriteOnce" || mode.scalar() == "ReadWriteOncePod";
  });
  return one_node && !modes.empty() ? claim : nullptr;
}

std::vector<Problem> Run(const Context& context) {
  std::vector<Problem> problems;
  for (const Workload& workload : context.workloads) {
    const bool many = workload.object->kind == "DaemonSet" || workload.replicas.value_or(0) > 1;
    if (!many) continue;
    for (const YamlNode& volume : ItemsAt(*workload.pod_spec, {"volumes"})) {
      const Field name = FieldAt(volume, {"persistentVolumeClaim", "claimName"});
      if (!name) continue;
      const Object* claim = OneNodeClaim(context, workload.object->ns, name.value->scalar());
      if (claim == nullptr) continue;
      problems.push_back(ProblemAt(*workload.object, *name.key,
                                   "all pods share the claim " + claim->name +
                                       PlaceText(claim->root) + ", which one node may mount"));
    }
  }
  return problems;
}

}  // namespace

Check ClaimInOneZone() {
  return {.name = "claim-in-one-zone",
          .severity = Severity::kError,
          .title = "several pods share a volume that is in one zone",
          .explanation =
              "A ReadWriteOnce volume is mounted by one node and lives in one zone: the other pods "
              "stay pending or follow it there, and with the zone all of them are gone.",
          .fix =
              "Use a StatefulSet with volumeClaimTemplates, or storage that many nodes may mount "
              "(ReadWriteMany).",
          .source = "https://kubernetes.io/docs/concepts/storage/persistent-volumes/#access-modes",
          .run = &Run};
}

}  // namespace azexporter::audit
