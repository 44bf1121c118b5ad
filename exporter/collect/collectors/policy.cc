// az_policy_*: what the audit finds in the custom resources of the cluster.

#include <array>
#include <map>
#include <tuple>

#include "../collectors.h"
#include "../family_builder.h"
#include "azexporter/audit/audit.h"

namespace azexporter::collect {
namespace {

constexpr std::array<std::string_view, 5> kIssue = {"check", "severity", "kind", "namespace",
                                                    "name"};

constexpr model::MetricDesc kFamilies[] = {
    {"az_policy_audited_objects",
     "Custom resources that the policy audit read.",
     model::MetricType::kGauge,
     {},
     model::kNumber},
    {"az_policy_issues",
     "Findings of a check of the policy audit in an object; exporter/audit/CHECKS.md describes the "
     "checks.",
     model::MetricType::kGauge, kIssue, model::kNumber},
};

// The resources that were asked for, and are there, but could not be listed.
std::optional<base::Error> ReadingFault(const CollectorInputs& inputs) {
  for (std::string_view resource :
       {kube::CnpgCluster::kResource, kube::RedisCluster::kResource,
        kube::DestinationRule::kResource, kube::TargetGroupBinding::kResource}) {
    const kube::ResourceHealth* health = inputs.cluster.HealthOf(resource);
    if (health == nullptr || health->synced || health->absent || health->from_file ||
        health->last_error.empty()) {
      continue;
    }
    return base::Error(base::ErrorCode::kUnavailable, health->last_error);
  }
  if (inputs.policy->faults.empty()) return std::nullopt;
  return inputs.policy->faults.front();
}

Collected Collect(const CollectorInputs& inputs) {
  Collected collected;
  if (inputs.policy == nullptr) return collected;  // not asked for
  collected.fault = ReadingFault(inputs);
  FamilyBuilder objects(kFamilies[0]);
  objects.Add({}, static_cast<double>(inputs.policy->objects));
  collected.families.push_back(objects.Take());
  std::map<std::tuple<const audit::Check*, std::string_view, std::string_view, std::string_view>,
           int>
      counts;
  for (const audit::Finding& finding : inputs.policy->findings) {
    ++counts[{finding.check, finding.kind, finding.ns, finding.name}];
  }
  FamilyBuilder issues(kFamilies[1]);
  for (const auto& [issue, count] : counts) {
    const auto& [check, kind, ns, name] = issue;
    issues.Add({check->name, audit::SeverityName(check->severity), kind, ns, name}, count);
  }
  collected.families.push_back(issues.Take());
  return collected;
}

}  // namespace

const Collector& PolicyCollector() {
  static constexpr Collector kRow = {"policy", "What the policy audit finds in custom resources.",
                                     kFamilies, &Collect};
  return kRow;
}

}  // namespace azexporter::collect
