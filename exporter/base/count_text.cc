#include "azexporter/base/count_text.h"

#include <fmt/format.h>

#include <algorithm>

namespace azexporter::base {

std::string CountText(std::int64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string SomeText(const std::vector<std::string>& all) {
  constexpr std::size_t kMost = 3;
  std::string text;
  for (std::size_t i = 0; i < std::min(all.size(), kMost); ++i) {
    text += (i > 0 ? ", " : "") + all[i];
  }
  if (all.size() > kMost) text += fmt::format(" and {} more", all.size() - kMost);
  return text;
}

}  // namespace azexporter::base
