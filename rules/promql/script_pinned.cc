#include "script_pinned.h"

#include <algorithm>
#include <string_view>

#include "azexporter/promql/functions.h"
#include "azexporter/promql/printer.h"
#include "parser_impl.h"

namespace azexporter::promql {
namespace {

// Functions whose answer depends on when they are asked, whatever their arguments.
constexpr std::string_view kDependOnTime[] = {
    "days_in_month", "day_of_month", "day_of_week", "day_of_year",    "end",
    "hour",          "minute",       "month",       "predict_linear", "range",
    "start",         "step",         "time",        "timestamp",      "year",
};

class Pinner {
 public:
  explicit Pinner(model::TimestampMs t) : at_{AtModifier::Kind::kTimestamp, t} {}

  // False where the answer still depends on when it is asked.
  bool Pin(Expr& expr) {
    switch (expr.kind()) {
      case ExprKind::kAggregate: {
        auto& aggregate = As<AggregateExpr>(expr);
        if (aggregate.param != nullptr && !Pin(*aggregate.param)) return false;
        return Pin(*aggregate.expr);
      }
      case ExprKind::kBinary:
        return Pin(*As<BinaryExpr>(expr).lhs) && Pin(*As<BinaryExpr>(expr).rhs);
      case ExprKind::kCall: {
        auto& call = As<CallExpr>(expr);
        if (std::ranges::count(kDependOnTime, call.function.name) > 0) return false;
        return std::ranges::all_of(call.args, [&](const ExprPtr& arg) { return Pin(*arg); });
      }
      case ExprKind::kMatrixSelector:
        return Pin(*As<MatrixSelector>(expr).selector);
      case ExprKind::kParen:
        return Pin(*As<ParenExpr>(expr).expr);
      case ExprKind::kSubquery: {
        // What is inside is asked at the times that the subquery sets.
        auto& subquery = As<SubqueryExpr>(expr);
        PinModifiers(subquery.time);
        ++subqueries_;
        const bool pinned = Pin(*subquery.expr);
        --subqueries_;
        return pinned;
      }
      case ExprKind::kUnary:
        return Pin(*As<UnaryExpr>(expr).expr);
      case ExprKind::kVectorSelector:
        PinModifiers(As<VectorSelector>(expr).time);
        return true;
      case ExprKind::kNumber:
      case ExprKind::kString:
        return true;
    }
    return true;
  }

 private:
  void PinModifiers(TimeModifiers& time) const {
    if (subqueries_ == 0 && time.at.kind != AtModifier::Kind::kTimestamp) time.at = at_;
  }

  AtModifier at_;
  int subqueries_ = 0;  // around the expression that is being looked at
};

}  // namespace

std::optional<std::string> PinnedAt(const std::string& query, model::TimestampMs t,
                                    const ParserOptions& options) {
  auto expr = Parser(query, options).Whole();
  if (!expr || !Pinner(t).Pin(**expr)) return std::nullopt;
  return Print(**expr);
}

}  // namespace azexporter::promql
