#pragma once

// Reading and replacing whole files.

#include <string>
#include <string_view>
#include <vector>

#include "azexporter/base/result.h"

namespace azexporter::base {

// kUnavailable "PATH: No such file or directory". Reads "-" as standard input.
Result<std::string> ReadFile(const std::string& path);

// The other file seen from the folder of the first: absolute paths stay, relative ones are joined.
std::string RelativeTo(const std::string& file, const std::string& path);

// The paths that a shell pattern (*, ?, [...]) names, sorted; none where it matches nothing.
std::vector<std::string> Glob(const std::string& pattern);

}  // namespace azexporter::base
