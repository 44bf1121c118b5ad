#pragma once

// A unit test file of rules, read. Private to `rules`.
//
// Thread safety: values; thread-compatible.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/base/result.h"
#include "azexporter/model/labels.h"
#include "azexporter/model/sample.h"
#include "azexporter/promql/series_notation.h"
#include "azexporter/rules/alert.h"
#include "azexporter/rules/rule_file.h"

namespace azexporter::rules {

struct ExpectedAlert {
  AlertState state = AlertState::kFiring;
  model::Labels labels;  // with alertname
  model::Labels annotations;
};

struct AlertTest {
  int line = 0;                   // in the file, 1-based
  std::int64_t eval_time_ms = 0;  // since the start of the test, as all times here
  std::string name;
  std::vector<ExpectedAlert> expected;
};

struct ExpectedSample {
  model::Labels labels;
  double value = 0;
  std::string histogram = {};  // in the notation of series; empty: a float
};

struct ExprTest {
  int line = 0;
  std::int64_t eval_time_ms = 0;
  std::string expr;
  std::vector<ExpectedSample> expected;
  std::string unreadable;  // why the expectation could not be read: the test fails for it
};

// An entry of `tests`.
struct TestGroup {
  std::string name;              // may be empty
  std::int64_t interval_ms = 0;  // between the points of a series
  model::TimestampMs start = 0;
  std::vector<promql::SeriesNotation> series;
  std::vector<std::string> bad_series;  // malformed: the test is not run
  model::Labels external_labels;
  std::string external_url;
  std::vector<AlertTest> alert_tests;
  std::vector<ExprTest> expr_tests;
};

struct UnitTestFile {
  std::vector<std::string> rule_files;  // patterns, as they stand
  std::int64_t evaluation_interval_ms = 0;
  std::vector<std::string> group_eval_order;
  bool fuzzy_compare = false;
  std::vector<TestGroup> tests;
};

// Points of all series of a test; more are refused.
inline constexpr std::size_t kMaxTestPoints = 10'000'000;

// kBadData "file:line:column: ...".
base::Result<UnitTestFile> ParseUnitTestFile(std::string_view text, const std::string& file,
                                             UnknownKeys unknown);

}  // namespace azexporter::rules
