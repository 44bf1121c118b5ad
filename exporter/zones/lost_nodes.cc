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

LostNodes::LostNodes(const PlacementNodes& nodes, std::string_view zone, LossKind kind)
    : zone_(zone), taints_(TaintsOf(kind)), nodes_(nodes.size(), false) {
  for (const NodePart& part : nodes.parts()) {
    parts_.push_back(!zone.empty() && part.zone == zone);
    for (const std::uint32_t node : part.nodes) {
      nodes_[node] = parts_.back();
      if (nodes_[node]) {
        ++lost_;
      } else if (nodes.receives(node)) {
        ++receiving_;
      }
    }
  }
}

bool LostNodes::CountsOn(const Tally& tally, std::uint32_t node) const {
  return tally.ground == nullptr ||
         (tally.ground->nodes[node] && (!nodes_[node] || KeptBy(*tally.ground)));
}

std::int64_t LostNodes::DomainsOf(const SpreadRule& rule, const Tally& tally) {
  if (KeptBy(*tally.ground)) return rule.domains;
  const auto [known, added] = domains_left_.try_emplace({tally.ground, tally.domains}, 0);
  if (!added) return known->second;
  std::vector<bool> seen(tally.domains->names.size());
  for (std::uint32_t node = 0; node < nodes_.size(); ++node) {
    if (nodes_[node] || !tally.ground->nodes[node]) continue;
    const std::uint32_t domain = tally.domains->of_node[node];
    if (!seen[domain]) ++known->second;
    seen[domain] = true;
  }
  return known->second;
}

}  // namespace azexporter::zones
