#include "azexporter/promql/analysis.h"

#include <algorithm>
#include <cmath>

#include "analyser.h"
#include "azexporter/promql/printer.h"
#include "value_range.h"

namespace azexporter::promql {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// What `by (grouping)` leaves of labels.
LabelFacts KeepOnly(const LabelFacts& labels, const std::vector<std::string>& grouping,
                    const SelectorKnowledge& knowledge) {
  LabelFacts kept;
  kept.open = false;
  for (const std::string& name : grouping) {
    if (!labels.CanHave(name)) continue;
    kept.possible.insert(name);
    const bool meant = labels.open || labels.meant.contains(name);
    if (meant && !knowledge.IsAmbient(name)) kept.meant.insert(name);
    const auto values = labels.values.find(name);
    if (values != labels.values.end()) kept.values.insert(*values);
  }
  return kept;
}

bool IsFinite(const ValueRange& range) {
  return std::isfinite(range.least) && std::isfinite(range.most);
}

ValueRange RangeOf(const AggregateExpr& aggregate, const ValueRange& range) {
  const bool nan = range.may_be_nan;
  switch (aggregate.op) {
    case AggregateOp::kAvg:
      return {range.least, range.most, false, nan || !IsFinite(range)};
    case AggregateOp::kBottomk:
    case AggregateOp::kLimitk:
    case AggregateOp::kLimitRatio:
    case AggregateOp::kMax:
    case AggregateOp::kMin:
    case AggregateOp::kTopk:
      return range;
    case AggregateOp::kCount:
    case AggregateOp::kCountValues:
      return AtLeast(1, true);
    case AggregateOp::kGroup:
      return SingleValue(1);
    case AggregateOp::kQuantile:
      return {};
    case AggregateOp::kStddev:
    case AggregateOp::kStdvar:
      return {0, kInfinity};
    case AggregateOp::kSum:
      if (range.least >= 0) return {range.least, kInfinity, range.whole, nan};
      return range.most <= 0 ? ValueRange{-kInfinity, range.most, range.whole, nan} : ValueRange{};
  }
  return {};
}

std::string Head(const AggregateExpr& aggregate) {
  std::string head = "`" + std::string(AggregateOpText(aggregate.op));
  if (aggregate.without || !aggregate.grouping.empty()) {
    head += (aggregate.without ? " without (" : " by (") + Listed(aggregate.grouping) + ")";
  }
  return head + "`";
}

std::string WhyClosed(const AggregateExpr& aggregate) {
  const std::string names = Listed(aggregate.grouping);
  if (aggregate.without) return Head(aggregate) + " drops " + names;
  return Head(aggregate) + " keeps " + (names.empty() ? "no label" : "only " + names);
}

// Whether each group has one series: every label of a series that is of no metric is kept.
bool KeepsAllLabels(const AggregateExpr& aggregate, const Facts& input) {
  if (input.named) return false;
  const auto& grouping = aggregate.grouping;
  if (aggregate.without) {
    return std::ranges::none_of(
        grouping, [&](const std::string& name) { return input.labels.CanHave(name); });
  }
  return !input.labels.open &&
         std::ranges::all_of(input.labels.possible, [&](const std::string& name) {
           return std::ranges::find(grouping, name) != grouping.end();
         });
}

bool IsUnchanged(AggregateOp op) {
  return op == AggregateOp::kAvg || op == AggregateOp::kMax || op == AggregateOp::kMin ||
         op == AggregateOp::kSum;
}

}  // namespace

std::string Listed(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
  return list;
}

std::string Quoted(const Expr& expr) {
  constexpr std::size_t kMost = 70;
  std::string text = Print(expr);
  if (text.size() > kMost) {
    text.resize(kMost);
    // Never within a character.
    while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xC0) == 0x80) {
      text.pop_back();
    }
    if (!text.empty() && static_cast<unsigned char>(text.back()) >= 0xC0) text.pop_back();
    text += "...";
  }
  return "`" + text + "`";
}

Analysis::Analysis(const Expr& expr, const SelectorKnowledge& knowledge) {
  Analyser(knowledge, *this).Visit(expr);
}

const Facts& Analyser::Visit(const Expr& expr) {
  for (const Expr* child : Children(expr)) Visit(*child);
  Facts facts = Of(expr);
  if (facts.never) facts.always = false;
  Canonical& canonical = canonical_[&expr] = MakeCanonical(expr);
  // Without their names series are told apart by their labels, or the query fails.
  canonical.one_metric = !facts.named || IsOfOneMetric(expr);
  return out_.facts_[&expr] = std::move(facts);
}

Facts Analyser::Of(const Expr& expr) {
  switch (expr.kind()) {
    case ExprKind::kAggregate:
      return OfAggregate(As<AggregateExpr>(expr));
    case ExprKind::kBinary:
      return OfBinary(As<BinaryExpr>(expr));
    case ExprKind::kCall:
      return OfCall(As<CallExpr>(expr));
    case ExprKind::kMatrixSelector: {
      return OfSelector(*As<MatrixSelector>(expr).selector);
    }
    case ExprKind::kNumber: {
      Facts facts;
      facts.range = SingleValue(As<NumberLiteral>(expr).value);
      facts.always = true;
      return facts;
    }
    case ExprKind::kParen:
      return out_.of(*As<ParenExpr>(expr).expr);
    case ExprKind::kString:
      return {};
    case ExprKind::kSubquery: {
      Facts facts = out_.of(*As<SubqueryExpr>(expr).expr);
      facts.always = false;
      return facts;
    }
    case ExprKind::kUnary:
      return OfUnary(As<UnaryExpr>(expr));
    case ExprKind::kVectorSelector:
      return OfSelector(As<VectorSelector>(expr));
  }
  return {};
}

Facts Analyser::OfSelector(const VectorSelector& selector) {
  Facts facts = knowledge_.FactsOf(selector);
  if (Contradiction(selector)) facts.never = true;
  LabelFacts& labels = facts.labels;
  for (const model::Matcher& matcher : selector.matchers) {
    const std::string& name = matcher.name();
    if (name == model::kMetricName) continue;
    if (matcher.type() == model::MatchType::kEqual && matcher.value().empty()) {
      Lose(labels, name);
      continue;
    }
    const auto known = labels.values.find(name);
    std::optional<std::set<std::string>> values = ValuesOf(matcher);
    if (known != labels.values.end()) {
      values.emplace();
      std::ranges::copy_if(known->second, std::inserter(*values, values->end()),
                           [&](const std::string& value) { return matcher.Matches(value); });
      if (values->empty()) facts.never = true;
    }
    // A label with known values is always there.
    if (matcher.Matches("") && known == labels.values.end()) continue;
    if (!labels.CanHave(name)) facts.never = true;
    labels.possible.insert(name);
    labels.meant.insert(name);
    if (values && !values->empty()) labels.values[name] = std::move(*values);
  }
  return facts;
}

Facts Analyser::OfAggregate(const AggregateExpr& aggregate) {
  const Facts& input = out_.of(*aggregate.expr);
  Facts facts = input;
  if (KeepsSamples(aggregate.op)) {
    facts.always = false;  // of topk(0, x) nothing is left
    return facts;
  }
  facts.named = false;
  if (!aggregate.without) {
    facts.labels = KeepOnly(input.labels, aggregate.grouping, knowledge_);
    facts.labels.closed_by = WhyClosed(aggregate);
  } else if (!aggregate.grouping.empty()) {
    for (const std::string& name : aggregate.grouping) Lose(facts.labels, name);
    facts.labels.closed_by = WhyClosed(aggregate);
  }
  if (aggregate.op == AggregateOp::kCountValues) {
    Gain(facts.labels, As<StringLiteral>(Unwrap(*aggregate.param)).value);
  }
  facts.range = RangeOf(aggregate, input.range);
  const bool same = facts.range.least == input.range.least && facts.range.most == input.range.most;
  if (!same || facts.range_why.empty()) facts.range_why.clear();
  if (KeepsAllLabels(aggregate, input)) {
    if (IsUnchanged(aggregate.op)) {
      out_.identities_.insert(&aggregate);
      facts.range = input.range;
      facts.range_why = input.range_why;
    } else if (aggregate.op == AggregateOp::kCount) {
      facts.range = SingleValue(1);
    } else if (aggregate.op == AggregateOp::kStddev || aggregate.op == AggregateOp::kStdvar) {
      facts.range = {0, 0, true, input.range.may_be_nan || !IsFinite(input.range)};
    }
    if (!IsUnchanged(aggregate.op) && aggregate.op != AggregateOp::kGroup &&
        facts.range.bounded()) {
      facts.range_why = Head(aggregate) + " " + Describe(facts.range) +
                        ", since each of its groups has one series";
    }
  }
  if (facts.range_why.empty() && facts.range.bounded()) {
    facts.range_why = Head(aggregate) + " " + Describe(facts.range);
  }
  return facts;
}

Facts Analyser::OfUnary(const UnaryExpr& unary) {
  Facts facts = out_.of(*unary.expr);
  if (!unary.negative) return facts;
  facts.named = false;
  facts.range = Negated(facts.range);
  facts.range_why = facts.range.bounded() ? Quoted(unary) + " " + Describe(facts.range) : "";
  return facts;
}

}  // namespace azexporter::promql
