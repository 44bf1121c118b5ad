// Binary operators.
// Semantics: prometheus/promql/engine.go, VectorBinop, VectorscalarBinop, VectorAnd, VectorOr,
// VectorUnless.

#include <algorithm>
#include <cmath>

#include "binary_labels.h"
#include "binary_samples.h"
#include "eval_error.h"
#include "evaluator.h"
#include "label_space.h"

namespace azexporter::promql {
namespace {

// At which steps any row of a group has a value: groups x steps.
std::vector<bool> PresentGroups(const SteppedVector& vector,
                                const std::vector<std::uint32_t>& group_of, std::size_t groups) {
  std::vector<bool> present(groups * vector.steps());
  for (std::size_t i = 0; i < vector.size(); ++i) {
    for (std::size_t step = 0; step < vector.steps(); ++step) {
      if (!vector.At(i, step).empty()) present[group_of[i] * vector.steps() + step] = true;
    }
  }
  return present;
}

// values[i] = operation(values[i], scalars[i]), or the other way round; absent ones stay so.
template <class Operation>
void ApplyToRow(std::span<double> values, std::span<const double> scalars, bool scalar_left,
                Operation operation) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double value = values[i];
    if (IsAbsent(value)) continue;
    values[i] =
        scalar_left ? operation(scalars[i], value, value) : operation(value, scalars[i], value);
  }
}

// Calls `run` with the operation of an expression: a function of both sides, and of the value that
// a comparison keeps where it holds; Absent() where it filters the element out. What is the same
// for all elements is decided here, once.
template <class Run>
void WithOperation(const BinaryExpr& expr, Run run) {
  const auto compare = [&](auto holds) {
    if (expr.return_bool) {
      run([holds](double lhs, double rhs, double) { return holds(lhs, rhs) ? 1.0 : 0.0; });
    } else {
      run([holds](double lhs, double rhs, double kept) {
        return holds(lhs, rhs) ? kept : Absent();
      });
    }
  };
  switch (expr.op) {
    case BinaryOp::kAdd:
      return run([](double lhs, double rhs, double) { return lhs + rhs; });
    case BinaryOp::kSub:
      return run([](double lhs, double rhs, double) { return lhs - rhs; });
    case BinaryOp::kMul:
      return run([](double lhs, double rhs, double) { return lhs * rhs; });
    case BinaryOp::kDiv:
      return run([](double lhs, double rhs, double) { return lhs / rhs; });
    case BinaryOp::kEqual:
      return compare([](double lhs, double rhs) { return lhs == rhs; });
    case BinaryOp::kNotEqual:
      return compare([](double lhs, double rhs) { return lhs != rhs; });
    case BinaryOp::kLess:
      return compare([](double lhs, double rhs) { return lhs < rhs; });
    case BinaryOp::kLessOrEqual:
      return compare([](double lhs, double rhs) { return lhs <= rhs; });
    case BinaryOp::kGreater:
      return compare([](double lhs, double rhs) { return lhs > rhs; });
    case BinaryOp::kGreaterOrEqual:
      return compare([](double lhs, double rhs) { return lhs >= rhs; });
    case BinaryOp::kMod:
      return run([](double lhs, double rhs, double) { return std::fmod(lhs, rhs); });
    case BinaryOp::kPow:
      return run([](double lhs, double rhs, double) { return std::pow(lhs, rhs); });
    case BinaryOp::kAtan2:
      return run([](double lhs, double rhs, double) { return std::atan2(lhs, rhs); });
    case BinaryOp::kTrimUpper:  // about histograms: of two floats they make nothing
    case BinaryOp::kTrimLower:
    case BinaryOp::kAnd:  // set operators do not come here
    case BinaryOp::kOr:
    case BinaryOp::kUnless:
      break;
  }
  run([](double, double, double) { return Absent(); });
}

// Between two vectors of floats, where one side has at most one element in a group of matching
// labels at any step: the "one" side. The other is the "many" side, even where the operator is
// one-to-one.
class VectorJoin {
 public:
  // `many` is used up.
  VectorJoin(Evaluator& evaluator, const BinaryExpr& expr, SteppedVector& many,
             const SteppedVector& one)
      : evaluator_(evaluator),
        expr_(expr),
        many_(many),
        one_(one),
        groups_(MatchingChoice(evaluator, expr.matching)),
        group_of_one_(GroupsOf(one, groups_)),
        group_of_many_(GroupsOf(many, groups_)),
        one_at_(groups_.size(), kNone),
        matched_(groups_.size(), kNone),
        result_(evaluator, expr),
        // Names that are to go later may hide equal labels.
        all_distinct_(!evaluator.options().delayed_name_removal && result_.KeepsDistinct(many)),
        in_place_(all_distinct_ && (expr.matching.include.empty() || many.steps() == 1)),
        last_pairing_(in_place_ ? 0 : many.size()),
        out_(evaluator.NewVector()) {}

  SteppedVector Run() {
    if (many_.empty() || one_.empty()) return std::move(out_);
    WithOperation(expr_, [&](auto operation) {
      in_place_ ? RunInPlace(operation) : RunIntoNewRows(operation);
    });
    return std::move(in_place_ ? many_ : out_);
  }

 private:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  bool swapped() const { return expr_.matching.cardinality == Cardinality::kOneToMany; }

  // Notes which row of the "one" side stands for each group at that step. False where the other
  // side has nothing to join: then it does not matter whether this one is in order.
  bool FindOnes(std::size_t step) {
    std::size_t first = 0;
    while (first < many_.size() && IsAbsent(many_.values(first)[step])) ++first;
    if (first == many_.size()) return false;
    std::ranges::fill(one_at_, kNone);
    for (std::size_t i = 0; i < one_.size(); ++i) {
      if (IsAbsent(one_.values(i)[step])) continue;
      std::size_t& slot = one_at_[group_of_one_[i]];
      if (slot != kNone) {
        FailDuplicate(expr_, groups_.labels(group_of_one_[i]), one_.row(slot).labels,
                      one_.row(i).labels);
      }
      slot = i;
    }
    return true;
  }

  // Where every row of the "many" side has a row of its own in the result, it becomes that row.
  template <class Operation>
  void RunInPlace(Operation operation) {
    for (std::size_t step = 0; step < many_.steps(); ++step) {
      evaluator_.CheckAlive();
      if (!FindOnes(step)) continue;
      for (std::size_t i = 0; i < many_.size(); ++i) {
        double& value = many_.values(i)[step];
        if (IsAbsent(value)) continue;
        const std::size_t one = one_at_[group_of_many_[i]];
        if (one == kNone) {
          value = Absent();
          continue;
        }
        CheckOneToOne(group_of_many_[i], step);
        const double other = one_.values(one)[step];
        value = swapped() ? operation(other, value, other) : operation(value, other, value);
        if (!expr_.matching.include.empty()) {
          many_.row(i).labels = result_.Of(many_.row(i).labels, one_.row(one).labels);
        }
      }
    }
    for (std::size_t i = 0; i < many_.size(); ++i) {
      SteppedVector::Row& row = many_.row(i);
      if (expr_.matching.include.empty()) row.labels = result_.Of(row.labels, {});
      row.drop_name = expr_.return_bool;
    }
    many_.DropEmptyRows();
  }

  template <class Operation>
  void RunIntoNewRows(Operation operation) {
    for (std::size_t step = 0; step < out_.steps(); ++step) {
      evaluator_.CheckAlive();
      if (!FindOnes(step)) continue;
      for (std::size_t i = 0; i < many_.size(); ++i) {
        const double value = many_.values(i)[step];
        const std::size_t one = one_at_[group_of_many_[i]];
        if (one == kNone || IsAbsent(value)) continue;
        const double other = one_.values(one)[step];
        Put(i, one, step,
            swapped() ? operation(other, value, other) : operation(value, other, value));
      }
    }
    out_.DropEmptyRows();
  }

  void CheckOneToOne(std::size_t group, std::size_t step) {
    if (expr_.matching.cardinality != Cardinality::kOneToOne) return;
    if (matched_[group] == step) FailManyToOne();
    matched_[group] = step;
  }

  // What came of a pair at that step.
  void Put(std::size_t many, std::size_t one, std::size_t step, double value) {
    const std::size_t group = group_of_many_[many];
    CheckOneToOne(group, step);
    const std::size_t row = OutRow(many, one);
    if (expr_.matching.cardinality != Cardinality::kOneToOne && !all_distinct_) {
      Joined& last = last_joined_[row];
      if (last.step == step && last.group == group) FailNotUnique();
      last = {step, group};
    }
    if (IsAbsent(value)) return;
    if (!IsAbsent(out_.values(row)[step])) FailSameLabels();
    out_.values(row)[step] = value;
  }

  // The row of the result that a pair of elements goes to. A series mostly meets the same one step
  // after step, so that the labels of the result are worked out once.
  std::size_t OutRow(std::size_t many, std::size_t one) {
    // Unless labels are taken over from the "one" side, those of the pair are those of `many`
    // alone.
    const std::size_t partner = expr_.matching.include.empty() ? 0 : one;
    Pairing& last = last_pairing_[many];
    if (last.partner == partner) return last.row;
    const model::LabelView labels = result_.Of(many_.row(many).labels, one_.row(one).labels);
    std::size_t row = out_.size();
    if (!all_distinct_ || out_.steps() > 1) row = row_of_labels_.NumberOf(labels);
    if (row == out_.size()) {
      out_.AddRow({labels, expr_.return_bool});
      if (!all_distinct_) last_joined_.push_back({});
    }
    last = {partner, row};
    return row;
  }

  struct Joined {
    std::size_t step = kNone;
    std::size_t group = kNone;
  };
  struct Pairing {
    std::size_t partner = kNone;
    std::size_t row = 0;
  };

  Evaluator& evaluator_;
  const BinaryExpr& expr_;
  SteppedVector& many_;
  const SteppedVector& one_;
  LabelGroups groups_;
  const std::vector<std::uint32_t> group_of_one_;
  const std::vector<std::uint32_t> group_of_many_;
  std::vector<std::size_t> one_at_;   // group -> row of one_ at the current step
  std::vector<std::size_t> matched_;  // group -> the step it was last matched at
  std::vector<Joined> last_joined_;   // row of out_ -> what was last joined into it
  ResultLabels result_;
  const bool all_distinct_;
  const bool in_place_;
  std::vector<Pairing> last_pairing_;  // row of many_ -> the pair it was last part of
  SteppedVector out_;
  LabelIndex row_of_labels_;
};

// The same to be kept, for where it does not have to be fast.
FloatOp FloatOperation(const BinaryExpr& expr) {
  FloatOp kept;
  WithOperation(expr, [&](auto operation) { kept = operation; });
  return kept;
}

}  // namespace

SteppedVector Evaluator::EvalBinary(const BinaryExpr& expr) {
  const bool left_scalar = expr.lhs->type() == ValueType::kScalar;
  const bool right_scalar = expr.rhs->type() == ValueType::kScalar;
  if (left_scalar && right_scalar) return EvalScalarBinary(expr);
  if (left_scalar || right_scalar) return EvalVectorScalar(expr);
  return IsSetOp(expr.op) ? EvalSetOp(expr) : EvalVectorVector(expr);
}

SteppedVector Evaluator::EvalScalarBinary(const BinaryExpr& expr) {
  if (IsTrim(expr.op)) {
    FailEval("operator \"" + std::string(BinaryOpText(expr.op)) +
             "\" not allowed for Scalar operations");
  }
  SteppedVector lhs = Eval(*expr.lhs);
  const SteppedVector rhs = Eval(*expr.rhs);
  WithOperation(expr, [&](auto operation) {
    ApplyToRow(lhs.values(0), rhs.values(0), /*scalar_left=*/false, operation);
  });
  return lhs;
}

SteppedVector Evaluator::EvalVectorScalar(const BinaryExpr& expr) {
  const bool scalar_left = expr.lhs->type() == ValueType::kScalar;
  SteppedVector lhs = Eval(*expr.lhs);
  SteppedVector rhs = Eval(*expr.rhs);
  SteppedVector& vector = scalar_left ? rhs : lhs;
  const SteppedVector& scalar = scalar_left ? lhs : rhs;
  if (vector.has_histograms() || IsTrim(expr.op)) {
    CombineWithScalars(*this, expr, vector, scalar.values(0), FloatOperation(expr));
  } else {
    WithOperation(expr, [&](auto operation) {
      for (std::size_t i = 0; i < vector.size(); ++i) {
        ApplyToRow(vector.values(i), scalar.values(0), scalar_left, operation);
      }
    });
  }
  vector.DropEmptyRows();
  if (!ChangesMetric(expr.op) && !expr.return_bool) return std::move(vector);
  return DropNames(std::move(vector));
}

SteppedVector Evaluator::EvalSetOp(const BinaryExpr& expr) {
  SteppedVector lhs = Eval(*expr.lhs);
  SteppedVector rhs = Eval(*expr.rhs);
  LabelGroups groups(MatchingChoice(*this, expr.matching));
  const std::vector<std::uint32_t> left = GroupsOf(lhs, groups);
  const std::vector<std::uint32_t> right = GroupsOf(rhs, groups);
  // Takes from `vector` the values whose group is, or is not, in the `others` at that step.
  const auto filter = [&](SteppedVector& vector, const std::vector<std::uint32_t>& group_of,
                          const std::vector<bool>& others, bool keep_if_present) {
    for (std::size_t i = 0; i < vector.size(); ++i) {
      for (std::size_t step = 0; step < steps_.count; ++step) {
        if (others[group_of[i] * steps_.count + step] != keep_if_present) {
          vector.Clear(i, step);
        }
      }
    }
    vector.DropEmptyRows();
  };
  if (expr.op != BinaryOp::kOr) {
    filter(lhs, left, PresentGroups(rhs, right, groups.size()), expr.op == BinaryOp::kAnd);
    return lhs;
  }
  filter(rhs, right, PresentGroups(lhs, left, groups.size()), false);
  for (std::size_t i = 0; i < rhs.size(); ++i) {
    lhs.AddRow(rhs.row(i), rhs.values(i), std::as_const(rhs).histograms(i));
  }
  // One series may stand on both sides, here now and there later.
  return steps_.count == 1 && query_.options.delayed_name_removal ? std::move(lhs)
                                                                  : MergeEqual(std::move(lhs));
}

SteppedVector Evaluator::EvalVectorVector(const BinaryExpr& expr) {
  SteppedVector lhs = Eval(*expr.lhs);
  SteppedVector rhs = Eval(*expr.rhs);
  const bool swapped = expr.matching.cardinality == Cardinality::kOneToMany;
  SteppedVector& many = swapped ? rhs : lhs;
  SteppedVector& one = swapped ? lhs : rhs;
  const bool floats = !lhs.has_histograms() && !rhs.has_histograms();
  if (!floats || expr.matching.fills() || IsTrim(expr.op)) {
    return JoinSamples(*this, expr, many, one, FloatOperation(expr));
  }
  return VectorJoin(*this, expr, many, one).Run();
}

}  // namespace azexporter::promql
