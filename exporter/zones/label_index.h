#pragma once

// Numbers of things by the labels these have, so that a selector is asked only about those that
// have one of the pairs it demands.
//
// Thread safety: thread-compatible.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "azexporter/kube/object_meta.h"
#include "azexporter/kube/selectors.h"

namespace azexporter::zones {

class LabelIndex {
 public:
  // The labels must outlive this.
  void Add(const kube::StringMap& labels, std::uint32_t number);

  // Those that may have all the pairs and fulfil all the requirements, in the order in which they
  // were added; nullptr: any may.
  const std::vector<std::uint32_t>* Candidates(
      const kube::StringMap& pairs, std::span<const kube::Requirement> requirements) const;

 private:
  using Pair = std::pair<std::string_view, std::string_view>;
  struct PairHash {
    std::size_t operator()(const Pair& pair) const;
  };

  std::unordered_map<Pair, std::vector<std::uint32_t>, PairHash> by_pair_;
};

}  // namespace azexporter::zones
