#pragma once

// -w and -c: when a number that --check measures is bad, in the ranges of monitoring plugins.
// Semantics: monitoring-plugins.org/doc/guidelines.html#THRESHOLDFORMAT.
//
// Thread safety: values.

#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/base/result.h"

namespace azexporter::app {

// "10": bad below 0 and above 10; "10:" below 10; "~:10" above 10; "10:20" outside; "@10:20"
// inside. Both ends belong to the range.
struct ThresholdRange {
  double start = 0;
  double end = std::numeric_limits<double>::infinity();
  bool inside = false;  // bad inside rather than outside
  std::string text;     // as it was given

  bool IsBad(double value) const;
  bool operator==(const ThresholdRange&) const = default;
};
base::Result<ThresholdRange> ParseThresholdRange(std::string_view text);

// The numbers that have thresholds.
inline constexpr std::string_view kLagThreshold = "lag";  // seconds, of each standby
inline constexpr std::string_view kSkewThreshold =
    "skew";  // the largest over zones of any workload

// By the number's name.
using Thresholds = std::map<std::string, ThresholdRange, std::less<>>;
// Of texts like "lag=30,skew=2". kBadData for a name that is not known or given twice.
base::Result<Thresholds> ParseThresholds(const std::vector<std::string>& texts);

// The range as perfdata writes it; "" where there is none.
std::string ThresholdText(const Thresholds& thresholds, std::string_view name);

}  // namespace azexporter::app
