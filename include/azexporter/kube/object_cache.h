#pragma once

// The objects of one resource, kept current by a Reflector and read as immutable lists.
//
// Thread safety: thread-safe. One writer at a time.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "azexporter/base/mutex.h"
#include "azexporter/kube/cluster_state.h"

namespace azexporter::kube {

template <class T>
class ObjectCache {
 public:
  ObjectCache() { health_.resource = T::kResource; }

  // Puts the objects of a whole list in the place of what was there: what vanished is gone.
  void Replace(std::vector<T> objects) {
    Map fresh;
    for (T& object : objects) {
      std::string key = Key(object);
      fresh.insert_or_assign(std::move(key), std::make_shared<const T>(std::move(object)));
    }
    base::MutexLock lock(mu_);
    objects_ = std::move(fresh);
    list_.reset();
    health_.synced = true;
    ++health_.lists;
  }

  void Upsert(T object) {
    std::string key = Key(object);
    auto shared = std::make_shared<const T>(std::move(object));
    base::MutexLock lock(mu_);
    objects_.insert_or_assign(std::move(key), std::move(shared));
    list_.reset();
  }

  void Remove(const T& object) {
    base::MutexLock lock(mu_);
    objects_.erase(Key(object));
    list_.reset();
  }

  // The objects in order of namespace and name. The same pointer as long as nothing changed.
  std::shared_ptr<const ObjectList<T>> List() const {
    base::MutexLock lock(mu_);
    if (!list_) {
      auto list = std::make_shared<ObjectList<T>>();
      list->reserve(objects_.size());
      for (const auto& [key, object] : objects_) list->push_back(object);
      list_ = std::move(list);
    }
    return list_;
  }

  ResourceHealth health() const {
    base::MutexLock lock(mu_);
    return health_;
  }
  // `change` is called with the health under the cache's lock; it must not call back.
  template <class Change>
  void UpdateHealth(Change change) {
    base::MutexLock lock(mu_);
    change(health_);
  }

 private:
  using Map = std::map<std::string, std::shared_ptr<const T>>;

  // '\0' sorts before every character of a name, so that keys sort as (namespace, name).
  static std::string Key(const T& object) { return object.meta.ns + '\0' + object.meta.name; }

  mutable base::Mutex mu_;
  Map objects_ AZX_GUARDED_BY(mu_);
  mutable std::shared_ptr<const ObjectList<T>> list_ AZX_GUARDED_BY(mu_);
  ResourceHealth health_ AZX_GUARDED_BY(mu_);
};

}  // namespace azexporter::kube
