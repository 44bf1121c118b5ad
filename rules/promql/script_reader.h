#pragma once

// Reads a PromQL script into its commands; script.cc runs them.
//
// Thread safety: may be called from any thread.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "azexporter/base/result.h"
#include "azexporter/model/sample.h"
#include "azexporter/promql/script.h"
#include "azexporter/promql/series_notation.h"

namespace azexporter::promql {

struct LoadCommand {
  std::int64_t step_ms = 0;
  model::TimestampMs start = 0;  // of the first point of each series
  std::vector<SeriesNotation> series;
  std::vector<std::string> notes;  // lines that were passed over
  // When counting began, relative to each point, ms.
  std::unordered_map<model::Labels, std::vector<std::optional<std::int64_t>>, model::LabelsHash>
      starts;
  // Classic histograms are loaded once more, as native ones with custom buckets.
  bool with_nhcb = false;
};

struct ClearCommand {};

// `expect warn msg: ...`: a text, or with `regex:` a pattern that must be found in it.
struct TextExpectation {
  bool is_pattern = false;
  std::string text;

  bool Accepts(std::string_view actual) const;
};

struct EvalCommand {
  int line = 0;  // 1-based
  std::string query;
  bool is_range = false;
  // Of an instant query: all three its time. With `expect range vector`: where the points lie.
  model::TimestampMs at = 0;
  model::TimestampMs start = 0;
  model::TimestampMs end = 0;
  std::int64_t step_ms = 0;

  bool expect_fail = false;
  bool ordered = false;
  bool no_warn = false;
  bool no_info = false;
  bool expect_range_vector = false;
  std::vector<TextExpectation> fail;
  std::vector<TextExpectation> warn;
  std::vector<TextExpectation> info;
  std::optional<double> scalar;
  std::optional<std::string> string;
  std::vector<SeriesNotation> series;
  // An expectation that could not be read: the eval fails for it.
  std::string unreadable;
};

// Points loaded and expected in one script; more are refused.
inline constexpr std::size_t kMaxScriptPoints = 10'000'000;

using ScriptCommand = std::variant<LoadCommand, ClearCommand, EvalCommand>;

// kBadData "line N: ...".
base::Result<std::vector<ScriptCommand>> ReadScript(std::string_view text);

}  // namespace azexporter::promql
