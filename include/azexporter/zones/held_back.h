#pragma once

// Pods that stay pending because a zone which takes none still counts: the scheduler's answer to a
// lost zone under a hard spread constraint, where taints are not honored.
//
// Thread safety: pure functions.

#include <string>
#include <vector>

#include "azexporter/zones/spread.h"
#include "azexporter/zones/zone_report.h"

namespace azexporter::zones {

// The zones that cannot take pods and yet hold the constraint's minimum at 0, so that its pods
// without a node may go nowhere else. Empty where no such pod waits, where the constraint is soft
// or not over zones, and where another zone could take one of them.
std::vector<std::string> HoldingBack(const ZoneReport& report, const SpreadStatus& status);

}  // namespace azexporter::zones
