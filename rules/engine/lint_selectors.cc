// Selectors against the catalogue: names, labels and values that a metric never has.

#include <fmt/format.h>

#include <algorithm>

#include "lint_rule.h"

namespace azexporter::rules {
namespace {

using model::Matcher;
using model::MatchType;

std::string DidYouMean(std::string_view nearest) {
  return nearest.empty() ? "" : fmt::format("; do you mean {}?", nearest);
}

std::string Listed(std::span<const std::string_view> names) {
  std::string list;
  for (const std::string_view name : names) {
    list += (list.empty() ? "" : ", ") + std::string(name);
  }
  return list;
}

}  // namespace

void ExprLint::CheckSelector(const promql::VectorSelector& selector) {
  if (const auto why = promql::Contradiction(selector)) {
    Add(check::kNeverTrue, SeverityOfNothing(), selector.position(),
        fmt::format("The selector matches no series: {}.{}", *why, WhatFollows()));
    return;
  }
  const std::string_view name = promql::MetricNameOf(selector);
  if (name.empty() || knowledge_.IsRecorded(name)) return;
  const Catalogue& catalogue = knowledge_.catalogue();
  if (catalogue.Find(name) == nullptr) {
    // A name with a colon is that of a recording rule, which may be in another file.
    if (!Catalogue::IsOwnName(name) || name.find(':') != std::string_view::npos) return;
    const std::string_view nearest = catalogue.NearestName(name);
    const bool histogram = catalogue.Find(std::string(name) + "_bucket") != nullptr;
    Add(check::kUnknownMetric, Severity::kWarning, selector.position(),
        histogram ? fmt::format("{} is a histogram: its series are {}_bucket, {}_sum and {}_count.",
                                name, name, name, name)
                  : fmt::format("azexporter has no metric {}{}{}", name, DidYouMean(nearest),
                                nearest.empty() ? "." : ""));
    return;
  }
  for (const Matcher& matcher : selector.matchers) CheckMatcher(selector, matcher);
}

void ExprLint::CheckMatcher(const promql::VectorSelector& selector, const Matcher& matcher) {
  if (matcher.name() == model::kMetricName) return;
  const std::string_view name = promql::MetricNameOf(selector);
  const model::MetricDesc& family = *knowledge_.catalogue().Find(name);
  const Carries carries = knowledge_.catalogue().LabelOf(name, matcher.name());
  if (carries == Carries::kNo || carries == Carries::kUnlikely) {
    // Only whoever asks for the label to be there asks for nothing.
    const bool needs_it = !matcher.Matches("");
    const auto nearest = knowledge_.catalogue().NearestLabel(family, matcher.name());
    Add(check::kUnknownLabel, carries == Carries::kNo ? Severity::kWarning : Severity::kInfo,
        selector.position(),
        fmt::format("{} has no label {}{} Its labels: {}.{}", name, matcher.name(),
                    nearest.empty() ? "." : DidYouMean(nearest),
                    family.label_names.empty() ? "none" : Listed(family.label_names),
                    needs_it ? "" : " The matcher leaves nothing out."));
    return;
  }
  for (const model::LabelValues& closed : family.label_values) {
    if (closed.label == matcher.name()) CheckValue(selector, matcher, closed);
  }
}

void ExprLint::CheckValue(const promql::VectorSelector& selector, const Matcher& matcher,
                          const model::LabelValues& closed) {
  const std::string_view name = promql::MetricNameOf(selector);
  const auto passes = std::ranges::count_if(
      closed.values, [&](std::string_view value) { return matcher.Matches(value); });
  const std::string values = fmt::format("Its values: {}.", Listed(closed.values));
  if (passes == 0) {
    const auto nearest = Catalogue::Nearest(matcher.value(), closed.values);
    Add(check::kUnknownValue, SeverityOfNothing(), selector.position(),
        fmt::format("Label {} of {} is never {}: the selector matches no series{} {}{}",
                    matcher.name(), name, matcher.ToString().substr(matcher.name().size()),
                    nearest.empty() ? "." : DidYouMean(nearest), values, WhatFollows()));
    return;
  }
  const bool negative = matcher.type() == MatchType::kNotEqual;
  // The texts that it names one by one, none of which should be in vain.
  auto named = promql::ValuesOf(matcher);
  if (negative) named.emplace({matcher.value()});
  if (!named) return;
  for (const std::string& value : *named) {
    if (value.empty() || std::ranges::find(closed.values, value) != closed.values.end()) continue;
    const auto nearest = Catalogue::Nearest(value, closed.values);
    Add(check::kUnknownValue, Severity::kWarning, selector.position(),
        fmt::format("Label {} of {} is never \"{}\"{} {}{}", matcher.name(), name, value,
                    nearest.empty() ? "." : DidYouMean(nearest), values,
                    negative ? " The matcher leaves nothing out." : ""));
  }
}

}  // namespace azexporter::rules
