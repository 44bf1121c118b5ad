#include "platform.h"

#include <fmt/format.h>

#include <charconv>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "azexporter/base/mutex.h"
#include "controllers.h"
#include "manifest.h"
#include "region.h"
#include "workloads.h"
#include "zone_endpoint.h"

namespace azexporter::platform {

using base::ErrorCode;
using base::Fail;
using base::Result;
using simulator::DumpPretty;
using simulator::HttpRequest;
using simulator::HttpResponse;
using simulator::Json;

namespace {

// How often the controllers look up when no pod changes; only their stop waits for it.
constexpr std::int64_t kControllerPollMs = 10'000;

HttpResponse Text(int status, std::string body) {
  return {.status = status, .content_type = "text/plain", .body = std::move(body) + "\n"};
}

std::string NewToken() {
  std::random_device random;
  std::string token;
  for (int i = 0; i < 4; ++i) token += fmt::format("{:08x}", random());
  return token;
}

}  // namespace

struct Platform::Impl {
  explicit Impl(const base::Clock& platform_clock)
      : clock(platform_clock), store({.clock = clock}) {}

  Result<void> StartEndpoints(const PlatformOptions& options);
  Result<void> Build(const PlatformOptions& options);
  void RunControllers(std::int64_t seen, const std::stop_token& stop);
  HttpResponse Control(const HttpRequest& request);
  Json Describe();
  Result<ZoneEndpoint*> Endpoint(std::string_view zone);
  Result<void> Lose(std::string_view zone);
  Result<void> Restore(std::string_view zone);
  Result<void> SetLatency(std::string_view zone, std::int64_t latency_us);

  // Constant after construction and Start.
  const base::Clock& clock;
  std::map<std::string, std::unique_ptr<ZoneEndpoint>, std::less<>> endpoints;

  // Own synchronisation.
  simulator::Store store;

  // Guarded by mu: one zone at a time changes.
  base::Mutex mu;
  std::set<std::string, std::less<>> lost AZX_GUARDED_BY(mu);

  // Last, in the order of their start: their threads use all of the above.
  std::unique_ptr<simulator::ApiServer> api;
  std::unique_ptr<simulator::HttpServer> control;
  std::jthread controllers;
};

Result<void> Platform::Impl::StartEndpoints(const PlatformOptions& options) {
  for (const Zone& zone : kZones) {
    const auto asked = options.latencies_us.find(std::string(zone.name));
    const std::int64_t latency =
        asked == options.latencies_us.end() ? zone.latency_us : asked->second;
    AZX_ASSIGN_OR_RETURN(endpoints[std::string(zone.name)], ZoneEndpoint::Start(latency));
  }
  for (const auto& [zone, latency] : options.latencies_us) AZX_RETURN_IF_ERROR(Endpoint(zone));
  return {};
}

Result<void> Platform::Impl::Build(const PlatformOptions& options) {
  std::map<std::string, std::string> variables;
  for (const auto& [zone, endpoint] : endpoints) {
    variables["HEALTH_ENDPOINT_" + zone] = endpoint->url();
  }
  AZX_ASSIGN_OR_RETURN(const auto manifests, ReadManifests(options.manifests, variables));
  AZX_RETURN_IF_ERROR(Materialise(store, manifests, clock.NowMs()));
  Reconcile(store, clock.NowMs());
  // The making of the world is no news to a watcher.
  store.Compact();
  return {};
}

// `seen`: changes up to this version have been dealt with.
void Platform::Impl::RunControllers(std::int64_t seen, const std::stop_token& stop) {
  const simulator::ResourceType& pods = Type("v1", "Pod");
  while (!stop.stop_requested()) {
    const simulator::EventBatch batch = store.WaitForEvents(pods, seen, kControllerPollMs, stop);
    seen = batch.too_old ? store.resource_version() : batch.resource_version;
    if (batch.too_old || !batch.events.empty()) Reconcile(store, clock.NowMs());
  }
}

Result<ZoneEndpoint*> Platform::Impl::Endpoint(std::string_view zone) {
  const auto found = endpoints.find(zone);
  if (found == endpoints.end()) {
    return Fail(ErrorCode::kNotFound, fmt::format("no zone \"{}\" in {}", zone, kRegion));
  }
  return found->second.get();
}

Result<void> Platform::Impl::Lose(std::string_view zone) {
  AZX_ASSIGN_OR_RETURN(ZoneEndpoint * endpoint, Endpoint(zone));
  base::MutexLock lock(mu);
  AZX_RETURN_IF_ERROR(endpoint->Silence());
  platform::LoseZone(store, zone, clock.NowMs());
  lost.emplace(zone);
  return {};
}

Result<void> Platform::Impl::Restore(std::string_view zone) {
  AZX_ASSIGN_OR_RETURN(ZoneEndpoint * endpoint, Endpoint(zone));
  base::MutexLock lock(mu);
  AZX_RETURN_IF_ERROR(endpoint->Restore());
  platform::RestoreZone(store, zone, clock.NowMs());
  if (const auto found = lost.find(zone); found != lost.end()) lost.erase(found);
  return {};
}

Result<void> Platform::Impl::SetLatency(std::string_view zone, std::int64_t latency_us) {
  AZX_ASSIGN_OR_RETURN(ZoneEndpoint * endpoint, Endpoint(zone));
  endpoint->SetLatency(latency_us);
  return {};
}

Json Platform::Impl::Describe() {
  Json zones = Json::object();
  base::MutexLock lock(mu);
  for (const auto& [name, endpoint] : endpoints) {
    zones[name] = {{"state", lost.contains(name) ? "down" : "up"},
                   {"health_endpoint", endpoint->url()},
                   {"latency_us", endpoint->latency_us()}};
  }
  return zones;
}

// POST /_platform/zones/<zone>/{down,up,latency?ms=800}; GET /_platform/zones.
HttpResponse Platform::Impl::Control(const HttpRequest& request) {
  constexpr std::string_view kZonesPath = "/_platform/zones";
  const std::string_view path = request.path;
  if (request.method == "GET" && path == kZonesPath) {
    return {.body = DumpPretty(Describe()) + "\n"};
  }
  const std::size_t slash = path.rfind('/');
  if (!path.starts_with(kZonesPath) || slash <= kZonesPath.size()) return Text(404, "not found");
  if (request.method != "POST") return Text(405, "only POST");
  const std::string_view zone = path.substr(kZonesPath.size() + 1, slash - kZonesPath.size() - 1);
  const std::string_view action = path.substr(slash + 1);
  Result<void> done;
  if (action == "down") {
    done = Lose(zone);
  } else if (action == "up") {
    done = Restore(zone);
  } else if (action == "latency") {
    const std::string text = request.Query("ms");
    std::int64_t ms = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ms);
    if (error != std::errc() || end != text.data() + text.size() || ms < 0) {
      return Text(400, "ms must be a number of milliseconds");
    }
    done = SetLatency(zone, ms * 1000);
  } else {
    return Text(404, "not found");
  }
  if (!done)
    return Text(done.error().code() == ErrorCode::kNotFound ? 404 : 500, done.error().message());
  return Text(200, fmt::format("{}: {}", zone, action));
}

Platform::Platform(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Platform::~Platform() { Stop(); }

Result<std::unique_ptr<Platform>> Platform::Start(const PlatformOptions& options,
                                                  const base::Clock& clock) {
  auto impl = std::make_unique<Impl>(clock);
  AZX_RETURN_IF_ERROR(impl->StartEndpoints(options));
  AZX_RETURN_IF_ERROR(impl->Build(options));
  const std::int64_t built = impl->store.resource_version();
  AZX_ASSIGN_OR_RETURN(impl->api,
                       simulator::ApiServer::Start({.port = options.api_port,
                                                    .tls = options.secure,
                                                    .token = options.secure ? NewToken() : ""},
                                                   impl->store, clock));
  AZX_ASSIGN_OR_RETURN(impl->control, simulator::HttpServer::Start(
                                          {.threads = 4}, [raw = impl.get()](const HttpRequest& r) {
                                            return raw->Control(r);
                                          }));
  impl->controllers = std::jthread(
      [raw = impl.get(), built](std::stop_token stop) { raw->RunControllers(built, stop); });
  return std::unique_ptr<Platform>(new Platform(std::move(impl)));
}

simulator::ApiServer& Platform::api() { return *impl_->api; }

simulator::Store& Platform::store() { return impl_->store; }

std::string Platform::control_url() const { return impl_->control->url() + "/_platform/zones"; }

std::map<std::string, std::string> Platform::health_urls() const {
  std::map<std::string, std::string> urls;
  for (const auto& [zone, endpoint] : impl_->endpoints) urls[zone] = endpoint->url();
  return urls;
}

Result<void> Platform::LoseZone(std::string_view zone) { return impl_->Lose(zone); }

Result<void> Platform::RestoreZone(std::string_view zone) { return impl_->Restore(zone); }

Result<void> Platform::SetLatency(std::string_view zone, std::int64_t latency_us) {
  return impl_->SetLatency(zone, latency_us);
}

std::string Platform::Config(const std::filesystem::path& kubeconfig) {
  std::string quoted;
  for (char c : kubeconfig.string()) quoted += c == '\'' ? "''" : std::string(1, c);
  return fmt::format(
      "kubernetes:\n"
      "  kubeconfig: '{}'\n"
      "probes:\n"
      "  source_zone: us-east-1a\n"
      "  interval: 2s\n"
      "  timeout: 2s\n"
      "zones_config_map: {}/zone-health-config\n",
      quoted, kNamespace);
}

void Platform::Stop() {
  impl_->controllers.request_stop();
  if (impl_->controllers.joinable()) impl_->controllers.join();
  impl_->control->Stop();
  impl_->api->Stop();
}

}  // namespace azexporter::platform
