#include "label_sets.h"

#include <cstdint>
#include <string_view>

#include "azexporter/base/hash_index.h"

namespace azexporter::zones {
namespace {

// Of the values: pods of one namespace have mostly the same keys.
std::uint64_t HashOf(const kube::StringMap& labels) {
  std::uint64_t hash = labels.size();
  for (const auto& [key, value] : labels) hash = base::MixHash(hash, base::HashText(value));
  return hash;
}

}  // namespace

LabelSets::LabelSets(const std::vector<PodRun>& runs) {
  base::HashIndex index;
  for (const PodRun& run : runs) {
    const kube::StringMap& labels = run.front().pod->meta.labels;
    const std::uint64_t hash = HashOf(labels);
    std::uint32_t number =
        index.Find(hash, [&](std::uint32_t i) { return *sets_[i].labels == labels; });
    if (number == base::HashIndex::kNone) {
      number = static_cast<std::uint32_t>(sets_.size());
      index.Insert(hash, number);
      sets_.push_back({&labels, {}});
      index_.Add(labels, number);
    }
    sets_[number].runs.push_back(run);
  }
}

std::vector<const LabelSet*> LabelSets::Matching(const kube::LabelSelector& selector) const {
  std::vector<const LabelSet*> matching;
  const auto* candidates = index_.Candidates(selector.match_labels, selector.requirements);
  // Candidates have the one pair that most selectors consist of.
  const bool sure =
      candidates != nullptr && selector.match_labels.size() + selector.requirements.size() == 1;
  const auto take = [&](const LabelSet& set) {
    if (sure || selector.Matches(*set.labels)) matching.push_back(&set);
  };
  if (candidates == nullptr) {
    for (const LabelSet& set : sets_) take(set);
  } else {
    matching.reserve(candidates->size());
    for (const std::uint32_t number : *candidates) take(sets_[number]);
  }
  return matching;
}

std::vector<const LabelSet*> LabelSets::Matching(
    const std::optional<kube::LabelSelector>& selector) const {
  return selector ? Matching(*selector) : std::vector<const LabelSet*>();
}

}  // namespace azexporter::zones
