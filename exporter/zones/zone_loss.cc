#include "azexporter/zones/zone_loss.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <tuple>
#include <utility>

#include "azexporter/base/count_text.h"
#include "azexporter/zones/namespace_report.h"
#include "by_zone.h"

namespace azexporter::zones {
namespace {

using base::CountText;

void Add(LossFindings& all, std::string_view zone, LossFinding finding) {
  At(all, zone).push_back(std::move(finding));
}

void JudgeWorkload(const WorkloadDistribution& workload, const kube::ClusterState& cluster,
                   LossFindings& all) {
  const WorkloadRef& ref = workload.workload;
  const auto kind = kube::WorkloadKindOf(ref.kind);
  const kube::Workload* set = kind == kube::WorkloadKind::kStatefulSet
                                  ? cluster.FindWorkload(*kind, ref.ns, ref.name)
                                  : nullptr;
  const bool group = set != nullptr && IsConsensusGroup(*set);
  // A DaemonSet's pods are where its nodes are; a Job's are made anew, and nobody waits on them.
  const bool note = kind == kube::WorkloadKind::kDaemonSet || kind == kube::WorkloadKind::kJob;
  for (const auto& [zone, counts] : workload.zones) {
    if (zone.empty() || counts.ready == 0) continue;
    const std::int64_t left = workload.pods.ready - counts.ready;
    const std::int64_t members = workload.desired.value_or(workload.pods.total);
    if (left == 0) {
      Add(all, zone,
          {LossReason::kAtZero, !note, ref.ns, ShortName(ref),
           workload.pods.ready == 1
               ? "its only ready pod is there"
               : fmt::format("all of its {} ready pods are there", workload.pods.ready)});
    } else if (group && members > 1 && workload.pods.ready * 2 > members && left * 2 <= members) {
      Add(all, zone,
          {LossReason::kQuorum, true, ref.ns, ShortName(ref),
           fmt::format("{} of {} members are left, fewer than a majority", left, members)});
    }
  }
}

void JudgeBudget(const BudgetStatus& budget, LossFindings& all) {
  for (const auto& [zone, ready] : budget.ready_by_zone) {
    if (zone.empty() || ready == 0) continue;
    const std::int64_t left = budget.current_healthy - ready;
    if (budget.current_healthy < budget.desired_healthy || left >= budget.desired_healthy) continue;
    Add(all, zone,
        {LossReason::kBudget, true, budget.ns, "PodDisruptionBudget " + budget.name,
         fmt::format("{} left, {} wanted",
                     CountText(std::max<std::int64_t>(0, left), "healthy pod"),
                     budget.desired_healthy)});
  }
}

// The labels by which operators mark the pod that is the primary: CloudNativePG, Crunchy, Zalando,
// Patroni.
bool MarksPrimary(std::string_view label) {
  return label == "cnpg.io/instanceRole" || label == "role" || label == "spilo-role" ||
         label == "postgres-operator.crunchydata.com/role";
}

// A Service that selects a primary follows it to another pod: whether a ready one that could become
// it is in another zone.
bool FollowsPrimaryFrom(std::string_view zone, const kube::Service& service,
                        const kube::ClusterState& cluster) {
  kube::StringMap rest = service.selector;
  if (std::erase_if(rest, [](const auto& label) { return MarksPrimary(label.first); }) == 0) {
    return false;
  }
  const auto pods = cluster.PodsIn(service.meta.ns);
  return !rest.empty() && std::any_of(pods.begin(), pods.end(), [&](const auto& pod) {
    return pod->is_ready() && kube::MatchesLabels(pod->meta.labels, rest) &&
           !cluster.ZoneOf(*pod).empty() && cluster.ZoneOf(*pod) != zone;
  });
}

void JudgeService(const ServiceStatus& service, const kube::ClusterState& cluster,
                  LossFindings& all) {
  for (const auto& [zone, ready] : service.ready_by_zone) {
    if (zone.empty() || ready == 0 || service.ReadyWithout(zone) > 0) continue;
    LossFinding finding{
        LossReason::kService, true, service.ns, "Service " + service.name,
        fmt::format("{} there, none elsewhere", CountText(service.ready, "ready endpoint"))};
    // Endpoints whose zone is not known may be what is left, or not.
    const std::int64_t unzoned = service.ready_unzoned();
    const kube::Service* object = cluster.FindService(service.ns, service.name);
    if (unzoned > 0) {
      finding.blocker = false;
      finding.text = fmt::format("{} elsewhere, in which zone is not known",
                                 CountText(unzoned, "ready endpoint"));
    } else if (object != nullptr && FollowsPrimaryFrom(zone, *object, cluster)) {
      finding.blocker = false;
      finding.text = "its primary is there; ready pods elsewhere could take over";
    }
    Add(all, zone, std::move(finding));
  }
}

void Accept(const std::set<std::string>& accepted, LossFindings& all) {
  for (auto& [zone, findings] : all) {
    for (LossFinding& finding : findings) {
      const std::string name = finding.object.substr(finding.object.find(' ') + 1);
      if (!finding.blocker ||
          (!accepted.contains(finding.ns) && !accepted.contains(finding.ns + "/" + name))) {
        continue;
      }
      finding.blocker = false;
      finding.text += " (accepted)";
    }
  }
}

void SortAll(LossFindings& all) {
  for (auto& [zone, findings] : all) {
    std::sort(findings.begin(), findings.end(), [](const LossFinding& a, const LossFinding& b) {
      return std::tuple(!a.blocker, a.reason, std::string_view(a.object)) <
             std::tuple(!b.blocker, b.reason, std::string_view(b.object));
    });
  }
}

}  // namespace

std::span<const LossReason> AllLossReasons() {
  static constexpr LossReason kAll[] = {LossReason::kControlPlaneQuorum,
                                        LossReason::kBudget,
                                        LossReason::kAtZero,
                                        LossReason::kQuorum,
                                        LossReason::kService,
                                        LossReason::kDatabase,
                                        LossReason::kRedis,
                                        LossReason::kEviction,
                                        LossReason::kUnplaceable};
  return kAll;
}

LossReason LossReasonOf(std::string_view name) {
  for (const LossReason reason : AllLossReasons()) {
    if (LossReasonName(reason) == name) return reason;
  }
  return LossReason::kAtZero;
}

std::string_view LossReasonName(LossReason reason) {
  switch (reason) {
    case LossReason::kControlPlaneQuorum:
      return "control_plane_quorum";
    case LossReason::kBudget:
      return "budget";
    case LossReason::kAtZero:
      return "at_zero";
    case LossReason::kQuorum:
      return "quorum";
    case LossReason::kService:
      return "service";
    case LossReason::kDatabase:
      return "database";
    case LossReason::kRedis:
      return "redis";
    case LossReason::kEviction:
      return "eviction";
    case LossReason::kUnplaceable:
      return "unplaceable";
  }
  return "at_zero";
}

std::string_view VerdictName(Verdict verdict) {
  switch (verdict) {
    case Verdict::kSurvived:
      return "survived";
    case Verdict::kNotSurvived:
      return "not_survived";
    case Verdict::kUnknown:
      return "unknown";
    case Verdict::kLostAlready:
      return "lost_already";
  }
  return "unknown";
}

std::string TextOf(const LossFinding& finding) {
  if (finding.ns.empty()) return finding.object + ": " + finding.text;
  const std::size_t space = finding.object.find(' ');
  return finding.object.substr(0, space + 1) + finding.ns + "/" + finding.object.substr(space + 1) +
         ": " + finding.text;
}

bool IsConsensusGroup(const kube::Workload& workload) {
  // The value of the label, mostly the chart's name.
  static constexpr std::array<std::string_view, 11> kNames = {
      "clickhouse-keeper", "consul",  "consul-server", "etcd",     "mongodb", "nats", "pd",
      "rabbitmq",          "tidb-pd", "vault",         "zookeeper"};
  for (const char* label : {"app.kubernetes.io/name", "app.kubernetes.io/component", "app"}) {
    const std::string_view value = kube::Lookup(workload.template_labels, label);
    if (std::find(kNames.begin(), kNames.end(), value) != kNames.end()) return true;
  }
  return false;
}

LossFindings LossFindingsOf(const NamespaceReport& report, const kube::ClusterState& cluster,
                            const std::set<std::string>& accepted) {
  LossFindings all;
  for (const BudgetStatus& budget : report.budgets) JudgeBudget(budget, all);
  for (const WorkloadDistribution& workload : report.workloads) {
    JudgeWorkload(workload, cluster, all);
  }
  for (const ServiceStatus& service : report.services) JudgeService(service, cluster, all);
  Accept(accepted, all);
  SortAll(all);
  return all;
}

LossFindings EvictionFindingsOf(const NamespaceReport& report) {
  LossFindings all;
  for (const BudgetStatus& budget : report.budgets) {
    for (const auto& [zone, ready] : budget.ready_by_zone) {
      if (zone.empty() || ready == 0) continue;
      const std::string object = "PodDisruptionBudget " + budget.name;
      if (!budget.overlaps.empty()) {
        Add(all, zone,
            {LossReason::kEviction, true, report.ns, object,
             "selects pods that " + budget.overlaps[0] +
                 " selects, too: the API refuses to evict such pods"});
      } else if (budget.blocks_always) {
        Add(all, zone,
            {LossReason::kEviction, true, report.ns, object,
             fmt::format("wants all of its {} healthy: it lets none go",
                         CountText(budget.expected_pods, "pod"))});
      } else if (budget.blocks_now()) {
        Add(all, zone,
            {LossReason::kEviction, false, report.ns, object,
             fmt::format("lets no pod go now: {} healthy, {} wanted", budget.current_healthy,
                         budget.desired_healthy)});
      }
    }
  }
  SortAll(all);
  return all;
}

std::optional<LossFinding> ControlPlaneFinding(const ControlPlaneNodes& nodes) {
  const int left = nodes.ready - nodes.ready_in_zone;
  if (nodes.ready_in_zone == 0 || left * 2 > nodes.members) return std::nullopt;
  return LossFinding{
      LossReason::kControlPlaneQuorum, true, "", "control plane",
      fmt::format("{} of {} nodes are left, fewer than a majority", left, nodes.members)};
}

std::vector<LossFinding> PlacementFindings(const Placement& placement) {
  std::map<PlacementReason, UnplacedInNamespace::Sum> reasons;
  for (const auto& in_namespace : placement.unplaced) {
    for (const UnplacedInNamespace::Sum& part : in_namespace->sums) {
      UnplacedInNamespace::Sum& reason = reasons[part.reason];
      reason.pods += part.pods;
      reason.workloads += part.workloads;
      if (reason.largest == nullptr || part.largest->pods > reason.largest->pods) {
        reason.largest = part.largest;
      }
    }
  }
  std::vector<LossFinding> findings;
  for (const auto& [name, reason] : reasons) {
    findings.push_back(
        {LossReason::kUnplaceable, placement.kind == LossKind::kEvacuation, "", "placement",
         fmt::format("{} of {} would find no other node ({}), such as those of {}{}",
                     CountText(reason.pods, "pod"), CountText(reason.workloads, "workload"),
                     PlacementReasonName(name), FullName(reason.largest->workload),
                     reason.largest->detail.empty() ? "" : ": " + reason.largest->detail)});
  }
  return findings;
}

std::string BlockersText(const ZoneLoss& loss, std::string_view ns) {
  std::string text;
  int more = -1;
  for (const LossFinding& finding : loss.findings) {
    if (!finding.blocker || (!ns.empty() && finding.ns != ns)) continue;
    if (++more == 0) text = TextOf(finding);
  }
  return more > 0 ? text + fmt::format(" (and {} more)", more) : text;
}

std::int64_t ZoneLoss::blockers() const {
  return std::count_if(findings.begin(), findings.end(),
                       [](const LossFinding& finding) { return finding.blocker; });
}

}  // namespace azexporter::zones
