// The humanize functions of templates.
// Semantics: prometheus/template/template.go, prometheus/common/helpers/templates.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "azexporter/rules/template.h"

namespace azexporter::rules {
namespace {

constexpr std::string_view kSmallPrefixes = "munpfazy";

// %.4g, as Prometheus's humanize functions print.
std::string FourDigits(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{:.4g}", value);
}

// `unit` follows each of the large prefixes: the i of Mi.
std::string Scaled(double value, double factor, std::string_view small, std::string_view unit) {
  constexpr std::string_view kLarge = "kMGTPEZY";
  if (value == 0 || !std::isfinite(value)) return FourDigits(value);
  std::string_view prefix;
  if (std::fabs(value) < 1) {
    for (std::size_t i = 0; i < small.size() && std::fabs(value) < 1; ++i) {
      prefix = small.substr(i, 1);
      value *= factor;
    }
    return FourDigits(value).append(prefix);
  }
  for (std::size_t i = 0; i < kLarge.size() && std::fabs(value) >= factor; ++i) {
    prefix = kLarge.substr(i, 1);
    value /= factor;
  }
  std::string text = FourDigits(value);
  if (!prefix.empty()) text.append(prefix).append(unit);
  return text;
}

}  // namespace

std::string Humanize(double value) { return Scaled(value, 1000, kSmallPrefixes, ""); }

std::string Humanize1024(double value) { return Scaled(value, 1024, "", "i"); }

std::string HumanizeDuration(double seconds) {
  if (!std::isfinite(seconds)) return FourDigits(seconds);
  if (seconds == 0) return "0s";
  const std::string sign = seconds < 0 ? "-" : "";
  const double magnitude = std::fabs(seconds);
  if (magnitude < 1) return Scaled(seconds, 1000, kSmallPrefixes, "") + "s";
  if (magnitude < 60) return FourDigits(seconds) + "s";
  constexpr double kMost = 9e18;
  const auto whole = static_cast<std::int64_t>(std::min(magnitude, kMost));
  const std::int64_t days = whole / 86400;
  const std::int64_t hours = whole / 3600 % 24;
  const std::int64_t minutes = whole / 60 % 60;
  if (days > 0) return fmt::format("{}{}d {}h {}m {}s", sign, days, hours, minutes, whole % 60);
  if (hours > 0) return fmt::format("{}{}h {}m {}s", sign, hours, minutes, whole % 60);
  return fmt::format("{}{}m {}s", sign, minutes, whole % 60);
}

std::string HumanizePercentage(double ratio) { return FourDigits(ratio * 100) + "%"; }

}  // namespace azexporter::rules
