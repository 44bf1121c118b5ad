#pragma once

// Binary operators where a side may have native histograms, or missing elements are filled in:
// right rather than fast. Floats alone are joined in eval_binary.cc.
//
// Thread safety: one thread only.
// Semantics: prometheus/promql/engine.go, vectorElemBinop, VectorBinop, VectorscalarBinop.

#include <functional>
#include <span>

#include "evaluator.h"

namespace azexporter::promql {

// Of both sides, and of the value that a comparison keeps where it holds; Absent() where it filters
// the element out.
using FloatOp = std::function<double(double lhs, double rhs, double kept)>;

// Makes `vector` the result of the operator with the scalar of each step, on the side where it
// stands in `expr`.
void CombineWithScalars(Evaluator& evaluator, const BinaryExpr& expr, SteppedVector& vector,
                        std::span<const double> scalars, const FloatOp& float_op);

// `one`: the side that may have only one element in a group of matching labels.
SteppedVector JoinSamples(Evaluator& evaluator, const BinaryExpr& expr, const SteppedVector& many,
                          const SteppedVector& one, const FloatOp& float_op);

}  // namespace azexporter::promql
