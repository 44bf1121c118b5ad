#pragma once

// The syntax tree of a PromQL expression. A closed set of node kinds, each a struct with public
// constant-by-convention fields; ParseExpr hands the tree out as `shared_ptr<const Expr>` and
// nothing changes it afterwards: what the engine works out for an evaluation lives in the engine.
//
// A reader switches over kind() without a default, so that a new kind is a compile error wherever
// kinds must be known, and casts with As<T>:
//
//   switch (expr.kind()) {
//     case ExprKind::kBinary: return Print(As<BinaryExpr>(expr));
//     ...
//
// Kinds are always listed in alphabetical order.
//
// Thread safety: immutable after parsing; may be read from many threads.
// Semantics: prometheus.io/docs/prometheus/latest/querying/basics.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/base/check.h"
#include "azexporter/model/matcher.h"
#include "azexporter/model/sample.h"
#include "azexporter/promql/duration_expr.h"

namespace azexporter::promql {

// How old the newest sample of a series may be for an instant selector to find it.
inline constexpr std::int64_t kDefaultLookbackMs = 300'000;

struct Function;

// Deeper trees are refused by the parser, so that whoever walks a tree may recurse.
inline constexpr int kMaxExprDepth = 500;

// Where in the query a node stands: bytes [start, end), and the 1-based line and column of `start`.
// Columns count bytes.
struct PositionRange {
  std::size_t start = 0;
  std::size_t end = 0;
  int line = 1;
  int column = 1;
};

enum class ExprKind {
  kAggregate,
  kBinary,
  kCall,
  kMatrixSelector,
  kNumber,
  kParen,
  kString,
  kSubquery,
  kUnary,
  kVectorSelector,
};

enum class ValueType { kScalar, kString, kVector, kMatrix };

// As the HTTP API names the types: "scalar", "string", "vector", "matrix".
std::string_view ValueTypeName(ValueType type);
// As the documentation and error messages name them: "instant vector", "range vector", ...
std::string_view DocumentedType(ValueType type);

class Expr {
 public:
  virtual ~Expr() = default;
  Expr(const Expr&) = delete;
  Expr& operator=(const Expr&) = delete;

  ExprKind kind() const { return kind_; }
  // The type of the value this expression has.
  ValueType type() const { return type_; }
  const PositionRange& position() const { return position_; }
  void set_position(const PositionRange& position) { position_ = position; }
  // 1 for a leaf; never above kMaxExprDepth in a parsed tree.
  int depth() const { return depth_; }

 protected:
  Expr(ExprKind kind, ValueType type, const PositionRange& position, int depth)
      : kind_(kind), type_(type), position_(position), depth_(depth) {}

 private:
  ExprKind kind_;
  ValueType type_;
  PositionRange position_;
  int depth_;
};

using ExprPtr = std::unique_ptr<Expr>;

// REQUIRES: expr is a T.
template <class T>
const T& As(const Expr& expr) {
  AZX_CHECK(expr.kind() == T::kKind, "expression cast to a kind it is not");
  return static_cast<const T&>(expr);
}
template <class T>
T& As(Expr& expr) {
  AZX_CHECK(expr.kind() == T::kKind, "expression cast to a kind it is not");
  return static_cast<T&>(expr);
}

enum class AggregateOp {
  kAvg,
  kBottomk,
  kCount,
  kCountValues,
  kGroup,
  kLimitk,
  kLimitRatio,
  kMax,
  kMin,
  kQuantile,
  kStddev,
  kStdvar,
  kSum,
  kTopk,
};
std::string_view AggregateOpText(AggregateOp op);
// topk, limit_ratio and the like, which keep the samples of their input and only take some of them.
bool KeepsSamples(AggregateOp op);

enum class BinaryOp {
  kAdd,
  kSub,
  kMul,
  kDiv,
  kMod,
  kPow,
  kAtan2,
  kTrimUpper,  // </: cuts a native histogram off above a bound
  kTrimLower,  // >/: ... below it
  kEqual,
  kNotEqual,
  kLess,
  kLessOrEqual,
  kGreater,
  kGreaterOrEqual,
  kAnd,
  kOr,
  kUnless,
};
std::string_view BinaryOpText(BinaryOp op);
bool IsComparison(BinaryOp op);
bool IsSetOp(BinaryOp op);
bool IsTrim(BinaryOp op);  // </ and >/

// How many samples of either side may share one set of matching labels.
enum class Cardinality { kOneToOne, kManyToOne, kOneToMany, kManyToMany };
std::string_view CardinalityName(Cardinality cardinality);  // "one-to-one", ...

// How samples of two vectors find each other.
struct VectorMatching {
  Cardinality cardinality = Cardinality::kOneToOne;
  // true: on (labels); false: ignoring (labels).
  bool on = false;
  std::vector<std::string> labels;
  // Labels that group_left / group_right copy from the "one" side.
  std::vector<std::string> include;
  // fill_left(0), fill_right(0), fill(0): the value of a sample that is missing on that side.
  std::optional<double> fill_left;
  std::optional<double> fill_right;

  bool fills() const { return fill_left || fill_right; }
};

// The @ modifier.
struct AtModifier {
  enum class Kind { kNone, kTimestamp, kStart, kEnd };
  Kind kind = Kind::kNone;
  model::TimestampMs t = 0;  // of kTimestamp
};

// What may follow a selector or a subquery: `@ 1609746000 offset 5m`.
struct TimeModifiers {
  AtModifier at;
  std::int64_t offset_ms = 0;  // positive looks back, negative forward
  DurationPtr offset_expr;     // in place of offset_ms, where it is computed
};

// How a selector takes the samples at the bounds of its window.
enum class RangeMode {
  kPlain,     // only what lies in the window
  kAnchored,  // and the last sample before it, as the value at its start
  kSmoothed,  // values at the bounds are interpolated from the samples on either side
};

// sum by (zone) (up), topk(3, up)
struct AggregateExpr final : Expr {
  static constexpr ExprKind kKind = ExprKind::kAggregate;
  AggregateExpr(const PositionRange& position, AggregateOp op, ExprPtr param, ExprPtr expr);

  AggregateOp op;
  ExprPtr param;  // of topk, bottomk, limitk, limit_ratio, quantile, count_values; else null
  ExprPtr expr;
  bool without = false;  // without (grouping) rather than by (grouping)
  std::vector<std::string> grouping;
};

// up == bool on (zone) group_left (role) ready
struct BinaryExpr final : Expr {
  static constexpr ExprKind kKind = ExprKind::kBinary;
  BinaryExpr(BinaryOp op, const PositionRange& op_position, ExprPtr lhs, ExprPtr rhs);

  BinaryOp op;
  PositionRange op_position;  // of the operator alone
  ExprPtr lhs;
  ExprPtr rhs;
  // A comparison answers 0 or 1 rather than filtering.
  bool return_bool = false;
  // Means something only between two instant vectors.
  VectorMatching matching;
};

// rate(http_requests_total[5m])
struct CallExpr final : Expr {
  static constexpr ExprKind kKind = ExprKind::kCall;
  CallExpr(const PositionRange& position, const Function& function, std::vector<ExprPtr> args);

  const Function& function;  // a row of the table in functions.h
  std::vector<ExprPtr> args;
};

// up{zone="a"} @ end() offset 5m
struct VectorSelector final : Expr {
  static constexpr ExprKind kKind = ExprKind::kVectorSelector;
  VectorSelector(const PositionRange& position, std::string name,
                 std::vector<model::Matcher> matchers);

  // The name written before the braces, "" where there was none. It is among the matchers too.
  std::string name;
  std::vector<model::Matcher> matchers;
  TimeModifiers time;
  RangeMode mode = RangeMode::kPlain;
};

// up{zone="a"}[5m] @ end() offset 5m
struct MatrixSelector final : Expr {
  static constexpr ExprKind kKind = ExprKind::kMatrixSelector;
  MatrixSelector(const PositionRange& position, std::unique_ptr<VectorSelector> selector,
                 std::int64_t range_ms);

  // Its time modifiers are those of the whole.
  std::unique_ptr<VectorSelector> selector;
  std::int64_t range_ms;   // > 0
  DurationPtr range_expr;  // in place of range_ms, where it is computed
};

// 1, 0x1f, Inf, 5m (300)
struct NumberLiteral final : Expr {
  static constexpr ExprKind kKind = ExprKind::kNumber;
  NumberLiteral(const PositionRange& position, double value, bool is_duration);

  double value;
  bool is_duration;  // written, and printed, as a duration; value is in seconds
};

// (up)
struct ParenExpr final : Expr {
  static constexpr ExprKind kKind = ExprKind::kParen;
  ParenExpr(const PositionRange& position, ExprPtr expr);

  ExprPtr expr;
};

// "text"
struct StringLiteral final : Expr {
  static constexpr ExprKind kKind = ExprKind::kString;
  StringLiteral(const PositionRange& position, std::string value);

  std::string value;  // unquoted
};

// rate(up[1m])[30m:1m] @ end() offset 1h
struct SubqueryExpr final : Expr {
  static constexpr ExprKind kKind = ExprKind::kSubquery;
  SubqueryExpr(const PositionRange& position, ExprPtr expr, std::int64_t range_ms,
               std::int64_t step_ms);

  ExprPtr expr;
  std::int64_t range_ms;   // > 0
  std::int64_t step_ms;    // 0: the engine's default
  DurationPtr range_expr;  // in place of range_ms, where it is computed
  DurationPtr step_expr;   // in place of step_ms, where it is computed
  TimeModifiers time;
};

// -up
struct UnaryExpr final : Expr {
  static constexpr ExprKind kKind = ExprKind::kUnary;
  UnaryExpr(const PositionRange& position, bool negative, ExprPtr expr);

  bool negative;  // '-'; else '+'
  ExprPtr expr;
};

// The expressions directly below, in the order of the text.
std::vector<const Expr*> Children(const Expr& expr);

// The expression inside any number of parentheses.
const Expr& Unwrap(const Expr& expr);

// What an expression asks of a store: one entry a selector, in the order of the text.
struct Selection {
  std::vector<model::Matcher> matchers;
  // How far before the evaluation time the oldest point lies that can matter, ms; at least 0. The
  // look-back, ranges, offsets and enclosing subqueries are counted.
  std::int64_t reach_ms = 0;
  // The selector is nailed to a time by @, so that reach_ms says nothing about its age.
  bool at_fixed_time = false;
  // A range selector: functions over it need more than one point of a series.
  bool is_range = false;
  // On the right of an `unless`: without any series it takes nothing away.
  bool takes_away = false;
};

// `lookback_ms`: the look-back of the engine that will run the expression.
// REQUIRES: lookback_ms > 0.
std::vector<Selection> Selections(const Expr& expr, std::int64_t lookback_ms = kDefaultLookbackMs);

}  // namespace azexporter::promql
