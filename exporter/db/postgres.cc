#include "azexporter/db/postgres.h"

#include <algorithm>
#include <chrono>
#include <set>
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

// What the file holds, in place of `text`; `text` where no file is named.
Result<std::string> TextOr(const std::string& file, const std::string& text) {
  if (file.empty()) return text;
  AZX_ASSIGN_OR_RETURN(const std::string read, base::ReadFile(file));
  return std::string(base::Trim(read));
}

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
    connection_.reset();
    if (config_.login != nullptr) return ReconnectAs(*config_.login, deadline);
    Login login;
    AZX_ASSIGN_OR_RETURN(login.user, TextOr(config_.user_file, config_.user));
    AZX_ASSIGN_OR_RETURN(login.password, TextOr(config_.password_file, ""));
    return Open(login, deadline);
  }

  Result<void> ReconnectAs(LoginSource& source, const Deadline& deadline) {
    AZX_ASSIGN_OR_RETURN(const Login login, source.Get(deadline.remaining_ms(), deadline.stop()));
    Result<void> opened = Open(login, deadline);
    if (opened || opened.error().code() != ErrorCode::kBadData) return opened;
    AZX_ASSIGN_OR_RETURN(const Login newer,
                         source.Renew(login, deadline.remaining_ms(), deadline.stop()));
    return newer == login ? opened : Open(newer, deadline);
  }

  Result<void> Open(const Login& login, const Deadline& deadline) {
    AZX_ASSIGN_OR_RETURN(const std::string dsn, TextOr(config_.dsn_file, config_.dsn));
    AZX_ASSIGN_OR_RETURN(connection_, PostgresConnection::Open(dsn, login, deadline));
    return {};
  }

  const PostgresInstance config_;
  std::unique_ptr<PostgresConnection> connection_;
};

// One of the instances that are asked, for as long as it is one.
struct Member {
  Member(PostgresInstance config, std::uint64_t number)
      : instance(std::move(config)), asker(std::to_string(number)) {}

  // What is said of it without having been asked, at this wall time.
  PostgresFacts Down(std::int64_t now_ms, std::string error) const {
    PostgresFacts down;
    down.cluster = instance.config().cluster;
    down.instance = instance.config().name;
    down.zone = instance.config().zone;
    down.asked_at_ms = now_ms;
    down.error = std::move(error);
    return down;
  }

  Instance instance;        // of its own thread
  const std::string asker;  // the name of that thread
  // guarded by the poller's mutex
  bool gone = false;
  PostgresFacts facts;
  std::int64_t begun_ns = 0;  // when it was last begun to be asked
};
using Members = std::vector<std::shared_ptr<Member>>;

// One round of a database cluster. Guarded by the poller's mutex.
struct ClusterRound {
  std::string cluster;
  int unknown = 0;     // instances of which it is not known yet who they are
  int unanswered = 0;  // that have not answered in full, or failed to
  // Instances that said they are writable, with their positions.
  std::vector<std::pair<std::string, Lsn>> primaries;
  bool settled = false;  // standbys wait for no further primary
  bool closed = false;   // nobody waits for those that have not answered
  std::map<std::shared_ptr<Member>, PostgresFacts> answers;
  base::CondVar changed;
};

}  // namespace

struct PostgresPoller::Impl {
  // constant after construction
  std::int64_t timeout_ms = 0;
  const base::Clock* clock = nullptr;
  std::optional<base::Logger> log;
  // guarded by mu
  mutable base::Mutex mu;
  std::map<std::string, PrimaryHistory> histories AZX_GUARDED_BY(mu);  // by cluster
  std::map<std::string, FailoverWatch> watches AZX_GUARDED_BY(mu);
  Members members AZX_GUARDED_BY(mu);
  std::uint64_t joined AZX_GUARDED_BY(mu) = 0;  // how many there ever were
  // own synchronisation; their threads use all of the above
  Askers askers;
  std::optional<RoundLoop> loop;  // set by the constructor

  void Round(std::int64_t most_ms, const std::stop_token& stop);
  void Begin(const std::shared_ptr<Member>& member, const std::shared_ptr<ClusterRound>& round);
  void Ask(const std::shared_ptr<Member>& member, const std::shared_ptr<ClusterRound>& round,
           const std::stop_token& stop);
  Result<void> TryAsk(Instance& instance, const std::shared_ptr<ClusterRound>& round,
                      const Deadline& deadline, PostgresFacts& found);
  void Identified(ClusterRound& round, const PostgresFacts& found);
  void WaitForPrimary(ClusterRound& round);
  void SettleLocked(ClusterRound& round) AZX_REQUIRES(mu);
  void Answer(ClusterRound& round, const std::shared_ptr<Member>& member, PostgresFacts found);
  void PublishLocked(Member& member, PostgresFacts found) AZX_REQUIRES(mu);
  void CloseLocked(ClusterRound& round) AZX_REQUIRES(mu);
  bool SetMembers(std::vector<PostgresInstance> instances);
  std::shared_ptr<Member> JoinLocked(PostgresInstance instance, const Member* before)
      AZX_REQUIRES(mu);
  Members MembersToAsk();
  void EndOtherThreads();
};

void PostgresPoller::Impl::Ask(const std::shared_ptr<Member>& member,
                               const std::shared_ptr<ClusterRound>& round,
                               const std::stop_token& stop) {
  PostgresFacts found = member->Down(clock->NowMs(), "");
  PostgresFacts failed = found;
  const auto asked = TryAsk(member->instance, round, Deadline(*clock, timeout_ms, stop), found);
  if (stop.stop_requested()) return;
  if (asked) {
    found.up = true;
  } else {
    // Half an answer is none.
    failed.error = asked.error().message();
    found = std::move(failed);
  }
  Answer(*round, member, std::move(found));
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
void PostgresPoller::Impl::Answer(ClusterRound& round, const std::shared_ptr<Member>& member,
                                  PostgresFacts found) {
  base::MutexLock lock(mu);
  if (round.closed) return PublishLocked(*member, std::move(found));
  round.answers[member] = std::move(found);
  if (--round.unanswered == 0) CloseLocked(round);
}

void PostgresPoller::Impl::CloseLocked(ClusterRound& round) {
  if (std::exchange(round.closed, true)) return;
  for (auto& [member, found] : round.answers) PublishLocked(*member, std::move(found));
}

// Keeps the facts, and logs what changed.
void PostgresPoller::Impl::PublishLocked(Member& member, PostgresFacts found) {
  if (member.gone) return;
  const PostgresFacts before = std::exchange(member.facts, found);
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

// Those that can be asked.
Members PostgresPoller::Impl::MembersToAsk() {
  Members asked;
  base::MutexLock lock(mu);
  std::copy_if(members.begin(), members.end(), std::back_inserter(asked),
               [](const auto& member) { return member->instance.config().unreachable.empty(); });
  return asked;
}

void PostgresPoller::Impl::EndOtherThreads() {
  std::set<std::string> kept;
  {
    base::MutexLock lock(mu);
    for (const auto& member : members) kept.insert(member->asker);
  }
  askers.KeepOnly(kept);
}

void PostgresPoller::Impl::Begin(const std::shared_ptr<Member>& member,
                                 const std::shared_ptr<ClusterRound>& round) {
  const std::int64_t now_ns = clock->SteadyNs();
  const bool begun = askers.Ask(
      member->asker, [this, member, round](const auto& stopped) { Ask(member, round, stopped); });
  base::MutexLock lock(mu);
  if (begun) {
    member->begun_ns = now_ns;
    return;
  }
  // It hangs since an earlier round; where no deadline reaches, what was known of it is old.
  if (--round->unknown == 0) SettleLocked(*round);
  if (now_ns - member->begun_ns > timeout_ms * 1'000'000 && member->facts.up) {
    PublishLocked(*member, member->Down(clock->NowMs(), "no answer in time"));
  }
  if (--round->unanswered == 0) CloseLocked(*round);
}

// Asks all instances and waits for them, but no longer than this.
void PostgresPoller::Impl::Round(std::int64_t most_ms, const std::stop_token& stop) {
  const Deadline deadline(*clock, most_ms, stop);
  const Members asked = MembersToAsk();
  std::map<std::string, std::shared_ptr<ClusterRound>> rounds;
  for (const auto& member : asked) {
    std::shared_ptr<ClusterRound>& round = rounds[member->instance.config().cluster];
    if (round == nullptr) round = std::make_shared<ClusterRound>();
    round->cluster = member->instance.config().cluster;
    ++round->unknown;
    ++round->unanswered;
  }
  for (const auto& member : asked) Begin(member, rounds[member->instance.config().cluster]);
  if (!askers.WaitIdle(std::min(2 * kPatienceMs, deadline.remaining_ms()))) {
    base::MutexLock lock(mu);
    for (const auto& [cluster, round] : rounds) CloseLocked(*round);
  }
  constexpr std::int64_t kLookMs = 50;
  while (!deadline.passed()) {
    if (askers.WaitIdle(std::min(kLookMs, deadline.remaining_ms()))) break;
  }
  EndOtherThreads();
}

// `before`: the instance as it was, if it was one.
std::shared_ptr<Member> PostgresPoller::Impl::JoinLocked(PostgresInstance instance,
                                                         const Member* before) {
  const auto member = std::make_shared<Member>(std::move(instance), ++joined);
  const PostgresInstance& config = member->instance.config();
  if (before != nullptr) member->facts = before->facts;
  member->facts.cluster = config.cluster;
  member->facts.instance = config.name;
  member->facts.zone = config.zone;
  if (!config.unreachable.empty()) {
    PublishLocked(*member, member->Down(clock->NowMs(), config.unreachable));
  }
  return member;
}

// Whether there are any that were not asked yet.
bool PostgresPoller::Impl::SetMembers(std::vector<PostgresInstance> instances) {
  base::MutexLock lock(mu);
  std::map<std::pair<std::string, std::string>, std::shared_ptr<Member>> before;
  for (const auto& member : members) {
    member->gone = true;
    before[{member->facts.cluster, member->facts.instance}] = member;
  }
  std::set<std::string> clusters;
  bool any_new = false;
  members.clear();
  for (PostgresInstance& instance : instances) {
    clusters.insert(instance.cluster);
    const auto known = before.find({instance.cluster, instance.name});
    std::shared_ptr<Member> member = known == before.end() ? nullptr : known->second;
    if (member == nullptr || !(member->instance.config() == instance)) {
      any_new = any_new || instance.unreachable.empty();
      member = JoinLocked(std::move(instance), member.get());
    }
    member->gone = false;
    members.push_back(std::move(member));
  }
  const auto is_gone = [&clusters](const auto& entry) { return !clusters.contains(entry.first); };
  std::erase_if(histories, is_gone);
  std::erase_if(watches, is_gone);
  return any_new;
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
  impl_->SetMembers(std::move(options.instances));
}

PostgresPoller::~PostgresPoller() { Stop(); }

void PostgresPoller::PollNow() { impl_->loop->Now(); }

void PostgresPoller::SetInstances(std::vector<PostgresInstance> instances) {
  if (impl_->SetMembers(std::move(instances))) impl_->loop->Hurry();
}

void PostgresPoller::Start() { impl_->loop->Start(); }

void PostgresPoller::Stop() { impl_->loop->Stop(); }

std::vector<PostgresFacts> PostgresPoller::Facts() const {
  std::vector<PostgresFacts> asked;
  base::MutexLock lock(impl_->mu);
  for (const auto& member : impl_->members) {
    if (member->facts.asked_at_ms != 0) asked.push_back(member->facts);
  }
  return asked;
}

bool PostgresPoller::asked_all() const {
  base::MutexLock lock(impl_->mu);
  return std::all_of(impl_->members.begin(), impl_->members.end(),
                     [](const auto& member) { return member->facts.asked_at_ms != 0; });
}

std::map<std::string, PostgresFailovers> PostgresPoller::Failovers() const {
  std::map<std::string, PostgresFailovers> failovers;
  base::MutexLock lock(impl_->mu);
  for (const auto& member : impl_->members) failovers[member->facts.cluster];
  for (const auto& [cluster, watch] : impl_->watches) failovers[cluster] = watch.failovers();
  return failovers;
}

}  // namespace azexporter::db
