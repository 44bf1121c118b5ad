#pragma once

// Runs the commands of a script that script_reader.h has read.
//
// Thread safety: may be called from any thread.

#include <span>

#include "azexporter/promql/script.h"
#include "script_reader.h"

namespace azexporter::promql {

base::Result<ScriptReport> RunCommands(std::span<const ScriptCommand> commands,
                                       const ScriptOptions& options = {});

}  // namespace azexporter::promql
