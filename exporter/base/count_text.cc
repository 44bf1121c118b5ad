#include "azexporter/base/count_text.h"

#include <fmt/format.h>

namespace azexporter::base {

std::string CountText(std::int64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

}  // namespace azexporter::base
