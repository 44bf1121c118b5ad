#include "azexporter/db/postgres.h"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <thread>

#include "azexporter/base/file.h"
#include "azexporter/base/float_format.h"
#include "azexporter/base/mutex.h"
#include "azexporter/base/wait.h"

namespace azexporter::db {
namespace {

using base::ErrorCode;
using base::Fail;
using base::Result;

struct ConnectionCloser {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
struct ResultCloser {
  void operator()(PGresult* result) const { PQclear(result); }
};
using ConnectionPtr = std::unique_ptr<PGconn, ConnectionCloser>;
using ResultPtr = std::unique_ptr<PGresult, ResultCloser>;

// What every server is asked first. pg_current_wal_lsn() is an error during recovery, hence CASE.
constexpr char kIdentityQuery[] =
    "SELECT pg_is_in_recovery(),"
    " CASE WHEN pg_is_in_recovery() THEN NULL ELSE pg_current_wal_lsn() END";

// What a standby is asked next. extract() gives numeric; a NULL stays NULL, it is never made 0.
constexpr char kStandbyQuery[] =
    "SELECT pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn(),"
    " extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float8,"
    " coalesce(r.status = 'streaming', false),"
    " extract(epoch FROM clock_timestamp() - r.last_msg_receipt_time)::float8,"
    " (SELECT setting::float8 / 1000 FROM pg_settings WHERE name = 'wal_receiver_timeout')"
    " FROM (SELECT 1) one LEFT JOIN pg_stat_wal_receiver r ON true";

// libpq ends its messages with a line feed and spreads them over several lines.
std::string OneLine(const char* message) {
  std::string text(message);
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  for (char& c : text) {
    if (c == '\n' || c == '\t') c = ' ';
  }
  return text;
}

// Deadlines are by the steady clock.
class Deadline {
 public:
  Deadline(const base::Clock& clock, std::int64_t ms)
      : clock_(clock), end_ns_(clock.SteadyNs() + ms * 1'000'000) {}
  int RemainingMs() const {
    const std::int64_t ms = (end_ns_ - clock_.SteadyNs()) / 1'000'000;
    return static_cast<int>(ms > 0 ? ms : 0);
  }

 private:
  const base::Clock& clock_;
  const std::int64_t end_ns_;
};

// Waits until the connection's socket is ready; false at the deadline.
bool WaitForSocket(PGconn* connection, short events, const Deadline& deadline) {
  pollfd entry{PQsocket(connection), events, 0};
  return ::poll(&entry, 1, deadline.RemainingMs()) > 0;
}

Result<ConnectionPtr> Connect(const std::string& dsn, const Deadline& deadline) {
  const char* const keywords[] = {"dbname", "application_name", "options", nullptr};
  const char* const values[] = {dsn.c_str(), "azexporter",
                                "-c statement_timeout=5000 -c lock_timeout=1000", nullptr};
  ConnectionPtr connection(PQconnectStartParams(keywords, values, /*expand_dbname=*/1));
  if (!connection) return Fail(ErrorCode::kInternal, "out of memory");
  PostgresPollingStatusType status = PGRES_POLLING_WRITING;
  while (status != PGRES_POLLING_OK) {
    if (status == PGRES_POLLING_FAILED || PQstatus(connection.get()) == CONNECTION_BAD) {
      return Fail(ErrorCode::kUnavailable, OneLine(PQerrorMessage(connection.get())));
    }
    const short events = status == PGRES_POLLING_READING ? POLLIN : POLLOUT;
    if (!WaitForSocket(connection.get(), events, deadline)) {
      return Fail(ErrorCode::kTimeout, "connect timed out");
    }
    status = PQconnectPoll(connection.get());
  }
  return connection;
}

Result<ResultPtr> Query(PGconn* connection, const char* sql, const Deadline& deadline) {
  const auto failed = [connection] {
    return Fail(ErrorCode::kUnavailable, OneLine(PQerrorMessage(connection)));
  };
  if (PQsendQuery(connection, sql) == 0) return failed();
  while (PQisBusy(connection) != 0) {
    if (!WaitForSocket(connection, POLLIN, deadline)) {
      return Fail(ErrorCode::kTimeout, "query timed out");
    }
    if (PQconsumeInput(connection) == 0) return failed();
  }
  ResultPtr result(PQgetResult(connection));
  while (ResultPtr rest{PQgetResult(connection)}) {
  }
  if (PQresultStatus(result.get()) != PGRES_TUPLES_OK) return failed();
  return result;
}

std::optional<std::string> Cell(const PGresult* result, int column) {
  if (PQgetisnull(result, 0, column) != 0) return std::nullopt;
  return std::string(PQgetvalue(result, 0, column));
}

std::optional<Lsn> LsnCell(const PGresult* result, int column) {
  const auto text = Cell(result, column);
  if (!text) return std::nullopt;
  const auto lsn = ParseLsn(*text);
  return lsn ? std::optional(*lsn) : std::nullopt;
}

std::optional<double> NumberCell(const PGresult* result, int column) {
  const auto text = Cell(result, column);
  if (!text) return std::nullopt;
  const auto number = base::ParseFloat(*text);
  return number ? std::optional(*number) : std::nullopt;
}

// One instance with its connection. Used by one thread at a time.
class Instance {
 public:
  explicit Instance(PostgresInstance config) : config_(std::move(config)) {}

  // Starts a round: who is this, and where does it write.
  void AskIdentity(const base::Clock& clock, std::int64_t timeout_ms) {
    facts_ = PostgresFacts();
    facts_.cluster = config_.cluster;
    facts_.instance = config_.name;
    facts_.zone = config_.zone;
    facts_.asked_at_ms = clock.NowMs();
    Keep(TryIdentity(clock, timeout_ms));
  }

  // REQUIRES: AskIdentity found a standby.
  void AskStandby(const base::Clock& clock, std::int64_t timeout_ms) {
    Keep(TryStandby(Deadline(clock, timeout_ms)));
  }

  const PostgresFacts& facts() const { return facts_; }

 private:
  void Keep(const Result<void>& asked) {
    facts_.up = asked.has_value();
    if (asked) return;
    facts_.error = asked.error().message();
    connection_.reset();
  }

  Result<void> TryIdentity(const base::Clock& clock, std::int64_t timeout_ms) {
    const Deadline deadline(clock, timeout_ms);
    if (connection_ && PQstatus(connection_.get()) != CONNECTION_OK) connection_.reset();
    const bool kept = connection_ != nullptr;
    if (!kept) {
      AZX_RETURN_IF_ERROR(Reconnect(deadline));
    }
    auto result = Query(connection_.get(), kIdentityQuery, deadline);
    if (!result && kept && result.error().code() != ErrorCode::kTimeout) {
      // The server may have restarted since the last round; one new connection tells.
      AZX_RETURN_IF_ERROR(Reconnect(deadline));
      result = Query(connection_.get(), kIdentityQuery, deadline);
    }
    if (!result) return Fail(result.error());
    facts_.in_recovery = Cell(result->get(), 0) == "t";
    facts_.current_lsn = LsnCell(result->get(), 1);
    return {};
  }

  Result<void> TryStandby(const Deadline& deadline) {
    AZX_ASSIGN_OR_RETURN(ResultPtr result, Query(connection_.get(), kStandbyQuery, deadline));
    facts_.receive_lsn = LsnCell(result.get(), 0);
    facts_.replay_lsn = LsnCell(result.get(), 1);
    facts_.replay_age_seconds = NumberCell(result.get(), 2);
    facts_.receiver_streaming = Cell(result.get(), 3) == "t";
    facts_.message_age_seconds = NumberCell(result.get(), 4);
    if (auto timeout = NumberCell(result.get(), 5)) facts_.receiver_timeout_seconds = *timeout;
    return {};
  }

  Result<void> Reconnect(const Deadline& deadline) {
    std::string dsn = config_.dsn;
    if (!config_.dsn_file.empty()) {
      AZX_ASSIGN_OR_RETURN(dsn, base::ReadFile(config_.dsn_file));
      while (!dsn.empty() && (dsn.back() == '\n' || dsn.back() == ' ')) dsn.pop_back();
    }
    connection_.reset();
    AZX_ASSIGN_OR_RETURN(connection_, Connect(dsn, deadline));
    return {};
  }

  const PostgresInstance config_;
  ConnectionPtr connection_;
  PostgresFacts facts_;
};

// Puts the question to every instance at the same time and waits for all of them.
template <class Question>
void AskAll(std::vector<Instance>& instances, Question question) {
  std::vector<std::jthread> threads;
  for (Instance& instance : instances) {
    threads.emplace_back([&instance, &question] { question(instance); });
  }
}

}  // namespace

Result<Lsn> ParseLsn(const std::string& text) {
  const std::size_t slash = text.find('/');
  std::uint32_t high = 0;
  std::uint32_t low = 0;
  const auto parse = [](const char* begin, const char* end, std::uint32_t& value) {
    const auto [ptr, error] = std::from_chars(begin, end, value, 16);
    return error == std::errc() && ptr == end && begin != end;
  };
  if (slash == std::string::npos || !parse(text.data(), text.data() + slash, high) ||
      !parse(text.data() + slash + 1, text.data() + text.size(), low)) {
    return base::BadData("not a log position: \"" + text + "\"");
  }
  return (static_cast<Lsn>(high) << 32) | low;
}

void PrimaryHistory::Add(std::int64_t time_ns, Lsn position) {
  if (!entries_.empty() && position < entries_.back().position) entries_.clear();
  if (!entries_.empty() && position == entries_.back().position) {
    entries_.back().last_ns = time_ns;
    return;
  }
  // A day at the default interval. The oldest half goes at once, so that this stays cheap.
  constexpr std::size_t kMostEntries = 6'000;
  if (entries_.size() >= kMostEntries) {
    entries_.erase(entries_.begin(), entries_.begin() + kMostEntries / 2);
  }
  entries_.push_back({time_ns, time_ns, position});
}

void PrimaryHistory::Bound(std::int64_t now_ns, Lsn replayed, PostgresFacts& standby) const {
  const auto seconds_since = [now_ns](std::int64_t then_ns) {
    return static_cast<double>(now_ns - then_ns) / 1e9;
  };
  const auto beyond =
      std::upper_bound(entries_.begin(), entries_.end(), replayed,
                       [](Lsn position, const Entry& entry) { return position < entry.position; });
  if (beyond != entries_.end()) standby.behind_at_least_seconds = seconds_since(beyond->first_ns);
  if (beyond != entries_.begin()) {
    standby.behind_at_most_seconds = seconds_since(std::prev(beyond)->last_ns);
  }
}

struct PostgresPoller::Impl {
  // constant after construction
  std::int64_t interval_ms = 0;
  std::int64_t timeout_ms = 0;
  const base::Clock* clock = nullptr;
  std::optional<base::Logger> log;
  // used by one round at a time, under round_mu
  base::Mutex round_mu;
  std::vector<Instance> instances AZX_GUARDED_BY(round_mu);
  std::map<std::string, PrimaryHistory> histories AZX_GUARDED_BY(round_mu);  // by cluster
  // guarded by mu
  mutable base::Mutex mu;
  std::vector<PostgresFacts> facts AZX_GUARDED_BY(mu);
  std::jthread thread;

  void AddPositions() AZX_REQUIRES(round_mu);
  void Publish(std::vector<PostgresFacts> fresh);
};

// Takes the position of each primary that answered. Two primaries of one cluster have no common
// history, so that nothing is taken of them.
void PostgresPoller::Impl::AddPositions() {
  std::map<std::string, std::vector<Lsn>> positions;
  for (const Instance& instance : instances) {
    const PostgresFacts& found = instance.facts();
    if (found.up && found.current_lsn) positions[found.cluster].push_back(*found.current_lsn);
  }
  for (const auto& [cluster, lsns] : positions) {
    if (lsns.size() == 1) histories[cluster].Add(clock->SteadyNs(), lsns[0]);
  }
}

// Keeps the facts of a round, and logs what changed since the last one.
void PostgresPoller::Impl::Publish(std::vector<PostgresFacts> fresh) {
  std::vector<PostgresFacts> before;
  {
    base::MutexLock lock(mu);
    before = std::exchange(facts, fresh);
  }
  for (std::size_t i = 0; i < fresh.size(); ++i) {
    const bool first = i >= before.size();
    if (!fresh[i].up && (first || before[i].up)) {
      log->Warn("PostgreSQL does not answer",
                {{"instance", fresh[i].instance}, {"error", fresh[i].error}});
    } else if (fresh[i].up && !first && !before[i].up) {
      log->Info("PostgreSQL answers again", {{"instance", fresh[i].instance}});
    }
  }
}

PostgresPoller::PostgresPoller(PostgresPollerOptions options, const base::Clock& clock,
                               base::Logger log)
    : impl_(std::make_unique<Impl>()) {
  impl_->interval_ms = options.interval_ms;
  impl_->timeout_ms = options.timeout_ms;
  impl_->clock = &clock;
  impl_->log = std::move(log);
  base::MutexLock lock(impl_->round_mu);
  for (PostgresInstance& instance : options.instances) {
    impl_->instances.emplace_back(std::move(instance));
  }
}

PostgresPoller::~PostgresPoller() { Stop(); }

void PostgresPoller::PollNow() {
  base::MutexLock lock(impl_->round_mu);
  const base::Clock& clock = *impl_->clock;
  const std::int64_t timeout_ms = impl_->timeout_ms;
  AskAll(impl_->instances, [&](Instance& one) { one.AskIdentity(clock, timeout_ms); });
  impl_->AddPositions();
  AskAll(impl_->instances, [&](Instance& one) {
    if (one.facts().up && one.facts().in_recovery) one.AskStandby(clock, timeout_ms);
  });
  std::vector<PostgresFacts> fresh;
  for (const Instance& instance : impl_->instances) {
    PostgresFacts& facts = fresh.emplace_back(instance.facts());
    if (!facts.replay_lsn) continue;
    impl_->histories[facts.cluster].Bound(clock.SteadyNs(), *facts.replay_lsn, facts);
  }
  impl_->Publish(std::move(fresh));
}

void PostgresPoller::Start() {
  impl_->thread = std::jthread([this](std::stop_token stop) {
    do {
      PollNow();
    } while (base::WaitFor(stop, impl_->interval_ms));
  });
}

void PostgresPoller::Stop() { impl_->thread = std::jthread(); }

std::vector<PostgresFacts> PostgresPoller::Facts() const {
  base::MutexLock lock(impl_->mu);
  return impl_->facts;
}

}  // namespace azexporter::db
