#pragma once

// Unit tests of rules, in promtool's file format: series are laid down, the rules are evaluated
// over them step by step, and what fires and what queries answer is compared with what the file
// expects.
//
//   AZX_ASSIGN_OR_RETURN(const NameFilter run, NameFilter::Create({}));
//   const UnitTestReport report = RunUnitTests("rules_test.yaml", {.run = run});
//   fmt::print("{}", FormatUnitTests(report));
//
// Beyond promtool: an entry of `exp_alerts` with `state: pending` expects a pending alert. A test
// that has none of them does not look at pending alerts, as promtool never does.
// Semantics: prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/.
//
// Thread safety: may be called from any thread.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/base/result.h"
#include "azexporter/model/regexp.h"
#include "azexporter/promql/engine.h"
#include "azexporter/rules/rule_file.h"

namespace azexporter::rules {

// Picks tests by their names. Without a pattern it accepts every name.
class NameFilter {
 public:
  // RE2 patterns, each searched for anywhere in a name. kBadData when one does not parse.
  static base::Result<NameFilter> Create(const std::vector<std::string>& patterns);

  // Whether any pattern is found in it.
  bool Accepts(std::string_view name) const;

 private:
  std::vector<model::AnchoredRegexp> patterns_;
};

struct UnitTestOptions {
  NameFilter run = {};
  // In the test files and in the rule files.
  UnknownKeys unknown_keys = UnknownKeys::kRefuse;
  // The features that expressions may use.
  promql::EngineOptions engine = {};
  bool diff = false;  // tell failures by the lines that differ
  bool dump = false;  // tell every sample that a test had in the end
};

// What became of an entry of `tests`.
struct UnitTestCase {
  std::string name;                   // "unnamed#3", counted from 0, where it has none
  std::vector<std::string> failures;  // indented lines, as they are printed; empty: it passed
  std::string dump;
};

// An alerting rule of the rule files.
struct TestedAlert {
  std::string file;
  int line = 0;
  std::string group;
  std::string name;
  bool fired = false;  // when an alert_rule_test that names it looked

  auto operator<=>(const TestedAlert&) const = default;
};

struct UnitTestReport {
  std::string file;
  std::string error;  // why no test was run; empty where they were
  std::vector<std::string> warnings;
  std::vector<UnitTestCase> cases;
  std::vector<TestedAlert> alerts;  // in order of the rule files

  bool passed() const;
};

// Runs the tests of a file. Rule files are looked for beside it.
UnitTestReport RunUnitTests(const std::string& file, const UnitTestOptions& options = {});

// As promtool prints it: "Unit Testing:  FILE", then "  SUCCESS", or "  FAILED:" and the failures.
std::string FormatUnitTests(const UnitTestReport& report);
// JUnit's XML: a suite a file, a case a test. `now` is the time of the run.
std::string FormatUnitTestsAsJunit(std::span<const UnitTestReport> reports, std::int64_t now_ms);
// How many alerting rules a test made fire, and which ones none did.
std::string FormatCoverage(std::span<const UnitTestReport> reports);

}  // namespace azexporter::rules
