// az_policy_*: what the audit finds in the cluster.

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <tuple>

#include "../collectors.h"
#include "../family_builder.h"
#include "../reading_fault.h"
#include "azexporter/audit/audit.h"

namespace azexporter::collect {
namespace {

constexpr std::array<std::string_view, 5> kIssue = {"check", "severity", "kind", "namespace",
                                                    "name"};

constexpr model::MetricDesc kFamilies[] = {
    {"az_policy_audited_objects",
     "Objects that the policy audit judged.",
     model::MetricType::kGauge,
     {},
     model::kNumber},
    {"az_policy_issues",
     "Findings of a check of the policy audit in an object; exporter/audit/CHECKS.md describes the "
     "checks. Of too many the gravest.",
     model::MetricType::kGauge, kIssue, model::kNumber},
    {"az_policy_issues_left_out",
     "Series of az_policy_issues that are not shown since there are too many; /api/v1/policy has "
     "all.",
     model::MetricType::kGauge,
     {},
     model::kNumber},
};

// So that a check that nearly every workload fails is no flood.
constexpr std::size_t kMostIssues = 10'000;

constexpr std::string_view kRead[] = {kube::Node::kResource,
                                      kube::Deployment::kResource,
                                      kube::StatefulSet::kResource,
                                      kube::DaemonSet::kResource,
                                      kube::Service::kResource,
                                      kube::PodDisruptionBudget::kResource,
                                      kube::EndpointSlice::kResource,
                                      kube::PersistentVolumeClaim::kResource,
                                      kube::StorageClass::kResource,
                                      kube::PersistentVolume::kResource,
                                      kube::CnpgCluster::kResource,
                                      kube::RedisCluster::kResource,
                                      kube::DestinationRule::kResource,
                                      kube::TargetGroupBinding::kResource};

// The first of what could not be read.
std::optional<base::Error> FaultOf(const CollectorInputs& inputs) {
  if (auto fault = ReadingFault(inputs.cluster, kRead)) return fault;
  if (inputs.policy->faults.empty()) return std::nullopt;
  return inputs.policy->faults.front();
}

using Issue = std::tuple<audit::Severity, std::string_view, std::string_view, std::string_view,
                         std::string_view>;

std::vector<model::MetricFamily> OfReport(const CollectorInputs& inputs) {
  std::map<Issue, int, std::greater<>> counts;  // the gravest first
  for (const audit::Finding& finding : inputs.policy->findings) {
    ++counts[{finding.check->severity, finding.check->name, finding.kind, finding.ns,
              finding.name}];
  }
  FamilyBuilder objects(kFamilies[0]);
  objects.Add({}, static_cast<double>(inputs.policy->objects));
  FamilyBuilder issues(kFamilies[1]);
  std::size_t shown = 0;
  for (const auto& [issue, count] : counts) {
    if (++shown > kMostIssues) break;
    const auto& [severity, check, kind, ns, name] = issue;
    issues.Add({check, audit::SeverityName(severity), kind, ns, name}, count);
  }
  FamilyBuilder left_out(kFamilies[2]);
  left_out.Add({}, static_cast<double>(counts.size() - std::min(counts.size(), kMostIssues)));
  std::vector<model::MetricFamily> families;
  for (FamilyBuilder* family : {&objects, &issues, &left_out}) families.push_back(family->Take());
  return families;
}

Collected Collect(const CollectorInputs& inputs) {
  Collected collected;
  if (inputs.policy == nullptr) return collected;  // not asked for
  collected.fault = FaultOf(inputs);
  // Without its nodes a cluster cannot be judged.
  if (IsUnread(inputs.cluster.HealthOf(kube::Node::kResource))) return collected;
  collected.families = OfReport(inputs);
  return collected;
}

}  // namespace

const Collector& PolicyCollector() {
  static constexpr Collector kRow = {"policy", "What the policy audit finds in the cluster.",
                                     kFamilies, &Collect};
  return kRow;
}

}  // namespace azexporter::collect
