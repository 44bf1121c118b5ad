#include "label_index.h"

namespace azexporter::zones {

void LabelIndex::Add(const kube::StringMap& labels, std::uint32_t number) {
  all_.emplace_back(&labels, number);
}

const LabelIndex::ByValue& LabelIndex::With(const std::string& key) {
  const auto [found, added] = by_key_.try_emplace(key);
  if (added) {
    for (const auto& [labels, number] : all_) {
      const std::string* value = kube::Find(*labels, key);
      if (value != nullptr) found->second[*value].push_back(number);
    }
  }
  return found->second;
}

const std::vector<std::uint32_t>* LabelIndex::Candidates(
    const kube::StringMap& pairs, std::span<const kube::Requirement> requirements) {
  static const std::vector<std::uint32_t> nobody;
  const std::vector<std::uint32_t>* fewest = nullptr;
  const auto demand = [&](const std::string& key, const std::string& value) {
    const ByValue& by_value = With(key);
    const auto found = by_value.find(value);
    const auto& having = found == by_value.end() ? nobody : found->second;
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
