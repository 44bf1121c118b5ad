#pragma once

// A number of things in words.

#include <cstdint>
#include <string>
#include <string_view>

namespace azexporter::base {

// "1 zone", "2 zones". `noun`: one that takes an s.
std::string CountText(std::int64_t count, std::string_view noun);

}  // namespace azexporter::base
