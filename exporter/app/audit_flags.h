#pragma once

// The command `azexporter audit`. Private to `app`.

#include <CLI/App.hpp>

#include "azexporter/app/flags.h"

namespace azexporter::app {

// `flags` must outlive the parsing.
void AddAuditCommand(CLI::App& cli, Flags& flags);

}  // namespace azexporter::app
