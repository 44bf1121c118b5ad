#include "label_sets.h"

#include <cstdint>
#include <string_view>

#include "azexporter/base/hash_index.h"

namespace azexporter::zones {
namespace {

std::uint64_t HashOf(const kube::StringMap& labels) {
  std::uint64_t hash = labels.size();
  for (const auto& [key, value] : labels) {
    hash = base::MixHash(base::MixHash(hash, base::HashText(key)), base::HashText(value));
  }
  return hash;
}

}  // namespace

LabelSets::LabelSets(const std::vector<SeenPod>& pods) {
  base::HashIndex index;
  std::uint32_t number = base::HashIndex::kNone;
  for (const SeenPod& seen : pods) {
    if (!seen.counted) continue;
    const kube::StringMap& labels = seen.pod->meta.labels;
    // In order of names, pods with the same labels stand together.
    if (number == base::HashIndex::kNone || sets_[number].labels != &labels) {
      const std::uint64_t hash = HashOf(labels);
      number = index.Find(hash, [&](std::uint32_t i) { return *sets_[i].labels == labels; });
      if (number == base::HashIndex::kNone) {
        number = static_cast<std::uint32_t>(sets_.size());
        index.Insert(hash, number);
        sets_.push_back({&labels, {}});
        index_.Add(labels, number);
      }
    }
    sets_[number].pods.push_back(&seen);
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
