#include "azexporter/kube/object_meta.h"

#include <algorithm>

namespace azexporter::kube {

const std::string* Find(const StringMap& map, std::string_view key) {
  const auto found =
      std::lower_bound(map.begin(), map.end(), key,
                       [](const auto& entry, std::string_view k) { return entry.first < k; });
  return found != map.end() && found->first == key ? &found->second : nullptr;
}

std::string_view Lookup(const StringMap& map, std::string_view key) {
  const std::string* found = Find(map, key);
  return found == nullptr ? std::string_view() : std::string_view(*found);
}

bool MatchesLabels(const StringMap& labels, const StringMap& selector) {
  return std::all_of(selector.begin(), selector.end(), [&](const auto& want) {
    const std::string* found = Find(labels, want.first);
    return found != nullptr && *found == want.second;
  });
}

const Owner* ControllerOf(const std::vector<Owner>& owners) {
  const auto found = std::find_if(owners.begin(), owners.end(),
                                  [](const Owner& owner) { return owner.controller; });
  return found == owners.end() ? nullptr : &*found;
}

}  // namespace azexporter::kube
