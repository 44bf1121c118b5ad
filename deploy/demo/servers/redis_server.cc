#include "servers/redis_server.h"

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "azexporter/base/wait.h"
#include "servers/loopback.h"

namespace azexporter::servers {
namespace {

constexpr int kStartTimeoutMs = 10'000;
constexpr int kStopTimeoutMs = 5'000;

std::string MakeFolder() {
  std::string name = std::filesystem::temp_directory_path() / "azx-redis-XXXXXX";
  return ::mkdtemp(name.data()) == nullptr ? "" : name;
}

}  // namespace

bool RedisServer::Installed() { return std::filesystem::exists("/usr/bin/redis-server"); }

RedisServer::RedisServer(std::vector<std::string> settings, std::vector<std::string> login)
    : settings_(std::move(settings)),
      login_(std::move(login)),
      folder_(MakeFolder()),
      port_(FreePort()),
      bus_port_(FreePort()) {}

RedisServer::~RedisServer() {
  Kill();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::unique_ptr<RedisServer> RedisServer::StartNew(std::vector<std::string> settings,
                                                   std::vector<std::string> login) {
  std::unique_ptr<RedisServer> server(new RedisServer(std::move(settings), std::move(login)));
  return server->Start() ? std::move(server) : nullptr;
}

bool RedisServer::Start() {
  if (running()) return true;
  // Should this program end without stopping it, the server stops by itself.
  std::vector<std::string> command = {"setpriv",
                                      "--pdeathsig=KILL",
                                      "--",
                                      "redis-server",
                                      "--port",
                                      std::to_string(port_),
                                      "--bind",
                                      "127.0.0.1",
                                      "--cluster-port",
                                      std::to_string(bus_port_),
                                      "--dir",
                                      folder_,
                                      "--save",
                                      "",
                                      "--appendonly",
                                      "no"};
  command.insert(command.end(), settings_.begin(), settings_.end());
  process_ = std::make_unique<ChildProcess>(command);
  constexpr int kLookMs = 20;
  for (int waited_ms = 0; waited_ms < kStartTimeoutMs; waited_ms += kLookMs) {
    const auto answer = Run({"PING"});
    if (answer && answer->starts_with("PONG")) return true;
    if (process_->Wait(0)) break;
    base::WaitFor({}, kLookMs);
  }
  process_.reset();
  return false;
}

std::optional<std::string> RedisServer::Run(const std::vector<std::string>& command) const {
  std::vector<std::string> words = {"redis-cli", "-e", "-h",
                                    "127.0.0.1", "-p", std::to_string(port_)};
  words.insert(words.end(), login_.begin(), login_.end());
  words.insert(words.end(), command.begin(), command.end());
  return RunProgram(words);
}

void RedisServer::Kill() {
  if (!process_) return;
  process_->Signal(SIGKILL);
  process_->Wait(kStopTimeoutMs);
  process_.reset();
}

}  // namespace azexporter::servers
