#include "azexporter/promql/printer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "azexporter/base/duration.h"
#include "azexporter/base/float_format.h"
#include "azexporter/promql/functions.h"

namespace azexporter::promql {
namespace {

class Printer {
 public:
  void Append(const Expr& expr);
  std::string Take() { return std::move(out_); }

 private:
  void AppendAggregate(const AggregateExpr& expr);
  void AppendBinary(const BinaryExpr& expr);
  void AppendCall(const CallExpr& expr);
  void AppendNumber(const NumberLiteral& expr);
  void AppendSelector(const VectorSelector& expr);
  void AppendLabelNames(const std::vector<std::string>& names);
  void AppendTime(const TimeModifiers& time);

  std::string out_;
};

void Printer::Append(const Expr& expr) {
  switch (expr.kind()) {
    case ExprKind::kAggregate:
      return AppendAggregate(As<AggregateExpr>(expr));
    case ExprKind::kBinary:
      return AppendBinary(As<BinaryExpr>(expr));
    case ExprKind::kCall:
      return AppendCall(As<CallExpr>(expr));
    case ExprKind::kMatrixSelector: {
      const auto& matrix = As<MatrixSelector>(expr);
      AppendSelector(*matrix.selector);
      out_ += fmt::format("[{}]", base::FormatDurationMs(matrix.range_ms));
      return AppendTime(matrix.selector->time);
    }
    case ExprKind::kNumber:
      return AppendNumber(As<NumberLiteral>(expr));
    case ExprKind::kParen:
      out_ += '(';
      Append(*As<ParenExpr>(expr).expr);
      out_ += ')';
      return;
    case ExprKind::kString:
      return model::AppendQuoted(out_, As<StringLiteral>(expr).value);
    case ExprKind::kSubquery: {
      const auto& subquery = As<SubqueryExpr>(expr);
      Append(*subquery.expr);
      out_ += fmt::format("[{}:{}]", base::FormatDurationMs(subquery.range_ms),
                          subquery.step_ms == 0 ? "" : base::FormatDurationMs(subquery.step_ms));
      return AppendTime(subquery.time);
    }
    case ExprKind::kUnary:
      out_ += As<UnaryExpr>(expr).negative ? '-' : '+';
      return Append(*As<UnaryExpr>(expr).expr);
    case ExprKind::kVectorSelector:
      AppendSelector(As<VectorSelector>(expr));
      return AppendTime(As<VectorSelector>(expr).time);
  }
}

void Printer::AppendLabelNames(const std::vector<std::string>& names) {
  out_ += '(';
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) out_ += ", ";
    if (model::IsLegacyLabelName(names[i])) {
      out_ += names[i];
    } else {
      model::AppendQuoted(out_, names[i]);
    }
  }
  out_ += ')';
}

void Printer::AppendAggregate(const AggregateExpr& expr) {
  out_ += AggregateOpText(expr.op);
  if (expr.without || !expr.grouping.empty()) {
    out_ += expr.without ? " without " : " by ";
    AppendLabelNames(expr.grouping);
    out_ += ' ';
  }
  out_ += '(';
  if (expr.param != nullptr) {
    Append(*expr.param);
    out_ += ", ";
  }
  Append(*expr.expr);
  out_ += ')';
}

void Printer::AppendBinary(const BinaryExpr& expr) {
  Append(*expr.lhs);
  out_ += fmt::format(" {}", BinaryOpText(expr.op));
  if (expr.return_bool) out_ += " bool";
  const VectorMatching& matching = expr.matching;
  const bool grouped = matching.cardinality == Cardinality::kManyToOne ||
                       matching.cardinality == Cardinality::kOneToMany;
  const bool vectors =
      expr.lhs->type() == ValueType::kVector && expr.rhs->type() == ValueType::kVector;
  if (vectors && (matching.on || !matching.labels.empty() || grouped)) {
    out_ += matching.on ? " on " : " ignoring ";
    AppendLabelNames(matching.labels);
    if (grouped) {
      out_ += matching.cardinality == Cardinality::kManyToOne ? " group_left " : " group_right ";
      AppendLabelNames(matching.include);
    }
  }
  out_ += ' ';
  Append(*expr.rhs);
}

void Printer::AppendCall(const CallExpr& expr) {
  out_ += expr.function.name;
  out_ += '(';
  for (std::size_t i = 0; i < expr.args.size(); ++i) {
    if (i > 0) out_ += ", ";
    Append(*expr.args[i]);
  }
  out_ += ')';
}

void Printer::AppendNumber(const NumberLiteral& expr) {
  if (expr.is_duration) {
    out_ += base::FormatDurationMs(std::llround(expr.value * 1000));
  } else {
    out_ += base::FormatFloatF(expr.value);
  }
}

void Printer::AppendSelector(const VectorSelector& expr) {
  out_ += expr.name;
  std::vector<std::string> matchers;
  for (const model::Matcher& matcher : expr.matchers) {
    const bool is_name = matcher.name() == model::kMetricName &&
                         matcher.type() == model::MatchType::kEqual &&
                         matcher.value() == expr.name && !expr.name.empty();
    if (!is_name) matchers.push_back(matcher.ToString());
  }
  if (matchers.empty()) return;
  std::ranges::sort(matchers);
  out_ += fmt::format("{{{}}}", fmt::join(matchers, ","));
}

void Printer::AppendTime(const TimeModifiers& time) {
  switch (time.at.kind) {
    case AtModifier::Kind::kNone:
      break;
    case AtModifier::Kind::kStart:
      out_ += " @ start()";
      break;
    case AtModifier::Kind::kEnd:
      out_ += " @ end()";
      break;
    case AtModifier::Kind::kTimestamp:
      out_ += fmt::format(" @ {:.3f}", static_cast<double>(time.at.t) / 1000);
      break;
  }
  if (time.offset_ms != 0) {
    out_ += fmt::format(" offset {}", base::FormatDurationMs(time.offset_ms));
  }
}

}  // namespace

std::string Print(const Expr& expr) {
  Printer printer;
  printer.Append(expr);
  return printer.Take();
}

}  // namespace azexporter::promql
