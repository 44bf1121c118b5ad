#pragma once

// Gzip in one go, for the bodies of HTTP answers.

#include <string>
#include <string_view>

namespace azexporter::base {

// `level`: 1 (fast) to 9 (small). Empty when zlib has no memory for it.
std::string Gzip(std::string_view text, int level);

}  // namespace azexporter::base
