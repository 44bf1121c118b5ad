#include "script_reader.h"
#include "script_runner.h"
#include "targets.h"

namespace azexporter::fuzz {
namespace {

// Whether the script loads few enough points, and asks few enough questions, to be run in no time.
bool IsSmall(const std::vector<promql::ScriptCommand>& commands) {
  std::size_t points = 0;
  std::size_t evals = 0;
  for (const promql::ScriptCommand& command : commands) {
    if (const auto* load = std::get_if<promql::LoadCommand>(&command)) {
      for (const auto& series : load->series) points += series.values.size();
    } else if (std::holds_alternative<promql::EvalCommand>(command)) {
      ++evals;
    }
  }
  return points <= 1'000 && evals <= 20;
}

}  // namespace

void ReadAndRunScript(std::string_view bytes) {
  const auto commands = promql::ReadScript(bytes);
  if (!commands || !IsSmall(*commands)) return;
  static_cast<void>(
      promql::RunCommands(*commands, {.engine = {.max_samples = 10'000,
                                                 .timeout_ms = 200,
                                                 .use_start_timestamps = true,
                                                 .parser = promql::ParserOptions::All()}}));
}

}  // namespace azexporter::fuzz
