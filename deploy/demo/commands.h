#pragma once

// What can be done to the platform, in words: one command a line, the same for the control endpoint
// and for scenarios.
//
//   zone us-east-1a down
//   scale deployment machine-native-ops 12
//   database postgres-cluster-2 pause
//
// Thread safety: pure functions.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/base/result.h"

namespace azexporter::platform {

enum class Verb {
  kZoneDown,
  kZoneUp,
  kZoneCordon,
  kZoneUncordon,
  kZoneDrain,
  kZoneRemove,
  kZoneLatency,
  kZoneHealth,
  kNodeDown,
  kNodeUp,
  kNodeStall,
  kNodeCordon,
  kNodeUncordon,
  kNodeDrain,
  kNodeDelete,
  kScale,
  kPodDelete,
  kPodMove,
  kDatabaseStop,
  kDatabaseStart,
  kDatabasePromote,
  kDatabaseRejoin,
  kDatabasePause,
  kDatabaseResume,
  kDatabaseCut,
  kDatabaseJoin,
  kFault,
  kFaultClear,
  kApiRestart,
  kApiCheckpoint,
  kApiRestore,
  kApiCompact,
  kApiCloseWatches,
};

struct CommandForm {
  Verb verb;
  // Words as they are typed; one in capitals stands for an argument, "..." for the rest of the
  // line.
  std::string_view pattern;
  std::string_view help;
};
std::span<const CommandForm> CommandForms();

struct Command {
  Verb verb = Verb::kZoneDown;
  std::vector<std::string> arguments;  // in the order of the pattern
};

// kBadData, naming the forms that begin with the same word.
base::Result<Command> ParseCommand(std::string_view line);

}  // namespace azexporter::platform
