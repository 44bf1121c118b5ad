#pragma once

// The commands that are not the daemon. Each prints to standard output and returns the exit code.

#include "azexporter/app/flags.h"
#include "azexporter/app/observer.h"

namespace azexporter::app {

int RunAudit(const Flags& flags, const Surroundings& surroundings);
int RunCheckHealth(const Flags& flags, const Surroundings& surroundings);
int RunCheckConfig(const Flags& flags);
int RunCheckRules(const Flags& flags);
int RunExportRules(const Flags& flags);
int RunFormatPromql(const Flags& flags);
int RunTestPromql(const Flags& flags);
int RunTestRules(const Flags& flags);
int RunSimulateZoneLoss(const Flags& flags, const Surroundings& surroundings);

}  // namespace azexporter::app
