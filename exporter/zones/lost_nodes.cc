#include "lost_nodes.h"

#include <algorithm>

namespace azexporter::zones {

std::vector<kube::Taint> TaintsOf(LossKind kind) {
  switch (kind) {
    case LossKind::kFailure:
      return {{"node.kubernetes.io/unreachable", "", "NoSchedule"},
              {"node.kubernetes.io/unreachable", "", "NoExecute"}};
    case LossKind::kEvacuation:
      return {{"node.kubernetes.io/unschedulable", "", "NoSchedule"}};
  }
  return {};
}

bool KeepsNodes(const Eligibility& eligibility, const std::vector<kube::Taint>& taints) {
  return !eligibility.honor_taints ||
         std::all_of(taints.begin(), taints.end(), [&](const kube::Taint& taint) {
           return kube::Tolerates(eligibility.tolerations, taint);
         });
}

}  // namespace azexporter::zones
