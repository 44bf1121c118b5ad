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

struct ScriptOptions {
  // As the scripts of Prometheus are run.
  EngineOptions engine{.max_samples = 10'000, .delayed_name_removal = true};
};

// What azexporter does not know yet, so that an eval cannot pass.
enum class ScriptLack {
  kNone,
  kExperimental,      // what Prometheus's parser refuses, too, unless a feature flag is set
  kNativeHistograms,  // among the points loaded or expected, or converted to (load_with_nhcb)
  kStartTimestamps,   // of the points loaded
};
std::string_view ScriptLackText(ScriptLack lack);  // "native histograms"; "" for kNone

// An `eval` that did not come out as expected.
struct ScriptFailure {
  int line = 0;  // of the eval command, 1-based
  std::string query;
  std::string expected;
  std::string got;
  ScriptLack lack = ScriptLack::kNone;
};

struct ScriptReport {
  int passed = 0;  // evals
  int failed = 0;
  std::vector<ScriptFailure> failures;
  // Lines of `load` that could not be taken in, and why; evals may fail for them.
  std::vector<std::string> notes;
};

// "FILE:LINE: QUERY\n  expected: ...\n  got:      ...", and "\n  needs:    native histograms" where
// it is known that it cannot pass yet.
std::string FormatFailure(std::string_view file, const ScriptFailure& failure);

// kBadData "line N: ..." when the script itself is malformed. An eval that fails is in the report.
base::Result<ScriptReport> RunScript(std::string_view text, const ScriptOptions& options = {});

}  // namespace azexporter::promql
