// az_zone_loss_*, az_zone_evacuation_*: what would break if a zone failed, or was drained.

#include <algorithm>
#include <array>
#include <map>

#include "../collectors.h"
#include "../family_builder.h"

namespace azexporter::collect {
namespace {

constexpr std::array<std::string_view, 1> kZone = {"zone"};
constexpr std::array<std::string_view, 2> kZoneReason = {"zone", "reason"};
constexpr std::array<std::string_view, 2> kZoneOutcome = {"zone", "outcome"};
constexpr std::array<std::string_view, 2> kZoneResource = {"zone", "resource"};

constexpr std::string_view kLossReasonsValues[] = {"control_plane_quorum",
                                                   "budget",
                                                   "at_zero",
                                                   "quorum",
                                                   "service",
                                                   "database",
                                                   "redis",
                                                   "eviction",
                                                   "unplaceable"};
constexpr model::LabelValues kLossReasons[] = {{"reason", kLossReasonsValues}};
constexpr std::string_view kOutcomesValues[] = {"placed", "unplaced", "bare"};
constexpr model::LabelValues kOutcomes[] = {{"outcome", kOutcomesValues}};
constexpr std::string_view kPlacementReasonsValues[] = {
    "no_nodes",         "node_affinity",       "volume_zone",   "taints",
    "insufficient_cpu", "insufficient_memory", "too_many_pods", "insufficient_resource",
    "host_ports",       "pod_affinity",        "anti_affinity", "topology_spread"};
constexpr model::LabelValues kPlacementReasons[] = {{"reason", kPlacementReasonsValues}};

constexpr model::MetricDesc kFamilies[] = {
    {"az_zone_evacuation_blockers",
     "What keeps the zone from being drained, by reason; no series for a zone that is down or "
     "missing.",
     model::MetricType::kGauge, kZoneReason, model::kNumber, kLossReasons},
    {"az_zone_loss_blockers",
     "What would not survive the loss of the zone, by reason; no series for a zone that is down or "
     "missing already, and none for a reason that cannot be judged.",
     model::MetricType::kGauge, kZoneReason, model::kNumber, kLossReasons},
    {"az_zone_loss_headroom",
     "What would be free on the nodes that are left, once the pods of the lost zone are placed "
     "there.",
     model::MetricType::kGauge, kZoneResource},
    {"az_zone_loss_not_known",
     "Whether the verdict on the zone's loss is open because a source it needs failed; no series "
     "where that source was never asked.",
     model::MetricType::kGauge, kZone, model::kFlag},
    {"az_zone_loss_pods",
     "Pods of the zone by what its loss would make of them: placed, unplaced, or bare, without a "
     "controller and lost for good.",
     model::MetricType::kGauge, kZoneOutcome, model::kNumber, kOutcomes},
    {"az_zone_loss_survivable",
     "Whether the loss of the zone would be survived; no series where the verdict is open or the "
     "zone is down or missing already.",
     model::MetricType::kGauge, kZone, model::kFlag},
    {"az_zone_loss_unplaced_pods",
     "Pods that would find no other node if the zone went, by the reason that decides.",
     model::MetricType::kGauge, kZoneReason, model::kNumber, kPlacementReasons},
};

enum Family {
  kEvacuationBlockers,
  kLossBlockers,
  kHeadroom,
  kNotKnown,
  kPods,
  kSurvivable,
  kUnplaced
};
using Families = std::vector<FamilyBuilder>;
using zones::LossReason;
using zones::Verdict;

// Whether there is ground to say that nothing was found for the reason. What is not watched may
// hold it.
bool Judged(LossReason reason, const zones::ZoneLoss& loss, const zones::ZoneReport& report) {
  switch (reason) {
    case LossReason::kControlPlaneQuorum:
      return loss.control_plane_visible;
    case LossReason::kBudget:
    case LossReason::kEviction:
      return report.all_pods_seen() && report.budgets.known;
    case LossReason::kAtZero:
    case LossReason::kQuorum:
      return report.all_pods_seen() && report.workloads.known;
    case LossReason::kService:
      return report.all_pods_seen() && report.services.known;
    case LossReason::kDatabase:
      return !report.databases.empty();
    case LossReason::kRedis:
      return !report.redis.empty();
    case LossReason::kUnplaceable:
      return loss.placement != nullptr;
  }
  return false;
}

bool OfEvacuation(LossReason reason) {
  return reason == LossReason::kEviction || reason == LossReason::kUnplaceable;
}

// A reason without a blocker reads 0 where it belongs to the question and was judged.
void AddBlockers(FamilyBuilder& family, const zones::ZoneLoss& loss,
                 const zones::ZoneReport& report, bool evacuation) {
  if (loss.verdict == Verdict::kLostAlready) return;
  for (const LossReason reason : zones::AllLossReasons()) {
    const auto blockers = std::count_if(loss.findings.begin(), loss.findings.end(),
                                        [&](const zones::LossFinding& finding) {
                                          return finding.blocker && finding.reason == reason;
                                        });
    const bool asked = OfEvacuation(reason) == evacuation && Judged(reason, loss, report);
    if (blockers == 0 && !asked) continue;
    family.Add({loss.zone, zones::LossReasonName(reason)}, static_cast<double>(blockers));
  }
}

// Something that a verdict needs was asked for and failed.
bool AnyFailed(const zones::ZoneReport& report) {
  for (const zones::SourceStatus* source : {&report.workloads, &report.budgets, &report.services}) {
    if (!source->known && !source->absent) return true;
  }
  const bool no_primary =
      std::any_of(report.postgres.begin(), report.postgres.end(),
                  [](const zones::PostgresStatus& status) { return status.primaries == 0; });
  return no_primary ||
         std::any_of(report.redis.begin(), report.redis.end(), [](const zones::RedisStatus& redis) {
           return !redis.known || redis.without_zone > 0;
         });
}

void AddVerdict(Families& families, const zones::ZoneLoss& loss, const zones::ZoneReport& report) {
  const bool open = loss.verdict == Verdict::kUnknown;
  if (!open || AnyFailed(report)) families[kNotKnown].Add({loss.zone}, open ? 1 : 0);
  if (open || loss.verdict == Verdict::kLostAlready) return;
  families[kSurvivable].Add({loss.zone}, loss.verdict == Verdict::kSurvived ? 1 : 0);
}

void AddPlacement(Families& families, const zones::Placement& placement) {
  const std::string& zone = placement.zone;
  families[kPods].Add({zone, "placed"}, static_cast<double>(placement.placed));
  families[kPods].Add({zone, "unplaced"}, static_cast<double>(placement.unplaced_pods()));
  families[kPods].Add({zone, "bare"}, static_cast<double>(placement.bare));
  AddResources(families[kHeadroom], zone, placement.after.free);
  std::map<zones::PlacementReason, std::int64_t> reasons;
  for (const auto& in_namespace : placement.unplaced) {
    for (const auto& sum : in_namespace->sums) reasons[sum.reason] += sum.pods;
  }
  for (const auto& [reason, pods] : reasons) {
    families[kUnplaced].Add({zone, zones::PlacementReasonName(reason)}, static_cast<double>(pods));
  }
}

Collected Collect(const CollectorInputs& inputs) {
  const zones::ZoneReport& report = inputs.report;
  Collected collected;
  // What else is not known is told by az_zone_loss_not_known, and is a fault of its own collector.
  collected.fault = FaultOf(report.nodes);
  if (!collected.fault) collected.fault = FaultOf(report.pods);
  if (!report.nodes.known || !report.pods.known) return collected;
  Families families;
  for (const model::MetricDesc& desc : kFamilies) families.emplace_back(desc);
  for (const zones::ZoneLoss& loss : report.losses) {
    AddBlockers(families[kLossBlockers], loss, report, /*evacuation=*/false);
    AddVerdict(families, loss, report);
    if (loss.placement && loss.verdict != Verdict::kLostAlready) {
      AddPlacement(families, *loss.placement);
    }
  }
  for (const zones::ZoneLoss& evacuation : report.evacuations) {
    AddBlockers(families[kEvacuationBlockers], evacuation, report, /*evacuation=*/true);
  }
  for (FamilyBuilder& family : families) collected.families.push_back(family.Take());
  return collected;
}

}  // namespace

const Collector& ZoneLossCollector() {
  static constexpr Collector kRow = {"zone_loss", "What the loss of a zone would break.", kFamilies,
                                     &Collect};
  return kRow;
}

}  // namespace azexporter::collect
