#pragma once

// The PodSpecs in use, one for each content: pods of one template get the same object. The pool
// holds none of them alive; what nobody holds any more is forgotten now and then.
//
// Thread safety: one thread only. The specs it gives out are shared by all.

#include <cstddef>
#include <memory>
#include <unordered_map>

#include "azexporter/kube/pod_spec.h"

namespace azexporter::kube {

class PodSpecPool {
 public:
  // The one object with this content. Never null.
  std::shared_ptr<const PodSpec> Intern(PodSpec spec);

  // Entries, those included whose spec is gone: at most twice the specs that were alive at the last
  // sweep, or kSmallest.
  std::size_t size() const { return specs_.size(); }

  static constexpr std::size_t kSmallest = 1024;

 private:
  void Sweep();

  std::unordered_multimap<std::size_t, std::weak_ptr<const PodSpec>> specs_;  // by hash
  std::size_t sweep_at_ = kSmallest;
};

}  // namespace azexporter::kube
