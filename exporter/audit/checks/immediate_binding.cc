#include "../checks.h"

#include <algorithm>
#include "../context.h"

namespace azexporter::audit {
namespace {

constexpr std::string_view kZonal[] = {"disk.csi.azure.com", "ebs.csi.aws.com",
                                       "kubernetes.io/aws-ebs", "kubernetes.io/gce-pd",
                                       "pd.csi.storage.gke.io"};

std::vector<Problem> Run(const Context& context) {
  std::vector<Problem> problems;
  for (const Object* storage_class : context.Of("storage.k8s.io", "StorageClass")) {
    const Field provisioner = FieldAt(storage_class->root, {"provisioner"});
    const Field mode = FieldAt(storage_class->root, {"volumeBindingMode"});
    if (!provisioner || (mode && mode.value->scalar() != "Immediate")) continue;
    if (std::ranges::find(kZonal, provisioner.value->scalar()) == std::end(kZonal) &&
        !context.zonal_classes.contains(storage_class->name)) {
      continue;
    }
    problems.push_back(ProblemAt(*storage_class, mode ? *mode.key : *provisioner.key,
                                 "volumes are placed before their pods (volumeBindingMode " +
                                     std::string(mode ? "" : "is not given, which means ") +
                                     "Immediate)"));
  }
  return problems;
}

}  // namespace

Check ImmediateBinding() {
  return {.name = "immediate-binding",
          .severity = Severity::kWarning,
          .title = "volumes of one zone are placed before it is known where their pods go",
          .explanation =
              "The volume is made in any zone, and the pod has to follow, whatever its spread "
              "constraints, room or affinity say; where it cannot, it stays pending.",
          .fix = "Set volumeBindingMode: WaitForFirstConsumer.",
          .source =
              "https://kubernetes.io/docs/concepts/storage/storage-classes/"
              "#volume-binding-mode",
          .run = &Run};
}

}  // namespace azexporter::audit
