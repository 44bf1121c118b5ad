#include "label_index.h"

#include "azexporter/base/hash_index.h"

namespace azexporter::zones {

std::size_t LabelIndex::PairHash::operator()(const Pair& pair) const {
  return base::MixHash(base::HashText(pair.first), base::HashText(pair.second));
}

void LabelIndex::Add(const kube::StringMap& labels, std::uint32_t number) {
  for (const auto& [key, value] : labels) by_pair_[{key, value}].push_back(number);
}

const std::vector<std::uint32_t>* LabelIndex::Candidates(
    const kube::StringMap& pairs, std::span<const kube::Requirement> requirements) const {
  static const std::vector<std::uint32_t> nobody;
  const std::vector<std::uint32_t>* fewest = nullptr;
  const auto demand = [&](std::string_view key, std::string_view value) {
    const auto found = by_pair_.find({key, value});
    const auto& having = found == by_pair_.end() ? nobody : found->second;
    if (fewest == nullptr || having.size() < fewest->size()) fewest = &having;
  };
  for (const auto& [key, value] : pairs) demand(key, value);
  for (const kube::Requirement& requirement : requirements) {
    if (requirement.op != kube::SelectorOp::kIn || requirement.values.size() != 1) continue;
    demand(requirement.key, requirement.values[0]);
  }
  return fewest;
}

}  // namespace azexporter::zones
