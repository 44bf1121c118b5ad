#include "platform.h"

#include <fmt/format.h>

#include <random>

#include "azexporter/base/wait.h"
#include "manifest.h"
#include "platform_impl.h"
#include "region.h"
#include "workloads.h"

namespace azexporter::platform {

using base::Result;
using simulator::Find;
using simulator::HttpRequest;
using simulator::Json;
using simulator::ObjectKey;
using simulator::ObjectPtr;
using simulator::StringAt;

namespace {

// How often the controllers look.
constexpr std::int64_t kControllerPauseMs = 50;

std::string NewToken() {
  std::random_device random;
  std::string token;
  for (int i = 0; i < 4; ++i) token += fmt::format("{:08x}", random());
  return token;
}

ObjectKey PodKey(const std::string& name) {
  return {&Type("v1", "Pod"), std::string(kNamespace), name};
}

}  // namespace

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
  documented = !options.scale.has_value();
  node_leases = options.node_leases;
  if (!documented) return simulator::FillStore(store, *options.scale);
  std::map<std::string, std::string> variables;
  for (const auto& [zone, endpoint] : endpoints) {
    variables["HEALTH_ENDPOINT_" + zone] = endpoint->url();
  }
  AZX_ASSIGN_OR_RETURN(const auto manifests, ReadManifests(options.manifests, variables));
  if (options.database) {
    std::vector<std::string> zones;
    for (const Zone& zone : kZones) zones.emplace_back(zone.name);
    AZX_ASSIGN_OR_RETURN(databases, Databases::Start(std::string(kDatabaseCluster), zones));
    AZX_ASSIGN_OR_RETURN(redis, Redis::Start(std::string(kRedisCluster), zones));
  }
  base::MutexLock lock(mu);
  world.pace = options.pace;
  AZX_RETURN_IF_ERROR(Materialise(world, manifests));
  Settle(world);
  // The making of the world is no news to a watcher.
  store.Compact();
  return {};
}

void Platform::Impl::SettleLocked() {
  Settle(world);
  if (databases == nullptr) return;
  FollowPodsLocked();
  FollowRedisPodsLocked();
  ShowDatabasesLocked();
  RunStatus(world);
}

void Platform::Impl::FollowPodsLocked() {
  for (const DatabaseView& database : databases->View()) {
    const ObjectPtr pod = store.Get(PodKey(database.name));
    const bool runs = pod != nullptr && StringAt(*pod, {"status", "phase"}) == "Running";
    if (!runs && database.running) {
      (void)databases->StopServer(database.name);
      ended_with_pod.insert(database.name);
    } else if (runs && ended_with_pod.erase(database.name) > 0) {
      (void)(database.primary ? databases->StartServer(database.name)
                              : databases->Rejoin(database.name));
    }
  }
}

void Platform::Impl::FollowRedisPodsLocked() {
  for (const RedisView& node : redis->View()) {
    const ObjectPtr pod = store.Get(PodKey(node.name));
    const bool runs = pod != nullptr && StringAt(*pod, {"status", "phase"}) == "Running";
    if (!runs && node.running) {
      (void)redis->StopServer(node.name);
      ended_with_pod.insert(node.name);
    } else if (runs && ended_with_pod.erase(node.name) > 0) {
      (void)redis->StartServer(node.name);
    }
  }
}

void Platform::Impl::ShowDatabasesLocked() {
  const std::vector<DatabaseView> views = databases->View();
  std::string primary;
  int ready = 0;
  for (const DatabaseView& database : views) {
    if (database.primary) primary = database.name;
    const bool answers = database.running && !lost_zones.contains(database.zone);
    if (answers) ++ready;
    (void)store.Modify(PodKey(database.name), [&](Json& pod) {
      const char* role = database.primary ? "primary" : "replica";
      pod["metadata"]["labels"]["cnpg.io/instanceRole"] = role;
      pod["metadata"]["labels"]["role"] = role;
      SetReady(pod, answers, clock.NowMs());
    });
  }
  const ObjectKey cluster{&Type("postgresql.cnpg.io/v1", "Cluster"), std::string(kNamespace),
                          std::string(kDatabaseCluster)};
  (void)store.Modify(cluster, [&](Json& object) {
    Json& status = object["status"];
    status["currentPrimary"] = primary;
    status["targetPrimary"] = primary;
    status["readyInstances"] = ready;
    status["phase"] = ready == static_cast<int>(views.size())
                          ? "Cluster in healthy state"
                          : "Waiting for the instances to become active";
  });
}

void Platform::Impl::RunControllers(const std::stop_token& stop) {
  std::int64_t seen = -1;
  while (base::WaitFor(stop, kControllerPauseMs)) {
    base::MutexLock lock(mu);
    if (node_leases) RenewNodeLeases(world);
    if (store.resource_version() == seen && world.timers.empty()) continue;
    SettleLocked();
    seen = store.resource_version();
  }
}

Platform::Platform(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Platform::~Platform() { Stop(); }

Result<std::unique_ptr<Platform>> Platform::Start(const PlatformOptions& options,
                                                  const base::Clock& clock) {
  auto impl = std::make_unique<Impl>(clock);
  AZX_RETURN_IF_ERROR(impl->StartEndpoints(options));
  AZX_RETURN_IF_ERROR(impl->Build(options));
  const auto authorization =
      options.secure ? simulator::Authorization::kRbac : simulator::Authorization::kAlwaysAllow;
  AZX_ASSIGN_OR_RETURN(impl->api,
                       simulator::ApiServer::Start({.port = options.api_port,
                                                    .tls = options.secure,
                                                    .token = options.secure ? NewToken() : "",
                                                    .authorization = authorization,
                                                    .recordings = options.recordings},
                                                   impl->store, clock));
  AZX_ASSIGN_OR_RETURN(impl->control, simulator::HttpServer::Start(
                                          {.threads = 4}, [raw = impl.get()](const HttpRequest& r) {
                                            return raw->Control(r);
                                          }));
  if (impl->documented) {
    impl->controllers =
        std::jthread([raw = impl.get()](std::stop_token stop) { raw->RunControllers(stop); });
  }
  return std::unique_ptr<Platform>(new Platform(std::move(impl)));
}

simulator::ApiServer& Platform::api() { return *impl_->api; }

simulator::Store& Platform::store() { return impl_->store; }

std::string Platform::control_url() const { return impl_->control->url() + "/_platform"; }

std::map<std::string, std::string> Platform::health_urls() const {
  std::map<std::string, std::string> urls;
  for (const auto& [zone, endpoint] : impl_->endpoints) urls[zone] = endpoint->url();
  return urls;
}

std::vector<DatabaseView> Platform::databases() const {
  return impl_->databases == nullptr ? std::vector<DatabaseView>() : impl_->databases->View();
}

std::vector<RedisView> Platform::redis_nodes() const {
  return impl_->redis == nullptr ? std::vector<RedisView>() : impl_->redis->View();
}

Result<void> Platform::Do(std::string_view command) { return impl_->Do(command); }

std::string Platform::Config(const std::filesystem::path& kubeconfig) const {
  std::string quoted;
  for (char c : kubeconfig.string()) quoted += c == '\'' ? "''" : std::string(1, c);
  std::string config = fmt::format(
      "kubernetes:\n"
      "  kubeconfig: '{}'\n"
      "probes:\n"
      "  source_zone: us-east-1a\n"
      "  interval: 2s\n"
      "  timeout: 2s\n",
      quoted);
  if (impl_->documented)
    config += fmt::format("zones_config_map: {}/zone-health-config\n", kNamespace);
  const std::vector<DatabaseView> instances = databases();
  if (instances.empty()) return config;
  std::string nodes;
  for (const RedisView& node : redis_nodes()) {
    if (nodes.empty()) {
      config +=
          fmt::format("redis:\n  clusters:\n  - name: {}\n    addresses: ['{}']\n    nodes:\n",
                      kRedisCluster, node.address);
    }
    nodes += fmt::format("    - {{address: '{}', name: {}, zone: {}}}\n", node.address, node.name,
                         node.zone);
  }
  config += nodes;
  config += fmt::format("postgres:\n  clusters:\n  - name: {}\n    instances:\n", kDatabaseCluster);
  for (const DatabaseView& instance : instances) {
    config += fmt::format("    - {{name: {}, zone: {}, dsn: '{}'}}\n", instance.name, instance.zone,
                          instance.dsn);
  }
  return config;
}

void Platform::Stop() {
  impl_->controllers.request_stop();
  if (impl_->controllers.joinable()) impl_->controllers.join();
  impl_->control->Stop();
  impl_->api->Stop();
}

}  // namespace azexporter::platform
