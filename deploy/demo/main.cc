// azexporter-platform: the documented region on loopback, for demonstrations and tests.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <csignal>
#include <cstdio>

#include "azexporter/base/clock.h"
#include "azexporter/base/duration.h"
#include "manifest.h"
#include "platform.h"

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
};

Result<PlatformOptions> ToOptions(const Flags& flags) {
  PlatformOptions options{.manifests = flags.manifests, .secure = !flags.plain_http};
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
    AZX_RETURN_IF_ERROR(WriteFile(flags.config_out, Platform::Config(kubeconfig)));
  }
  fmt::print("api {}\n", platform.api().url());
  fmt::print("control {}\n", platform.control_url());
  for (const auto& [zone, url] : platform.health_urls()) fmt::print("health {} {}\n", zone, url);
  std::fflush(stdout);
  // Last: whoever waits for this file may use all of the above.
  if (!flags.ready_file.empty()) AZX_RETURN_IF_ERROR(WriteFile(flags.ready_file, "ready\n"));
  return {};
}

Result<void> Run(const Flags& flags) {
  AZX_ASSIGN_OR_RETURN(const PlatformOptions options, ToOptions(flags));
  // Blocked in every thread, which are all started below, and fetched by sigwait.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  const base::SystemClock clock;
  AZX_ASSIGN_OR_RETURN(const std::unique_ptr<Platform> platform, Platform::Start(options, clock));
  AZX_RETURN_IF_ERROR(WriteOutputs(flags, *platform));
  int received = 0;
  sigwait(&signals, &received);
  platform->Stop();
  return {};
}

int Main(int argc, char** argv) {
  Flags flags;
  CLI::App app("The documented multi-AZ region behind a simulated Kubernetes API on loopback.");
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
  CLI11_PARSE(app, argc, argv);
  if (const Result<void> run = Run(flags); !run) {
    fmt::print(stderr, "azexporter-platform: {}\n", run.error().message());
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace azexporter::platform

int main(int argc, char** argv) { return azexporter::platform::Main(argc, argv); }
