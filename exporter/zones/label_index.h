#pragma once

// Numbers of things by the labels these have, so that a selector is asked only about those that
// have one of the pairs it demands. A key is indexed when it is first demanded: most never are.
//
// Thread safety: one thread only.

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "azexporter/kube/object_meta.h"
#include "azexporter/kube/selectors.h"

namespace azexporter::zones {

class LabelIndex {
 public:
  // The labels must outlive this. REQUIRES: Candidates was not called yet.
  void Add(const kube::StringMap& labels, std::uint32_t number);

  // Those that may have all the pairs and fulfil all the requirements, in the order in which they
  // were added; nullptr: any may. The vector stays valid.
  const std::vector<std::uint32_t>* Candidates(const kube::StringMap& pairs,
                                               std::span<const kube::Requirement> requirements);

 private:
  using ByValue = std::unordered_map<std::string_view, std::vector<std::uint32_t>>;

  const ByValue& With(const std::string& key);

  std::vector<std::pair<const kube::StringMap*, std::uint32_t>> all_;
  std::map<std::string, ByValue, std::less<>> by_key_;
};

}  // namespace azexporter::zones
