#include "azexporter/base/duration.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace azexporter::base {
namespace {

struct Unit {
  std::string_view suffix;
  std::int64_t ms;
  bool exact_only;  // printed only where it divides the rest, so that 90 minutes stay "1h30m"
};

constexpr std::array<Unit, 7> kUnits = {{
    {"y", 365LL * 24 * 3600 * 1000, true},
    {"w", 7LL * 24 * 3600 * 1000, true},
    {"d", 24LL * 3600 * 1000, false},
    {"h", 3600LL * 1000, false},
    {"m", 60LL * 1000, false},
    {"s", 1000, false},
    {"ms", 1, false},
}};

// Go's time.Duration counts nanoseconds in an int64.
constexpr std::int64_t kMaxMs = std::numeric_limits<std::int64_t>::max() / 1'000'000;

tl::unexpected<Error> NotADuration(std::string_view text) {
  return BadData("not a valid duration string: \"" + std::string(text) + "\"");
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

Result<std::int64_t> ParseDurationMs(std::string_view text) {
  if (text.empty()) return BadData("empty duration string");
  if (text == "0") return 0;
  std::int64_t total = 0;
  std::size_t next_unit = 0;
  std::size_t i = 0;
  while (i < text.size()) {
    if (!IsDigit(text[i])) return NotADuration(text);
    std::uint64_t count = 0;
    const auto [digits_end, error] =
        std::from_chars(text.data() + i, text.data() + text.size(), count);
    if (error != std::errc()) return NotADuration(text);
    i = static_cast<std::size_t>(digits_end - text.data());
    std::size_t end = i;
    while (end < text.size() && !IsDigit(text[end])) ++end;
    const std::string_view suffix = text.substr(i, end - i);
    if (suffix.empty()) return NotADuration(text);
    const auto* unit = std::ranges::find(kUnits, suffix, &Unit::suffix);
    if (unit == kUnits.end()) {
      return BadData(fmt::format("unknown unit \"{}\" in duration \"{}\"", suffix, text));
    }
    const auto order = static_cast<std::size_t>(unit - kUnits.begin());
    if (order < next_unit) return NotADuration(text);
    if (count > static_cast<std::uint64_t>((kMaxMs - total) / unit->ms)) {
      return BadData("duration out of range");
    }
    total += static_cast<std::int64_t>(count) * unit->ms;
    next_unit = order + 1;
    i = end;
  }
  return total;
}

std::string FormatDurationMs(std::int64_t ms) {
  if (ms == 0) return "0s";
  std::string text = ms < 0 ? "-" : "";
  std::uint64_t rest = ms < 0 ? 0 - static_cast<std::uint64_t>(ms) : static_cast<std::uint64_t>(ms);
  for (const Unit& unit : kUnits) {
    const auto size = static_cast<std::uint64_t>(unit.ms);
    if (rest < size || (unit.exact_only && rest % size != 0)) continue;
    text += std::to_string(rest / size);
    text += unit.suffix;
    rest %= size;
  }
  return text;
}

}  // namespace azexporter::base
