// azexporter-platform: the documented region on loopback, for demonstrations and tests, and the
// player of scenarios on it.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <thread>

#include "azexporter/base/clock.h"
#include "azexporter/base/duration.h"
#include "azexporter/base/file.h"
#include "commands.h"
#include "manifest.h"
#include "platform.h"
#include "scenario.h"

namespace azexporter::platform {
namespace {

using base::Result;

struct Flags {
  std::string listen = "127.0.0.1:0";
  std::string kubeconfig_out;
  std::string config_out;
  std::string ready_file;
  std::string manifests = AZX_MANIFESTS;
  std::vector<std::string> latencies;  // "us-east-1b=800ms"
  bool plain_http = false;
  bool database = false;
  double pace = 1;
  bool node_leases = false;
  std::string recordings;
  int nodes = 0;
  int pods = 0;
};

struct PlayFlags {
  std::string file;
  std::string control_url;
  std::string azexporter_url;
};

// SIGINT and SIGTERM, blocked in every thread that is started afterwards, to be fetched by sigwait.
sigset_t BlockSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

Result<PlatformOptions> ToOptions(const Flags& flags) {
  PlatformOptions options{.manifests = flags.manifests,
                          .secure = !flags.plain_http,
                          .database = flags.database,
                          .pace = flags.pace,
                          .node_leases = flags.node_leases,
                          .recordings = flags.recordings};
  if (flags.nodes > 0) {
    options.scale = simulator::ScaleOptions{.nodes = flags.nodes, .pods = flags.pods};
  }
  const std::string prefix = "127.0.0.1:";
  int port = -1;
  if (flags.listen.starts_with(prefix)) {
    const char* end = flags.listen.data() + flags.listen.size();
    const auto parsed = std::from_chars(flags.listen.data() + prefix.size(), end, port);
    if (parsed.ec != std::errc() || parsed.ptr != end) port = -1;
  }
  if (port < 0 || port > 65535) {
    return base::BadData(fmt::format("--listen {}: must be 127.0.0.1:PORT", flags.listen));
  }
  options.api_port = port;
  for (const std::string& latency : flags.latencies) {
    const std::size_t equals = latency.find('=');
    const auto ms = equals == std::string::npos
                        ? base::BadData("no '='")
                        : base::ParseDurationMs(std::string_view(latency).substr(equals + 1));
    if (!ms) return base::BadData(fmt::format("--latency {}: must be ZONE=DURATION", latency));
    options.latencies_us[latency.substr(0, equals)] = *ms * 1000;
  }
  return options;
}

Result<void> WriteOutputs(const Flags& flags, Platform& platform) {
  std::filesystem::path kubeconfig = std::filesystem::absolute(flags.kubeconfig_out);
  if (!flags.kubeconfig_out.empty()) {
    AZX_RETURN_IF_ERROR(WriteFile(kubeconfig, platform.api().Kubeconfig()));
  }
  if (!flags.config_out.empty()) {
    AZX_RETURN_IF_ERROR(WriteFile(flags.config_out, platform.Config(kubeconfig)));
  }
  fmt::print("api {}\n", platform.api().url());
  fmt::print("control {}\n", platform.control_url());
  for (const auto& [zone, url] : platform.health_urls()) fmt::print("health {} {}\n", zone, url);
  for (const DatabaseView& database : platform.databases()) {
    fmt::print("database {} {} {}\n", database.zone, database.name, database.dsn);
  }
  std::fflush(stdout);
  // Last: whoever waits for this file may use all of the above.
  if (!flags.ready_file.empty()) AZX_RETURN_IF_ERROR(WriteFile(flags.ready_file, "ready\n"));
  return {};
}

Result<void> Run(const Flags& flags) {
  AZX_ASSIGN_OR_RETURN(const PlatformOptions options, ToOptions(flags));
  const sigset_t signals = BlockSignals();
  const base::SystemClock clock;
  AZX_ASSIGN_OR_RETURN(const std::unique_ptr<Platform> platform, Platform::Start(options, clock));
  AZX_RETURN_IF_ERROR(WriteOutputs(flags, *platform));
  int received = 0;
  sigwait(&signals, &received);
  platform->Stop();
  return {};
}

// A signal ends the scenario before its next step.
Result<void> Play(const PlayFlags& flags) {
  AZX_ASSIGN_OR_RETURN(const std::string text, base::ReadFile(flags.file));
  AZX_ASSIGN_OR_RETURN(const Scenario scenario, ParseScenario(text, flags.file));
  const sigset_t signals = BlockSignals();
  std::stop_source source;
  std::jthread listener([&](const std::stop_token& done) {
    const timespec look{.tv_sec = 0, .tv_nsec = 100'000'000};
    while (!done.stop_requested()) {
      if (sigtimedwait(&signals, nullptr, &look) > 0) source.request_stop();
    }
  });
  const base::SystemClock clock;
  Player player({.control_url = flags.control_url,
                 .azexporter_url = flags.azexporter_url,
                 .print =
                     [](const std::string& line) {
                       fmt::print("{}\n", line);
                       std::fflush(stdout);
                     }},
                clock);
  fmt::print("{}\n", scenario.about);
  return player.Play(scenario, source.get_token());
}

std::string CommandHelp() {
  std::string help = "Commands of scenarios and of POST CONTROL/do, one a line:\n";
  for (const CommandForm& form : CommandForms()) {
    help += fmt::format("  {:<30} {}\n", form.pattern, form.help);
  }
  return help;
}

void AddServeFlags(CLI::App& app, Flags& flags) {
  app.add_option("--listen", flags.listen, "Address of the Kubernetes API; port 0: a free one")
      ->capture_default_str();
  app.add_option("--kubeconfig-out", flags.kubeconfig_out, "Write a kubeconfig for the API here");
  CLI::Option* config = app.add_option("--config-out", flags.config_out,
                                       "Write an azexporter configuration for the platform here");
  config->needs("--kubeconfig-out");
  app.add_option("--ready-file", flags.ready_file, "Write this file once everything is served");
  app.add_option("--latency", flags.latencies, "ZONE=DURATION of a zone's health endpoint");
  app.add_option("--manifests", flags.manifests, "Folder of the platform's manifests")
      ->capture_default_str();
  app.add_flag("--plain-http", flags.plain_http, "Serve the API without TLS and token");
  app.add_flag("--database", flags.database,
               "A real PostgreSQL server and two Redis nodes in each zone");
  app.add_option("--pace", flags.pace, "How much faster than a real cluster's its controllers are")
      ->capture_default_str()
      ->check(CLI::Range(0.1, 10'000.0));
  app.add_flag("--node-leases", flags.node_leases, "Have the nodes renew Leases every 10 s");
  app.add_option("--recordings", flags.recordings,
                 "Folder of recorded answers, for \"fault VERB RESOURCE replay NAME\"");
  CLI::Option* nodes = app.add_option("--scale-nodes", flags.nodes,
                                      "In the place of the documented region so many nodes");
  app.add_option("--scale-pods", flags.pods, "... and so many pods on them")->needs(nodes);
}

int Main(int argc, char** argv) {
  Flags flags;
  PlayFlags play_flags;
  CLI::App app("The documented multi-AZ region behind a simulated Kubernetes API on loopback.");
  AddServeFlags(app, flags);
  app.footer(CommandHelp());
  CLI::App* play = app.add_subcommand("play", "Play a scenario on a platform that runs");
  play->add_option("FILE", play_flags.file, "The scenario")->required();
  play->add_option("--control", play_flags.control_url, "The platform's control URL")->required();
  play->add_option("--azexporter", play_flags.azexporter_url,
                   "URL of the azexporter whose alerts are followed");
  CLI11_PARSE(app, argc, argv);
  const Result<void> run = play->parsed() ? Play(play_flags) : Run(flags);
  if (!run) {
    fmt::print(stderr, "azexporter-platform: {}\n", run.error().message());
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace azexporter::platform

int main(int argc, char** argv) { return azexporter::platform::Main(argc, argv); }
