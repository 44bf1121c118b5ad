#pragma once

// AZX_CHECK(condition, "why"): ends the program, in every build, when a programmer's assumption is
// broken. User input, network bytes and configuration can never reach one.

#include <string_view>

namespace azexporter::base {

[[noreturn]] void CheckFailed(std::string_view file, int line, std::string_view condition,
                              std::string_view why);

}  // namespace azexporter::base

#define AZX_CHECK(condition, why)                                                           \
  do {                                                                                      \
    if (!(condition)) ::azexporter::base::CheckFailed(__FILE__, __LINE__, #condition, why); \
  } while (false)
