#include "civil_time.h"

#include <fmt/format.h>

namespace azexporter::promql {
namespace {

constexpr std::int64_t kSecondsPerDay = 86'400;
constexpr std::int64_t kDaysPerEra = 146'097;  // 400 years

std::int64_t FloorDiv(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

bool IsLeap(std::int64_t year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

}  // namespace

int DaysInMonth(std::int64_t year, int month) {
  if (month == 2) return IsLeap(year) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

// Years are counted from 1 March here, so that the leap day comes last; every fifth month of such a
// year begins 153 days after the one five months before.
CivilTime ToCivil(std::int64_t unix_seconds) {
  CivilTime civil;
  const std::int64_t days = FloorDiv(unix_seconds, kSecondsPerDay);
  const auto in_day = static_cast<int>(unix_seconds - days * kSecondsPerDay);
  civil.hour = in_day / 3600;
  civil.minute = in_day / 60 % 60;
  civil.second = in_day % 60;
  civil.weekday = static_cast<int>((days % 7 + 11) % 7);

  const std::int64_t since_era0 = days + 719'468;  // days from 1 March of year 0 to 1970
  const std::int64_t era = FloorDiv(since_era0, kDaysPerEra);
  const std::int64_t day_of_era = since_era0 - era * kDaysPerEra;
  const std::int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const auto day_of_march_year =
      static_cast<int>(day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100));
  const int march_month = (5 * day_of_march_year + 2) / 153;
  civil.day = day_of_march_year - (153 * march_month + 2) / 5 + 1;
  civil.month = march_month < 10 ? march_month + 3 : march_month - 9;
  civil.year = year_of_era + era * 400 + (civil.month <= 2 ? 1 : 0);
  civil.day_of_year = civil.day;
  for (int month = 1; month < civil.month; ++month) {
    civil.day_of_year += DaysInMonth(civil.year, month);
  }
  return civil;
}

std::string FormatRfc3339(model::TimestampMs t) {
  const CivilTime civil = ToCivil(FloorDiv(t, 1000));
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", civil.year, civil.month, civil.day,
                     civil.hour, civil.minute, civil.second);
}

}  // namespace azexporter::promql
