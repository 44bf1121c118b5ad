#include "azexporter/base/byte_size.h"

#include <charconv>

namespace azexporter::base {

Result<std::uint64_t> ParseByteSize(std::string_view text) {
  constexpr std::string_view kUnits[] = {"B", "KB", "MB", "GB", "TB", "PB", "EB"};
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  const auto bad = [&](std::string_view why) {
    return BadData("not a size: \"" + std::string(text) + "\", " + std::string(why));
  };
  if (error != std::errc()) return bad("expected a number and a unit, like 512MB");
  if (number == 0 && unit.empty()) return std::uint64_t{0};
  std::uint64_t factor = 1;
  for (std::string_view known : kUnits) {
    if (unit == known) {
      if (number > (std::uint64_t{1} << 62) / factor) return bad("too large");
      return number * factor;
    }
    factor *= 1024;
  }
  return bad("its unit must be one of B, KB, MB, GB, TB, PB, EB");
}

}  // namespace azexporter::base
