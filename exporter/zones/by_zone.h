#pragma once

// What is counted by zone.
//
// Thread safety: values.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace azexporter::zones {

// What stands under `key`, put there where it is missing. No string is made for a key that is
// there.
template <class T>
T& At(std::map<std::string, T, std::less<>>& map, std::string_view key) {
  const auto found = map.find(key);
  return found != map.end() ? found->second : map[std::string(key)];
}

// By the zone's number while they are counted, by its name afterwards.
template <class T>
class ByZone {
 public:
  explicit ByZone(const std::vector<std::string_view>& zones)  // must outlive this
      : zones_(zones), values_(zones.size()) {}

  T& operator[](std::uint32_t zone) { return values_[zone]; }

  // Without the zones for which nothing was counted.
  std::map<std::string, T, std::less<>> ToMap() const {
    std::map<std::string, T, std::less<>> map;
    for (std::size_t i = 0; i < values_.size(); ++i) {
      if (!(values_[i] == T())) map.emplace(zones_[i], values_[i]);
    }
    return map;
  }

 private:
  const std::vector<std::string_view>& zones_;
  std::vector<T> values_;
};

}  // namespace azexporter::zones
