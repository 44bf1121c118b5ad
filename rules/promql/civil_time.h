#pragma once

// The calendar in UTC, proleptic Gregorian.

#include <cstdint>
#include <string>

#include "azexporter/model/sample.h"

namespace azexporter::promql {

struct CivilTime {
  std::int64_t year = 1970;
  int month = 1;        // 1 to 12
  int day = 1;          // 1 to 31
  int weekday = 4;      // 0 is Sunday
  int day_of_year = 1;  // 1 to 366
  int hour = 0;
  int minute = 0;
  int second = 0;
};

CivilTime ToCivil(std::int64_t unix_seconds);
int DaysInMonth(std::int64_t year, int month);

// "2026-11-22T07:03:39Z".
std::string FormatRfc3339(model::TimestampMs t);

}  // namespace azexporter::promql
