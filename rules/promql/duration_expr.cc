#include "azexporter/promql/duration_expr.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "azexporter/base/duration.h"
#include "azexporter/base/float_format.h"

namespace azexporter::promql {
namespace {

using base::Result;
using Op = DurationExpr::Op;

tl::unexpected<base::Error> ErrorAt(const DurationExpr& expr, std::string_view why) {
  return base::Fail(base::ErrorCode::kExecution,
                    fmt::format("{}:{}: {}", expr.start, expr.end, why));
}

Result<double> Seconds(const DurationExpr& expr, const DurationContext& context) {
  double lhs = 0;
  double rhs = 0;
  if (expr.lhs != nullptr) {
    AZX_ASSIGN_OR_RETURN(lhs, Seconds(*expr.lhs, context));
  }
  if (expr.rhs != nullptr) {
    AZX_ASSIGN_OR_RETURN(rhs, Seconds(*expr.rhs, context));
  }
  switch (expr.op) {
    case Op::kNumber:
      return expr.seconds;
    case Op::kStep:
      return static_cast<double>(context.step_ms) / 1000;
    case Op::kRange:
      return static_cast<double>(context.range_ms) / 1000;
    case Op::kMinOf:
      return std::min(lhs, rhs);
    case Op::kMaxOf:
      return std::max(lhs, rhs);
    case Op::kNegate:
      return -rhs;
    case Op::kAdd:
      return lhs + rhs;
    case Op::kSub:
      return lhs - rhs;
    case Op::kMul:
      return lhs * rhs;
    case Op::kDiv:
      if (rhs == 0) return ErrorAt(expr, "division by zero");
      return lhs / rhs;
    case Op::kMod:
      if (rhs == 0) return ErrorAt(expr, "modulo by zero");
      return std::fmod(lhs, rhs);
    case Op::kPow:
      return std::pow(lhs, rhs);
  }
  return 0;
}

std::string_view OpText(Op op) {
  switch (op) {
    case Op::kAdd:
      return "+";
    case Op::kSub:
    case Op::kNegate:
      return "-";
    case Op::kMul:
      return "*";
    case Op::kDiv:
      return "/";
    case Op::kMod:
      return "%";
    case Op::kPow:
      return "^";
    case Op::kMinOf:
      return "min_of";
    case Op::kMaxOf:
      return "max_of";
    case Op::kStep:
      return "step()";
    case Op::kRange:
      return "range()";
    case Op::kNumber:
      break;
  }
  return "";
}

std::string PrintBare(const DurationExpr& expr) {
  switch (expr.op) {
    case Op::kNumber: {
      if (!expr.is_duration) return base::FormatFloatF(expr.seconds);
      const auto ms = static_cast<std::int64_t>(std::round(expr.seconds * 1000));
      return ms < 0 ? "-" + base::FormatDurationMs(-ms) : base::FormatDurationMs(ms);
    }
    case Op::kStep:
    case Op::kRange:
      return std::string(OpText(expr.op));
    case Op::kMinOf:
    case Op::kMaxOf:
      return fmt::format("{}({}, {})", OpText(expr.op), PrintDuration(*expr.lhs),
                         PrintDuration(*expr.rhs));
    case Op::kNegate:
      return "-" + PrintDuration(*expr.rhs);
    default:
      return fmt::format("{} {} {}", PrintDuration(*expr.lhs), OpText(expr.op),
                         PrintDuration(*expr.rhs));
  }
}

}  // namespace

Result<std::int64_t> DurationMs(const DurationExpr& expr, const DurationContext& context,
                                bool may_be_negative) {
  AZX_ASSIGN_OR_RETURN(const double seconds, Seconds(expr, context));
  if (!std::isfinite(seconds)) return ErrorAt(expr, "duration is NaN or infinite");
  if (seconds <= 0 && !may_be_negative) return ErrorAt(expr, "duration must be greater than 0");
  // Go's time.Duration counts nanoseconds in an int64.
  constexpr double kMostSeconds = 9223372036.854775807;
  if (std::abs(seconds) > kMostSeconds) return ErrorAt(expr, "duration is out of range");
  const auto ms = static_cast<std::int64_t>(seconds * 1000);
  // Less than a millisecond is no time at all to the store.
  if (ms == 0 && !may_be_negative) return ErrorAt(expr, "duration must be greater than 0");
  return ms;
}

std::string PrintDuration(const DurationExpr& expr) {
  return expr.in_parens ? "(" + PrintBare(expr) + ")" : PrintBare(expr);
}

}  // namespace azexporter::promql
