#include "domain_counts.h"

#include <algorithm>

namespace azexporter::zones {

std::int64_t DomainCounts::Of(std::uint32_t domain) const {
  const auto found = std::lower_bound(
      counts_.begin(), counts_.end(), domain,
      [](const auto& count, std::uint32_t wanted) { return count.first < wanted; });
  return found != counts_.end() && found->first == domain ? found->second : 0;
}

void DomainCounts::Add(std::uint32_t domain) {
  const auto found = std::lower_bound(
      counts_.begin(), counts_.end(), domain,
      [](const auto& count, std::uint32_t wanted) { return count.first < wanted; });
  if (found == counts_.end() || found->first != domain) {
    counts_.insert(found, {domain, 1});
    least_ = -1;
  } else if (found->second++ == least_) {
    least_ = -1;
  }
}

std::int64_t DomainCounts::Least(std::int64_t domains) const {
  if (static_cast<std::int64_t>(counts_.size()) < domains || counts_.empty()) return 0;
  if (least_ < 0) {
    least_ = std::min_element(counts_.begin(), counts_.end(), [](const auto& a, const auto& b) {
               return a.second < b.second;
             })->second;
  }
  return least_;
}

}  // namespace azexporter::zones
