#include "azexporter/zones/findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "azexporter/base/count_text.h"
#include "azexporter/base/time_text.h"
#include "azexporter/zones/held_back.h"
#include "database_findings.h"

namespace azexporter::zones {
namespace {

constexpr std::pair<Topic, std::string_view> kTopics[] = {
    {Topic::kSources, "sources"},     {Topic::kZones, "zones"},       {Topic::kHealth, "health"},
    {Topic::kLoss, "loss"},           {Topic::kSpread, "spread"},     {Topic::kBudgets, "budgets"},
    {Topic::kPending, "pending"},     {Topic::kServices, "services"}, {Topic::kVolumes, "volumes"},
    {Topic::kDatabases, "databases"}, {Topic::kAlerts, "alerts"},
};

using base::CountText;
using base::SomeText;

class Collector {
 public:
  Collector(const ZoneReport& report, const Scope& scope) : report_(report), scope_(scope) {}

  std::vector<Finding> Run() {
    Source("nodes", report_.nodes);
    Source("pods", report_.pods);
    Source("zone expectations", report_.expectations);
    OptionalSource("workloads", report_.workloads);
    OptionalSource("disruption budgets", report_.budgets);
    OptionalSource("services", report_.services);
    OptionalSource("volumes", report_.volumes);
    if (report_.node_leases) OptionalSource("Leases of nodes", *report_.node_leases);
    Namespaces();
    Zones();
    for (const ZoneLoss& loss : report_.losses) Loss(loss);
    std::vector<std::string> unspread;
    for (const auto& ns : report_.namespaces) {
      if (!scope_.ns.empty() && ns->ns != scope_.ns) continue;
      Spread(*ns);
      Budgets(*ns);
      Pending(*ns);
      Services(*ns);
      Claims(*ns);
      for (const UnspreadWorkload& workload : ns->unspread)
        unspread.push_back(FullName(workload.workload));
    }
    if (!unspread.empty()) {
      Add({Severity::kNote, Topic::kSpread, "", scope_.ns, "",
           fmt::format("{} with more than one replica {} no rule that spreads over zones: {}",
                       CountText(static_cast<std::int64_t>(unspread.size()), "workload"),
                       unspread.size() == 1 ? "has" : "have", SomeText(unspread))});
    }
    for (Finding& finding : DatabaseFindingsOf(report_)) Add(std::move(finding));
    HeedMaintenance(report_, findings_);
    SortFindings(findings_);
    return std::move(findings_);
  }

 private:
  void Add(Finding finding) {
    if (scope_.Covers(finding)) findings_.push_back(std::move(finding));
  }

  void Source(std::string_view what, const SourceStatus& source) {
    if (source.known && !source.failing) return;
    Add({Severity::kCritical, Topic::kSources, "", "", std::string(what),
         fmt::format("{} {}: {}", what,
                     source.known ? "could not be asked again" : "could not be asked",
                     source.error),
         true});
  }

  void OptionalSource(std::string_view what, const SourceStatus& source) {
    if (source.known && !source.failing) return;
    Add({source.absent ? Severity::kNote : Severity::kUnknown, Topic::kSources, "", "",
         std::string(what),
         fmt::format("{} are {}: {}", what, source.known ? "not current" : "not known",
                     source.error)});
  }

  // What was not looked at must not pass for fine.
  void Namespaces() {
    const auto add = [&](Severity severity, const std::string& ns, std::string text) {
      Add({severity, Topic::kSources, "", ns, "namespaces", std::move(text)});
    };
    const std::set<std::string>& watched = report_.watched_namespaces;
    if (watched.empty()) return;
    add(Severity::kNote, "", OnlyWatchedText(watched));
    if (!scope_.ns.empty() && !watched.contains(scope_.ns)) {
      add(Severity::kUnknown, scope_.ns,
          fmt::format("namespace {} is not known: {}", scope_.ns, OnlyWatchedText(watched)));
    }
    for (const std::string& ns : EmptyNamespaces(report_)) {
      add(Severity::kWarning, ns,
          fmt::format("namespace {} is watched and has nothing in it, or does not exist", ns));
    }
  }

  void Zones() {
    if (report_.nodes.known && report_.zones.empty()) {
      Add({Severity::kUnknown, Topic::kZones, "", "", "",
           "no zone is known: no node carries a zone label, none is expected"});
    }
    for (const ZoneStatus& zone : report_.zones) {
      State(zone);
      Health(zone);
    }
    for (const SilentNodes& silent : report_.silent_nodes) Silent(silent);
    if (report_.nodes_without_zone > 0) {
      Add({Severity::kNote, Topic::kZones, "", "", "",
           fmt::format("{} {} no zone label and {} for no zone",
                       CountText(report_.nodes_without_zone, "node"),
                       report_.nodes_without_zone == 1 ? "carries" : "carry",
                       report_.nodes_without_zone == 1 ? "counts" : "count")});
    }
  }

  void State(const ZoneStatus& zone) {
    const auto add = [&](Severity severity, std::string text) {
      Add({severity, Topic::kZones, zone.zone, "", "", std::move(text)});
    };
    switch (zone.state) {
      case ZoneState::kFullDisruption:
        return add(Severity::kCritical, fmt::format("{} is down: none of its {} nodes is ready",
                                                    zone.zone, zone.nodes_total()));
      case ZoneState::kMissing:
        return add(Severity::kCritical, zone.zone + " is missing: it has no nodes");
      case ZoneState::kPartialDisruption:
        return add(Severity::kWarning,
                   fmt::format("{} is partly down: {} of {} nodes are ready", zone.zone,
                               zone.nodes_ready(), zone.nodes_total()));
      case ZoneState::kEvacuated:
        return add(Severity::kNote, zone.zone + " is evacuated: all of its nodes are cordoned");
      case ZoneState::kNormal:
      case ZoneState::kUnknown:  // told by its source
        return;
    }
  }

  void Silent(const SilentNodes& silent) {
    const bool one = silent.nodes == 1;
    Add({Severity::kWarning, Topic::kZones, silent.zone, "", "",
         fmt::format("{} {} {} ready but {}: {}{}, {} s ago", CountText(silent.nodes, "node"),
                     silent.zone.empty() ? "without a zone" : "of " + silent.zone,
                     one ? "is" : "are",
                     one ? "has stopped renewing its Lease" : "have stopped renewing their Leases",
                     one ? "" : "first ", silent.longest, silent.longest_ms / 1000)});
  }

  void Health(const ZoneStatus& zone) {
    if (zone.health == EndpointHealth::kDown) {
      Add({Severity::kWarning, Topic::kHealth, zone.zone, "", "",
           fmt::format("health endpoint of {} is down: {}", zone.zone, zone.health_error)});
    } else if (zone.health == EndpointHealth::kNotAUrl) {
      Add({Severity::kWarning, Topic::kHealth, zone.zone, "", "",
           "health endpoint of " + zone.zone + " is not a http or https URL"});
    }
  }

  void Loss(const ZoneLoss& loss) {
    switch (loss.verdict) {
      case Verdict::kNotSurvived: {
        const std::string blockers = BlockersText(loss, scope_.ns);
        if (blockers.empty()) return;
        if (report_.zones.size() == 1) {
          return Add({Severity::kNote, Topic::kLoss, loss.zone, scope_.ns, "",
                      loss.zone + " is the only zone: its loss would be the loss of all"});
        }
        return Add({Severity::kWarning, Topic::kLoss, loss.zone, scope_.ns, "",
                    fmt::format("the loss of {} would not be survived: {}", loss.zone, blockers)});
      }
      case Verdict::kUnknown:
        // Where zones or pods are not known their source tells.
        if (!report_.nodes.known || !report_.pods.known) return;
        return Add(
            {OnlyAbsent() ? Severity::kNote : Severity::kUnknown, Topic::kLoss, loss.zone, "", "",
             fmt::format("nothing was found that would not survive the loss of {}; not known: {}",
                         loss.zone, SomeText(loss.not_known))});
      case Verdict::kSurvived:
      case Verdict::kLostAlready:
        return;
    }
  }

  // Nothing failed: what is not known, nobody was asked for.
  bool OnlyAbsent() const {
    for (const auto& [cluster, primaries] : report_.primaries) {
      if (primaries == 0) return false;
    }
    for (const RedisStatus& redis : report_.redis) {
      if (!redis.known || redis.without_zone > 0) return false;
    }
    for (const SourceStatus* source : {&report_.workloads, &report_.budgets, &report_.services}) {
      if (!source->known && !source->absent) return false;
    }
    return true;
  }

  void Spread(const NamespaceReport& ns) {
    for (const SpreadSummary& summary : ns.spread.summaries) {
      if (!summary.violated) continue;
      const SpreadStatus& worst = WorstOf(ns.spread, summary);
      const bool hard = summary.when_unsatisfiable == kube::WhenUnsatisfiable::kDoNotSchedule;
      Add({hard ? Severity::kWarning : Severity::kNote, Topic::kSpread, "", ns.ns,
           ShortName(summary.workload),
           fmt::format("{} is spread unevenly: skew {} over {}, {} {}{}",
                       FullName(summary.workload), worst.skew(), worst.topology_key, worst.max_skew,
                       hard ? "allowed" : "wished for", DomainsText(worst))});
    }
    for (const AntiAffinityViolation& violation : ns.anti_affinity) {
      Add({Severity::kWarning, Topic::kSpread, violation.zone, ns.ns, ShortName(violation.workload),
           fmt::format("{}: {} stand together in {}, which its anti-affinity forbids",
                       FullName(violation.workload), CountText(violation.pods, "pod"),
                       violation.zone)});
    }
  }

  static const SpreadStatus& WorstOf(const SpreadReport& spread, const SpreadSummary& summary) {
    const auto first = spread.constraints.begin() + static_cast<std::ptrdiff_t>(summary.first);
    return *std::max_element(first, first + static_cast<std::ptrdiff_t>(summary.count),
                             [](const SpreadStatus& a, const SpreadStatus& b) {
                               return std::pair(a.violated(), a.skew()) <
                                      std::pair(b.violated(), b.skew());
                             });
  }

  // " (a 3, b 1)", where there are few.
  static std::string DomainsText(const SpreadStatus& status) {
    constexpr std::size_t kFew = 6;
    if (status.domains.empty() || status.domains.size() > kFew) return "";
    std::string text;
    for (const DomainCount& domain : status.domains) {
      text += (text.empty() ? "" : ", ") + fmt::format("{} {}", domain.domain, domain.pods);
    }
    return " (" + text + ")";
  }

  void Budgets(const NamespaceReport& ns) {
    for (const BudgetStatus& budget : ns.budgets) {
      const std::string name = fmt::format("PodDisruptionBudget {}/{}", ns.ns, budget.name);
      const auto add = [&](Severity severity, const std::string& text) {
        Add({severity, Topic::kBudgets, "", ns.ns, "PodDisruptionBudget " + budget.name,
             name + " " + text});
      };
      if (budget.selects_nothing()) {
        add(Severity::kNote, "selects no pod");
      } else if (budget.current_healthy < budget.desired_healthy) {
        add(Severity::kWarning, fmt::format("is broken: {} healthy, {} wanted",
                                            budget.current_healthy, budget.desired_healthy));
      } else if (budget.blocks_always) {
        add(Severity::kNote, "lets no pod go, ever: its nodes cannot be drained");
      }
      if (!budget.overlaps.empty()) {
        add(Severity::kNote, "shares pods with " + SomeText(budget.overlaps) +
                                 ": the API refuses to evict them, their nodes cannot be drained");
      }
    }
  }

  void Pending(const NamespaceReport& ns) {
    for (const SpreadStatus& status : ns.spread.constraints) {
      const auto held = HoldingBack(report_, status);
      if (held.empty()) continue;
      Add({Severity::kWarning, Topic::kPending, "", ns.ns, ShortName(status.workload),
           fmt::format("{}: {} held back by DoNotSchedule over {} (maxSkew {}), {} still {} with 0",
                       FullName(status.workload),
                       CountText(status.unschedulable, "pod") +
                           (status.unschedulable == 1 ? " is" : " are"),
                       status.topology_key, status.max_skew, SomeText(held),
                       held.size() == 1 ? "counts" : "count")});
    }
    if (ns.unschedulable > 0) {
      Add({Severity::kNote, Topic::kPending, "", ns.ns, "",
           fmt::format("{} of namespace {} found no node", CountText(ns.unschedulable, "pod"),
                       ns.ns)});
    }
  }

  void Services(const NamespaceReport& ns) {
    for (const ServiceStatus& service : ns.services) {
      const std::string name = fmt::format("Service {}/{}", ns.ns, service.name);
      const auto add = [&](Severity severity, const std::string& zone, const std::string& text) {
        Add({severity, Topic::kServices, zone, ns.ns, "Service " + service.name, name + text});
      };
      if (service.on_terminating()) {
        add(Severity::kNote, "", " has no ready endpoint, only some on their way out");
      }
      if (service.nlb) {
        for (const std::string& zone : service.nlb->dropped_zones) {
          add(Severity::kWarning, zone,
              fmt::format(
                  " has no target in {}, which its load balancer takes out of DNS, since it "
                  "does not balance across zones",
                  zone));
        }
      }
      if (service.external_local && service.ready > 0 && !service.empty_zones.empty()) {
        add(Severity::kNote, "",
            " has externalTrafficPolicy Local and no ready endpoint in " +
                SomeText(service.empty_zones) + ": the nodes there drop its traffic");
      }
      if (!service.single_endpoint_zones.empty()) {
        add(Severity::kNote, "",
            " keeps traffic in its zone: all of " + SomeText(service.single_endpoint_zones) +
                " goes to a single endpoint");
      }
      if (HintsAreMissed(service.hints)) {
        add(Severity::kNote, "",
            fmt::format(" asks for traffic to stay in its zone, in vain: {}",
                        HintStatusName(service.hints)));
      }
    }
  }

  static bool HintsAreMissed(HintStatus hints) {
    switch (hints) {
      case HintStatus::kNotProxied:
      case HintStatus::kPresent:
      case HintStatus::kNotAsked:
      case HintStatus::kNoReadyEndpoints:
        return false;
      case HintStatus::kLocalPolicy:
      case HintStatus::kByHand:
      case HintStatus::kEndpointUnzoned:
      case HintStatus::kNodeIncomplete:
      case HintStatus::kOneZone:
      case HintStatus::kTooFewEndpoints:
      case HintStatus::kImbalance:
      case HintStatus::kUnexplained:
        return true;
    }
    return true;
  }

  void Claims(const NamespaceReport& ns) {
    std::map<std::string, std::vector<std::string>> pinned;  // by zone
    for (const PinnedClaim& claim : ns.claims) {
      if (claim.state == ClaimState::kPinned && !claim.stranded) {
        if (!claim.workloads.empty()) pinned[claim.zone].push_back(ShortName(claim.workloads[0]));
      } else if (claim.state == ClaimState::kLost || claim.stranded) {
        Add({Severity::kWarning, Topic::kVolumes, claim.zone, ns.ns,
             "PersistentVolumeClaim " + claim.claim,
             fmt::format("PersistentVolumeClaim {}/{} {}", ns.ns, claim.claim,
                         claim.state == ClaimState::kLost
                             ? "has lost its volume"
                             : "has a volume that no node reaches now")});
      }
    }
    for (auto& [zone, workloads] : pinned) {
      workloads.erase(std::unique(workloads.begin(), workloads.end()), workloads.end());
      Add({Severity::kNote, Topic::kVolumes, zone, ns.ns, "",
           fmt::format("volumes bind pods of namespace {} to {}: {}", ns.ns, zone,
                       SomeText(workloads))});
    }
  }

  const ZoneReport& report_;
  const Scope& scope_;
  std::vector<Finding> findings_;
};

}  // namespace

std::string_view SeverityName(Severity severity) {
  switch (severity) {
    case Severity::kNote:
      return "note";
    case Severity::kUnknown:
      return "unknown";
    case Severity::kWarning:
      return "warning";
    case Severity::kCritical:
      return "critical";
  }
  return "unknown";
}

std::string_view TopicName(Topic topic) {
  for (const auto& [one, name] : kTopics) {
    if (one == topic) return name;
  }
  return "";
}

std::optional<Topic> TopicOf(std::string_view name) {
  for (const auto& [topic, known] : kTopics) {
    if (known == name) return topic;
  }
  return std::nullopt;
}

std::span<const Topic> AllTopics() {
  static constexpr auto kAll = [] {
    std::array<Topic, std::size(kTopics)> all{};
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = kTopics[i].first;
    return all;
  }();
  return kAll;
}

void SortFindings(std::vector<Finding>& findings) {
  std::stable_sort(findings.begin(), findings.end(), [](const Finding& a, const Finding& b) {
    return std::tie(b.severity, a.topic, a.zone, a.ns, a.object) <
           std::tie(a.severity, b.topic, b.zone, b.ns, b.object);
  });
}

void HeedMaintenance(const ZoneReport& report, std::vector<Finding>& findings) {
  for (Finding& finding : findings) {
    const ZoneStatus* zone = finding.zone.empty() ? nullptr : report.Find(finding.zone);
    if (zone == nullptr || !zone->maintenance_until_ms || finding.severity == Severity::kNote) {
      continue;
    }
    finding.severity = Severity::kNote;
    finding.text += " (maintenance until " + base::FormatRfc3339(*zone->maintenance_until_ms) + ")";
  }
}

bool Scope::Covers(const Finding& finding) const {
  if (finding.topic == Topic::kSources) return true;
  if (!only.empty() && !only.contains(finding.topic)) return false;
  if (!zone.empty() && finding.zone != zone) return false;
  return ns.empty() || finding.ns == ns;
}

std::vector<Finding> FindingsOf(const ZoneReport& report, const Scope& scope) {
  return Collector(report, scope).Run();
}

std::optional<std::int64_t> LargestZoneSkew(const ZoneReport& report, const Scope& scope) {
  std::optional<std::int64_t> largest;
  for (const auto& ns : report.namespaces) {
    if (!scope.ns.empty() && ns->ns != scope.ns) continue;
    for (const SpreadSummary& summary : ns->spread.summaries) {
      if (!IsZoneKey(summary.topology_key)) continue;
      const std::int64_t skew =
          std::max(summary.worst_skew, summary.worst_expected_skew.value_or(0));
      largest = std::max(largest.value_or(skew), skew);
    }
  }
  return largest;
}

}  // namespace azexporter::zones
