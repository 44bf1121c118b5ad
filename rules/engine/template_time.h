#pragma once

// Go's time.Time and time.Duration, as far as templates make and print them. All times are UTC.
// Private to `rules`.
// Semantics: pkg.go.dev/time.
//
// Thread safety: values; pure functions.

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace azexporter::rules::text_template {

// Functions return pointers where Prometheus's do; Go prints and tests those in its own way.
struct Duration {
  std::int64_t ns = 0;
  bool is_pointer = false;
};

struct Time {
  std::int64_t seconds = 0;  // since the Unix epoch
  std::int32_t ns = 0;       // 0 to 999,999,999
  bool is_pointer = false;
};

// As on the clock and in the calendar.
struct CivilTime {
  std::int64_t year = 1970;
  int month = 1;  // 1 to 12
  int day = 1;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int weekday = 0;   // 0 is Sunday
  int year_day = 1;  // 1 to 366
};

// Years beyond a million are those of the nearest time within.
CivilTime ToCivil(Time time);
// Months and days may lie outside of their ranges: the 0th is the day before the first.
Time FromCivil(const CivilTime& civil, std::int32_t ns);

// Both stop at the first and last time or duration that there is.
Time Add(Time time, Duration duration);
Duration Subtract(Time later, Time earlier);
std::strong_ordering Compare(Time a, Time b);

std::string_view MonthName(std::int64_t month);      // "January" of 1
std::string_view WeekdayName(std::int64_t weekday);  // "Sunday" of 0

// time.Time.Format: "2006-01-02 15:04" stands for the year, the month, ...
std::string FormatTime(Time time, std::string_view layout);
// "2015-06-23 13:19:44.128 +0000 UTC"
std::string TimeText(Time time);
// "1h30m0s", "1.5ms", "0s"
std::string DurationText(Duration duration);

}  // namespace azexporter::rules::text_template
