#pragma once

// The same script in another world: at another time, with other metric names, in other units. What
// PromQL answers must be the same but for exactly that, so that each of Prometheus's scripts tests
// more than the one set of numbers it was written with.
//
// A transformation goes over the commands that a script was read into. Selectors are rewritten in
// the syntax tree, which is printed again; series and expected values where they stand. An eval
// whose answer would change in another way is left out, and counted by the reason.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "script_reader.h"

namespace azexporter::promql {

struct Transformed {
  std::vector<ScriptCommand> commands;
  int evals = 0;                       // that were kept
  std::map<std::string, int> omitted;  // reason -> evals
};

// Loads and evals, and the times in @, later by `shift_ms`. Omitted: what tells the absolute time,
// and subqueries whose steps, being aligned to it, would fall differently.
Transformed ShiftTimes(const std::vector<ScriptCommand>& commands, std::int64_t shift_ms);

// `prefix` before every metric name, in selectors (patterns too), series and expectations. Texts of
// errors and annotations name metrics and columns: of them only the existence is expected.
// Omitted: what takes metric names for text (label_replace and the like over "__name__").
Transformed PrefixNames(const std::vector<ScriptCommand>& commands, std::string_view prefix);

// Every loaded value multiplied by `factor`, a positive power of 2 (so that nothing is rounded).
// From the tree follows with which power of the factor the answer grows: sum(x) with the first,
// stdvar(x) with the second, count(x) not at all. Omitted: where it grows with none (exp(x), x +
// 1), and values at the far ends of what a double holds.
Transformed ScaleValues(const std::vector<ScriptCommand>& commands, double factor);

}  // namespace azexporter::promql
