#pragma once

// What fuzzing starts from: the queries, scripts and templates of the project's own tests and
// rules.

#include <string>
#include <string_view>
#include <vector>

namespace azexporter::fuzz {

// For the target of that name; sorted, each once.
std::vector<std::string> Seeds(std::string_view target);

// Words that the targets know, one or two of which a mutation puts in.
std::vector<std::string> Words();

}  // namespace azexporter::fuzz
