#include "azexporter/zones/held_back.h"

namespace azexporter::zones {

std::vector<std::string> HoldingBack(const ZoneReport& report, const SpreadStatus& status) {
  std::vector<std::string> dead;
  if (status.unschedulable == 0 || !status.self_match || !IsZoneKey(status.topology_key) ||
      status.when_unsatisfiable != kube::WhenUnsatisfiable::kDoNotSchedule) {
    return dead;
  }
  for (const DomainCount& domain : status.domains) {
    const ZoneStatus* zone = report.Find(domain.domain);
    const bool takes = zone != nullptr && (zone->state == ZoneState::kNormal ||
                                           zone->state == ZoneState::kPartialDisruption);
    if (takes && domain.pods + 1 - status.least <= status.max_skew) return {};
    if (!takes && domain.pods == 0) dead.push_back(domain.domain);
  }
  return dead;
}

}  // namespace azexporter::zones
