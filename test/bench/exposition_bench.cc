// What it costs to show the pods of a large cluster at /metrics: a round and its page, plain and
// compressed, where nothing changed, where 1 % of the pods did, and made anew; beside
// prometheus-cpp's TextSerializer on the same series. Not a test; run by hand:
//
//   build/ci/test/exposition_bench [PODS]      (150000 unless said otherwise)

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <sstream>
#include <string>
#include <string_view>

#include "azexporter/base/clock.h"
#include "azexporter/collect/snapshot.h"
#include "azexporter/kube/object_cache.h"
#include "azexporter/storage/memory_store.h"
#include "zone_cluster.h"

namespace azexporter::collect {
namespace {

constexpr int kRounds = 5;

template <class Do>
double ShortestMs(Do what) {
  double shortest = 1e18;
  for (int i = 0; i < kRounds; ++i) {
    const auto start = std::chrono::steady_clock::now();
    what(i);
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    shortest = std::min(shortest, took.count());
  }
  return shortest;
}

class Bench {
 public:
  explicit Bench(int pods) : made_(bench::MakeZoneCluster(pods)) {
    pods_.Replace({made_.parts.pods->begin(), made_.parts.pods->end()});
    report_.pods.known = report_.nodes.known = true;
  }

  void Run() {
    const std::set<std::string> names = {"kube_pod_info"};
    const Costs plain = Measure([&](const Snapshot& of) { return RenderText(of, names).size(); });
    const Costs gzip = Measure([&](const Snapshot& of) {
      return RenderGzip(of, exposition::PageFormat::kText, names).size();
    });
    Snapshot snapshot = Gather(gatherer_);
    storage::MemoryStore store;
    SnapshotAppender appender(store);
    std::int64_t t = 1'800'000'000'000;
    snapshot.timestamp_ms = t;
    static_cast<void>(appender.Append(snapshot));
    const double appended = ShortestMs([&](int) {
      snapshot.timestamp_ms = t += 15'000;
      static_cast<void>(appender.Append(snapshot));
    });
    const auto families = ForPrometheusCpp(snapshot);
    std::size_t their_bytes = 0;
    const double theirs = ShortestMs([&](int) {
      std::ostringstream out;
      prometheus::TextSerializer().Serialize(out, families);
      their_bytes = out.str().size();
    });
    std::printf("%zu pods, page of %.1f MB, %.1f MB compressed\n", made_.parts.pods->size(),
                plain.mb, gzip.mb);
    std::printf("                                plain        gzip\n");
    const auto row = [](const char* what, double plain_ms, double gzip_ms) {
      std::printf("  %-24s %8.1f ms %8.1f ms\n", what, plain_ms, gzip_ms);
    };
    row("quiet round and page", plain.quiet, gzip.quiet);
    row("with 1 % of pods changed", plain.changed, gzip.changed);
    row("made anew", plain.anew, gzip.anew);
    std::printf("  appended to the store    %8.1f ms\n", appended);
    std::printf(
        "  prometheus-cpp           %8.1f ms  (the page alone, of families at hand; %.1f MB)\n",
        theirs, static_cast<double>(their_bytes) / (1 << 20));
  }

 private:
  struct Costs {
    double quiet = 0;  // ms, the shortest of several
    double changed = 0;
    double anew = 0;
    double mb = 0;  // the page
  };

  // `page` makes a page and tells its size.
  template <class Page>
  Costs Measure(Page page) {
    Costs costs;
    costs.mb = static_cast<double>(page(Gather(gatherer_))) / (1 << 20);
    costs.quiet = ShortestMs([&](int) { page(Gather(gatherer_)); });
    costs.changed = ShortestMs([&](int round) {
      Change(round);
      page(Gather(gatherer_));
    });
    costs.anew = ShortestMs([&](int) {
      Gatherer fresh;
      page(Gather(fresh));
    });
    return costs;
  }

  Snapshot Gather(Gatherer& gatherer) {
    kube::ClusterState::Parts parts = made_.parts;
    parts.pods = pods_.List();
    const kube::ClusterState cluster(std::move(parts));
    // The pods alone: the other collectors have benchmarks of their own.
    std::set<std::string> others;
    for (const Collector& collector : Collectors()) others.emplace(collector.name);
    others.erase("pods");
    return gatherer.Gather({.cluster = cluster, .report = report_, .probes = {}, .options = {}},
                           others, clock_);
  }

  // Pods of one deployment after the other, as a roll-out changes them.
  void Change(int round) {
    const auto list = pods_.List();
    const std::size_t count = list->size() / 100;
    for (std::size_t i = 0; i < count; ++i) {
      kube::Pod pod = *(*list)[(static_cast<std::size_t>(round) * count + i) % list->size()];
      pod.pod_ip = "10.1." + std::to_string(round) + "." + std::to_string(i % 250);
      pods_.Upsert(std::make_shared<const kube::Pod>(std::move(pod)));
    }
  }

  static std::vector<prometheus::MetricFamily> ForPrometheusCpp(const Snapshot& snapshot) {
    prometheus::MetricFamily family;
    family.name = "kube_pod_info";
    family.help = "Information about pod.";
    family.type = prometheus::MetricType::Gauge;
    for (const auto& block : snapshot.blocks) {
      for (const exposition::FlatSample& sample : block->samples) {
        prometheus::ClientMetric& metric = family.metric.emplace_back();
        for (const model::Label label : sample.labels) {
          if (label.name == model::kMetricName) continue;
          metric.label.push_back({std::string(label.name), std::string(label.value)});
        }
        metric.gauge.value = sample.value;
      }
    }
    return {std::move(family)};
  }

  const base::SystemClock clock_;
  const bench::ZoneCluster made_;
  kube::ObjectCache<kube::Pod> pods_;
  zones::ZoneReport report_;
  Gatherer gatherer_;
};

}  // namespace
}  // namespace azexporter::collect

int main(int argc, char** argv) {
  int pods = 150'000;
  if (argc > 1) {
    const std::string_view text = argv[1];
    std::from_chars(text.data(), text.data() + text.size(), pods);
  }
  azexporter::collect::Bench(pods).Run();
  return 0;
}
