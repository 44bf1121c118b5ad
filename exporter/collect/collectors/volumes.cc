// az_volumes, az_claims: from which zones data is reached, and which claims have none or hold their
// pods in one zone.

#include <array>
#include <map>

#include "../collectors.h"
#include "../family_builder.h"

namespace azexporter::collect {
namespace {

constexpr std::array<std::string_view, 3> kVolumeLabels = {"reach", "zone", "storage_class"};
constexpr std::array<std::string_view, 3> kClaimLabels = {"namespace", "zone", "state"};

constexpr std::string_view kClaimStatesValues[] = {"pinned",  "unplaced", "pending",
                                                   "waiting", "lost",     "missing"};
constexpr model::LabelValues kClaimStates[] = {{"state", kClaimStatesValues}};
constexpr std::string_view kReachValues[] = {"everywhere", "zones", "unknown"};
constexpr model::LabelValues kReach[] = {{"reach", kReachValues}};

constexpr model::MetricDesc kFamilies[] = {
    {"az_claims",
     "Volume claims by state: reached from that one zone only (pinned), bound but nothing tells "
     "where (unplaced), pending, pending as it is to be since no pod asks for it (waiting), with "
     "the data gone (lost), named by a pod or a workload and not there (missing). Others are not "
     "counted.",
     model::MetricType::kGauge, kClaimLabels, model::kNumber, kClaimStates},
    {"az_volume_capacity_bytes", "Capacity of the volumes that az_volumes counts.",
     model::MetricType::kGauge, kVolumeLabels, model::kAmount, kReach},
    {"az_volumes",
     "Volumes by where they are reached from: everywhere, zones (with that zone), unknown. One "
     "that "
     "several zones reach counts in each.",
     model::MetricType::kGauge, kVolumeLabels, model::kNumber, kReach},
};

std::string_view StateOf(const zones::PinnedClaim& claim) {
  return claim.waits_for_pod ? "waiting" : zones::ClaimStateName(claim.state);
}

// The states without a zone read 0 where the namespace has any of these claims.
void AddClaims(FamilyBuilder& family, const zones::NamespaceReport& ns) {
  if (ns.claims.empty()) return;
  std::map<std::pair<std::string_view, std::string_view>, int> counts;  // by state and zone
  using zones::ClaimState;
  for (ClaimState state :
       {ClaimState::kUnplaced, ClaimState::kPending, ClaimState::kLost, ClaimState::kMissing}) {
    counts[{zones::ClaimStateName(state), ""}];
  }
  counts[{"waiting", ""}];
  for (const zones::PinnedClaim& claim : ns.claims) ++counts[{StateOf(claim), claim.zone}];
  for (const auto& [key, count] : counts) {
    const auto& [state, zone] = key;
    family.Add({ns.ns, zone, state}, count);
  }
}

Collected Collect(const CollectorInputs& inputs) {
  const zones::ZoneReport& report = inputs.report;
  Collected collected;
  const Ground ground = GroundOf(report, report.volumes);
  collected.fault = ground.fault;
  if (!ground.known || report.volume_report == nullptr) return collected;
  FamilyBuilder claims(kFamilies[0]);
  FamilyBuilder capacity(kFamilies[1]);
  FamilyBuilder volumes(kFamilies[2]);
  for (const auto& ns : report.namespaces) AddClaims(claims, *ns);
  for (const zones::VolumeGroup& group : report.volume_report->groups) {
    const std::string_view reach = zones::VolumeReachName(group.reach);
    capacity.Add({reach, group.zone, group.storage_class},
                 static_cast<double>(group.capacity_bytes));
    volumes.Add({reach, group.zone, group.storage_class}, static_cast<double>(group.volumes));
  }
  collected.families.push_back(claims.Take());
  collected.families.push_back(capacity.Take());
  collected.families.push_back(volumes.Take());
  return collected;
}

}  // namespace

const Collector& VolumesCollector() {
  static constexpr Collector kRow = {"volumes", "Volumes and claims by zone.", kFamilies, &Collect};
  return kRow;
}

}  // namespace azexporter::collect
