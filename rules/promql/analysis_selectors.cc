// What the matchers of a selector say by themselves.

#include <algorithm>

#include "azexporter/promql/analysis.h"

namespace azexporter::promql {

using model::Matcher;
using model::MatchType;

std::string_view MetricNameOf(const VectorSelector& selector) {
  for (const Matcher& matcher : selector.matchers) {
    if (matcher.name() == model::kMetricName && matcher.type() == MatchType::kEqual) {
      return matcher.value();
    }
  }
  return {};
}

std::optional<std::set<std::string>> ValuesOf(const Matcher& matcher) {
  if (matcher.type() == MatchType::kEqual) return std::set<std::string>{matcher.value()};
  if (matcher.type() != MatchType::kRegexp) return std::nullopt;
  const std::string& text = matcher.value();
  const auto is_plain = [](char c) {
    return std::string_view("\\.+*?()[]{}^$").find(c) == std::string_view::npos;
  };
  if (!std::ranges::all_of(text, is_plain)) return std::nullopt;
  std::set<std::string> values;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find('|', start), text.size());
    values.insert(text.substr(start, end - start));
    start = end + 1;
  }
  return values;
}

std::optional<std::string> Contradiction(const VectorSelector& selector) {
  for (const Matcher& one : selector.matchers) {
    const auto values = ValuesOf(one);
    if (!values) continue;
    for (const Matcher& other : selector.matchers) {
      if (&one == &other || one.name() != other.name()) continue;
      const bool any =
          std::ranges::any_of(*values, [&](const std::string& v) { return other.Matches(v); });
      if (!any) return "no value is both " + one.ToString() + " and " + other.ToString();
    }
  }
  return std::nullopt;
}

}  // namespace azexporter::promql
