#pragma once

// How many pods of a tally are in each domain.
//
// Thread safety: thread-compatible; Least remembers its answer: one thread only.

#include <cstdint>
#include <utility>
#include <vector>

namespace azexporter::zones {

// Few domains have any, hence a list of those.
class DomainCounts {
 public:
  // `pods_by_domain`: sorted by domain.
  explicit DomainCounts(std::vector<std::pair<std::uint32_t, std::int64_t>> pods_by_domain)
      : counts_(std::move(pods_by_domain)) {}

  std::int64_t Of(std::uint32_t domain) const;
  void Add(std::uint32_t domain);
  bool empty() const { return counts_.empty(); }
  // Of so many domains, which include all that have a pod.
  std::int64_t Least(std::int64_t domains) const;

 private:
  std::vector<std::pair<std::uint32_t, std::int64_t>> counts_;
  mutable std::int64_t least_ = -1;  // of counts_; -1: not known
};

}  // namespace azexporter::zones
