#pragma once

// The values in use that many objects have alike, one for each content: pods of one template get
// the same objects. A pool holds none of them alive; what nobody holds any more is forgotten now
// and then.
//
// Thread safety: one thread only. What a pool gives out is shared by all.

#include <algorithm>
#include <cstddef>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "azexporter/kube/object_meta.h"
#include "azexporter/kube/pod_spec.h"

namespace azexporter::kube {

// Equal for equal values; of a spec not every field is looked at.
std::size_t HashOf(const PodSpec& spec);
std::size_t HashOf(const StringMap& map);
std::size_t HashOf(const std::vector<Owner>& owners);

template <class T>
class ValuePool {
 public:
  // The one object with this content. Never null.
  std::shared_ptr<const T> Intern(T value) {
    const std::size_t hash = HashOf(value);
    const auto [first, last] = values_.equal_range(hash);
    for (auto entry = first; entry != last; ++entry) {
      if (auto known = entry->second.lock(); known && *known == value) return known;
    }
    if (values_.size() >= sweep_at_) Sweep();
    // Apart from its control block: a weak pointer would hold the memory of both.
    const std::shared_ptr<const T> fresh = std::make_unique<const T>(std::move(value));
    values_.emplace(hash, fresh);
    return fresh;
  }

  // Entries, those included whose value is gone: at most twice the values that were alive at the
  // last sweep, or kSmallest.
  std::size_t size() const { return values_.size(); }

  static constexpr std::size_t kSmallest = 1024;

 private:
  void Sweep() {
    std::erase_if(values_, [](const auto& entry) { return entry.second.expired(); });
    sweep_at_ = std::max(kSmallest, 2 * values_.size());
  }

  std::unordered_multimap<std::size_t, std::weak_ptr<const T>> values_;  // by hash
  std::size_t sweep_at_ = kSmallest;
};

struct ValuePools {
  ValuePool<PodSpec> specs;
  ValuePool<StringMap> labels;
  ValuePool<std::vector<Owner>> owners;
};

}  // namespace azexporter::kube
