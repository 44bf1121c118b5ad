#pragma once

// The objects of one resource, kept current by a Reflector and read as immutable lists.
//
// Thread safety: thread-safe. One writer at a time.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "azexporter/base/mutex.h"
#include "azexporter/kube/cluster_state.h"

namespace azexporter::kube {

template <class T>
class ObjectCache {
 public:
  ObjectCache() { health_.resource = T::kResource; }

  // Puts the objects of a whole list in the place of what was there: what vanished is gone. One
  // that is equal to what was there stays the same object, so that a list after an outage does not
  // look as if all had changed.
  void Replace(Objects<T> objects) {
    const auto by_key = [](const auto& a, const auto& b) { return KeyOf(*a) < KeyOf(*b); };
    if (!std::is_sorted(objects.begin(), objects.end(), by_key)) {
      std::stable_sort(objects.begin(), objects.end(), by_key);
    }
    // A list in pages may tell an object twice; the later one is newer.
    objects.erase(objects.begin(),
                  std::unique(objects.rbegin(), objects.rend(), [](const auto& a, const auto& b) {
                    return KeyOf(*a) == KeyOf(*b);
                  }).base());
    base::MutexLock lock(mu_);
    KeepUnchanged(objects);
    const ObjectList<T> list(std::move(objects));
    chunks_.clear();
    for (const auto& chunk : list.chunks()) chunks_.push_back({chunk, nullptr});
    size_ = list.size();
    list_.reset();
    health_.synced = true;
  }

  void Upsert(Object<T> object) {
    base::MutexLock lock(mu_);
    list_.reset();
    const auto at = FindSlot(KeyOf(*object));
    if (at == chunks_.end() && chunks_.empty()) {
      auto own = std::make_shared<Chunk>(1, std::move(object));
      chunks_.push_back({own, own});
      ++size_;
      return;
    }
    const auto slot = at == chunks_.end() ? std::prev(at) : at;
    Chunk& chunk = slot->Own();
    const auto place = std::partition_point(
        chunk.begin(), chunk.end(), [&](const auto& o) { return KeyOf(*o) < KeyOf(*object); });
    if (place != chunk.end() && KeyOf(**place) == KeyOf(*object)) {
      *place = std::move(object);
      return;
    }
    chunk.insert(place, std::move(object));
    ++size_;
    if (chunk.size() > ObjectList<T>::kMostInChunk) {
      const auto middle = chunk.begin() + static_cast<std::ptrdiff_t>(chunk.size() / 2);
      auto second = std::make_shared<Chunk>(middle, chunk.end());
      chunk.erase(middle, chunk.end());
      chunks_.insert(std::next(slot), {second, second});
    }
  }

  void Remove(const T& object) {
    base::MutexLock lock(mu_);
    const auto slot = FindSlot(KeyOf(object));
    if (slot == chunks_.end()) return;
    const auto find = [&](const Chunk& chunk) {
      return std::partition_point(chunk.begin(), chunk.end(),
                                  [&](const auto& o) { return KeyOf(*o) < KeyOf(object); }) -
             chunk.begin();
    };
    const auto index = find(*slot->chunk);
    if (KeyOf(*(*slot->chunk)[static_cast<std::size_t>(index)]) != KeyOf(object)) return;
    list_.reset();
    --size_;
    Chunk& chunk = slot->Own();
    chunk.erase(chunk.begin() + index);
    if (chunk.empty()) chunks_.erase(slot);
  }

  // The objects in order of namespace and name. The same pointer as long as nothing changed.
  SharedList<T> List() const {
    base::MutexLock lock(mu_);
    if (!list_) {
      typename ObjectList<T>::Chunks chunks;
      chunks.reserve(chunks_.size());
      for (Slot& slot : chunks_) {
        slot.own = nullptr;  // from now on others read it
        chunks.push_back(slot.chunk);
      }
      list_ = std::make_shared<const ObjectList<T>>(std::move(chunks));
    }
    return list_;
  }

  std::size_t size() const {
    base::MutexLock lock(mu_);
    return size_;
  }
  ResourceHealth health() const {
    base::MutexLock lock(mu_);
    ResourceHealth health = health_;
    health.objects = size_;
    return health;
  }
  // `change` is called with the health under the cache's lock; it must not call back.
  template <class Change>
  void UpdateHealth(Change change) {
    base::MutexLock lock(mu_);
    change(health_);
  }

 private:
  using Chunk = typename ObjectList<T>::Chunk;
  struct Slot {
    std::shared_ptr<const Chunk> chunk;  // never empty
    std::shared_ptr<Chunk> own;          // the same, as long as no list has it

    // The chunk to change.
    Chunk& Own() {
      if (own == nullptr) {
        own = std::make_shared<Chunk>(*chunk);
        chunk = own;
      }
      return *own;
    }
  };
  using Slots = std::vector<Slot>;

  // The first chunk whose last object is not before the key.
  typename Slots::iterator FindSlot(const std::tuple<std::string_view, std::string_view>& key)
      AZX_REQUIRES(mu_) {
    return std::partition_point(chunks_.begin(), chunks_.end(),
                                [&](const Slot& slot) { return KeyOf(*slot.chunk->back()) < key; });
  }

  void KeepUnchanged(Objects<T>& objects) AZX_REQUIRES(mu_) {
    auto fresh = objects.begin();
    for (const Slot& slot : chunks_) {
      for (const Object<T>& known : *slot.chunk) {
        while (fresh != objects.end() && KeyOf(**fresh) < KeyOf(*known)) ++fresh;
        if (fresh == objects.end()) return;
        if (KeyOf(**fresh) == KeyOf(*known) && **fresh == *known) *fresh = known;
      }
    }
  }

  mutable base::Mutex mu_;
  mutable Slots chunks_ AZX_GUARDED_BY(mu_);
  std::size_t size_ AZX_GUARDED_BY(mu_) = 0;
  mutable SharedList<T> list_ AZX_GUARDED_BY(mu_);
  ResourceHealth health_ AZX_GUARDED_BY(mu_);
};

}  // namespace azexporter::kube
