#pragma once

// What is wrong with the databases of a report.
//
// Thread safety: a pure function.

#include <vector>

#include "azexporter/zones/findings.h"
#include "azexporter/zones/zone_report.h"

namespace azexporter::zones {

// In no order.
std::vector<Finding> DatabaseFindingsOf(const ZoneReport& report);

}  // namespace azexporter::zones
