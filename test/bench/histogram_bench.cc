// What native histograms cost the store: memory a sample, and the time of a quantile over them. Not
// a test; run by hand:
//
//   build/ci/test/histogram_bench [SERIES] [SAMPLES]      (500 and 240 unless said otherwise)
//
// Each series is the latencies of one probe target: schema 3, lognormal around its own median, so
// many observations a sample as its row says.

#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <random>
#include <string>

#include "azexporter/base/clock.h"
#include "azexporter/promql/engine.h"
#include "azexporter/storage/memory_store.h"

namespace azexporter {
namespace {

constexpr std::int64_t kIntervalMs = 15'000;

struct Size {
  int series = 500;
  int samples = 240;
};

// Fills `store`; how many buckets the last histogram has.
std::size_t Fill(storage::MemoryStore& store, const Size& size, int observations) {
  std::mt19937_64 random(3);
  std::size_t buckets = 0;
  for (int s = 0; s < size.series; ++s) {
    const auto labels = model::Labels::Of({{"__name__", "latency"}, {"target", std::to_string(s)}});
    std::lognormal_distribution<double> latency(std::log(0.002 + 0.00001 * s), 0.4);
    model::FloatHistogram histogram;
    histogram.schema = 3;
    histogram.zero_threshold = 0x1p-128;
    const auto appender = store.NewAppender();
    for (int i = 0; i < size.samples; ++i) {
      for (int k = 0; k < observations; ++k) histogram.Observe(latency(random));
      static_cast<void>(appender->AppendDetailed(
          labels, i * kIntervalMs, 0, {std::make_shared<const model::FloatHistogram>(histogram)}));
    }
    static_cast<void>(appender->Commit());
    buckets = histogram.positive.counts.size();
  }
  return buckets;
}

void Run(const Size& size, int observations) {
  storage::MemoryStore store({.retention_ms = 0});
  const std::size_t buckets = Fill(store, size, observations);
  const double bytes = static_cast<double>(store.stats().bytes);
  const base::SystemClock clock;
  const promql::Engine engine({}, clock);
  const auto query = engine.Parse("histogram_quantile(0.95, sum(rate(latency[5m])))");
  if (!query) return;
  double shortest_ms = 1e18;
  for (int round = 0; round < 5; ++round) {
    const auto start = std::chrono::steady_clock::now();
    if (!engine.Instant(store, **query, (size.samples - 1) * kIntervalMs)) return;
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    shortest_ms = std::min(shortest_ms, took.count());
  }
  std::printf("%12d %8zu %12.1f %12.2f\n", observations, buckets,
              bytes / size.series / size.samples, shortest_ms);
}

}  // namespace
}  // namespace azexporter

int main(int argc, char** argv) {
  azexporter::Size size;
  int* const numbers[] = {&size.series, &size.samples};
  for (int i = 1; i < argc && i <= 2; ++i) {
    const std::string text = argv[i];
    std::from_chars(text.data(), text.data() + text.size(), *numbers[i - 1]);
  }
  std::printf("%d series of %d samples\n", size.series, size.samples);
  std::printf("%12s %8s %12s %12s\n", "observations", "buckets", "B a sample", "quantile ms");
  for (const int observations : {0, 3, 100, 1'000}) azexporter::Run(size, observations);
  return 0;
}
