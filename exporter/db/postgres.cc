#include "azexporter/db/postgres.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "askers.h"
#include "azexporter/base/file.h"
#include "azexporter/base/mutex.h"
#include "azexporter/base/text.h"
#include "azexporter/db/primary_history.h"
#include "postgres_questions.h"
#include "round_loop.h"

namespace azexporter::db {
namespace {

using base::ErrorCode;
using base::Fail;
using base::Result;

// How long standbys wait for a primary that is slow, and answers for one that is.
constexpr std::int64_t kPatienceMs = 200;

// One instance with its connection. Asked by its own thread.
class Instance {
 public:
  explicit Instance(PostgresInstance config) : config_(std::move(config)) {}

  const PostgresInstance& config() const { return config_; }

  Result<void> AskIdentity(const Deadline& deadline, PostgresFacts& facts) {
    if (connection_ && !connection_->usable()) connection_.reset();
    const bool kept = connection_ != nullptr;
    if (!kept) {
      AZX_RETURN_IF_ERROR(Reconnect(deadline));
    }
    Result<void> asked = db::AskIdentity(*connection_, deadline, facts);
    if (!asked && kept && asked.error().code() != ErrorCode::kTimeout) {
      // The server may have restarted since the last round; one new connection tells.
      AZX_RETURN_IF_ERROR(Reconnect(deadline));
      asked = db::AskIdentity(*connection_, deadline, facts);
    }
    return Close(std::move(asked));
  }

  Result<void> AskDetails(const Deadline& deadline, PostgresFacts& facts) {
    return Close(db::AskDetails(*connection_, deadline, facts));
  }

 private:
  // A failed exchange leaves the connection in the middle of an answer.
  Result<void> Close(Result<void> asked) {
    if (!asked) connection_.reset();
    return asked;
  }

  Result<void> Reconnect(const Deadline& deadline) {
    std::string dsn = config_.dsn;
    if (!config_.dsn_file.empty()) {
      AZX_ASSIGN_OR_RETURN(const std::string text, base::ReadFile(config_.dsn_file));
      dsn = base::Trim(text);
    }
    connection_.reset();
    AZX_ASSIGN_OR_RETURN(connection_, PostgresConnection::Open(dsn, deadline));
    return {};
  }

  const PostgresInstance config_;
  std::unique_ptr<PostgresConnection> connection_;
};

// One round of a database cluster. Guarded by the poller's mutex.
struct ClusterRound {
  std::string cluster;
  int unknown = 0;     // instances of which it is not known yet who they are
  int unanswered = 0;  // that have not answered in full, or failed to
  // Instances that said they are writable, with their positions.
  std::vector<std::pair<std::string, Lsn>> primaries;
  bool settled = false;  // standbys wait for no further primary
  bool closed = false;   // nobody waits for those that have not answered
  std::map<std::size_t, PostgresFacts> answers;
  base::CondVar changed;
};

}  // namespace

struct PostgresPoller::Impl {
  // constant after construction
  std::int64_t timeout_ms = 0;
  const base::Clock* clock = nullptr;
  std::optional<base::Logger> log;
  std::vector<std::unique_ptr<Instance>> instances;  // each is of its own thread
  // guarded by mu
  mutable base::Mutex mu;
  std::map<std::string, PrimaryHistory> histories AZX_GUARDED_BY(mu);  // by cluster
  std::map<std::string, FailoverWatch> watches AZX_GUARDED_BY(mu);
  std::vector<PostgresFacts> facts AZX_GUARDED_BY(mu);
  std::vector<std::int64_t> begun_ns AZX_GUARDED_BY(mu);
  // own synchronisation; their threads use all of the above
  Askers askers;
  std::optional<RoundLoop> loop;  // set by the constructor

  void Round(std::int64_t most_ms, const std::stop_token& stop);
  void Ask(std::size_t index, const std::shared_ptr<ClusterRound>& round,
           const std::stop_token& stop);
  Result<void> TryAsk(Instance& instance, const std::shared_ptr<ClusterRound>& round,
                      const Deadline& deadline, PostgresFacts& found);
  void Identified(ClusterRound& round, const PostgresFacts& found);
  void WaitForPrimary(ClusterRound& round);
  void SettleLocked(ClusterRound& round) AZX_REQUIRES(mu);
  void Answer(ClusterRound& round, std::size_t index, PostgresFacts found);
  void PublishLocked(std::size_t index, PostgresFacts found) AZX_REQUIRES(mu);
  void CloseLocked(ClusterRound& round) AZX_REQUIRES(mu);
};

void PostgresPoller::Impl::Ask(std::size_t index, const std::shared_ptr<ClusterRound>& round,
                               const std::stop_token& stop) {
  Instance& instance = *instances[index];
  PostgresFacts found;
  found.cluster = instance.config().cluster;
  found.instance = instance.config().name;
  found.zone = instance.config().zone;
  found.asked_at_ms = clock->NowMs();
  PostgresFacts failed = found;
  const auto asked = TryAsk(instance, round, Deadline(*clock, timeout_ms, stop), found);
  if (stop.stop_requested()) return;
  if (asked) {
    found.up = true;
  } else {
    // Half an answer is none.
    failed.error = asked.error().message();
    found = std::move(failed);
  }
  Answer(*round, index, std::move(found));
}

Result<void> PostgresPoller::Impl::TryAsk(Instance& instance,
                                          const std::shared_ptr<ClusterRound>& round,
                                          const Deadline& deadline, PostgresFacts& found) {
  const Result<void> identity = instance.AskIdentity(deadline, found);
  Identified(*round, found);
  if (!identity) return identity;
  if (found.in_recovery) WaitForPrimary(*round);
  AZX_RETURN_IF_ERROR(instance.AskDetails(deadline, found));
  if (!found.replay_lsn) return {};
  base::MutexLock lock(mu);
  histories[found.cluster].Bound(clock->SteadyNs(), *found.replay_lsn, found);
  return {};
}

void PostgresPoller::Impl::Identified(ClusterRound& round, const PostgresFacts& found) {
  base::MutexLock lock(mu);
  if (found.current_lsn) round.primaries.emplace_back(found.instance, *found.current_lsn);
  if (--round.unknown == 0) SettleLocked(round);
}

void PostgresPoller::Impl::WaitForPrimary(ClusterRound& round) {
  base::MutexLock lock(mu);
  round.changed.wait_for(mu, std::chrono::milliseconds(kPatienceMs),
                         [&round] { return round.settled; });
  SettleLocked(round);
}

// Takes the position of the primary. Two primaries of one cluster have no common history, so that
// nothing is taken of them.
void PostgresPoller::Impl::SettleLocked(ClusterRound& round) {
  if (std::exchange(round.settled, true)) return;
  round.changed.notify_all();
  if (round.primaries.size() != 1) return;
  const auto& [instance, position] = round.primaries[0];
  const std::int64_t now_ns = clock->SteadyNs();
  histories[round.cluster].Add(now_ns, position);
  watches[round.cluster].See(now_ns, instance);
}

// The facts of a cluster are shown together, so that a primary's new position is never held against
// a standby's old one; those that are late are shown when they come.
void PostgresPoller::Impl::Answer(ClusterRound& round, std::size_t index, PostgresFacts found) {
  base::MutexLock lock(mu);
  if (round.closed) return PublishLocked(index, std::move(found));
  round.answers[index] = std::move(found);
  if (--round.unanswered == 0) CloseLocked(round);
}

void PostgresPoller::Impl::CloseLocked(ClusterRound& round) {
  if (std::exchange(round.closed, true)) return;
  for (auto& [index, found] : round.answers) PublishLocked(index, std::move(found));
}

// Keeps the facts, and logs what changed.
void PostgresPoller::Impl::PublishLocked(std::size_t index, PostgresFacts found) {
  const PostgresFacts before = std::exchange(facts[index], found);
  const bool first = before.asked_at_ms == 0;
  if (!found.up && (first || before.up)) {
    log->Warn("PostgreSQL does not answer", {{"instance", found.instance}, {"error", found.error}});
  } else if (found.up && !first && !before.up) {
    log->Info("PostgreSQL answers again", {{"instance", found.instance}});
  }
  if (found.up && found.rights_missing && (first || !before.rights_missing)) {
    log->Warn("PostgreSQL shows only a part: grant pg_monitor to the user",
              {{"instance", found.instance}});
  }
}

// Asks all instances and waits for them, but no longer than this.
void PostgresPoller::Impl::Round(std::int64_t most_ms, const std::stop_token& stop) {
  const Deadline deadline(*clock, most_ms, stop);
  std::map<std::string, std::shared_ptr<ClusterRound>> rounds;
  for (const auto& instance : instances) {
    std::shared_ptr<ClusterRound>& round = rounds[instance->config().cluster];
    if (round == nullptr) round = std::make_shared<ClusterRound>();
    round->cluster = instance->config().cluster;
    ++round->unknown;
    ++round->unanswered;
  }
  for (std::size_t i = 0; i < instances.size(); ++i) {
    const std::shared_ptr<ClusterRound> round = rounds[instances[i]->config().cluster];
    const std::int64_t now_ns = clock->SteadyNs();
    const bool begun = askers.Ask(
        std::to_string(i), [this, i, round](const auto& stopped) { Ask(i, round, stopped); });
    base::MutexLock lock(mu);
    if (begun) {
      begun_ns[i] = now_ns;
      continue;
    }
    // It hangs since an earlier round; where no deadline reaches, what was known of it is old.
    if (--round->unknown == 0) SettleLocked(*round);
    if (now_ns - begun_ns[i] > timeout_ms * 1'000'000 && facts[i].up) {
      PostgresFacts hangs;
      hangs.cluster = facts[i].cluster;
      hangs.instance = facts[i].instance;
      hangs.zone = facts[i].zone;
      hangs.asked_at_ms = clock->NowMs();
      hangs.error = "no answer in time";
      PublishLocked(i, std::move(hangs));
    }
    if (--round->unanswered == 0) CloseLocked(*round);
  }
  if (!askers.WaitIdle(std::min(2 * kPatienceMs, deadline.remaining_ms()))) {
    base::MutexLock lock(mu);
    for (const auto& [cluster, round] : rounds) CloseLocked(*round);
  }
  constexpr std::int64_t kLookMs = 50;
  while (!deadline.passed()) {
    if (askers.WaitIdle(std::min(kLookMs, deadline.remaining_ms()))) break;
  }
}

PostgresPoller::PostgresPoller(PostgresPollerOptions options, const base::Clock& clock,
                               base::Logger log)
    : impl_(std::make_unique<Impl>()) {
  impl_->timeout_ms = options.timeout_ms;
  impl_->clock = &clock;
  impl_->log = std::move(log);
  impl_->loop.emplace(options.interval_ms, options.timeout_ms, clock,
                      [impl = impl_.get()](std::int64_t most_ms, const std::stop_token& stop) {
                        impl->Round(most_ms, stop);
                      });
  base::MutexLock lock(impl_->mu);
  for (PostgresInstance& instance : options.instances) {
    PostgresFacts& facts = impl_->facts.emplace_back();
    facts.cluster = instance.cluster;
    facts.instance = instance.name;
    facts.zone = instance.zone;
    impl_->begun_ns.push_back(0);
    impl_->instances.push_back(std::make_unique<Instance>(std::move(instance)));
  }
}

PostgresPoller::~PostgresPoller() { Stop(); }

void PostgresPoller::PollNow() { impl_->loop->Now(); }

void PostgresPoller::Start() { impl_->loop->Start(); }

void PostgresPoller::Stop() { impl_->loop->Stop(); }

std::vector<PostgresFacts> PostgresPoller::Facts() const {
  std::vector<PostgresFacts> asked;
  base::MutexLock lock(impl_->mu);
  std::copy_if(impl_->facts.begin(), impl_->facts.end(), std::back_inserter(asked),
               [](const PostgresFacts& facts) { return facts.asked_at_ms != 0; });
  return asked;
}

bool PostgresPoller::asked_all() const { return Facts().size() == impl_->instances.size(); }

std::map<std::string, PostgresFailovers> PostgresPoller::Failovers() const {
  std::map<std::string, PostgresFailovers> failovers;
  base::MutexLock lock(impl_->mu);
  for (const auto& instance : impl_->instances) failovers[instance->config().cluster];
  for (const auto& [cluster, watch] : impl_->watches) failovers[cluster] = watch.failovers();
  return failovers;
}

}  // namespace azexporter::db
