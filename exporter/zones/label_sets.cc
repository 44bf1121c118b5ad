#include "label_sets.h"

#include <cstdint>
#include <functional>
#include <string_view>

#include "azexporter/base/hash_index.h"
#include "azexporter/zones/workload_pods.h"

namespace azexporter::zones {
namespace {

std::uint64_t HashOf(const kube::StringMap& labels) {
  std::uint64_t hash = labels.size();
  const std::hash<std::string_view> of;
  for (const auto& [key, value] : labels) {
    hash = base::MixHash(base::MixHash(hash, of(key)), of(value));
  }
  return hash;
}

}  // namespace

LabelSets::LabelSets(std::span<const std::shared_ptr<const kube::Pod>> pods) {
  base::HashIndex index;
  for (const auto& pod : pods) {
    if (!IsCounted(*pod)) continue;
    const kube::StringMap& labels = pod->meta.labels;
    const std::uint64_t hash = HashOf(labels);
    std::uint32_t number =
        index.Find(hash, [&](std::uint32_t i) { return *sets_[i].labels == labels; });
    if (number == base::HashIndex::kNone) {
      number = static_cast<std::uint32_t>(sets_.size());
      index.Insert(hash, number);
      sets_.push_back({&labels, {}});
      index_.Add(labels, number);
    }
    sets_[number].pods.push_back(pod.get());
  }
}

std::vector<const LabelSet*> LabelSets::Matching(const kube::LabelSelector& selector) const {
  std::vector<const LabelSet*> matching;
  const auto take = [&](const LabelSet& set) {
    if (selector.Matches(*set.labels)) matching.push_back(&set);
  };
  const auto* candidates = index_.Candidates(selector.match_labels, selector.requirements);
  if (candidates == nullptr) {
    for (const LabelSet& set : sets_) take(set);
  } else {
    for (const std::uint32_t number : *candidates) take(sets_[number]);
  }
  return matching;
}

std::vector<const LabelSet*> LabelSets::Matching(
    const std::optional<kube::LabelSelector>& selector) const {
  return selector ? Matching(*selector) : std::vector<const LabelSet*>();
}

}  // namespace azexporter::zones
