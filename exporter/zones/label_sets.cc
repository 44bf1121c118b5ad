#include "label_sets.h"

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

std::size_t LabelSets::PairHash::operator()(const Pair& pair) const {
  const std::hash<std::string_view> of;
  return base::MixHash(of(pair.first), of(pair.second));
}

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
      for (const auto& [key, value] : labels) by_pair_[{key, value}].push_back(number);
    }
    sets_[number].pods.push_back(pod.get());
  }
}

std::vector<const LabelSet*> LabelSets::Matching(const kube::LabelSelector& selector) const {
  std::vector<const LabelSet*> matching;
  const std::vector<std::uint32_t>* fewest = nullptr;
  const auto demand = [&](std::string_view key, std::string_view value) {
    const auto found = by_pair_.find({key, value});
    if (found == by_pair_.end()) return false;
    if (fewest == nullptr || found->second.size() < fewest->size()) fewest = &found->second;
    return true;
  };
  for (const auto& [key, value] : selector.match_labels) {
    if (!demand(key, value)) return matching;
  }
  for (const kube::Requirement& requirement : selector.requirements) {
    if (requirement.op != kube::SelectorOp::kIn || requirement.values.size() != 1) continue;
    if (!demand(requirement.key, requirement.values[0])) return matching;
  }
  const auto take = [&](const LabelSet& set) {
    if (selector.Matches(*set.labels)) matching.push_back(&set);
  };
  if (fewest == nullptr) {
    for (const LabelSet& set : sets_) take(set);
  } else {
    for (const std::uint32_t number : *fewest) take(sets_[number]);
  }
  return matching;
}

std::vector<const LabelSet*> LabelSets::Matching(
    const std::optional<kube::LabelSelector>& selector) const {
  return selector ? Matching(*selector) : std::vector<const LabelSet*>();
}

}  // namespace azexporter::zones
