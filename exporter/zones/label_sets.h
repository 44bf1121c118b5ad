#pragma once

// The pods of one namespace by their labels, so that a selector is asked once for all pods that
// have the same labels, and only for those that have one of the pairs it demands.
//
// Thread safety: immutable after construction.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "azexporter/kube/cluster_state.h"

namespace azexporter::zones {

struct LabelSet {
  const kube::StringMap* labels = nullptr;
  std::vector<const kube::Pod*> pods;
};

class LabelSets {
 public:
  // Takes the pods that are neither finished nor terminating: the only ones that the scheduler and
  // budgets count. The pods must outlive this.
  explicit LabelSets(std::span<const std::shared_ptr<const kube::Pod>> pods);

  const std::vector<LabelSet>& sets() const { return sets_; }
  std::vector<const LabelSet*> Matching(const kube::LabelSelector& selector) const;
  // An absent selector matches nothing.
  std::vector<const LabelSet*> Matching(const std::optional<kube::LabelSelector>& selector) const;

 private:
  using Pair = std::pair<std::string_view, std::string_view>;
  struct PairHash {
    std::size_t operator()(const Pair& pair) const;
  };

  std::vector<LabelSet> sets_;
  std::unordered_map<Pair, std::vector<std::uint32_t>, PairHash> by_pair_;
};

}  // namespace azexporter::zones
