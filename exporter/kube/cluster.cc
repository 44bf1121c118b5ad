#include "azexporter/kube/cluster.h"
#include "azexporter/base/text.h"

#include <thread>
#include <type_traits>

#include "azexporter/base/mutex.h"
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
ReflectorOptions ReflectorOptionsOf(const ClusterOptions& options, const std::string& ns) {
  ReflectorOptions result;
  result.path = PathOf<T>(ns);
  result.older_paths = OlderPathsOf<T>(ns);
  result.optional = ResourceOf<T>::kNeed == Need::kOptional;
  result.custom = kIsCustom<T>;
  result.min_backoff_ms = options.min_backoff_ms;
  result.list_timeout_ms = options.list_timeout_ms;
  if constexpr (std::is_same_v<T, ConfigMap>) {
    result.selectors = "fieldSelector=metadata.name%3D" + base::UrlEscape(options.config_map_name);
  }
  return result;
}

// The namespaces whose objects are watched one by one; "": all at once. Empty: the resource is not
// in use.
template <class T>
std::set<std::string> NamespacesOf(const ClusterOptions& options) {
  if constexpr (std::is_same_v<T, ConfigMap>) {
    if (options.config_map_name.empty()) return {};
    return {options.config_map_namespace};
  }
  if constexpr (std::is_same_v<T, NodeLease>) {
    if (!options.node_leases) return {};
    return {std::string(NodeLease::kNamespace)};
  }
  if (kIsCustom<T> && !options.custom_resources.contains(T::kResource)) return {};
  if (!kIsNamespaced<T> || options.namespaces.empty()) return {""};
  return options.namespaces;
}

// A cache and what keeps it current.
template <class T>
struct Followed {
  Followed(const ReflectorDeps& deps, const std::string& ns)
      : reflector(ReflectorOptionsOf<T>(deps.options, ns), deps.client, cache, deps.clock,
                  deps.log) {}

  ObjectCache<T> cache;    // own synchronisation
  Reflector<T> reflector;  // used by its own thread
};

// One resource.
template <class T>
class Watched {
 public:
  explicit Watched(const ReflectorDeps& deps) {
    for (const std::string& ns : NamespacesOf<T>(deps.options)) {
      followed_.push_back(std::make_unique<Followed<T>>(deps, ns));
    }
  }

  // Empty where the resource is not in use.
  const std::vector<std::unique_ptr<Followed<T>>>& followed() const { return followed_; }

  // The same pointer as long as nothing changed.
  SharedList<T> List() const {
    std::vector<SharedList<T>> parts;
    for (const auto& one : followed_) parts.push_back(one->cache.List());
    base::MutexLock lock(mu_);
    if (!list_ || parts != parts_) {
      list_ = JoinLists(parts);
      parts_ = std::move(parts);
    }
    return list_;
  }

  ResourceHealth health() const {
    std::vector<ResourceHealth> parts;
    for (const auto& one : followed_) parts.push_back(one->cache.health());
    return HealthOfAll(parts);
  }

 private:
  std::vector<std::unique_ptr<Followed<T>>> followed_;  // in order of namespaces; constant
  mutable base::Mutex mu_;
  mutable std::vector<SharedList<T>> parts_ AZX_GUARDED_BY(mu_);  // what `list_` was made of
  mutable SharedList<T> list_ AZX_GUARDED_BY(mu_);
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
    if (!watched.followed().empty()) visit(watched);
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
  base::Mutex mu;
  std::shared_ptr<const ClusterState> last AZX_GUARDED_BY(mu);  // that was given out
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
    for (const auto& one : watched.followed()) {
      threads.emplace_back(
          [&reflector = one->reflector, stop] { static_cast<void>(reflector.ListOnce(stop)); });
    }
  });
}

void Cluster::Start() {
  impl_->resources.ForEach([&](auto& watched) {
    for (const auto& one : watched.followed()) {
      impl_->threads.emplace_back(
          [&reflector = one->reflector](std::stop_token stop) { reflector.Run(stop); });
    }
  });
}

void Cluster::Stop() {
  for (std::jthread& thread : impl_->threads) thread.request_stop();
  impl_->threads.clear();
}

std::shared_ptr<const ClusterState> Cluster::State() const {
  ClusterState::Parts parts;
  parts.namespaces = impl_->options.namespaces;
  impl_->resources.ForEach([&]<class T>(const Watched<T>& watched) {
    parts.*ResourceOf<T>::kList = watched.List();
    parts.health.push_back(watched.health());
  });
  base::MutexLock lock(impl_->mu);
  impl_->last = std::make_shared<const ClusterState>(std::move(parts), impl_->last.get());
  return impl_->last;
}

const ClusterAccess& Cluster::access() const { return impl_->client.access(); }

}  // namespace azexporter::kube
