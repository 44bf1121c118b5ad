#include "azexporter/kube/cluster.h"
#include "azexporter/base/text.h"

#include <thread>
#include <type_traits>

#include "azexporter/kube/api_client.h"
#include "azexporter/kube/object_cache.h"
#include "azexporter/kube/reflector.h"
#include "resources.h"

namespace azexporter::kube {
namespace {

// What all reflectors share.
struct ReflectorDeps {
  const ClusterOptions& options;
  ApiClient& client;
  const base::Clock& clock;
  base::Logger log;
};

template <class T>
ReflectorOptions ReflectorOptionsOf(const ClusterOptions& options) {
  ReflectorOptions result;
  result.path = PathOf<T>();
  result.older_paths = OlderPathsOf<T>();
  result.optional = ResourceOf<T>::kNeed == Need::kOptional;
  result.custom = kIsCustom<T>;
  result.min_backoff_ms = options.min_backoff_ms;
  result.list_timeout_ms = options.list_timeout_ms;
  if constexpr (std::is_same_v<T, ConfigMap>) {
    result.path = "/api/v1/namespaces/" + options.config_map_namespace + "/configmaps";
    result.selectors = "fieldSelector=metadata.name%3D" + base::UrlEscape(options.config_map_name);
  }
  return result;
}

template <class T>
bool IsInUse(const ClusterOptions& options) {
  if constexpr (kIsCustom<T>) return options.custom_resources.contains(T::kResource);
  return !std::is_same_v<T, ConfigMap> || !options.config_map_name.empty();
}

// The cache of one resource and what keeps it current.
template <class T>
struct Watched {
  explicit Watched(const ReflectorDeps& deps)
      : in_use(IsInUse<T>(deps.options)),
        reflector(ReflectorOptionsOf<T>(deps.options), deps.client, cache, deps.clock, deps.log) {}

  const bool in_use;
  ObjectCache<T> cache;    // own synchronisation
  Reflector<T> reflector;  // used by its own thread
};

template <class... T>
struct WatchedResources : Watched<T>... {
  explicit WatchedResources(const ReflectorDeps& deps) : Watched<T>(deps)... {}

  // Calls `visit` with each Watched<T> that is in use.
  template <class Visit>
  void ForEach(Visit visit) {
    (Visited<T>(visit), ...);
  }

 private:
  template <class T1, class Visit>
  void Visited(Visit& visit) {
    Watched<T1>& watched = *this;
    if (watched.in_use) visit(watched);
  }
};

}  // namespace

struct Cluster::Impl {
  Impl(ClusterAccess access, ClusterOptions options_in, const base::Clock& clock, base::Logger log)
      : options(std::move(options_in)),
        client(std::move(access)),
        resources({options, client, clock, std::move(log)}) {}

  // constant after construction
  const ClusterOptions options;
  // own synchronisation
  ApiClient client;
  WithAllResources<WatchedResources> resources;
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
  std::vector<std::jthread> threads;
  impl_->resources.ForEach([&](auto& watched) {
    threads.emplace_back([&watched, stop] { static_cast<void>(watched.reflector.ListOnce(stop)); });
  });
}

void Cluster::Start() {
  impl_->resources.ForEach([&](auto& watched) {
    impl_->threads.emplace_back([&watched](std::stop_token stop) { watched.reflector.Run(stop); });
  });
}

void Cluster::Stop() {
  for (std::jthread& thread : impl_->threads) thread.request_stop();
  impl_->threads.clear();
}

std::shared_ptr<const ClusterState> Cluster::State() const {
  ClusterState::Parts parts;
  impl_->resources.ForEach([&]<class T>(const Watched<T>& watched) {
    parts.*ResourceOf<T>::kList = watched.cache.List();
    parts.health.push_back(watched.cache.health());
  });
  return std::make_shared<const ClusterState>(std::move(parts));
}

const ClusterAccess& Cluster::access() const { return impl_->client.access(); }

}  // namespace azexporter::kube
