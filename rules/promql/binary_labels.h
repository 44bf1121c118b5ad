#pragma once

// The labels of binary operators: how elements of two vectors find each other, and what their
// result is called.
//
// Thread safety: one thread only.

#include <cstdint>
#include <string>
#include <vector>

#include "evaluator.h"
#include "label_space.h"

namespace azexporter::promql {

// Whether the result is no longer of the metric on the left: arithmetic makes something new.
bool ChangesMetric(BinaryOp op);

// The labels by which elements match.
LabelChoice MatchingChoice(Evaluator& evaluator, const VectorMatching& matching);

// The group of matching labels that each row falls into, numbered alike on both sides.
std::vector<std::uint32_t> GroupsOf(const SteppedVector& vector, LabelGroups& groups);

// Two elements of the side that may have only one in a group. Throws EvalError.
[[noreturn]] void FailDuplicate(const BinaryExpr& expr, const model::LabelView& group,
                                const model::LabelView& a, const model::LabelView& b);
[[noreturn]] void FailManyToOne();
[[noreturn]] void FailNotUnique();

// The labels of the elements of a join's result.
class ResultLabels {
 public:
  ResultLabels(Evaluator& evaluator, const BinaryExpr& expr);

  model::LabelView Of(const model::LabelView& many, const model::LabelView& one);
  // Two elements of the "many" side that differ surely have different labels in the result.
  bool KeepsDistinct(const SteppedVector& many);

 private:
  LabelSpace& space_;
  const std::vector<model::Symbol> include_;
  LabelChoice kept_;
  std::vector<NewLabel> changes_;
};

}  // namespace azexporter::promql
