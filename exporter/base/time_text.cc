#include "azexporter/base/time_text.h"

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <cmath>
#include <optional>

#include "azexporter/base/float_format.h"

namespace azexporter::base {
namespace {

// Takes exactly `digits` digits from the front.
std::optional<int> TakeDigits(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return std::nullopt;
  int value = 0;
  const auto [ptr, error] = std::from_chars(text.data(), text.data() + digits, value);
  if (error != std::errc() || ptr != text.data() + digits || text[0] == '-') return std::nullopt;
  text.remove_prefix(digits);
  return value;
}

bool Take(std::string_view& text, char c) {
  if (text.empty() || text[0] != c) return false;
  text.remove_prefix(1);
  return true;
}

// The digits behind a dot, as milliseconds; finer ones are dropped.
std::int64_t TakeFractionMs(std::string_view& text) {
  std::int64_t ms = 0;
  int count = 0;
  while (!text.empty() && text[0] >= '0' && text[0] <= '9') {
    if (count < 3) ms = ms * 10 + (text[0] - '0');
    ++count;
    text.remove_prefix(1);
  }
  for (; count < 3; ++count) ms *= 10;
  return ms;
}

std::optional<std::int64_t> ParseRfc3339(std::string_view text) {
  const auto year = TakeDigits(text, 4);
  if (!year || !Take(text, '-')) return std::nullopt;
  const auto month = TakeDigits(text, 2);
  if (!month || !Take(text, '-')) return std::nullopt;
  const auto day = TakeDigits(text, 2);
  if (!day || !Take(text, 'T')) return std::nullopt;
  const auto hour = TakeDigits(text, 2);
  if (!hour || !Take(text, ':')) return std::nullopt;
  const auto minute = TakeDigits(text, 2);
  if (!minute || !Take(text, ':')) return std::nullopt;
  const auto second = TakeDigits(text, 2);
  if (!second) return std::nullopt;
  const std::int64_t fraction_ms = Take(text, '.') ? TakeFractionMs(text) : 0;
  std::int64_t offset_minutes = 0;
  if (!Take(text, 'Z')) {
    const int sign = Take(text, '-') ? -1 : Take(text, '+') ? 1 : 0;
    const auto offset_hour = TakeDigits(text, 2);
    if (sign == 0 || !offset_hour || !Take(text, ':')) return std::nullopt;
    const auto offset_minute = TakeDigits(text, 2);
    if (!offset_minute) return std::nullopt;
    offset_minutes = sign * (*offset_hour * 60 + *offset_minute);
  }
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!text.empty() || !date.ok() || *hour > 23 || *minute > 59 || *second > 60)
    return std::nullopt;
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  const std::int64_t minutes = (days * 24 + *hour) * 60 + *minute - offset_minutes;
  return (minutes * 60 + *second) * 1000 + fraction_ms;
}

}  // namespace

std::string FormatRfc3339(std::int64_t ms) {
  const std::chrono::sys_time<std::chrono::milliseconds> when{std::chrono::milliseconds(ms)};
  const auto day = std::chrono::floor<std::chrono::days>(when);
  const std::chrono::year_month_day date(day);
  const std::int64_t in_day = (when - day).count();
  std::string text =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  in_day / 3'600'000, in_day / 60'000 % 60, in_day / 1000 % 60);
  if (in_day % 1000 != 0) text += fmt::format(".{:03}", in_day % 1000);
  return text + "Z";
}

Result<std::int64_t> ParseTimeMs(std::string_view text) {
  if (auto seconds = ParseFloat(text)) {
    // Far beyond the year 9999, and still exact as a double.
    constexpr double kMostSeconds = 1e12;
    if (std::fabs(*seconds) <= kMostSeconds) return std::llround(*seconds * 1000);
  } else if (auto ms = ParseRfc3339(text)) {
    return *ms;
  }
  return BadData("cannot parse \"" + std::string(text) + "\" to a valid timestamp");
}

}  // namespace azexporter::base
