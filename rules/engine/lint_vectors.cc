// What operators, aggregations and functions make of vectors, by the algebra of PromQL.

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "azexporter/promql/functions.h"
#include "azexporter/promql/printer.h"
#include "lint_rule.h"

namespace azexporter::rules {
namespace {

using promql::As;
using promql::Expr;
using promql::ExprKind;
using promql::Outcome;

bool IsAmong(std::string_view name, std::span<const std::string_view> names) {
  return std::ranges::find(names, name) != names.end();
}

// The first character in upper case, where a sentence begins with it.
std::string Sentence(std::string text) {
  if (!text.empty() && text.front() >= 'a' && text.front() <= 'z') {
    text.front() = static_cast<char>(text.front() - 'a' + 'A');
  }
  return text + ".";
}

const promql::VectorSelector* SelectorOf(const Expr& expr) {
  const Expr& inner = promql::Unwrap(expr);
  if (inner.kind() == ExprKind::kVectorSelector) return &As<promql::VectorSelector>(inner);
  if (inner.kind() == ExprKind::kMatrixSelector) {
    return As<promql::MatrixSelector>(inner).selector.get();
  }
  return nullptr;
}

// Whether every series below is a bucket of a classic histogram.
bool AllBuckets(const Expr& expr) {
  if (const auto* selector = SelectorOf(expr)) {
    return promql::MetricNameOf(*selector).ends_with("_bucket");
  }
  const auto children = promql::Children(expr);
  bool any = false;
  for (const Expr* child : children) {
    if (child->type() == promql::ValueType::kScalar ||
        child->type() == promql::ValueType::kString) {
      continue;
    }
    any = true;
    if (!AllBuckets(*child)) return false;
  }
  return any;
}

bool HasFilter(const Expr& expr) {
  if (expr.kind() == ExprKind::kBinary) {
    const auto& binary = As<promql::BinaryExpr>(expr);
    if (promql::IsComparison(binary.op) && !binary.return_bool) return true;
  }
  return std::ranges::any_of(promql::Children(expr),
                             [](const Expr* child) { return HasFilter(*child); });
}

bool HasCount(const Expr& expr) {
  constexpr std::array<std::string_view, 4> kFunctions = {"absent", "absent_over_time",
                                                          "count_over_time", "present_over_time"};
  if (expr.kind() == ExprKind::kCall &&
      IsAmong(As<promql::CallExpr>(expr).function.name, kFunctions)) {
    return true;
  }
  if (expr.kind() == ExprKind::kAggregate) {
    const auto op = As<promql::AggregateExpr>(expr).op;
    if (op == promql::AggregateOp::kCount || op == promql::AggregateOp::kGroup) return true;
  }
  return std::ranges::any_of(promql::Children(expr),
                             [](const Expr* child) { return HasCount(*child); });
}

// `count(x) > 0` is a way to ask whether there is any x. Only where what is counted has passed a
// filter may somebody have meant to ask how many.
bool AsksWhetherThereIsAny(const promql::BinaryExpr& binary) {
  return HasCount(*binary.lhs) && !HasFilter(*binary.lhs);
}

// "`> 2`"; of a long side only the operator.
std::string Named(const promql::BinaryExpr& binary) {
  constexpr std::size_t kMost = 30;
  const std::string op(promql::BinaryOpText(binary.op));
  const std::string right = promql::Print(*binary.rhs);
  if (binary.rhs->type() == promql::ValueType::kScalar && right.size() < kMost) {
    return "`" + op + " " + right + "`";
  }
  const std::string left = promql::Print(*binary.lhs);
  if (binary.lhs->type() == promql::ValueType::kScalar && left.size() < kMost) {
    return "`" + left + " " + op + "`";
  }
  return "`" + op + "`";
}

std::string_view WhatAlwaysMeans(const promql::BinaryExpr& binary) {
  if (binary.return_bool) return "The result is always 1.";
  if (HasCount(*binary.lhs) && HasFilter(*binary.lhs)) {
    return "So it leaves nothing out, and one series that passes the comparison inside is enough.";
  }
  return "So it leaves nothing out.";
}

}  // namespace

void ExprLint::Add(std::string_view name, Severity severity, const promql::PositionRange& position,
                   std::string explanation) {
  out_.push_back({name, severity, position, std::move(explanation)});
}

std::string ExprLint::WhatFollows() const {
  if (!analysis_.of(*rule_.expr).never) return "";
  return rule_.kind == RuleKind::kAlerting ? " The alert can never fire."
                                           : " The rule never records anything.";
}

Severity ExprLint::SeverityOfNothing() const {
  return analysis_.of(*rule_.expr).never ? Severity::kError : Severity::kWarning;
}

void ExprLint::Visit(const Expr& expr) {
  for (const Expr* child : promql::Children(expr)) Visit(*child);
  switch (expr.kind()) {
    case ExprKind::kAggregate:
      return CheckAggregate(As<promql::AggregateExpr>(expr));
    case ExprKind::kBinary:
      return CheckBinary(As<promql::BinaryExpr>(expr));
    case ExprKind::kCall:
      return CheckCall(As<promql::CallExpr>(expr));
    case ExprKind::kVectorSelector:
      return CheckSelector(As<promql::VectorSelector>(expr));
    case ExprKind::kMatrixSelector:
    case ExprKind::kNumber:
    case ExprKind::kParen:
    case ExprKind::kString:
    case ExprKind::kSubquery:
    case ExprKind::kUnary:
      return;
  }
}

void ExprLint::CheckCall(const promql::CallExpr& call) {
  constexpr std::array<std::string_view, 3> kOfCounters = {"increase", "irate", "rate"};
  constexpr std::array<std::string_view, 4> kOfGauges = {"delta", "deriv", "idelta",
                                                         "predict_linear"};
  const std::string_view function = call.function.name;
  if (function == "histogram_quantile") return CheckQuantile(call);
  if (function == "absent" || function == "absent_over_time") {
    if (!analysis_.of(call).never) return;
    Add(check::kNeverTrue, SeverityOfNothing(), call.position(),
        fmt::format("`{}` of something that is always there returns nothing.{}", function,
                    WhatFollows()));
    return;
  }
  if (call.args.empty()) return;
  const auto* selector = SelectorOf(*call.args.front());
  if (selector == nullptr) return;
  const std::string_view name = promql::MetricNameOf(*selector);
  if (name.empty() || knowledge_.IsRecorded(name)) return;
  if (IsAmong(function, kOfCounters) && knowledge_.catalogue().IsGauge(name)) {
    Add(check::kRateOfGauge, Severity::kError, call.position(),
        fmt::format("{} is a gauge: `{}` takes each fall of it for a restart of a counter. Use "
                    "`delta` or `deriv`, or compare it with its `offset`.",
                    name, function));
  }
  if (IsAmong(function, kOfGauges) && knowledge_.catalogue().IsCounter(name)) {
    Add(check::kDeltaOfCounter, Severity::kWarning, call.position(),
        fmt::format("{} is a counter: `{}` takes its restarts for falls. Use `increase` or `rate`.",
                    name, function));
  }
}

void ExprLint::CheckQuantile(const promql::CallExpr& call) {
  const Expr& buckets = *call.args.back();
  const promql::LabelFacts& labels = analysis_.of(buckets).labels;
  // Native histograms have no le; only those of a name with _bucket need it.
  if (labels.CanHave("le") || !AllBuckets(buckets)) return;
  Add(check::kQuantileWithoutLe, Severity::kError, call.position(),
      Sentence(fmt::format("`histogram_quantile` needs the label le, which its input has not{}",
                           labels.closed_by.empty() ? "" : ": " + labels.closed_by)));
}

void ExprLint::CheckAskedLabel(std::string_view keyword, const std::string& label,
                               std::span<const Expr* const> inputs,
                               const promql::PositionRange& position) {
  if (label == model::kMetricName || knowledge_.IsAmbient(label)) return;
  std::string closed_by;
  for (const Expr* input : inputs) {
    const promql::Facts& facts = analysis_.of(*input);
    if (facts.never || facts.labels.CanHave(label)) return;
    closed_by = facts.labels.closed_by;
  }
  Add(check::kLostLabel, Severity::kWarning, position,
      Sentence(fmt::format("`{}` asks for label {}, which {} has{}", keyword, label,
                           inputs.size() == 1 ? "no series there" : "no series of either side",
                           closed_by.empty() ? "" : ": " + closed_by)));
}

void ExprLint::CheckAggregate(const promql::AggregateExpr& aggregate) {
  const Expr* const inputs[] = {aggregate.expr.get()};
  const auto* selector = SelectorOf(*aggregate.expr);
  const std::string_view name =
      selector == nullptr ? std::string_view() : promql::MetricNameOf(*selector);
  const bool known =
      !name.empty() && !knowledge_.IsRecorded(name) && knowledge_.catalogue().Find(name) != nullptr;
  for (const std::string& label : aggregate.grouping) {
    if (aggregate.without) continue;  // to drop what is not there does no harm
    if (!known || knowledge_.catalogue().LabelOf(name, label) != Carries::kNo) {
      CheckAskedLabel("by", label, inputs, aggregate.position());
      continue;
    }
    const auto& family = *knowledge_.catalogue().Find(name);
    const auto nearest = knowledge_.catalogue().NearestLabel(family, label);
    Add(check::kUnknownLabel, Severity::kWarning, aggregate.position(),
        fmt::format("`by` asks for label {}, which {} has not{}", label, name,
                    nearest.empty() ? "." : fmt::format("; do you mean {}?", nearest)));
  }
}

// One side lacks a label that counts; whether the other has it is not known.
void ExprLint::CheckLonelyLabel(const promql::BinaryExpr& binary, const std::string& label) {
  if (analysis_.verdict(binary).outcome != Outcome::kOpen || knowledge_.IsAmbient(label)) return;
  const promql::Facts& lhs = analysis_.of(*binary.lhs);
  const promql::Facts& rhs = analysis_.of(*binary.rhs);
  const bool left = lhs.labels.CanHave(label);
  if (lhs.never || rhs.never || left == rhs.labels.CanHave(label)) return;
  const std::string& closed_by = left ? rhs.labels.closed_by : lhs.labels.closed_by;
  Add(check::kLostLabel, Severity::kInfo, binary.op_position,
      Sentence(fmt::format("`on` asks for label {}, which the {} side has not: only series without "
                           "it match{}",
                           label, left ? "right" : "left",
                           closed_by.empty() ? "" : ": " + closed_by)));
}

void ExprLint::CheckMatchingLabels(const promql::BinaryExpr& binary) {
  const Expr* const both[] = {binary.lhs.get(), binary.rhs.get()};
  if (binary.matching.on) {
    for (const std::string& label : binary.matching.labels) {
      CheckAskedLabel("on", label, both, binary.op_position);
      CheckLonelyLabel(binary, label);
    }
  }
  const bool left = binary.matching.cardinality == promql::Cardinality::kManyToOne;
  const Expr* const one[] = {left ? binary.rhs.get() : binary.lhs.get()};
  for (const std::string& label : binary.matching.include) {
    CheckAskedLabel(left ? "group_left" : "group_right", label, one, binary.op_position);
  }
}

void ExprLint::CheckBinary(const promql::BinaryExpr& binary) {
  CheckMatchingLabels(binary);
  const promql::BinaryVerdict& verdict = analysis_.verdict(binary);
  const std::string op(promql::BinaryOpText(binary.op));
  const auto& place = binary.op_position;
  switch (verdict.outcome) {
    case Outcome::kOpen:
      return;
    case Outcome::kNeverHolds:
      return Add(check::kNeverTrue, binary.return_bool ? Severity::kWarning : SeverityOfNothing(),
                 place,
                 fmt::format("The comparison {} can never hold: {}.{}", Named(binary), verdict.why,
                             WhatFollows()));
    case Outcome::kAlwaysHolds:
      return Add(check::kAlwaysTrue,
                 AsksWhetherThereIsAny(binary) ? Severity::kInfo : Severity::kWarning, place,
                 fmt::format("The comparison {} holds for every sample there is: {}. {}",
                             Named(binary), verdict.why, WhatAlwaysMeans(binary)));
    case Outcome::kNeverMatches:
      if (binary.op == promql::BinaryOp::kUnless) {
        return Add(check::kNeverMatches, Severity::kWarning, place,
                   Sentence("`unless` takes nothing away: " + verdict.why));
      }
      return Add(
          check::kNeverMatches, SeverityOfNothing(), place,
          Sentence(fmt::format("no series of the sides of `{}` match: {}", op, verdict.why)) +
              WhatFollows());
    case Outcome::kExcluded:
    case Outcome::kAllTakenAway:
      return Add(check::kNeverTrue, SeverityOfNothing(), place,
                 Sentence(verdict.why) + WhatFollows());
  }
}

}  // namespace azexporter::rules
