#pragma once

// `azexporter simulate zone-loss [ZONE]`: what would be left of the cluster if a zone went now.
//
// Thread safety: values; the functions may be called from any thread.

#include <string>
#include <vector>

#include "azexporter/app/observer.h"
#include "azexporter/base/result.h"
#include "azexporter/config/config.h"
#include "azexporter/zones/zone_report.h"

namespace azexporter::app {

enum class SimulateOutput { kTable, kJson };

struct SimulateFlags {
  std::string zone;       // empty: each zone in its turn
  bool evacuate = false;  // drained rather than lost at once
  SimulateOutput output = SimulateOutput::kTable;
  bool verbose = false;  // all rows, not only the first few
};

// The losses that are asked for. kNotFound, naming the zones there are, where the zone is not among
// them, and where there is none.
base::Result<std::vector<zones::ZoneLoss>> LossesAsked(const zones::ZoneReport& report,
                                                       const SimulateFlags& flags);

// Asks the sources of `config` once. kUnavailable where nodes or pods are not known.
base::Result<std::vector<zones::ZoneLoss>> SimulateZoneLoss(const config::Config& config,
                                                            const ObserverDeps& deps,
                                                            const SimulateFlags& flags);

// Says what is approximate about it, too.
std::string FormatSimulation(const std::vector<zones::ZoneLoss>& losses,
                             const SimulateFlags& flags);

// 0: each is survived, or lost already; 2: one is not survived; 3: one is not known.
int SimulationExitCode(const std::vector<zones::ZoneLoss>& losses);

}  // namespace azexporter::app
