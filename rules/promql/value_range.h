#pragma once

// Arithmetic of value ranges. Private to `promql`.
//
// Thread safety: pure functions.

#include "azexporter/promql/analysis.h"

namespace azexporter::promql {

ValueRange SingleValue(double value);
ValueRange AtLeast(double least, bool whole);

ValueRange Hull(const ValueRange& a, const ValueRange& b);
ValueRange Intersection(const ValueRange& a, const ValueRange& b);
ValueRange Negated(const ValueRange& range);
// Of +, -, *, /; everything for other operators.
ValueRange Combine(BinaryOp op, const ValueRange& a, const ValueRange& b);

// What `a` is cut down to where `a op b` holds.
// REQUIRES: op is a comparison.
ValueRange Where(BinaryOp op, const ValueRange& a, const ValueRange& b);
// Whether `a op b` holds for none, or for all, of the values.
// REQUIRES: op is a comparison.
bool NeverHolds(BinaryOp op, const ValueRange& a, const ValueRange& b);
bool AlwaysHolds(BinaryOp op, const ValueRange& a, const ValueRange& b);
// The comparison seen from the other side: 1 < x is x > 1.
BinaryOp Mirrored(BinaryOp op);

}  // namespace azexporter::promql
