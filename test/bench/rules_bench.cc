// What the rule engine adds to the queries of its rules: state, templates, and keeping both on
// disk. Not a test; run by hand:
//
//   build/ci/test/rules_bench [FOLDER]      (where the state is kept; /tmp unless said otherwise)
//
// Beside it what a rule with 100,000 active alerts costs a round, and how long it takes to load the
// rule files given by AZX_CONFORMANCE.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "azexporter/base/check.h"
#include "azexporter/promql/parser.h"
#include "azexporter/rules/alert_store.h"
#include "azexporter/rules/manager.h"
#include "azexporter/storage/memory_store.h"
#include "support/paths.h"

namespace azexporter::rules {
namespace {

constexpr model::TimestampMs kStart = 1'700'000'000'000;
constexpr std::int64_t kStepMs = 7'500;  // half of the default interval
constexpr int kRules = 1'000;
constexpr int kSeriesOfRule = 10;
constexpr int kManyAlerts = 100'000;

double Seconds(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double Median(std::vector<double> times) {
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

class Bench {
 public:
  explicit Bench(const std::string& folder) : file_(folder + "/azexporter-rules-bench.db") {
    Remove();
    std::string set_aside;
    auto db = base::Database::Open(
        file_,
        {.application = 1,
         .upgrade = [](base::Database& made, int) { return CreateAlertTables(made); }},
        kStart, set_aside);
    AZX_CHECK(db.has_value(), "the folder can be written");
    db_ = std::move(*db);
    alerts_ = MakeAlertStore(*db_);
  }
  ~Bench() {
    db_.reset();
    Remove();
  }

  // `of` rules of `each` series; of all series one in `one_in` is above 0.
  void Put(int of, int each, int one_in) {
    const auto appender = store_.NewAppender();
    for (int rule = 0; rule < of; ++rule) {
      for (int i = 0; i < each; ++i) {
        const auto labels = model::Labels::Of({{model::kMetricName, "load"},
                                               {"rule", std::to_string(rule)},
                                               {"pod", "pod-" + std::to_string(i)},
                                               {"zone", "us-east-1a"}});
        const bool above = (rule * each + i) % one_in == 0;
        static_cast<void>(appender->Append(labels, clock_.NowMs(), above ? 1 : 0));
      }
    }
    AZX_CHECK(appender->Commit().has_value(), "the store takes them");
  }

  std::unique_ptr<Manager> MakeManager(bool keep, int rules) {
    auto manager = std::make_unique<Manager>(
        ManagerOptions{}, ManagerDeps{.engine = engine_,
                                      .queryable = store_,
                                      .appendable = store_,
                                      .clock = clock_,
                                      .log = base::Logger::Silent(),
                                      .notify = [](const Rule&, const std::vector<Alert>&) {},
                                      .alerts = keep ? alerts_.get() : nullptr});
    std::string yaml = "groups:\n- name: g\n  rules:\n";
    for (int i = 0; i < rules; ++i) {
      yaml += "  - alert: A" + std::to_string(i) + "\n    expr: load{rule=\"" + std::to_string(i) +
              "\"} > 0\n    for: 5m\n    labels: {severity: warning}\n    annotations: {summary: "
              "'{{ $labels.pod }} in {{ $labels.zone }} is at {{ $value | humanize }}'}\n";
    }
    auto groups = ParseRuleFile(yaml, "bench.yaml");
    AZX_CHECK(groups.has_value(), "the rules are good");
    manager->SetGroups(std::move(*groups), {});
    return manager;
  }

  struct Times {
    double queries;  // of all rules alone, the median
    double round;    // of rounds in which nothing begins or ends, the median
    double slowest;  // round of all
  };

  // Rounds at the default interval, and between them the queries alone: both find samples that were
  // stored a moment ago.
  Times Rounds(Manager& manager, int of, int each, int one_in) {
    std::vector<std::shared_ptr<const promql::Expr>> exprs;
    for (int i = 0; i < of; ++i) {
      exprs.push_back(*promql::ParseExpr("load{rule=\"" + std::to_string(i) + "\"} > 0"));
    }
    std::vector<double> queries;
    std::vector<double> rounds;
    for (int i = 0; i < 30; ++i) {
      clock_.Advance(kStepMs);
      Put(of, each, one_in);
      queries.push_back(Seconds([&] {
        for (const auto& expr : exprs) {
          AZX_CHECK(engine_.Instant(store_, *expr, clock_.NowMs()).has_value(), "it answers");
        }
      }));
      clock_.Advance(kStepMs);
      Put(of, each, one_in);
      rounds.push_back(Seconds([&] { manager.EvaluateAll(clock_.NowMs()); }));
    }
    return {Median(queries), Median(rounds), *std::max_element(rounds.begin(), rounds.end())};
  }

 private:
  void Remove() const {
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(file_ + suffix);
  }

  const std::string file_;
  base::FakeClock clock_{kStart};
  storage::MemoryStore store_;
  const promql::Engine engine_{promql::EngineOptions{}, clock_};
  std::unique_ptr<base::Database> db_;
  std::unique_ptr<AlertStore> alerts_;
};

void ManyRules(const std::string& folder, int one_in) {
  std::printf("%d rules over %d series, %d alerts:\n", kRules, kRules * kSeriesOfRule,
              kRules * kSeriesOfRule / one_in);
  for (const bool keep : {false, true}) {
    Bench bench(folder);
    const auto manager = bench.MakeManager(keep, kRules);
    const auto times = bench.Rounds(*manager, kRules, kSeriesOfRule, one_in);
    std::printf(
        "  %-12s queries alone %6.2f ms, a round %6.2f ms = %4.2f times (slowest %6.2f ms)\n",
        keep ? "kept on disk" : "in memory", times.queries * 1e3, times.round * 1e3,
        times.round / times.queries, times.slowest * 1e3);
  }
}

void ManyAlerts(const std::string& folder) {
  Bench bench(folder);
  const auto manager = bench.MakeManager(true, 1);
  const auto times = bench.Rounds(*manager, 1, kManyAlerts, 1);
  std::printf(
      "1 rule with %d alerts: its query alone %6.1f ms, a round %6.1f ms, the slowest of 30 %6.1f "
      "ms\n",
      kManyAlerts, times.queries * 1e3, times.round * 1e3, times.slowest * 1e3);
}

void Load() {
  const std::filesystem::path folder = test::ConformanceFolder() + "/rules/kube-prometheus";
  if (!std::filesystem::exists(folder)) return;
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    files.push_back(entry.path());
  }
  std::size_t rules = 0;
  const double seconds = Seconds([&] {
    const auto groups = LoadRuleFiles(files);
    AZX_CHECK(groups.has_value(), "they load");
    for (const RuleGroup& group : *groups) rules += group.rules.size();
  });
  std::printf("%zu rules of kube-prometheus in %zu files: loaded in %6.1f ms\n", rules,
              files.size(), seconds * 1e3);
}

}  // namespace
}  // namespace azexporter::rules

int main(int argc, char** argv) {
  const std::string folder = argc > 1 ? argv[1] : "/tmp";
  for (const int one_in : {100, 10, 2}) azexporter::rules::ManyRules(folder, one_in);
  azexporter::rules::ManyAlerts(folder);
  azexporter::rules::Load();
  return 0;
}
