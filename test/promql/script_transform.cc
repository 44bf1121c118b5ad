#include "script_transform.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>

#include "azexporter/promql/functions.h"
#include "azexporter/promql/printer.h"
#include "parser_impl.h"

namespace azexporter::promql {
namespace {

// Why an eval is left out; "" where it is not.
using Reason = std::string;

// Calls `visit` for every node, parents first.
void ForEachNode(Expr& expr, const std::function<void(Expr&)>& visit) {
  visit(expr);
  switch (expr.kind()) {
    case ExprKind::kAggregate:
      if (As<AggregateExpr>(expr).param) ForEachNode(*As<AggregateExpr>(expr).param, visit);
      return ForEachNode(*As<AggregateExpr>(expr).expr, visit);
    case ExprKind::kBinary:
      ForEachNode(*As<BinaryExpr>(expr).lhs, visit);
      return ForEachNode(*As<BinaryExpr>(expr).rhs, visit);
    case ExprKind::kCall:
      for (ExprPtr& arg : As<CallExpr>(expr).args) ForEachNode(*arg, visit);
      return;
    case ExprKind::kMatrixSelector:
      return ForEachNode(*As<MatrixSelector>(expr).selector, visit);
    case ExprKind::kParen:
      return ForEachNode(*As<ParenExpr>(expr).expr, visit);
    case ExprKind::kSubquery:
      return ForEachNode(*As<SubqueryExpr>(expr).expr, visit);
    case ExprKind::kUnary:
      return ForEachNode(*As<UnaryExpr>(expr).expr, visit);
    case ExprKind::kNumber:
    case ExprKind::kString:
    case ExprKind::kVectorSelector:
      return;
  }
}

// Texts are expected to be there, whatever they say.
void LoosenTexts(EvalCommand& eval) {
  for (auto* texts : {&eval.fail, &eval.warn, &eval.info}) {
    for (TextExpectation& text : *texts) text = {true, ""};
  }
}

// Goes over the commands: `load` changes a load; `change` changes an eval and its tree, or names
// the reason for which it cannot.
Transformed Transform(const std::vector<ScriptCommand>& commands,
                      const std::function<void(LoadCommand&)>& load,
                      const std::function<Reason(EvalCommand&, Expr&)>& change) {
  Transformed result;
  for (ScriptCommand command : commands) {
    if (auto* loaded = std::get_if<LoadCommand>(&command)) load(*loaded);
    if (auto* eval = std::get_if<EvalCommand>(&command)) {
      auto expr = Parser(eval->query, ParserOptions::All()).Whole();
      const Reason reason = expr ? change(*eval, **expr) : "does not parse";
      if (!reason.empty()) {
        ++result.omitted[reason];
        continue;
      }
      ++result.evals;
    }
    result.commands.push_back(std::move(command));
  }
  return result;
}

// --- times

bool TellsTheTime(const CallExpr& call) {
  static constexpr std::string_view kDates[] = {"day_of_month",  "day_of_week", "day_of_year",
                                                "days_in_month", "hour",        "minute",
                                                "month",         "year"};
  const std::string_view name = call.function.name;
  static constexpr std::string_view kTimes[] = {"end", "start", "start_timestamp", "time",
                                                "timestamp"};
  return std::ranges::count(kTimes, name) > 0 || name.starts_with("ts_of_") ||
         (call.args.empty() && std::ranges::count(kDates, name) > 0);
}

Reason ShiftEval(EvalCommand& eval, Expr& expr, std::int64_t shift_ms) {
  Reason reason;
  bool rewritten = false;
  const auto shift = [&](TimeModifiers& time) {
    if (time.at.kind != AtModifier::Kind::kTimestamp) return;
    time.at.t += shift_ms;
    rewritten = true;
  };
  ForEachNode(expr, [&](Expr& node) {
    if (node.kind() == ExprKind::kCall && TellsTheTime(As<CallExpr>(node))) {
      reason = "tells the time";
    } else if (node.kind() == ExprKind::kVectorSelector) {
      shift(As<VectorSelector>(node).time);
    } else if (node.kind() == ExprKind::kSubquery) {
      auto& subquery = As<SubqueryExpr>(node);
      const std::int64_t step_ms =
          subquery.step_ms != 0 ? subquery.step_ms : EngineOptions().default_subquery_step_ms;
      if (shift_ms % step_ms != 0 || subquery.step_expr != nullptr) {
        reason = "the steps of a subquery";
      }
      shift(subquery.time);
    }
  });
  for (const auto* texts : {&eval.warn, &eval.info}) {
    for (const TextExpectation& text : *texts) {
      if (text.text.find("T00:") != std::string::npos) reason = "tells the time";
    }
  }
  if (!reason.empty()) return reason;
  if (rewritten) {
    eval.query = Print(expr);
    LoosenTexts(eval);
  }
  for (model::TimestampMs* t : {&eval.at, &eval.start, &eval.end}) *t += shift_ms;
  return "";
}

// --- names

model::Labels Prefixed(const model::Labels& labels, std::string_view prefix) {
  const std::string_view name = labels.Get(model::kMetricName);
  if (name.empty()) return labels;
  model::LabelsBuilder builder(labels);
  builder.Set(model::kMetricName, std::string(prefix) + std::string(name));
  return builder.Build();
}

model::Matcher Prefixed(const model::Matcher& matcher, std::string_view prefix) {
  std::string value(matcher.value());
  switch (matcher.type()) {
    case model::MatchType::kEqual:
    case model::MatchType::kNotEqual:
      if (!value.empty()) value = std::string(prefix) + value;
      break;
    case model::MatchType::kRegexp:
    case model::MatchType::kNotRegexp: {
      // Series without a name still have none.
      const auto pattern = model::Matcher::Create(model::MatchType::kRegexp, "x", value);
      const bool matches_none = pattern && pattern->Matches("");
      value = "\\Q" + std::string(prefix) + "\\E(?:" + value + ")" + (matches_none ? "|" : "");
      break;
    }
  }
  return *model::Matcher::Create(matcher.type(), std::string(matcher.name()), value);
}

Reason PrefixEval(EvalCommand& eval, Expr& expr, std::string_view prefix) {
  Reason reason;
  ForEachNode(expr, [&](Expr& node) {
    if (node.kind() == ExprKind::kString && As<StringLiteral>(node).value == model::kMetricName) {
      reason = "takes metric names for text";
    }
    if (node.kind() == ExprKind::kCall && As<CallExpr>(node).function.name == "info") {
      reason = "knows names of metrics";
    }
    if (node.kind() == ExprKind::kAggregate &&
        As<AggregateExpr>(node).op == AggregateOp::kLimitRatio) {
      reason = "chooses by the hash of the name";
    }
    if (node.kind() != ExprKind::kVectorSelector) return;
    auto& selector = As<VectorSelector>(node);
    if (!selector.name.empty()) selector.name = std::string(prefix) + selector.name;
    // Not what can stand before the braces: the matcher alone names the metric.
    if (!model::IsLegacyMetricName(selector.name)) selector.name.clear();
    for (model::Matcher& matcher : selector.matchers) {
      if (matcher.name() == model::kMetricName) matcher = Prefixed(matcher, prefix);
    }
  });
  if (!reason.empty()) return reason;
  eval.query = Print(expr);
  LoosenTexts(eval);
  for (SeriesNotation& series : eval.series) series.labels = Prefixed(series.labels, prefix);
  return "";
}

void PrefixLoad(LoadCommand& load, std::string_view prefix) {
  for (SeriesNotation& series : load.series) series.labels = Prefixed(series.labels, prefix);
  const auto starts = std::exchange(load.starts, {});
  for (const auto& [labels, times] : starts) load.starts[Prefixed(labels, prefix)] = times;
}

// --- values

// With which power of the factor a value grows. What is the same at every scale (0, infinities,
// NaN) fits any.
struct Degree {
  bool any = false;
  int power = 0;
};
using MaybeDegree = std::optional<Degree>;

constexpr Degree kNone{false, 0};
constexpr Degree kAny{true, 0};

// Of values that are compared or added.
MaybeDegree Common(const MaybeDegree& a, const MaybeDegree& b) {
  if (!a || !b) return std::nullopt;
  if (a->any) return b;
  if (b->any || a->power == b->power) return a;
  return std::nullopt;
}

bool IsOneOf(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::ranges::count(names, name) > 0;
}

MaybeDegree DegreeOf(const Expr& expr);

MaybeDegree DegreeOfCall(const CallExpr& call) {
  const std::string_view name = call.function.name;
  std::vector<MaybeDegree> args;
  for (const ExprPtr& arg : call.args) {
    if (arg->type() != ValueType::kString) args.push_back(DegreeOf(*arg));
    if (!args.empty() && !args.back()) return std::nullopt;
  }
  if (IsOneOf(name, {"absent", "absent_over_time", "changes", "count_over_time", "histogram_avg",
                     "histogram_stddev", "histogram_stdvar", "present_over_time", "resets", "sgn",
                     "start_timestamp", "timestamp", "ts_of_first_over_time",
                     "ts_of_last_over_time", "ts_of_max_over_time", "ts_of_min_over_time"})) {
    return kNone;
  }
  if (IsOneOf(name, {"abs",
                     "avg_over_time",
                     "delta",
                     "deriv",
                     "first_over_time",
                     "histogram_count",
                     "histogram_sum",
                     "idelta",
                     "increase",
                     "info",
                     "irate",
                     "label_join",
                     "label_replace",
                     "last_over_time",
                     "mad_over_time",
                     "max_over_time",
                     "min_over_time",
                     "rate",
                     "scalar",
                     "sort",
                     "sort_by_label",
                     "sort_by_label_desc",
                     "sort_desc",
                     "stddev_over_time",
                     "sum_over_time",
                     "vector"})) {
    return args[0];
  }
  if (name == "stdvar_over_time") return Degree{args[0]->any, args[0]->power * 2};
  if (IsOneOf(name, {"clamp", "clamp_max", "clamp_min", "max_of", "min_of"})) {
    MaybeDegree common = args[0];
    for (const MaybeDegree& arg : args) common = Common(common, arg);
    return common;
  }
  const auto unscaled = [](const MaybeDegree& degree) { return degree->any || degree->power == 0; };
  if (name == "predict_linear") return unscaled(args[1]) ? args[0] : std::nullopt;
  if (name == "double_exponential_smoothing") {
    return unscaled(args[1]) && unscaled(args[2]) ? args[0] : std::nullopt;
  }
  if (name == "histogram_quantiles") {
    return std::ranges::all_of(args.begin() + 1, args.end(), unscaled) ? MaybeDegree(kNone)
                                                                       : std::nullopt;
  }
  if (name == "quantile_over_time") return unscaled(args[0]) ? args[1] : std::nullopt;
  // The counts of buckets only weigh against each other.
  if (name == "histogram_quantile" && unscaled(args[0])) return kNone;
  if (name == "histogram_fraction" && unscaled(args[0]) && unscaled(args[1])) return kNone;
  if (!std::ranges::all_of(args, unscaled)) return std::nullopt;
  return kNone;
}

MaybeDegree DegreeOfNumber(double value) {
  return value == 0 || !std::isfinite(value) ? kAny : kNone;
}

MaybeDegree DegreeOfBinary(const BinaryExpr& binary) {
  MaybeDegree lhs = DegreeOf(*binary.lhs);
  MaybeDegree rhs = DegreeOf(*binary.rhs);
  const VectorMatching& matching = binary.matching;
  if (matching.fill_left) lhs = Common(lhs, DegreeOfNumber(*matching.fill_left));
  if (matching.fill_right) rhs = Common(rhs, DegreeOfNumber(*matching.fill_right));
  if (!lhs || !rhs) return std::nullopt;
  const bool any = lhs->any || rhs->any;
  switch (binary.op) {
    case BinaryOp::kAdd:
    case BinaryOp::kSub:
    case BinaryOp::kMod:
    case BinaryOp::kOr:
      return Common(lhs, rhs);
    case BinaryOp::kMul:
      return Degree{any, lhs->power + rhs->power};
    case BinaryOp::kDiv:
      return Degree{any, lhs->power - rhs->power};
    case BinaryOp::kAtan2:
      return Common(lhs, rhs) ? MaybeDegree(kNone) : std::nullopt;
    case BinaryOp::kPow:
      return lhs->power == 0 && rhs->power == 0 ? MaybeDegree(kNone) : std::nullopt;
    case BinaryOp::kEqual:
    case BinaryOp::kNotEqual:
    case BinaryOp::kLess:
    case BinaryOp::kLessOrEqual:
    case BinaryOp::kGreater:
    case BinaryOp::kGreaterOrEqual:
      if (!Common(lhs, rhs)) return std::nullopt;
      return binary.return_bool ? MaybeDegree(kNone) : Common(lhs, rhs);
    case BinaryOp::kAnd:
    case BinaryOp::kUnless:
      return lhs;
    case BinaryOp::kTrimLower:
    case BinaryOp::kTrimUpper:
      // The bound is one of observations, of which only the counts grow.
      return rhs->any || rhs->power == 0 ? lhs : std::nullopt;
  }
  return std::nullopt;
}

MaybeDegree DegreeOfAggregate(const AggregateExpr& aggregate) {
  const MaybeDegree inner = DegreeOf(*aggregate.expr);
  if (!inner) return std::nullopt;
  if (aggregate.param && aggregate.param->type() == ValueType::kScalar) {
    const MaybeDegree param = DegreeOf(*aggregate.param);
    if (!param || (!param->any && param->power != 0)) return std::nullopt;
  }
  switch (aggregate.op) {
    case AggregateOp::kAvg:
    case AggregateOp::kBottomk:
    case AggregateOp::kLimitk:
    case AggregateOp::kLimitRatio:
    case AggregateOp::kMax:
    case AggregateOp::kMin:
    case AggregateOp::kQuantile:
    case AggregateOp::kStddev:
    case AggregateOp::kSum:
    case AggregateOp::kTopk:
      return inner;
    case AggregateOp::kStdvar:
      return Degree{inner->any, inner->power * 2};
    case AggregateOp::kCount:
    case AggregateOp::kGroup:
      return kNone;
    case AggregateOp::kCountValues:
      return inner->power == 0 ? MaybeDegree(kNone) : std::nullopt;
  }
  return std::nullopt;
}

// nullopt where the value grows with no power of the factor.
MaybeDegree DegreeOf(const Expr& expr) {
  switch (expr.kind()) {
    case ExprKind::kAggregate:
      return DegreeOfAggregate(As<AggregateExpr>(expr));
    case ExprKind::kBinary:
      return DegreeOfBinary(As<BinaryExpr>(expr));
    case ExprKind::kCall:
      return DegreeOfCall(As<CallExpr>(expr));
    case ExprKind::kMatrixSelector:
    case ExprKind::kVectorSelector:
      return Degree{false, 1};
    case ExprKind::kNumber:
      return DegreeOfNumber(As<NumberLiteral>(expr).value);
    case ExprKind::kParen:
      return DegreeOf(*As<ParenExpr>(expr).expr);
    case ExprKind::kString:
      return kNone;
    case ExprKind::kSubquery:
      return DegreeOf(*As<SubqueryExpr>(expr).expr);
    case ExprKind::kUnary:
      return DegreeOf(*As<UnaryExpr>(expr).expr);
  }
  return std::nullopt;
}

void Scale(Sequence& values, double factor) {
  for (auto& value : values) {
    if (!value) continue;
    if (value->h != nullptr) {
      model::FloatHistogram scaled = *value->h;
      scaled.Mul(factor);
      value->h = std::make_shared<const model::FloatHistogram>(std::move(scaled));
    } else if (!std::isnan(value->f)) {  // staleness markers are NaN
      value->f *= factor;
    }
  }
}

bool IsExtreme(double number) {
  if (!std::isfinite(number) || number == 0) return false;
  return std::abs(number) > 1e150 || std::abs(number) < 1e-150;
}

bool HoldsExtreme(const std::optional<SequenceValue>& value) {
  if (!value) return false;
  if (value->h == nullptr) return IsExtreme(value->f);
  return IsExtreme(value->h->sum) || IsExtreme(value->h->count);
}

Reason ScaleEval(EvalCommand& eval, const Expr& expr, double factor) {
  const MaybeDegree degree = DegreeOf(expr);
  if (!degree) return "does not grow with the values";
  const double grown = std::pow(factor, degree->any ? 0 : degree->power);
  for (SeriesNotation& series : eval.series) Scale(series.values, grown);
  if (eval.scalar) *eval.scalar *= grown;
  LoosenTexts(eval);
  return "";
}

}  // namespace

Transformed ShiftTimes(const std::vector<ScriptCommand>& commands, std::int64_t shift_ms) {
  return Transform(
      commands, [&](LoadCommand& load) { load.start += shift_ms; },
      [&](EvalCommand& eval, Expr& expr) { return ShiftEval(eval, expr, shift_ms); });
}

Transformed PrefixNames(const std::vector<ScriptCommand>& commands, std::string_view prefix) {
  return Transform(
      commands, [&](LoadCommand& load) { PrefixLoad(load, prefix); },
      [&](EvalCommand& eval, Expr& expr) { return PrefixEval(eval, expr, prefix); });
}

Transformed ScaleValues(const std::vector<ScriptCommand>& commands, double factor) {
  bool extreme = false;
  return Transform(
      commands,
      [&](LoadCommand& load) {
        extreme = false;
        for (SeriesNotation& series : load.series) {
          extreme = extreme || std::ranges::any_of(series.values, HoldsExtreme);
          Scale(series.values, factor);
        }
      },
      [&](EvalCommand& eval, Expr& expr) {
        return extreme ? Reason("extreme values") : ScaleEval(eval, expr, factor);
      });
}

}  // namespace azexporter::promql
