// azexporter: tells whether a multi-AZ Kubernetes platform would survive the loss of a zone.

#include <fmt/format.h>
#include <malloc.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "azexporter/app/commands.h"
#include "azexporter/app/daemon.h"
#include "azexporter/app/flags.h"

namespace {

using namespace azexporter;  // NOLINT: the one place that names them all

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

app::Surroundings FindSurroundings() {
  app::Surroundings around;
  around.service_host = Environment("KUBERNETES_SERVICE_HOST");
  around.service_port = Environment("KUBERNETES_SERVICE_PORT");
  around.kubeconfig = Environment("KUBECONFIG");
  around.home = Environment("HOME");
  around.node_name = Environment("NODE_NAME");
  return around;
}

int Complain(const base::Error& error) {
  fmt::print(stderr, "azexporter: {}\n", error.message());
  return 1;
}

// What a query gave back is kept for the next one, up to a bound for each of few arenas: to ask the
// kernel for it anew would take longer than most queries do.
void KeepFreedMemory() {
  constexpr int kMegabyte = 1 << 20;
  mallopt(M_ARENA_MAX, 4);
  mallopt(M_MMAP_THRESHOLD, 32 * kMegabyte);
  mallopt(M_TRIM_THRESHOLD, 32 * kMegabyte);
}

int RunDaemon(const app::Flags& flags) {
  KeepFreedMemory();
  auto level = base::ParseLogLevel(flags.log_level);
  if (!level) return Complain(level.error().WithContext("--log.level"));
  auto format = base::ParseLogFormat(flags.log_format);
  if (!format) return Complain(format.error().WithContext("--log.format"));
  // Signals are taken by this thread alone; every thread started later inherits the mask.
  sigset_t signals;
  sigemptyset(&signals);
  for (int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);

  const base::SystemClock clock;
  auto daemon =
      app::Daemon::Create(flags, {clock, base::Logger(*level, *format), FindSurroundings()});
  if (!daemon) return Complain(daemon.error());
  std::jthread running([&](std::stop_token stop) { (*daemon)->Run(stop); });
  for (int signal = 0; sigwait(&signals, &signal) == 0;) {
    if (signal != SIGHUP) break;
    static_cast<void>((*daemon)->Reload());  // logged where it happens
  }
  running.request_stop();
  running.join();
  return 0;
}

int RunCommand(const app::Flags& flags) {
  switch (flags.command) {
    case app::Command::kAudit:
      return app::RunAudit(flags, FindSurroundings());
    case app::Command::kDaemon:
      return RunDaemon(flags);
    case app::Command::kCheckHealth:
      return app::RunCheckHealth(flags, FindSurroundings());
    case app::Command::kCheckConfig:
      return app::RunCheckConfig(flags);
    case app::Command::kCheckRules:
      return app::RunCheckRules(flags);
    case app::Command::kExportRules:
      return app::RunExportRules(flags);
    case app::Command::kFormatPromql:
      return app::RunFormatPromql(flags);
    case app::Command::kQuery:
      return app::RunQueryCommand(flags.query);
    case app::Command::kSimulateZoneLoss:
      return app::RunSimulateZoneLoss(flags, FindSurroundings());
    case app::Command::kTestPromql:
      return app::RunTestPromql(flags);
    case app::Command::kTestRules:
      return app::RunTestRules(flags);
  }
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  const auto flags = app::ParseFlags(argc, argv);
  if (!flags) {
    fmt::print(flags.error().to_stderr ? stderr : stdout, "{}", flags.error().text);
    return flags.error().code;
  }
  return RunCommand(*flags);
}
