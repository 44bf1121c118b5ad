// How long queries over a large cluster take, in the process itself: for profiles, and to see what
// a change does. Against Prometheus, over HTTP: compare_prometheus.sh.
//
//   query_bench [ROUNDS [NAME-PART]]

#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "azexporter/base/check.h"
#include "azexporter/promql/engine.h"
#include "azexporter/promql/parser.h"
#include "azexporter/storage/memory_store.h"
#include "zone_data.h"

namespace azexporter::bench {
namespace {

constexpr int kSamples = 120;
constexpr std::int64_t kIntervalMs = 30'000;
constexpr std::int64_t kStart = 1'700'000'000'000;
constexpr std::int64_t kEnd = kStart + (kSamples - 1) * kIntervalMs;

double Milliseconds(std::chrono::steady_clock::duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

void Fill(storage::MemoryStore& store) {
  std::vector<BenchSeries> all;
  ForEachSeries({}, [&](const BenchSeries& series) { all.push_back(series); });
  const auto before = std::chrono::steady_clock::now();
  for (int i = 0; i < kSamples; ++i) {
    const auto appender = store.NewAppender();
    for (const BenchSeries& series : all) {
      const model::TimestampMs t = kStart + i * kIntervalMs;
      const auto outcome =
          series.histogram ? appender->AppendDetailed(series.labels, t, 0, {series.histogram(i)})
                           : appender->Append(series.labels, t, series.value(i));
      AZX_CHECK(outcome == storage::AppendOutcome::kAppended, "a sample was refused");
    }
    AZX_CHECK(appender->Commit().has_value(), "a batch was refused");
  }
  const double took = Milliseconds(std::chrono::steady_clock::now() - before);
  std::printf("%zu series x %d samples appended in %.0f ms, %.1f million a second\n", all.size(),
              kSamples, took, static_cast<double>(all.size()) * kSamples / took / 1000);
}

std::size_t SizeOf(const promql::QueryResult& result) {
  if (const auto* vector = std::get_if<promql::Vector>(&result.value)) return vector->size();
  if (const auto* matrix = std::get_if<promql::Matrix>(&result.value)) return matrix->size();
  return 1;
}

void Run(const storage::MemoryStore& store, int rounds, std::string_view part) {
  const base::SystemClock clock;
  const promql::Engine engine({}, clock);
  std::printf("%-36s %10s %10s %8s\n", "query", "min ms", "median ms", "series");
  for (const BenchQuery& query : Queries()) {
    if (std::string_view(query.name).find(part) == std::string_view::npos) continue;
    const auto expr = promql::ParseExpr(query.query);
    AZX_CHECK(expr.has_value(), query.name);
    std::vector<double> times;
    std::size_t series = 0;
    for (int i = 0; i < rounds; ++i) {
      const auto before = std::chrono::steady_clock::now();
      const auto result = query.range ? engine.Range(store, **expr, {kStart, kEnd + 30'000, 30'000})
                                      : engine.Instant(store, **expr, kEnd + 1000);
      times.push_back(Milliseconds(std::chrono::steady_clock::now() - before));
      AZX_CHECK(result.has_value(), query.name);
      series = SizeOf(*result);
    }
    std::ranges::sort(times);
    std::printf("%-36s %10.3f %10.3f %8zu\n", query.name, times.front(), times[times.size() / 2],
                series);
  }
}

}  // namespace
}  // namespace azexporter::bench

int main(int argc, char** argv) {
  using namespace azexporter;  // NOLINT
  storage::MemoryStore store({.retention_ms = 0});
  bench::Fill(store);
  const storage::MemoryStoreStats stats = store.stats();
  malloc_trim(0);
  std::printf("%zu series, %zu chunks, %zu symbols: %.1f MB\n", stats.series, stats.chunks,
              stats.symbols, static_cast<double>(stats.bytes) / 1e6);
  const int rounds = argc > 1 ? std::max(1, std::atoi(argv[1])) : 10;
  bench::Run(store, rounds, argc > 2 ? argv[2] : "");
  return 0;
}
