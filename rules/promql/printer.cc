#include "azexporter/promql/printer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "azexporter/base/duration.h"
#include "azexporter/base/float_format.h"
#include "azexporter/promql/functions.h"

namespace azexporter::promql {
namespace {

// "" where there is none.
std::string DurationText(std::int64_t ms, const DurationPtr& expr) {
  if (expr != nullptr) return PrintDuration(*expr);
  return ms == 0 ? "" : base::FormatDurationMs(ms);
}

class Printer {
 public:
  void Append(const Expr& expr);
  // Pieces of an expression, for those who lay the rest out on lines of its own.
  void AppendAggregateHead(const AggregateExpr& expr);  // "sum by (a) "
  void AppendOperator(const BinaryExpr& expr);          // "/ on (a) group_left ()"
  void AppendBrackets(const SubqueryExpr& expr);        // "[5m:1m] @ end()"
  std::string Take() { return std::move(out_); }

 private:
  void AppendAggregate(const AggregateExpr& expr);
  void AppendBinary(const BinaryExpr& expr);
  void AppendCall(const CallExpr& expr);
  void AppendNumber(const NumberLiteral& expr);
  void AppendSelector(const VectorSelector& expr);
  void AppendLabelNames(const std::vector<std::string>& names);
  void AppendMode(RangeMode mode);
  void AppendAt(const AtModifier& at);
  void AppendOffset(const TimeModifiers& time);

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
      out_ += fmt::format("[{}]", DurationText(matrix.range_ms, matrix.range_expr));
      AppendMode(matrix.selector->mode);
      AppendAt(matrix.selector->time.at);
      return AppendOffset(matrix.selector->time);
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
    case ExprKind::kSubquery:
      Append(*As<SubqueryExpr>(expr).expr);
      return AppendBrackets(As<SubqueryExpr>(expr));
    case ExprKind::kUnary:
      out_ += As<UnaryExpr>(expr).negative ? '-' : '+';
      return Append(*As<UnaryExpr>(expr).expr);
    case ExprKind::kVectorSelector:
      AppendSelector(As<VectorSelector>(expr));
      AppendAt(As<VectorSelector>(expr).time.at);
      AppendMode(As<VectorSelector>(expr).mode);
      return AppendOffset(As<VectorSelector>(expr).time);
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

void Printer::AppendAggregateHead(const AggregateExpr& expr) {
  out_ += AggregateOpText(expr.op);
  if (expr.without || !expr.grouping.empty()) {
    out_ += expr.without ? " without " : " by ";
    AppendLabelNames(expr.grouping);
    out_ += ' ';
  }
}

void Printer::AppendAggregate(const AggregateExpr& expr) {
  AppendAggregateHead(expr);
  out_ += '(';
  if (expr.param != nullptr) {
    Append(*expr.param);
    out_ += ", ";
  }
  Append(*expr.expr);
  out_ += ')';
}

void Printer::AppendBinary(const BinaryExpr& expr) {
  // "+Inf ^ 2" would be read as +(Inf ^ 2): this one sign is left out, though Prometheus prints it.
  const Expr& lhs = *expr.lhs;
  if (expr.op == BinaryOp::kPow && lhs.kind() == ExprKind::kNumber &&
      As<NumberLiteral>(lhs).value == std::numeric_limits<double>::infinity()) {
    out_ += "Inf";
  } else {
    Append(lhs);
  }
  out_ += ' ';
  AppendOperator(expr);
  out_ += ' ';
  Append(*expr.rhs);
}

void Printer::AppendOperator(const BinaryExpr& expr) {
  out_ += BinaryOpText(expr.op);
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
  if (matching.fill_left && matching.fill_left == matching.fill_right) {
    out_ += fmt::format(" fill ({})", base::FormatFloatG(*matching.fill_left));
    return;
  }
  if (matching.fill_left) {
    out_ += fmt::format(" fill_left ({})", base::FormatFloatG(*matching.fill_left));
  }
  if (matching.fill_right) {
    out_ += fmt::format(" fill_right ({})", base::FormatFloatG(*matching.fill_right));
  }
}

void Printer::AppendBrackets(const SubqueryExpr& expr) {
  out_ += fmt::format("[{}:{}]", DurationText(expr.range_ms, expr.range_expr),
                      DurationText(expr.step_ms, expr.step_expr));
  AppendAt(expr.time.at);
  AppendOffset(expr.time);
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
  // Only info() takes a selector of everything; "" would not be read again.
  if (matchers.empty() && !expr.name.empty()) return;
  std::ranges::sort(matchers);
  out_ += fmt::format("{{{}}}", fmt::join(matchers, ","));
}

void Printer::AppendMode(RangeMode mode) {
  if (mode == RangeMode::kAnchored) out_ += " anchored";
  if (mode == RangeMode::kSmoothed) out_ += " smoothed";
}

void Printer::AppendAt(const AtModifier& at) {
  switch (at.kind) {
    case AtModifier::Kind::kNone:
      break;
    case AtModifier::Kind::kStart:
      out_ += " @ start()";
      break;
    case AtModifier::Kind::kEnd:
      out_ += " @ end()";
      break;
    case AtModifier::Kind::kTimestamp:
      out_ += fmt::format(" @ {:.3f}", static_cast<double>(at.t) / 1000);
      break;
  }
}

void Printer::AppendOffset(const TimeModifiers& time) {
  const std::string offset = DurationText(time.offset_ms, time.offset_expr);
  if (!offset.empty()) out_ += " offset " + offset;
}

// Longer expressions are broken into lines.
constexpr std::size_t kMaxLineLength = 100;

std::string Indent(int level) { return std::string(static_cast<std::size_t>(level) * 2, ' '); }

// One of the pieces of an expression.
template <class T>
std::string Piece(void (Printer::*append)(const T&), const T& expr) {
  Printer printer;
  (printer.*append)(expr);
  return printer.Take();
}

std::string PrettyAt(const Expr& expr, int level);

// name(
//   args
// )
std::string PrettyBlock(std::string head, const std::vector<const Expr*>& args, int level) {
  head += "(\n";
  for (std::size_t i = 0; i < args.size(); ++i) {
    head += PrettyAt(*args[i], level + 1) + (i + 1 < args.size() ? ",\n" : "\n");
  }
  return Indent(level) + head + Indent(level) + ")";
}

// Of an expression that is too long for one line.
std::string PrettyOnLines(const Expr& expr, const std::string& one_line, int level) {
  switch (expr.kind()) {
    case ExprKind::kAggregate: {
      const auto& aggregate = As<AggregateExpr>(expr);
      std::vector<const Expr*> args = {aggregate.expr.get()};
      if (aggregate.param != nullptr) args.insert(args.begin(), aggregate.param.get());
      return PrettyBlock(Piece(&Printer::AppendAggregateHead, aggregate), args, level);
    }
    case ExprKind::kBinary: {
      const auto& binary = As<BinaryExpr>(expr);
      return PrettyAt(*binary.lhs, level + 1) + '\n' + Indent(level) +
             Piece(&Printer::AppendOperator, binary) + '\n' + PrettyAt(*binary.rhs, level + 1);
    }
    case ExprKind::kCall: {
      const auto& call = As<CallExpr>(expr);
      std::vector<const Expr*> args;
      for (const ExprPtr& arg : call.args) args.push_back(arg.get());
      return PrettyBlock(std::string(call.function.name), args, level);
    }
    case ExprKind::kParen:
      return PrettyBlock("", {As<ParenExpr>(expr).expr.get()}, level);
    case ExprKind::kSubquery: {
      const auto& subquery = As<SubqueryExpr>(expr);
      return PrettyAt(*subquery.expr, level) + Piece(&Printer::AppendBrackets, subquery);
    }
    case ExprKind::kUnary: {
      const auto& unary = As<UnaryExpr>(expr);
      const std::string operand = PrettyAt(*unary.expr, level);
      const std::size_t begin = std::min(operand.find_first_not_of(' '), operand.size());
      return Indent(level) + (unary.negative ? '-' : '+') + operand.substr(begin);
    }
    case ExprKind::kMatrixSelector:
    case ExprKind::kNumber:
    case ExprKind::kString:
    case ExprKind::kVectorSelector:
      break;
  }
  return Indent(level) + one_line;
}

std::string PrettyAt(const Expr& expr, int level) {
  const std::string one_line = Print(expr);
  if (one_line.size() > kMaxLineLength) return PrettyOnLines(expr, one_line, level);
  // As Prometheus has it, a short subquery is not indented.
  return expr.kind() == ExprKind::kSubquery ? one_line : Indent(level) + one_line;
}

}  // namespace

std::string Print(const Expr& expr) {
  Printer printer;
  printer.Append(expr);
  return printer.Take();
}

std::string Pretty(const Expr& expr) { return PrettyAt(expr, 0); }

}  // namespace azexporter::promql
