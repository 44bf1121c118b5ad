#pragma once

// The subcommands of `azexporter query`. Private to `app`.

#include <CLI/App.hpp>

#include "azexporter/app/flags.h"

namespace azexporter::app {

// `flags` must outlive the parsing.
void AddQueryCommand(CLI::App& cli, Flags& flags);

}  // namespace azexporter::app
