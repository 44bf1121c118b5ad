#include "azexporter/kube/cluster.h"

#include <algorithm>
#include <thread>

#include "azexporter/kube/api_client.h"
#include "azexporter/kube/object_cache.h"
#include "azexporter/kube/reflector.h"
#include "decode.h"

namespace azexporter::kube {
namespace {

template <class T>
std::shared_ptr<const ObjectList<T>> Share(std::vector<T> objects) {
  ObjectCache<T> cache;
  cache.Replace(std::move(objects));
  return cache.List();
}

}  // namespace

struct Cluster::Impl {
  Impl(ClusterAccess access, ClusterOptions options_in, const base::Clock& clock_in,
       base::Logger log)
      : options(std::move(options_in)),
        client(std::move(access)),
        node_reflector(OptionsFor("/api/v1/nodes", ""), client, nodes, clock_in, log),
        pod_reflector(OptionsFor("/api/v1/pods", ""), client, pods, clock_in, log),
        config_map_reflector(
            OptionsFor("/api/v1/namespaces/" + options.config_map_namespace + "/configmaps",
                       "fieldSelector=metadata.name%3D" + net::UrlEscape(options.config_map_name)),
            client, config_maps, clock_in, log) {}

  ReflectorOptions OptionsFor(std::string path, std::string selectors) const {
    ReflectorOptions result;
    result.path = std::move(path);
    result.selectors = std::move(selectors);
    result.min_backoff_ms = options.min_backoff_ms;
    result.list_timeout_ms = options.list_timeout_ms;
    return result;
  }
  bool watches_config_map() const { return !options.config_map_name.empty(); }

  // constant after construction
  const ClusterOptions options;
  // own synchronisation
  ApiClient client;
  ObjectCache<Node> nodes;
  ObjectCache<Pod> pods;
  ObjectCache<ConfigMap> config_maps;
  // each used by its own thread
  Reflector<Node> node_reflector;
  Reflector<Pod> pod_reflector;
  Reflector<ConfigMap> config_map_reflector;
  // of the owner of Cluster; last, so that they join before what they use is gone
  std::vector<std::jthread> threads;
};

Cluster::Cluster(ClusterAccess access, ClusterOptions options, const base::Clock& clock,
                 base::Logger log)
    : impl_(std::make_unique<Impl>(std::move(access), std::move(options), clock, std::move(log))) {}

Cluster::~Cluster() { Stop(); }

void Cluster::ListOnce(std::stop_token stop) {
  // Failures are kept in the health of each cache; a resource that fails does not stop the others,
  // nor does a slow one, since each has a thread.
  Impl& impl = *impl_;
  std::vector<std::jthread> threads;
  threads.emplace_back([&] { static_cast<void>(impl.node_reflector.ListOnce(stop)); });
  threads.emplace_back([&] { static_cast<void>(impl.pod_reflector.ListOnce(stop)); });
  if (!impl.watches_config_map()) return;
  threads.emplace_back([&] { static_cast<void>(impl.config_map_reflector.ListOnce(stop)); });
}

void Cluster::Start() {
  Impl& impl = *impl_;
  impl.threads.emplace_back([&impl](std::stop_token stop) { impl.node_reflector.Run(stop); });
  impl.threads.emplace_back([&impl](std::stop_token stop) { impl.pod_reflector.Run(stop); });
  if (!impl.watches_config_map()) return;
  impl.threads.emplace_back([&impl](std::stop_token stop) { impl.config_map_reflector.Run(stop); });
}

void Cluster::Stop() {
  for (std::jthread& thread : impl_->threads) thread.request_stop();
  impl_->threads.clear();
}

std::shared_ptr<const ClusterState> Cluster::State() const {
  ClusterState::Parts parts;
  parts.nodes = impl_->nodes.List();
  parts.pods = impl_->pods.List();
  parts.health = {impl_->nodes.health(), impl_->pods.health()};
  if (impl_->watches_config_map()) {
    parts.config_maps = impl_->config_maps.List();
    parts.health.push_back(impl_->config_maps.health());
  }
  return std::make_shared<const ClusterState>(std::move(parts));
}

const ClusterAccess& Cluster::access() const { return impl_->client.access(); }

base::Result<std::shared_ptr<const ClusterState>> ReadSnapshot(std::string json,
                                                               const std::string& source,
                                                               std::int64_t now_ms,
                                                               std::vector<std::string>& skipped) {
  MixedObjects objects;
  const bool blank = json.find_first_not_of(" \t\r\n") == std::string::npos;
  if (!blank) {
    if (auto read = DecodeMixed(json, objects); !read) {
      return base::Fail(read.error().WithContext(source));
    }
  }
  skipped = std::move(objects.item_errors);
  ClusterState::Parts parts;
  parts.nodes = Share(std::move(objects.nodes));
  parts.pods = Share(std::move(objects.pods));
  parts.config_maps = Share(std::move(objects.config_maps));
  for (std::string_view resource : {Node::kResource, Pod::kResource, ConfigMap::kResource}) {
    ResourceHealth& health = parts.health.emplace_back();
    health.resource = resource;
    health.synced = true;
    health.from_file = true;
    health.last_contact_ms = now_ms;
    health.lists = 1;
  }
  return std::make_shared<const ClusterState>(std::move(parts));
}

}  // namespace azexporter::kube
