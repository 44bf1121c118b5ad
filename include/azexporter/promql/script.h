#pragma once

// Runs PromQL scripts: plain text that loads series, evaluates queries and says what to expect. The
// language is Prometheus's, so that its own test files run here; it is described in
// test/promql/testdata/README.md.
//
// Thread safety: may be called from any thread.
// Semantics: prometheus/promql/promqltest.

#include <string>
#include <string_view>
#include <vector>

#include "azexporter/base/result.h"
#include "azexporter/promql/engine.h"

namespace azexporter::promql {

// As the scripts of Prometheus are run: with everything that its feature flags turn on.
struct ScriptOptions {
  EngineOptions engine{.max_samples = 10'000,
                       .delayed_name_removal = true,
                       .use_start_timestamps = true,
                       .parser = ParserOptions::All()};
};

// An `eval` that did not come out as expected.
struct ScriptFailure {
  int line = 0;  // of the eval command, 1-based
  std::string query;
  std::string expected;
  std::string got;
};

struct ScriptReport {
  int passed = 0;  // evals
  int failed = 0;
  std::vector<ScriptFailure> failures;
  // Lines of `load` that could not be taken in, and why; evals may fail for them.
  std::vector<std::string> notes;
};

// "FILE:LINE: QUERY\n  expected: ...\n  got:      ...".
std::string FormatFailure(std::string_view file, const ScriptFailure& failure);

// kBadData "line N: ..." when the script itself is malformed. An eval that fails is in the report.
base::Result<ScriptReport> RunScript(std::string_view text, const ScriptOptions& options = {});

}  // namespace azexporter::promql
