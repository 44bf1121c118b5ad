#include "../checks.h"

#include <algorithm>
#include <set>

#include "../context.h"

namespace azexporter::audit {
namespace {

using base::YamlNode;

// Why the pods that share the claim have to stand in one zone; "" where they do not.
std::string WhyOneZone(const Context& context, const Object& claim) {
  const auto& modes = ItemsAt(claim.root, {"spec", "accessModes"});
  const bool one_node = std::ranges::all_of(modes, [](const YamlNode& mode) {
    return mode.scalar() == "ReadWriteOnce" || mode.scalar() == "ReadWriteOncePod";
  });
  if (one_node && !modes.empty()) return "which one node may mount";
  const Object* volume = context.manifests.Find(kCore, "PersistentVolume", "",
                                                TextAt(claim.root, {"spec", "volumeName"}));
  if (volume == nullptr || context.zones < 2) return "";
  const auto nodes = NodeSelectorAt(volume->root, {"spec", "nodeAffinity", "required"});
  const std::set<std::string> zones = nodes ? ZonesOf(*nodes) : std::set<std::string>();
  return zones.size() == 1 ? "whose volume " + volume->name + " is in " + *zones.begin() + " alone"
                           : "";
}

std::vector<Problem> Run(const Context& context) {
  std::vector<Problem> problems;
  for (const Workload& workload : context.workloads) {
    const bool many = workload.object->kind == "DaemonSet" || workload.replicas.value_or(0) > 1;
    if (!many || BoundTo(*workload.pod_spec, kZoneKey).size() == 1) continue;
    for (const YamlNode& volume : ItemsAt(*workload.pod_spec, {"volumes"})) {
      const Field name = FieldAt(volume, {"persistentVolumeClaim", "claimName"});
      if (!name) continue;
      const Object* claim = context.manifests.Find(kCore, "PersistentVolumeClaim",
                                                   workload.object->ns, name.value->scalar());
      const std::string why = claim == nullptr ? "" : WhyOneZone(context, *claim);
      if (why.empty()) continue;
      problems.push_back(ProblemAt(
          *workload.object, *name.key,
          "all pods share the claim " + claim->name + PlaceText(claim->root) + ", " + why));
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
              "stay pending or follow it there, and with the zone all of them are gone. So it is "
              "with a volume that many nodes may mount, where all of them are in one zone.",
          .fix =
              "Use a StatefulSet with volumeClaimTemplates, or storage that many nodes may mount "
              "in several zones (ReadWriteMany on EFS, Filestore, Azure Files).",
          .source = "https://kubernetes.io/docs/concepts/storage/persistent-volumes/#access-modes",
          .run = &Run};
}

}  // namespace azexporter::audit
