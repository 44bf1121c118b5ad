#include "azexporter/app/query_command.h"

#include <fmt/format.h>

#include <cstdio>

#include "azexporter/base/duration.h"
#include "azexporter/base/float_format.h"
#include "azexporter/base/time_text.h"
#include "azexporter/web/query_json.h"
#include "query_output.h"
#include "query_source.h"

namespace azexporter::app {
namespace {

using base::BadData;
using base::Result;

Result<QueryOutput> OutputOf(const std::string& name) {
  if (name == "table") return QueryOutput::kTable;
  if (name == "json") return QueryOutput::kJson;
  if (name == "csv") return QueryOutput::kCsv;
  return BadData("--output: must be table, json or csv, got \"" + name + "\"");
}

Result<model::TimestampMs> TimeOf(const char* flag, const std::string& text,
                                  model::TimestampMs fallback) {
  if (text.empty()) return fallback;
  auto time = base::ParseTimeMs(text);
  if (!time) return base::Fail(time.error().WithContext(flag));
  return *time;
}

Result<std::unique_ptr<QuerySource>> SourceOf(const QueryFlags& flags) {
  const auto timeout_ms = base::ParseDurationMs(flags.timeout);
  if (!timeout_ms || *timeout_ms == 0) {
    return BadData("--timeout: must be a duration, got \"" + flags.timeout + "\"");
  }
  if (!flags.load.empty() && !flags.url.empty()) {
    return BadData("--load and --url do not go together");
  }
  if (!flags.load.empty()) {
    promql::EngineOptions options = flags.engine;
    options.timeout_ms = *timeout_ms;
    return LoadSamples(flags.load, options);
  }
  return AskServer(flags.url.empty() ? kDefaultUrl : flags.url, *timeout_ms);
}

Result<promql::RangeTimes> RangeOf(const QueryFlags& flags, model::TimestampMs now) {
  constexpr std::int64_t kHourMs = 3'600'000;
  promql::RangeTimes range;
  AZX_ASSIGN_OR_RETURN(range.end, TimeOf("--end", flags.end, now));
  AZX_ASSIGN_OR_RETURN(range.start, TimeOf("--start", flags.start, range.end - kHourMs));
  if (range.end < range.start) return BadData("--end: is before --start");
  if (flags.step.empty()) {
    constexpr std::int64_t kSteps = 250;
    range.step_ms = std::max<std::int64_t>((range.end - range.start) / kSteps / 1000, 1) * 1000;
    return range;
  }
  // "30s", or seconds as the API takes them.
  const auto seconds = base::ParseFloat(flags.step);
  const auto step = base::ParseDurationMs(flags.step);
  constexpr double kMostSeconds = 1e10;
  if (seconds && *seconds > 0 && *seconds < kMostSeconds) {
    range.step_ms = std::max<std::int64_t>(1, static_cast<std::int64_t>(*seconds * 1000));
  } else if (step && *step > 0) {
    range.step_ms = *step;
  } else {
    return BadData("--step: must be a duration above zero, got \"" + flags.step + "\"");
  }
  return range;
}

std::string FormatExplained(const promql::Explanation& explanation, QueryOutput output) {
  if (output != QueryOutput::kJson) return promql::FormatExplanation(explanation);
  std::string out;
  web::AppendExplanation(out, explanation);
  return out + "\n";
}

std::string Formatted(const promql::QueryResult& result, QueryOutput output) {
  for (const std::string& text : result.warnings) fmt::print(stderr, "warning: {}\n", text);
  for (const std::string& text : result.infos) fmt::print(stderr, "info: {}\n", text);
  return FormatValue(result.value, output);
}

// The text of the answer.
Result<std::string> Answer(const QueryFlags& flags) {
  AZX_ASSIGN_OR_RETURN(const QueryOutput output, OutputOf(flags.output));
  AZX_ASSIGN_OR_RETURN(const std::unique_ptr<QuerySource> source, SourceOf(flags));
  AZX_ASSIGN_OR_RETURN(const model::TimestampMs time, TimeOf("--time", flags.time, source->now()));
  switch (flags.kind) {
    case QueryKind::kInstant: {
      AZX_ASSIGN_OR_RETURN(const promql::QueryResult result, source->Instant(flags.expr, time));
      return Formatted(result, output);
    }
    case QueryKind::kRange: {
      AZX_ASSIGN_OR_RETURN(const promql::RangeTimes range, RangeOf(flags, source->now()));
      AZX_ASSIGN_OR_RETURN(const promql::QueryResult result, source->Evaluate(flags.expr, range));
      return Formatted(result, output);
    }
    case QueryKind::kSeries: {
      AZX_ASSIGN_OR_RETURN(const std::vector<model::Labels> all, source->Series(flags.selectors));
      return FormatSeries(all, output);
    }
    case QueryKind::kLabels: {
      AZX_ASSIGN_OR_RETURN(const std::vector<std::string> texts,
                           source->Labels(flags.label, flags.selectors));
      return FormatTexts(texts, flags.label.empty() ? "label" : flags.label, output);
    }
    case QueryKind::kExplain: {
      if (output == QueryOutput::kCsv) return BadData("--output: a tree has no csv form");
      AZX_ASSIGN_OR_RETURN(
          const promql::Explanation explanation,
          source->Explain(flags.expr, {.t = time, .max_values = flags.max_values}));
      return FormatExplained(explanation, output);
    }
  }
  return std::string();
}

}  // namespace

int RunQueryCommand(const QueryFlags& flags) {
  const auto answer = Answer(flags);
  if (answer) {
    fmt::print("{}", *answer);
    return 0;
  }
  const std::string& message = answer.error().message();
  fmt::print(stderr, "azexporter: {}\n{}", message, CaretText(flags.expr, message));
  return 1;
}

}  // namespace azexporter::app
