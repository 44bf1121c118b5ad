#include "azexporter/app/thresholds.h"

#include <charconv>
#include <cmath>

namespace azexporter::app {
namespace {

std::optional<double> NumberOf(std::string_view text) {
  double number = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), number);
  if (end.ec != std::errc() || end.ptr != text.data() + text.size() || !std::isfinite(number)) {
    return std::nullopt;
  }
  return number;
}

base::Result<void> AddThreshold(std::string_view text, Thresholds& all) {
  const std::size_t equals = text.find('=');
  const std::string name(text.substr(0, equals));
  if (equals == std::string_view::npos || (name != kLagThreshold && name != kSkewThreshold)) {
    return base::BadData("expected lag=RANGE or skew=RANGE, got \"" + std::string(text) + "\"");
  }
  AZX_ASSIGN_OR_RETURN(ThresholdRange range, ParseThresholdRange(text.substr(equals + 1)));
  if (!all.emplace(name, std::move(range)).second) return base::BadData(name + " is given twice");
  return {};
}

}  // namespace

bool ThresholdRange::IsBad(double value) const {
  const bool within = value >= start && value <= end;
  return within == inside;
}

base::Result<ThresholdRange> ParseThresholdRange(std::string_view text) {
  const auto bad = [&] {
    return base::BadData("not a range like 30, 10:, ~:30, 10:20 or @10:20: \"" + std::string(text) +
                         "\"");
  };
  ThresholdRange range;
  range.text = text;
  std::string_view rest = text;
  if (rest.starts_with('@')) {
    range.inside = true;
    rest.remove_prefix(1);
  }
  const std::size_t colon = rest.find(':');
  std::string_view end = rest;
  if (colon != std::string_view::npos) {
    const std::string_view start = rest.substr(0, colon);
    end = rest.substr(colon + 1);
    const auto number = start == "~" ? -std::numeric_limits<double>::infinity() : NumberOf(start);
    if (!number) return bad();
    range.start = *number;
  }
  if (!(end.empty() && colon != std::string_view::npos)) {
    const auto number = NumberOf(end);
    if (!number) return bad();
    range.end = *number;
  }
  if (range.start > range.end) return bad();
  return range;
}

base::Result<Thresholds> ParseThresholds(const std::vector<std::string>& texts) {
  Thresholds all;
  for (const std::string& text : texts) {
    for (std::size_t begin = 0; begin <= text.size();) {
      const std::size_t comma = std::min(text.find(',', begin), text.size());
      AZX_RETURN_IF_ERROR(AddThreshold(std::string_view(text).substr(begin, comma - begin), all));
      begin = comma + 1;
    }
  }
  return all;
}

std::string ThresholdText(const Thresholds& thresholds, std::string_view name) {
  const auto found = thresholds.find(name);
  return found == thresholds.end() ? "" : found->second.text;
}

}  // namespace azexporter::app
