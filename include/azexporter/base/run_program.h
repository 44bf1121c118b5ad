#pragma once

// Runs a program and waits for it: for what is asked of a helper, such as credentials.
//
// Thread safety: from any thread.

#include <cstdint>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "azexporter/base/result.h"

namespace azexporter::base {

struct ProgramCall {
  // The program, searched on PATH where it has no slash, and its arguments.
  std::vector<std::string> command;
  std::vector<std::pair<std::string, std::string>> environment;  // beside, and before, one's own
  std::int64_t timeout_ms = 60'000;
};

struct ProgramOutcome {
  int exit_code = 0;  // 128 + the signal that ended it
  std::string output;
  std::string errors;  // the end of what it wrote to standard error, 4 KiB at most
};

// One's own environment, in which these variables are added or replaced, as NAME=VALUE.
std::vector<std::string> EnvironmentWith(
    const std::vector<std::pair<std::string, std::string>>& variables);
// As exec and posix_spawn want them: null at the end; valid as long as `texts` stays as it is.
std::vector<char*> Pointers(std::vector<std::string>& texts);

// Its standard input is empty. kNotFound where there is no such program, kTimeout where it takes
// too long or writes more than 1 MiB, kCanceled by `stop`; then it is killed with all that it
// started.
Result<ProgramOutcome> RunProgram(const ProgramCall& call, const std::stop_token& stop);

}  // namespace azexporter::base
