#pragma once

// The checks of one rule. Private to `rules`.
//
// Thread safety: one thread only.

#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/promql/analysis.h"
#include "azexporter/rules/lint.h"

namespace azexporter::rules {

namespace check {
inline constexpr std::string_view kAlwaysTrue = "always-true";
inline constexpr std::string_view kDeltaOfCounter = "delta-of-counter";
inline constexpr std::string_view kLostLabel = "lost-label";
inline constexpr std::string_view kNeverMatches = "never-matches";
inline constexpr std::string_view kNeverTrue = "never-true";
inline constexpr std::string_view kQuantileWithoutLe = "quantile-without-le";
inline constexpr std::string_view kRateOfGauge = "rate-of-gauge";
inline constexpr std::string_view kTemplateLabel = "template-label";
inline constexpr std::string_view kUnknownLabel = "unknown-label";
inline constexpr std::string_view kUnknownMetric = "unknown-metric";
inline constexpr std::string_view kUnknownValue = "unknown-value";
inline constexpr std::string_view kValueInLabel = "value-in-label";
}  // namespace check

// Where an expression is wrong, and how.
struct ExprFinding {
  std::string_view name;
  Severity severity;
  promql::PositionRange position;
  std::string explanation;
};

// What is known of selectors: the catalogue, and what recording rules say of the names they record.
class Knowledge final : public promql::SelectorKnowledge {
 public:
  // `catalogue` must outlive this.
  explicit Knowledge(const Catalogue& catalogue) : catalogue_(catalogue) {}
  // Learns what the recording rules of the files record.
  void Learn(std::span<const LintedFile> files);

  promql::Facts FactsOf(const promql::VectorSelector& selector) const override;
  bool IsAmbient(std::string_view label) const override;

  const Catalogue& catalogue() const { return catalogue_; }
  bool IsRecorded(std::string_view name) const { return recorded_.contains(name); }

 private:
  promql::Facts RecordedBy(const Rule& rule) const;

  const Catalogue& catalogue_;
  std::map<std::string, promql::Facts, std::less<>> recorded_;
};

// lint_selectors.cc, lint_vectors.cc: what is wrong with the expression.
class ExprLint {
 public:
  // All must outlive this.
  ExprLint(const Rule& rule, const promql::Analysis& analysis, const Knowledge& knowledge,
           std::vector<ExprFinding>& out)
      : rule_(rule), analysis_(analysis), knowledge_(knowledge), out_(out) {}

  void Check() { Visit(*rule_.expr); }

 private:
  void Visit(const promql::Expr& expr);
  void CheckSelector(const promql::VectorSelector& selector);
  void CheckMatcher(const promql::VectorSelector& selector, const model::Matcher& matcher);
  void CheckValue(const promql::VectorSelector& selector, const model::Matcher& matcher,
                  const model::LabelValues& closed);
  void CheckCall(const promql::CallExpr& call);
  void CheckQuantile(const promql::CallExpr& call);
  void CheckAggregate(const promql::AggregateExpr& aggregate);
  void CheckBinary(const promql::BinaryExpr& binary);
  void CheckLonelyLabel(const promql::BinaryExpr& binary, const std::string& label);
  void CheckMatchingLabels(const promql::BinaryExpr& binary);
  // A label that is asked for by `by`, `on` or `group_left`.
  void CheckAskedLabel(std::string_view keyword, const std::string& label,
                       std::span<const promql::Expr* const> inputs,
                       const promql::PositionRange& position);
  void Add(std::string_view name, Severity severity, const promql::PositionRange& position,
           std::string explanation);
  // What a part without a result means for the whole.
  std::string WhatFollows() const;
  Severity SeverityOfNothing() const;

  const Rule& rule_;
  const promql::Analysis& analysis_;
  const Knowledge& knowledge_;
  std::vector<ExprFinding>& out_;
};

// A use of $labels.NAME or $value in a template.
struct TemplateUse {
  std::string name;        // of the label; "" for the value
  std::size_t offset = 0;  // in the template
};
// What a template prints: not what it only tests in {{ if }}, nor labels that it tests anywhere.
std::vector<TemplateUse> PrintedBy(std::string_view text);

}  // namespace azexporter::rules
