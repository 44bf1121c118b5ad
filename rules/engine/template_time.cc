#include "template_time.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>

namespace azexporter::rules::text_template {
namespace {

constexpr std::int64_t kNsASecond = 1'000'000'000;
constexpr std::int64_t kDaySeconds = 86'400;
constexpr std::int64_t kMostSeconds = kDaySeconds * 365 * 1'000'000;

constexpr std::array<std::string_view, 12> kMonths = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};
constexpr std::array<std::string_view, 7> kWeekdays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                       "Thursday", "Friday", "Saturday"};

std::int64_t FloorDivide(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

// Days since the epoch of a day of the Gregorian calendar. Source:
// howardhinnant.github.io/date_algorithms.html.
std::int64_t DaysOf(std::int64_t year, std::int64_t month, std::int64_t day) {
  year += FloorDivide(month - 1, 12);
  month = (month - 1) - FloorDivide(month - 1, 12) * 12 + 1;
  if (month <= 2) --year;
  const std::int64_t era = FloorDivide(year, 400);
  const std::int64_t year_of_era = year - era * 400;
  const std::int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146'097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
         719'468;
}

// ".128", or ",128": `places` digits, or up to as many without zeros at the end.
std::string Fraction(std::int32_t ns, char point, std::size_t places, bool trim) {
  std::string digits = fmt::format("{:09}", ns).substr(0, std::min<std::size_t>(places, 9));
  if (trim) digits.erase(digits.find_last_not_of('0') + 1);
  return digits.empty() ? "" : point + digits;
}

struct Moment {
  CivilTime civil;
  std::int32_t ns = 0;
};

// A piece of a layout and what it stands for.
struct Chunk {
  std::string_view layout;
  std::string (*text)(const Moment&);
};

template <class T>
std::string Padded(T value, int width) {
  return fmt::format("{:0{}}", value, width);
}
int Hour12(const Moment& t) { return t.civil.hour % 12 == 0 ? 12 : t.civil.hour % 12; }

// Where one begins with another, the longer stands first.
constexpr Chunk kChunks[] = {
    {"January", [](const Moment& t) { return std::string(MonthName(t.civil.month)); }},
    {"Jan", [](const Moment& t) { return std::string(MonthName(t.civil.month).substr(0, 3)); }},
    {"Monday", [](const Moment& t) { return std::string(WeekdayName(t.civil.weekday)); }},
    {"Mon", [](const Moment& t) { return std::string(WeekdayName(t.civil.weekday).substr(0, 3)); }},
    {"MST", [](const Moment&) { return std::string("UTC"); }},
    {"2006",
     [](const Moment& t) {
       return (t.civil.year < 0 ? "-" : "") + Padded(std::abs(t.civil.year), 4);
     }},
    {"_2006",
     [](const Moment& t) {
       return (t.civil.year < 0 ? "_-" : "_") + Padded(std::abs(t.civil.year), 4);
     }},
    {"01", [](const Moment& t) { return Padded(t.civil.month, 2); }},
    {"002", [](const Moment& t) { return Padded(t.civil.year_day, 3); }},
    {"02", [](const Moment& t) { return Padded(t.civil.day, 2); }},
    {"03", [](const Moment& t) { return Padded(Hour12(t), 2); }},
    {"04", [](const Moment& t) { return Padded(t.civil.minute, 2); }},
    {"05", [](const Moment& t) { return Padded(t.civil.second, 2); }},
    {"06", [](const Moment& t) { return Padded(std::abs(t.civil.year) % 100, 2); }},
    {"15", [](const Moment& t) { return Padded(t.civil.hour, 2); }},
    {"1", [](const Moment& t) { return std::to_string(t.civil.month); }},
    {"2", [](const Moment& t) { return std::to_string(t.civil.day); }},
    {"__2", [](const Moment& t) { return fmt::format("{:3}", t.civil.year_day); }},
    {"_2", [](const Moment& t) { return fmt::format("{:2}", t.civil.day); }},
    {"3", [](const Moment& t) { return std::to_string(Hour12(t)); }},
    {"4", [](const Moment& t) { return std::to_string(t.civil.minute); }},
    {"5", [](const Moment& t) { return std::to_string(t.civil.second); }},
    {"PM", [](const Moment& t) { return std::string(t.civil.hour >= 12 ? "PM" : "AM"); }},
    {"pm", [](const Moment& t) { return std::string(t.civil.hour >= 12 ? "pm" : "am"); }},
    {"-07:00:00", [](const Moment&) { return std::string("+00:00:00"); }},
    {"-070000", [](const Moment&) { return std::string("+000000"); }},
    {"-07:00", [](const Moment&) { return std::string("+00:00"); }},
    {"-0700", [](const Moment&) { return std::string("+0000"); }},
    {"-07", [](const Moment&) { return std::string("+00"); }},
    {"Z07:00:00", [](const Moment&) { return std::string("Z"); }},
    {"Z070000", [](const Moment&) { return std::string("Z"); }},
    {"Z07:00", [](const Moment&) { return std::string("Z"); }},
    {"Z0700", [](const Moment&) { return std::string("Z"); }},
    {"Z07", [](const Moment&) { return std::string("Z"); }},
};

const Chunk* FindChunk(std::string_view layout) {
  const auto found = std::find_if(std::begin(kChunks), std::end(kChunks), [&](const Chunk& chunk) {
    return layout.starts_with(chunk.layout);
  });
  if (found == std::end(kChunks)) return nullptr;
  // No month and no day in a longer word of small letters: "Janet", "Money".
  const bool short_name = found->layout == "Jan" || found->layout == "Mon";
  const bool longer = layout.size() > 3 && layout[3] >= 'a' && layout[3] <= 'z';
  return short_name && longer ? nullptr : found;
}

// The length of ".000" or ",999" at the front of a layout; 0 where there is none.
std::size_t FractionLength(std::string_view layout) {
  if (layout.size() < 2 || (layout[0] != '.' && layout[0] != ',')) return 0;
  if (layout[1] != '0' && layout[1] != '9') return 0;
  const std::size_t end = std::min(layout.find_first_not_of(layout[1], 1), layout.size());
  const bool more_digits = end < layout.size() && layout[end] >= '0' && layout[end] <= '9';
  return more_digits ? 0 : end;
}

}  // namespace

CivilTime ToCivil(Time time) {
  const std::int64_t seconds = std::clamp(time.seconds, -kMostSeconds, kMostSeconds);
  const std::int64_t days = FloorDivide(seconds, kDaySeconds);
  const auto of_day = static_cast<int>(seconds - days * kDaySeconds);
  const std::int64_t shifted = days + 719'468;
  const std::int64_t era = FloorDivide(shifted, 146'097);
  const std::int64_t day_of_era = shifted - era * 146'097;
  const std::int64_t year_of_era =
      (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const std::int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t month = (5 * day_of_year + 2) / 153;
  CivilTime civil;
  civil.month = static_cast<int>(month < 10 ? month + 3 : month - 9);
  civil.year = year_of_era + era * 400 + (civil.month <= 2 ? 1 : 0);
  civil.day = static_cast<int>(day_of_year - (153 * month + 2) / 5 + 1);
  civil.hour = of_day / 3600;
  civil.minute = of_day / 60 % 60;
  civil.second = of_day % 60;
  civil.weekday = static_cast<int>(days + 4 - FloorDivide(days + 4, 7) * 7);
  civil.year_day = static_cast<int>(days - DaysOf(civil.year, 1, 1)) + 1;
  return civil;
}

Time FromCivil(const CivilTime& civil, std::int32_t ns) {
  const std::int64_t days = DaysOf(civil.year, civil.month, civil.day);
  return {days * kDaySeconds + civil.hour * 3600 + civil.minute * 60 + civil.second, ns, false};
}

Time Add(Time time, Duration duration) {
  std::int64_t ns = time.ns + duration.ns % kNsASecond;
  std::int64_t carried = duration.ns / kNsASecond + FloorDivide(ns, kNsASecond);
  ns -= FloorDivide(ns, kNsASecond) * kNsASecond;
  std::int64_t seconds = 0;
  if (__builtin_add_overflow(time.seconds, carried, &seconds)) seconds = time.seconds;
  return {seconds, static_cast<std::int32_t>(ns), false};
}

Duration Subtract(Time later, Time earlier) {
  using Limits = std::numeric_limits<std::int64_t>;
  std::int64_t seconds = 0;
  std::int64_t ns = 0;
  if (__builtin_sub_overflow(later.seconds, earlier.seconds, &seconds) ||
      __builtin_mul_overflow(seconds, kNsASecond, &ns) ||
      __builtin_add_overflow(ns, std::int64_t{later.ns} - earlier.ns, &ns)) {
    return {later.seconds < earlier.seconds ? Limits::min() : Limits::max(), false};
  }
  return {ns, false};
}

std::strong_ordering Compare(Time a, Time b) {
  return a.seconds == b.seconds ? a.ns <=> b.ns : a.seconds <=> b.seconds;
}

std::string_view MonthName(std::int64_t month) {
  return month >= 1 && month <= 12 ? kMonths[static_cast<std::size_t>(month - 1)] : "";
}
std::string_view WeekdayName(std::int64_t weekday) {
  return weekday >= 0 && weekday < 7 ? kWeekdays[static_cast<std::size_t>(weekday)] : "";
}

std::string FormatTime(Time time, std::string_view layout) {
  const Moment moment{ToCivil(time), time.ns};
  std::string out;
  while (!layout.empty()) {
    if (const std::size_t length = FractionLength(layout); length > 0) {
      out += Fraction(time.ns, layout[0], length - 1, layout[1] == '9');
      layout.remove_prefix(length);
    } else if (const Chunk* chunk = FindChunk(layout)) {
      out += chunk->text(moment);
      layout.remove_prefix(chunk->layout.size());
    } else {
      out += layout[0];
      layout.remove_prefix(1);
    }
  }
  return out;
}

std::string TimeText(Time time) {
  return FormatTime(time, "2006-01-02 15:04:05.999999999 -0700 MST");
}

std::string DurationText(Duration duration) {
  if (duration.ns == 0) return "0s";
  const std::string sign = duration.ns < 0 ? "-" : "";
  const std::uint64_t ns = duration.ns < 0 ? 0 - static_cast<std::uint64_t>(duration.ns)
                                           : static_cast<std::uint64_t>(duration.ns);
  const auto in_unit = [&](std::uint64_t unit, std::size_t places, std::string_view name) {
    std::string fraction = fmt::format("{:0{}}", ns % unit, places).substr(0, places);
    fraction.erase(fraction.find_last_not_of('0') + 1);
    return fmt::format("{}{}{}{}{}", sign, ns / unit, fraction.empty() ? "" : ".", fraction, name);
  };
  if (ns < 1'000) return fmt::format("{}{}ns", sign, ns);
  if (ns < 1'000'000) return in_unit(1'000, 3, "µs");
  if (ns < 1'000'000'000) return in_unit(1'000'000, 6, "ms");
  const std::uint64_t seconds = ns / 1'000'000'000;
  std::string fraction = fmt::format("{:09}", ns % 1'000'000'000);
  fraction.erase(fraction.find_last_not_of('0') + 1);
  if (!fraction.empty()) fraction.insert(0, ".");
  std::string text = sign;
  if (seconds >= 3600) text += fmt::format("{}h", seconds / 3600);
  if (seconds >= 60) text += fmt::format("{}m", seconds / 60 % 60);
  return text + fmt::format("{}{}s", seconds % 60, fraction);
}

}  // namespace azexporter::rules::text_template
