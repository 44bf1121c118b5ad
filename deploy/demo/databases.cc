#include "databases.h"

#include <fmt/format.h>

#include <algorithm>

#include "azexporter/base/mutex.h"
#include "azexporter/base/wait.h"
#include "servers/postgres_server.h"
#include "servers/tcp_proxy.h"

namespace azexporter::platform {

using base::ErrorCode;
using base::Fail;
using base::Result;
using servers::PostgresServer;
using servers::TcpProxy;

namespace {

// A broken stream is noticed after seconds rather than a minute. The documented cluster replicates
// synchronously (minSyncReplicas 1): any one standby confirms a commit. A standby finds what it
// missed, were its primary another one meanwhile (CloudNativePG keeps 512 MB).
const std::vector<std::string> kSettings = {"shared_buffers=16MB",
                                            "max_connections=40",
                                            "wal_receiver_timeout=6s",
                                            "wal_sender_timeout=6s",
                                            "wal_receiver_status_interval=1s",
                                            "wal_retrieve_retry_interval=1s",
                                            "synchronous_standby_names=ANY 1 (*)",
                                            "wal_keep_size=256MB",
                                            "client_connection_check_interval=1s"};

// Twice a second a row. It does not wait for a standby, so that it goes on when all are gone.
constexpr char kCreateTable[] = "CREATE TABLE IF NOT EXISTS heartbeat (at timestamptz, load text)";
constexpr char kWriteForever[] =
    "DO $$ BEGIN LOOP"
    " INSERT INTO heartbeat SELECT clock_timestamp(), string_agg(md5(random()::text), '')"
    " FROM generate_series(1, 64);"
    " COMMIT; PERFORM pg_sleep(0.5); END LOOP; END $$";

struct Instance {
  std::string name;
  std::string zone;
  std::unique_ptr<PostgresServer> server;
  std::unique_ptr<TcpProxy> front;   // to this server, for everybody
  std::unique_ptr<TcpProxy> uplink;  // from this server to the primary's front
  bool zone_lost = false;
  bool stream_cut = false;
};

std::string UpstreamDsn(const Instance& instance) {
  return PostgresServer::DsnOf(instance.uplink->port());
}

}  // namespace

struct Databases::Impl {
  Result<void> Add(const std::string& name, const std::string& zone) AZX_REQUIRES(mu);
  Result<Instance*> Find(std::string_view name) AZX_REQUIRES(mu);
  Result<Instance*> FindRunning(std::string_view name) AZX_REQUIRES(mu);
  Result<void> Tell(std::string_view name, const std::string& sql) AZX_REQUIRES(mu);
  // Those that received more than the one which is to lead them: they cannot follow it.
  std::vector<Instance*> StandbysAhead(const Instance& chosen) AZX_REQUIRES(mu);
  void SetLinks(Instance& instance) AZX_REQUIRES(mu);
  void StartWriter() AZX_REQUIRES(mu);

  // guarded by mu
  mutable base::Mutex mu;
  std::vector<Instance> instances AZX_GUARDED_BY(mu);
  std::size_t primary AZX_GUARDED_BY(mu) = 0;
  std::unique_ptr<servers::ChildProcess> writer AZX_GUARDED_BY(mu);
};

Result<void> Databases::Impl::Add(const std::string& name, const std::string& zone) {
  Instance instance{.name = name, .zone = zone};
  const servers::PostgresOptions options{.name = name, .settings = kSettings};
  const int upstream = instances.empty() ? 0 : instances[primary].front->port();
  AZX_ASSIGN_OR_RETURN(instance.uplink, TcpProxy::Start(upstream));
  instance.server = instances.empty()
                        ? PostgresServer::StartPrimary(options)
                        : PostgresServer::StartStandby(UpstreamDsn(instance), options);
  if (instance.server == nullptr) {
    return Fail(ErrorCode::kUnavailable, fmt::format("PostgreSQL server {} did not start", name));
  }
  AZX_ASSIGN_OR_RETURN(instance.front, TcpProxy::Start(instance.server->port()));
  instances.push_back(std::move(instance));
  return {};
}

Result<Instance*> Databases::Impl::Find(std::string_view name) {
  const auto found = std::find_if(instances.begin(), instances.end(),
                                  [&](const Instance& i) { return i.name == name; });
  if (found == instances.end()) {
    return Fail(ErrorCode::kNotFound, fmt::format("no database instance \"{}\"", name));
  }
  return &*found;
}

Result<Instance*> Databases::Impl::FindRunning(std::string_view name) {
  AZX_ASSIGN_OR_RETURN(Instance * instance, Find(name));
  if (!instance->server->running()) {
    return Fail(ErrorCode::kExecution, fmt::format("{} does not run", name));
  }
  return instance;
}

Result<void> Databases::Impl::Tell(std::string_view name, const std::string& sql) {
  AZX_ASSIGN_OR_RETURN(Instance * instance, FindRunning(name));
  if (!instance->server->Run(sql)) {
    return Fail(ErrorCode::kExecution, fmt::format("{} refused: {}", name, sql));
  }
  return {};
}

std::vector<Instance*> Databases::Impl::StandbysAhead(const Instance& chosen) {
  std::vector<Instance*> ahead;
  const auto received = chosen.server->Run("SELECT pg_last_wal_receive_lsn()");
  if (!received || received->empty()) return ahead;
  for (Instance& other : instances) {
    if (&other == &chosen || !other.server->running() || other.zone_lost) continue;
    // NULL, which is not "t", on a primary.
    const auto further = other.server->Run(
        fmt::format("SELECT pg_last_wal_receive_lsn() > '{}' AND pg_is_in_recovery()", *received));
    if (further == "t") ahead.push_back(&other);
  }
  return ahead;
}

void Databases::Impl::SetLinks(Instance& instance) {
  instance.zone_lost ? instance.front->Stall() : instance.front->Resume();
  instance.zone_lost || instance.stream_cut ? instance.uplink->Stall() : instance.uplink->Resume();
}

void Databases::Impl::StartWriter() {
  const std::string dsn =
      instances[primary].server->dsn() + " options='-c synchronous_commit=local'";
  writer = std::make_unique<servers::ChildProcess>(
      std::vector<std::string>{PostgresServer::ProgramFolder() + "/psql", "-X", "-q", "-d", dsn,
                               "-c", kCreateTable, "-c", kWriteForever});
}

bool Databases::Installed() { return !PostgresServer::ProgramFolder().empty(); }

Databases::Databases(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Databases::~Databases() = default;

Result<std::unique_ptr<Databases>> Databases::Start(const std::string& cluster,
                                                    const std::vector<std::string>& zones) {
  if (!Installed()) {
    return Fail(ErrorCode::kUnavailable,
                "PostgreSQL is not installed (Debian's package postgresql-15)");
  }
  auto impl = std::make_unique<Impl>();
  {
    base::MutexLock lock(impl->mu);
    for (std::size_t i = 0; i < zones.size(); ++i) {
      AZX_RETURN_IF_ERROR(impl->Add(fmt::format("{}-{}", cluster, i + 1), zones[i]));
    }
    impl->StartWriter();
  }
  return std::unique_ptr<Databases>(new Databases(std::move(impl)));
}

std::vector<DatabaseView> Databases::View() const {
  base::MutexLock lock(impl_->mu);
  std::vector<DatabaseView> views;
  for (std::size_t i = 0; i < impl_->instances.size(); ++i) {
    const Instance& instance = impl_->instances[i];
    views.push_back({.name = instance.name,
                     .zone = instance.zone,
                     .dsn = PostgresServer::DsnOf(instance.front->port()),
                     .running = instance.server->running(),
                     .primary = i == impl_->primary});
  }
  return views;
}

Result<void> Databases::StopServer(std::string_view name) {
  base::MutexLock lock(impl_->mu);
  AZX_ASSIGN_OR_RETURN(Instance * instance, impl_->Find(name));
  instance->server->Stop();
  return {};
}

Result<void> Databases::StartServer(std::string_view name) {
  base::MutexLock lock(impl_->mu);
  AZX_ASSIGN_OR_RETURN(Instance * instance, impl_->Find(name));
  if (!instance->server->Start()) {
    return Fail(ErrorCode::kExecution, fmt::format("{} did not start", name));
  }
  if (instance == &impl_->instances[impl_->primary]) impl_->StartWriter();
  return {};
}

Result<void> Databases::Promote(std::string_view name) {
  base::MutexLock lock(impl_->mu);
  AZX_ASSIGN_OR_RETURN(Instance * promoted, impl_->FindRunning(name));
  const std::vector<Instance*> ahead = impl_->StandbysAhead(*promoted);
  if (promoted->server->Run("SELECT pg_promote()") != "t") {
    return Fail(ErrorCode::kExecution, fmt::format("{} was not promoted", name));
  }
  impl_->primary = static_cast<std::size_t>(promoted - impl_->instances.data());
  for (Instance& other : impl_->instances) {
    if (&other != promoted) other.uplink->SetTarget(promoted->front->port());
  }
  for (Instance* other : ahead) (void)other->server->CloneFrom(UpstreamDsn(*other));
  impl_->StartWriter();
  return {};
}

Result<void> Databases::Rejoin(std::string_view name) {
  base::MutexLock lock(impl_->mu);
  AZX_ASSIGN_OR_RETURN(Instance * instance, impl_->Find(name));
  if (instance == &impl_->instances[impl_->primary]) {
    return Fail(ErrorCode::kExecution, fmt::format("{} is the primary", name));
  }
  if (instance->zone_lost || instance->stream_cut) {
    return Fail(ErrorCode::kExecution, fmt::format("{} does not reach the primary", name));
  }
  if (!instance->server->CloneFrom(UpstreamDsn(*instance))) {
    return Fail(ErrorCode::kExecution,
                fmt::format("{} could not be copied from the primary", name));
  }
  return {};
}

Result<void> Databases::PauseReplay(std::string_view name) {
  base::MutexLock lock(impl_->mu);
  return impl_->Tell(name, "SELECT pg_wal_replay_pause()");
}

Result<void> Databases::ResumeReplay(std::string_view name) {
  base::MutexLock lock(impl_->mu);
  return impl_->Tell(name, "SELECT pg_wal_replay_resume()");
}

Result<void> Databases::CutStream(std::string_view name) {
  base::MutexLock lock(impl_->mu);
  AZX_ASSIGN_OR_RETURN(Instance * instance, impl_->Find(name));
  instance->stream_cut = true;
  impl_->SetLinks(*instance);
  return {};
}

Result<void> Databases::JoinStream(std::string_view name) {
  base::MutexLock lock(impl_->mu);
  AZX_ASSIGN_OR_RETURN(Instance * instance, impl_->Find(name));
  instance->stream_cut = false;
  impl_->SetLinks(*instance);
  return {};
}

void Databases::LoseZone(std::string_view zone) {
  base::MutexLock lock(impl_->mu);
  for (Instance& instance : impl_->instances) {
    if (instance.zone != zone) continue;
    instance.zone_lost = true;
    impl_->SetLinks(instance);
  }
}

void Databases::RestoreZone(std::string_view zone) {
  base::MutexLock lock(impl_->mu);
  for (Instance& instance : impl_->instances) {
    if (instance.zone != zone) continue;
    instance.zone_lost = false;
    impl_->SetLinks(instance);
  }
}

}  // namespace azexporter::platform
