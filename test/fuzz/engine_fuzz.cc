#include "azexporter/base/check.h"
#include "azexporter/base/clock.h"
#include "azexporter/promql/engine.h"
#include "azexporter/promql/parser.h"
#include "azexporter/promql/series_notation.h"
#include "azexporter/storage/memory_store.h"
#include "targets.h"

namespace azexporter::fuzz {
namespace {

constexpr std::int64_t kMinute = 60'000;

// A point a minute, from 0 on.
constexpr std::string_view kSeries[] = {
    "up{job=\"a\", instance=\"1\"} 1 1 0 1 stale 1 _ _ 1 0 1",
    "up{job=\"a\", instance=\"2\"} 1x10",
    "up{job=\"b\", instance=\"1\"} 0 NaN 1 Inf -Inf 1 0 1e308 -1e308 5e-324 0",
    "requests_total{job=\"a\"} 0+10x4 5+10x5",
    "requests_total{job=\"b\"} 0+30x10",
    "latency_bucket{le=\"0.1\"} 0+1x10",
    "latency_bucket{le=\"1\"} 0+3x10",
    "latency_bucket{le=\"+Inf\"} 0+4x10",
    "latency_bucket{le=\"x\"} 0+2x10",
    "{\"utf-8 \xc3\xa9\", \"b c\"=\"d\"} 3x10",
    "{job=\"nameless\"} 1+1x10",
    "native{zone=\"a\"} {{count:3 sum:5 buckets:[1 2]}}+{{count:3 sum:5 buckets:[1 2]}}x4 "
    "{{count:1}} stale",
    "native{zone=\"b\"} {{schema:3 count:4 z_bucket:1 z_bucket_w:0.1 offset:-3 buckets:[1 0 1] "
    "n_buckets:[1] counter_reset_hint:gauge}}x9",
    "custom{zone=\"a\"} {{schema:-53 count:3 sum:1 custom_values:[1 5] buckets:[1 1 1]}}x10",
    "custom{zone=\"b\"} {{schema:-53 count:3 sum:NaN custom_values:[5 9] buckets:[1 0 1]}}x10",
    "mixed 1 {{count:1 buckets:[1]}} 2 {{schema:-53 count:1 custom_values:[1] buckets:[1]}} 3x4",
    "target_info{job=\"a\", instance=\"1\", version=\"1.2\"} 1x10",
};

storage::MemoryStore& Store() {
  static storage::MemoryStore store(storage::MemoryStoreOptions{.retention_ms = 0});
  static const bool filled = [] {
    const auto appender = store.NewAppender();
    for (const std::string_view line : kSeries) {
      const auto series = promql::ParseSeriesNotation(line);
      AZX_CHECK(series.has_value(), "a series of the fuzz store is malformed");
      for (std::size_t i = 0; i < series->values.size(); ++i) {
        if (!series->values[i]) continue;
        const auto appended = promql::AppendValue(
            *appender, series->labels, static_cast<std::int64_t>(i) * kMinute, *series->values[i]);
        AZX_CHECK(appended.has_value(), "a sample of the fuzz store is refused");
      }
    }
    return appender->Commit().has_value();
  }();
  AZX_CHECK(filled, "the fuzz store takes its samples");
  return store;
}

}  // namespace

void EvaluateQuery(std::string_view bytes) {
  const auto expr = promql::ParseExpr(bytes, promql::ParserOptions::All());
  if (!expr) return;
  static const base::SystemClock clock;
  for (const bool delayed_name_removal : {false, true}) {
    const promql::Engine engine({.max_samples = 20'000,
                                 .timeout_ms = 200,
                                 .delayed_name_removal = delayed_name_removal,
                                 .use_start_timestamps = delayed_name_removal},
                                clock);
    static_cast<void>(engine.Instant(Store(), **expr, 5 * kMinute));
    static_cast<void>(engine.Range(Store(), **expr, {-2 * kMinute, 12 * kMinute, kMinute}));
  }
}

}  // namespace azexporter::fuzz
