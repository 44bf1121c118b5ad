#pragma once

// A number of things in words.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace azexporter::base {

// "1 zone", "2 zones". `noun`: one that takes an s.
std::string CountText(std::int64_t count, std::string_view noun);
// "a, b, c and 4 more".
std::string SomeText(const std::vector<std::string>& all);

}  // namespace azexporter::base
