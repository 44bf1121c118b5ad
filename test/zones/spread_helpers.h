#pragma once

// Constraints and pod specs in a few words, and what a report says of them.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "azexporter/zones/spread.h"
#include "cluster_parts.h"
#include "reports.h"

namespace azexporter::zones {

using kube::NodeInclusionPolicy;
using kube::SelectorOp;
using kube::WhenUnsatisfiable;
using test::ClusterParts;
using test::Constraint;
using test::HasLabel;
using test::kZoneKey;
using test::Label;
using test::Spec;
using test::SpecWith;

// "zone1=3 zone2=2"
inline std::string Counts(const SpreadStatus& status) {
  std::string text;
  for (const DomainCount& domain : status.domains) {
    text += (text.empty() ? "" : " ") + domain.domain + "=" + std::to_string(domain.pods);
  }
  return text;
}

inline const SpreadStatus* Find(const SpreadReport& report, std::string_view key) {
  for (const SpreadStatus& status : report.constraints) {
    if (status.topology_key == key) return &status;
  }
  return nullptr;
}

inline kube::PodSpec With(std::vector<kube::TopologySpreadConstraint> constraints) {
  kube::PodSpec spec;
  spec.spread_constraints = std::move(constraints);
  return spec;
}
inline kube::PodSpec WithNodeSelector(kube::PodSpec spec) {
  spec.node_selector = {{"foo", ""}};
  return spec;
}
inline kube::PodSpec WithAffinity(kube::PodSpec spec, kube::Requirement requirement) {
  spec.required_node_affinity = {{{{std::move(requirement)}, {}}}};
  return spec;
}
inline kube::PodSpec Tolerating(kube::PodSpec spec) {
  spec.tolerations = {{"node.kubernetes.io/unschedulable", kube::Toleration::Op::kExists, "", ""}};
  return spec;
}

inline kube::TopologySpreadConstraint Soft(kube::TopologySpreadConstraint constraint) {
  constraint.when_unsatisfiable = WhenUnsatisfiable::kScheduleAnyway;
  return constraint;
}
inline kube::TopologySpreadConstraint IgnoreAffinity(kube::TopologySpreadConstraint constraint) {
  constraint.node_affinity_policy = NodeInclusionPolicy::kIgnore;
  return constraint;
}
inline kube::TopologySpreadConstraint HonorTaints(kube::TopologySpreadConstraint constraint) {
  constraint.node_taints_policy = NodeInclusionPolicy::kHonor;
  return constraint;
}
inline kube::TopologySpreadConstraint MinDomains(kube::TopologySpreadConstraint constraint,
                                                 std::int64_t min_domains) {
  constraint.min_domains = min_domains;
  return constraint;
}
inline kube::TopologySpreadConstraint LabelKeys(kube::TopologySpreadConstraint constraint,
                                                std::vector<std::string> keys) {
  constraint.match_label_keys = std::move(keys);
  return constraint;
}

}  // namespace azexporter::zones
