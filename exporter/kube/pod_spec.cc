#include "azexporter/kube/pod_spec.h"

#include <algorithm>

namespace azexporter::kube {

bool Tolerates(const Toleration& toleration, const Taint& taint) {
  if (!toleration.effect.empty() && toleration.effect != taint.effect) return false;
  if (!toleration.key.empty() && toleration.key != taint.key) return false;
  switch (toleration.op) {
    case Toleration::Op::kEqual:
      return toleration.value == taint.value;
    case Toleration::Op::kExists:
      return true;
    case Toleration::Op::kOther:
      return false;
  }
  return false;
}

bool Tolerates(const std::vector<Toleration>& tolerations, const Taint& taint) {
  return std::any_of(tolerations.begin(), tolerations.end(),
                     [&](const Toleration& toleration) { return Tolerates(toleration, taint); });
}

bool PodSpec::AdmitsNode(std::string_view node_name, const StringMap& node_labels) const {
  return MatchesLabels(node_labels, node_selector) &&
         (!required_node_affinity || required_node_affinity->Matches(node_name, node_labels));
}

const std::shared_ptr<const PodSpec>& EmptyPodSpec() {
  static const std::shared_ptr<const PodSpec> empty = std::make_shared<const PodSpec>();
  return empty;
}

}  // namespace azexporter::kube
