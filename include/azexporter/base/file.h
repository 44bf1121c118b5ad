#pragma once

// Reading and replacing whole files.

#include <string>
#include <string_view>

#include "azexporter/base/result.h"

namespace azexporter::base {

// kUnavailable "PATH: No such file or directory". Reads "-" as standard input.
Result<std::string> ReadFile(const std::string& path);

// The other file seen from the folder of the first: absolute paths stay, relative ones are joined.
std::string RelativeTo(const std::string& file, const std::string& path);

}  // namespace azexporter::base
