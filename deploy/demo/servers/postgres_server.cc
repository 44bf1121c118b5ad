#include "servers/postgres_server.h"

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "azexporter/base/wait.h"
#include "servers/loopback.h"

namespace azexporter::servers {
namespace {

constexpr char kUser[] = "azx";
constexpr int kStartTimeoutMs = 30'000;
constexpr int kStopTimeoutMs = 10'000;

// The server refuses to run as root: there it runs as the package's own user.
std::vector<std::string> AsServerUser(std::vector<std::string> command) {
  if (::geteuid() != 0) return command;
  // Should this program end without stopping it, the server stops by itself.
  std::vector<std::string> wrapped = {"setpriv",        "--reuid=postgres", "--regid=postgres",
                                      "--clear-groups", "--pdeathsig=QUIT", "--"};
  wrapped.insert(wrapped.end(), command.begin(), command.end());
  return wrapped;
}

std::string MakeFolder() {
  std::string name = std::filesystem::temp_directory_path() / "azx-postgres-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) return "";
  if (::geteuid() == 0) RunProgram({"chown", "postgres:postgres", name});
  return name;
}

}  // namespace

std::string PostgresServer::ProgramFolder() {
  for (const char* version : {"17", "16", "15", "14", "13"}) {
    const std::string folder = std::string("/usr/lib/postgresql/") + version + "/bin";
    if (std::filesystem::exists(folder + "/postgres")) return folder;
  }
  return "";
}

std::string PostgresServer::DsnOf(int port) {
  return "host=127.0.0.1 port=" + std::to_string(port) + " user=" + kUser + " dbname=postgres";
}

PostgresServer::PostgresServer(PostgresOptions options)
    : options_(std::move(options)), folder_(MakeFolder()), port_(FreePort()) {}

PostgresServer::~PostgresServer() {
  Kill();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::unique_ptr<PostgresServer> PostgresServer::StartPrimary(PostgresOptions options) {
  std::unique_ptr<PostgresServer> server(new PostgresServer(std::move(options)));
  const bool made =
      RunProgram(AsServerUser({ProgramFolder() + "/initdb", "-D", server->folder_ + "/data", "-U",
                               kUser, "-A", "trust", "--no-sync"}))
          .has_value();
  return made && server->Start() ? std::move(server) : nullptr;
}

std::unique_ptr<PostgresServer> PostgresServer::StartStandby(const std::string& upstream_dsn,
                                                             PostgresOptions options) {
  std::unique_ptr<PostgresServer> server(new PostgresServer(std::move(options)));
  return server->Copy(upstream_dsn) && server->Start() ? std::move(server) : nullptr;
}

bool PostgresServer::Copy(const std::string& upstream_dsn) const {
  return RunProgram(AsServerUser({ProgramFolder() + "/pg_basebackup", "-d", upstream_dsn, "-D",
                                  folder_ + "/data", "-R", "-c", "fast", "--no-sync"}))
      .has_value();
}

bool PostgresServer::Start() {
  if (running()) return true;
  std::vector<std::string> command = {ProgramFolder() + "/postgres", "-D", folder_ + "/data", "-p",
                                      std::to_string(port_)};
  std::vector<std::string> settings = {"listen_addresses=127.0.0.1",
                                       "unix_socket_directories=", "fsync=off",
                                       "logging_collector=on", "cluster_name=" + options_.name};
  settings.insert(settings.end(), options_.settings.begin(), options_.settings.end());
  for (const std::string& setting : settings) {
    command.emplace_back("-c");
    command.push_back(setting);
  }
  process_ = std::make_unique<ChildProcess>(AsServerUser(command));
  constexpr int kLookMs = 20;
  for (int waited_ms = 0; waited_ms < kStartTimeoutMs; waited_ms += kLookMs) {
    if (Run("SELECT 1") == "1") return true;
    if (process_->Wait(0)) break;
    base::WaitFor({}, kLookMs);
  }
  process_.reset();
  return false;
}

std::optional<std::string> PostgresServer::Run(const std::string& sql) const {
  auto out = RunProgram({ProgramFolder() + "/psql", "-X", "-A", "-t", "-d", dsn(), "-c", sql});
  if (!out) return std::nullopt;
  return out->substr(0, out->find('\n'));
}

bool PostgresServer::AskForPasswords() const {
  const std::string rules = "(VALUES ('host all " + std::string(kUser) +
                            " 127.0.0.1/32 trust'), ('host all all 127.0.0.1/32 scram-sha-256'))";
  return Run("DO $do$ BEGIN EXECUTE format('COPY (SELECT * FROM ' || $rules$" + rules +
             "$rules$ || ' AS rules) TO %L', current_setting('hba_file')); END $do$") &&
         Run("SELECT pg_reload_conf()");
}

bool PostgresServer::CloneFrom(const std::string& upstream_dsn) {
  Kill();
  std::error_code failed;
  std::filesystem::remove_all(folder_ + "/data", failed);
  return !failed && Copy(upstream_dsn) && Start();
}

void PostgresServer::Stop() { End(SIGINT); }

void PostgresServer::Kill() { End(SIGQUIT); }

void PostgresServer::End(int signal) {
  if (!process_) return;
  process_->Signal(signal);
  process_->Wait(kStopTimeoutMs);
  process_.reset();
}

}  // namespace azexporter::servers
