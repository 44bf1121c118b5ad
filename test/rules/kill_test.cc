// A process that is killed again and again, wherever it is, and what is seen of its alerts from
// outside beside those of one that is never killed.

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <sstream>

#include "rules/rules_fixture.h"
#include "support/faulty_disk.h"
#include "support/temp_folder.h"
#include "support/test_database.h"

namespace azexporter::rules {
namespace {

constexpr std::int64_t kStepMs = 15'000;
constexpr model::TimestampMs kEpoch = 1'700'000'000'000;
constexpr int kSteps = 60;

constexpr std::string_view kRules = R"(
groups:
- name: g
  rules:
  - {alert: AtOnce, expr: v > 0}
  - {alert: Short, expr: v > 0, for: 10s}
  - {alert: Long, expr: v > 0, for: 1m}
  - {alert: Kept, expr: v > 0, for: 15s, keep_firing_for: 45s}
)";

// Ends the process at the `left`th of the points it comes by; never where that is 0.
class Killer {
 public:
  explicit Killer(int left) : left_(left) {}
  void Point() {
    if (left_ > 0 && --left_ == 0) static_cast<void>(raise(SIGKILL));
  }

 private:
  int left_;
};

// Points before and after each write of what an evaluation changed.
class DeadlyStore final : public AlertStore {
 public:
  DeadlyStore(std::unique_ptr<AlertStore> below, Killer& killer)
      : below_(std::move(below)), killer_(killer) {}
  base::Result<std::map<RuleId, SavedAlerts>> Load() override { return below_->Load(); }
  base::Result<void> Save(const std::string& file, const std::string& group,
                          model::TimestampMs evaluated_at,
                          std::span<const AlertEdits> edits) override {
    killer_.Point();
    auto saved = below_->Save(file, group, evaluated_at, edits);
    killer_.Point();
    return saved;
  }
  base::Result<void> Keep(std::span<const RuleId> rules) override { return below_->Keep(rules); }

 private:
  const std::unique_ptr<AlertStore> below_;
  Killer& killer_;
};

// What is seen from outside, a line each: "STEP sent NAME ZONE firing|resolved STARTS_AT" and
// "STEP shown NAME ZONE pending|firing ACTIVE_AT FIRED_AT"; "STEP done" once a step is over.
using Tell = std::function<void(const std::string& line)>;

std::string NameOf(const Alert& alert) {
  return std::string(alert.labels.Get("alertname")) + " " + std::string(alert.labels.Get("zone"));
}

// One life of the process: from step `first` until it ends or is killed.
class Life {
 public:
  Life(std::uint32_t seed, AlertStore* alerts, Killer& killer, Tell tell)
      : seed_(seed), killer_(killer), tell_(std::move(tell)) {
    rules_ = std::make_unique<Manager>(
        ManagerOptions{},
        ManagerDeps{.engine = engine_,
                    .queryable = store_,
                    .appendable = store_,
                    .clock = clock_,
                    .log = base::Logger::Silent(),
                    .notify = [this](const Rule&, const std::vector<Alert>& due) { Send(due); },
                    .alerts = alerts});
  }

  void Run(int first) {
    clock_.Advance((first + 1) * kStepMs);
    rules_->SetGroups(Groups(kRules), {});
    if (!rules_->Restore()) _exit(3);
    for (step_ = first; step_ < kSteps; ++step_) {
      Collect();
      rules_->EvaluateAll(clock_.NowMs());
      Show();
      tell_(std::to_string(step_) + " done");
      clock_.Advance(kStepMs);
    }
  }

 private:
  // Each zone holds and does not hold for a while, the same in every life.
  bool Holds(char zone) const {
    std::mt19937 dice(seed_ * 31 + static_cast<std::uint32_t>(zone));
    bool holds = false;
    for (int i = 0; i <= step_; ++i) {
      if (dice() % 4 == 0) holds = !holds;
    }
    return holds;
  }

  void Collect() {
    const auto appender = store_.NewAppender();
    for (const char zone : {'a', 'b', 'c'}) {
      const auto labels =
          model::Labels::Of({{model::kMetricName, "v"}, {"zone", std::string(1, zone)}});
      static_cast<void>(appender->Append(labels, clock_.NowMs(), Holds(zone) ? 1 : 0));
    }
    static_cast<void>(appender->Commit());
  }

  void Send(const std::vector<Alert>& due) {
    killer_.Point();
    for (const Alert& alert : due) {
      tell_(std::to_string(step_) + " sent " + NameOf(alert) +
            (alert.resolved_at == 0 ? " firing " : " resolved ") + std::to_string(alert.fired_at));
    }
    killer_.Point();
  }

  void Show() {
    for (const auto& group : rules_->Groups()) {
      for (const RuleView& rule : group->rules) {
        for (const Alert& alert : rule.alerts) {
          tell_(std::to_string(step_) + " shown " + NameOf(alert) + " " +
                std::string(AlertStateName(alert.state)) + " " + std::to_string(alert.active_at) +
                " " + std::to_string(alert.fired_at));
        }
      }
    }
    killer_.Point();
  }

  const std::uint32_t seed_;
  Killer& killer_;
  const Tell tell_;
  int step_ = 0;
  base::FakeClock clock_{kEpoch};
  storage::MemoryStore store_;
  const promql::Engine engine_{promql::EngineOptions{}, clock_};
  std::unique_ptr<Manager> rules_;
};

// What a process that is never killed shows at each step, and what it has sent up to there.
struct Truth {
  std::map<int, std::set<std::string>> shown;
  std::map<std::string, int> sent;  // by line without the step: when first
};

std::string WithoutStep(const std::string& line) { return line.substr(line.find(' ') + 1); }

Truth TruthOf(std::uint32_t seed) {
  Truth truth;
  Killer never(0);
  Life(seed, nullptr, never, [&](const std::string& line) {
    const int step = std::atoi(line.c_str());
    const std::string what = WithoutStep(line);
    if (what.starts_with("shown")) truth.shown[step].insert(what);
    if (what.starts_with("sent")) truth.sent.emplace(what, step);
  }).Run(0);
  return truth;
}

struct Disk {
  bool loses = false;  // from its second life on, the disk forgets what is written
};

class Survivor {
 public:
  Survivor(std::uint32_t seed, Disk disk) : seed_(seed), disk_(disk), dice_(seed) {}

  // Lives until every step is over. What was wrong, "" where nothing was.
  std::string Run() {
    const Truth truth = TruthOf(seed_);
    int first = 0;
    while (first < kSteps) {
      const std::string seen = LiveAndDie(first);
      ++lives_;
      std::istringstream lines(seen);
      std::map<int, std::set<std::string>> shown;
      int done = first - 1;
      for (std::string line; std::getline(lines, line);) {
        const int step = std::atoi(line.c_str());
        const std::string what = WithoutStep(line);
        if (what.starts_with("shown")) shown[step].insert(what);
        if (what == "done") done = step;
        if (what.starts_with("sent") && !Sent(truth, what, step)) return Wrong(line);
      }
      for (int step = first; step <= done; ++step) {
        if (shown[step] != TruthAt(truth, step)) return Wrong("step " + std::to_string(step));
      }
      first = done + 1;
    }
    for (const auto& [what, step] : truth.sent) {
      if (!sent_.contains(what)) return Wrong("never sent: " + what);
    }
    return "";
  }

  int lives() const { return lives_; }

 private:
  static std::set<std::string> TruthAt(const Truth& truth, int step) {
    const auto found = truth.shown.find(step);
    return found == truth.shown.end() ? std::set<std::string>() : found->second;
  }
  // Nothing is told before it is true, or with another beginning.
  bool Sent(const Truth& truth, const std::string& what, int step) {
    const auto found = truth.sent.find(what);
    sent_.insert(what);
    return found != truth.sent.end() && found->second <= step;
  }
  std::string Wrong(const std::string& what) const {
    return "seed " + std::to_string(seed_) + ", life " + std::to_string(lives_) + ": " + what;
  }

  // All that was seen of one life.
  std::string LiveAndDie(int first) {
    const int left = 1 + static_cast<int>(dice_() % 60);
    int ends[2];
    if (pipe(ends) != 0) return "no pipe";
    const pid_t child = fork();
    if (child == 0) {
      close(ends[0]);
      Live(first, left, ends[1]);
      _exit(0);
    }
    close(ends[1]);
    std::string seen;
    char buffer[4096];
    for (ssize_t n = 0; (n = read(ends[0], buffer, sizeof buffer)) > 0;) {
      seen.append(buffer, static_cast<std::size_t>(n));
    }
    close(ends[0]);
    int status = 0;
    static_cast<void>(waitpid(child, &status, 0));
    const bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    if (!killed && WEXITSTATUS(status) != 0) return "0 sent exit " + std::to_string(status) + "\n";
    return seen;
  }

  void Live(int first, int left, int out) {
    Killer killer(left);
    test::FaultyDisk disk;
    const auto db =
        test::OpenDatabase((folder_ / "alerts.db").string(), &CreateAlertTables, disk.name());
    if (db == nullptr || testing::Test::HasFailure()) _exit(4);
    disk.loses = disk_.loses && lives_ > 0;
    disk.on_write = [&] { killer.Point(); };
    DeadlyStore alerts(MakeAlertStore(*db), killer);
    Life(seed_, &alerts, killer, [out](const std::string& line) {
      const std::string text = line + "\n";
      static_cast<void>(!write(out, text.data(), text.size()));
    }).Run(first);
  }

  const std::uint32_t seed_;
  const Disk disk_;
  std::mt19937 dice_;
  const test::TempFolder folder_;
  std::set<std::string> sent_;
  int lives_ = 0;
};

TEST(KillTest, NoKillLosesAnAlertOrStartsItOver) {
  int lives = 0;
  for (std::uint32_t seed = 1; seed <= 25; ++seed) {
    Survivor survivor(seed, {});
    ASSERT_EQ(survivor.Run(), "");
    lives += survivor.lives();
  }
  RecordProperty("lives", lives);
  EXPECT_GE(lives, 300);
}

TEST(KillTest, AWriteThatIsLostIsSeen) {
  int seen = 0;
  for (std::uint32_t seed = 1; seed <= 5; ++seed) {
    if (!Survivor(seed, {.loses = true}).Run().empty()) ++seen;
  }
  EXPECT_EQ(seen, 5) << "the test above would not notice";
}

}  // namespace
}  // namespace azexporter::rules
