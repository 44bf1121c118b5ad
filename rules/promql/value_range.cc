#include "value_range.h"

#include <algorithm>
#include <cmath>

#include "azexporter/base/float_format.h"

namespace azexporter::promql {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

double Above(double value) { return std::nextafter(value, kInfinity); }
double Below(double value) { return std::nextafter(value, -kInfinity); }

// Bounds of whole numbers are whole.
ValueRange Tidy(ValueRange range) {
  if (!range.whole) return range;
  range.least = std::ceil(range.least);
  range.most = std::floor(range.most);
  return range;
}

double Times(double a, double b) { return a == 0 || b == 0 ? 0 : a * b; }

ValueRange Product(const ValueRange& a, const ValueRange& b) {
  const double corners[] = {Times(a.least, b.least), Times(a.least, b.most), Times(a.most, b.least),
                            Times(a.most, b.most)};
  const auto [least, most] = std::minmax_element(std::begin(corners), std::end(corners));
  return {*least, *most, a.whole && b.whole};
}

bool IsFinite(const ValueRange& range) {
  return std::isfinite(range.least) && std::isfinite(range.most);
}

bool IsSingle(const ValueRange& range) { return range.least == range.most; }

bool Disjoint(const ValueRange& a, const ValueRange& b) { return Tidy(Intersection(a, b)).empty(); }

}  // namespace

ValueRange SingleValue(double value) {
  if (std::isnan(value)) return {};
  return {value, value, std::isfinite(value) && value == std::floor(value), false};
}

ValueRange AtLeast(double least, bool whole) { return {least, kInfinity, whole, false}; }

ValueRange Hull(const ValueRange& a, const ValueRange& b) {
  return {std::min(a.least, b.least), std::max(a.most, b.most), a.whole && b.whole,
          a.may_be_nan || b.may_be_nan};
}

ValueRange Intersection(const ValueRange& a, const ValueRange& b) {
  return {std::max(a.least, b.least), std::min(a.most, b.most), a.whole || b.whole,
          a.may_be_nan && b.may_be_nan};
}

ValueRange Negated(const ValueRange& range) {
  return {-range.most, -range.least, range.whole, range.may_be_nan};
}

ValueRange Combine(BinaryOp op, const ValueRange& a, const ValueRange& b) {
  ValueRange range;
  bool is_number = IsFinite(a) && IsFinite(b) && !a.may_be_nan && !b.may_be_nan;
  if (op == BinaryOp::kAdd) {
    range = {a.least + b.least, a.most + b.most, a.whole && b.whole};
  } else if (op == BinaryOp::kSub) {
    range = {a.least - b.most, a.most - b.least, a.whole && b.whole};
  } else if (op == BinaryOp::kMul) {
    range = Product(a, b);
  } else if (op == BinaryOp::kDiv && (b.least > 0 || b.most < 0)) {
    range = Product(a, {1 / b.most, 1 / b.least});
  } else {
    is_number = false;
  }
  // Infinity minus infinity, or times 0, is no number.
  range.may_be_nan = !is_number;
  if (std::isnan(range.least) || std::isnan(range.most)) return {};
  return range;
}

ValueRange Where(BinaryOp op, const ValueRange& a, const ValueRange& b) {
  ValueRange range = a;
  if (op == BinaryOp::kNotEqual) return range;  // also passes NaN
  range.may_be_nan = false;
  if (op == BinaryOp::kEqual || op == BinaryOp::kGreaterOrEqual) {
    range.least = std::max(range.least, b.least);
  }
  if (op == BinaryOp::kGreater) range.least = std::max(range.least, Above(b.least));
  if (op == BinaryOp::kEqual || op == BinaryOp::kLessOrEqual) {
    range.most = std::min(range.most, b.most);
  }
  if (op == BinaryOp::kLess) range.most = std::min(range.most, Below(b.most));
  return Tidy(range);
}

BinaryOp Mirrored(BinaryOp op) {
  if (op == BinaryOp::kLess) return BinaryOp::kGreater;
  if (op == BinaryOp::kLessOrEqual) return BinaryOp::kGreaterOrEqual;
  if (op == BinaryOp::kGreater) return BinaryOp::kLess;
  if (op == BinaryOp::kGreaterOrEqual) return BinaryOp::kLessOrEqual;
  return op;
}

bool NeverHolds(BinaryOp op, const ValueRange& a, const ValueRange& b) {
  if (op == BinaryOp::kGreater) return a.most <= b.least;
  if (op == BinaryOp::kGreaterOrEqual) return a.most < b.least;
  if (op == BinaryOp::kLess) return a.least >= b.most;
  if (op == BinaryOp::kLessOrEqual) return a.least > b.most;
  if (op == BinaryOp::kEqual) return Disjoint(a, b);
  // NaN differs from everything.
  return IsSingle(a) && IsSingle(b) && a.least == b.least && !a.may_be_nan && !b.may_be_nan;
}

bool AlwaysHolds(BinaryOp op, const ValueRange& a, const ValueRange& b) {
  if (op == BinaryOp::kNotEqual) return Disjoint(a, b);
  if (a.may_be_nan || b.may_be_nan) return false;
  if (op == BinaryOp::kGreater) return a.least > b.most;
  if (op == BinaryOp::kGreaterOrEqual) return a.least >= b.most;
  if (op == BinaryOp::kLess) return a.most < b.least;
  if (op == BinaryOp::kLessOrEqual) return a.most <= b.least;
  return IsSingle(a) && IsSingle(b) && a.least == b.least;
}

std::string Describe(const ValueRange& range) {
  const std::string least = base::FormatFloatG(range.least);
  const std::string most = base::FormatFloatG(range.most);
  if (IsSingle(range)) return "is always " + least;
  if (range.whole && range.most == range.least + 1) return "is " + least + " or " + most;
  if (range.most == kInfinity) return "is never below " + least;
  if (range.least == -kInfinity) return "is never above " + most;
  return "lies between " + least + " and " + most;
}

}  // namespace azexporter::promql
