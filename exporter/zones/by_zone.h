#pragma once

// Thread safety: a pure function.

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace azexporter::zones {

// What stands under `key`, put there where it is missing. No string is made for a key that is
// there.
template <class T>
T& At(std::map<std::string, T, std::less<>>& map, std::string_view key) {
  const auto found = map.find(key);
  return found != map.end() ? found->second : map[std::string(key)];
}

}  // namespace azexporter::zones
