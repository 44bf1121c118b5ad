#include "binary_samples.h"

#include <optional>
#include <set>

#include "binary_labels.h"

namespace azexporter::promql {
namespace {

using model::FloatHistogram;

// What is worth a note about the elements of one step. As in Prometheus only the last one is told.
struct LastNote {
  enum class Kind { kNone, kTypes, kBuckets, kResetCollision, kReconciled };
  Kind kind = Kind::kNone;
  bool left_histogram = false;   // of kTypes
  bool right_histogram = false;  // of kTypes

  void Tell(Annotations& annotations, const BinaryExpr& expr) const {
    const auto name = [](bool histogram) { return histogram ? "histogram" : "float"; };
    const std::string_view operation = expr.op == BinaryOp::kSub ? "subtraction" : "addition";
    switch (kind) {
      case Kind::kNone:
        return;
      case Kind::kTypes:
        return annotations.IncompatibleTypes(name(left_histogram), BinaryOpText(expr.op),
                                             name(right_histogram), expr.position());
      case Kind::kBuckets:
        return annotations.IncompatibleBuckets(BinaryOpText(expr.op), expr.position());
      case Kind::kResetCollision:
        return annotations.ResetCollision(operation, expr.position());
      case Kind::kReconciled:
        return annotations.BoundsReconciled(operation, expr.position());
    }
  }
};

// What comes of two elements; empty where they are filtered out.
struct Combined {
  double f = Absent();
  model::HistogramPtr h = nullptr;

  bool empty() const { return h == nullptr && IsAbsent(f); }
  Element element() const { return {f, h == nullptr ? nullptr : &h}; }
};

Combined Shared(FloatHistogram histogram) {
  histogram.Compact();
  return {Absent(), std::make_shared<const FloatHistogram>(std::move(histogram))};
}

// Of two histograms. nullopt where they cannot be combined.
std::optional<Combined> CombineHistograms(const BinaryExpr& expr, const model::HistogramPtr& lhs,
                                          const model::HistogramPtr& rhs, LastNote& note) {
  if (expr.op == BinaryOp::kAdd || expr.op == BinaryOp::kSub) {
    FloatHistogram result = *lhs;
    const auto notes = expr.op == BinaryOp::kAdd ? result.Add(*rhs) : result.Sub(*rhs);
    if (!notes || notes->reset_collision) {
      note.kind = notes ? LastNote::Kind::kResetCollision : LastNote::Kind::kBuckets;
      return std::nullopt;
    }
    if (notes->bounds_reconciled) note.kind = LastNote::Kind::kReconciled;
    if (expr.op == BinaryOp::kSub) result.hint = model::CounterResetHint::kGauge;
    return Shared(std::move(result));
  }
  if (expr.op == BinaryOp::kEqual || expr.op == BinaryOp::kNotEqual) {
    const bool holds = lhs->Equals(*rhs) == (expr.op == BinaryOp::kEqual);
    if (expr.return_bool) return Combined{holds ? 1.0 : 0.0};
    return holds ? Combined{Absent(), lhs} : Combined{};
  }
  note = {LastNote::Kind::kTypes, true, true};
  return std::nullopt;
}

std::optional<Combined> Combine(const BinaryExpr& expr, const Element& lhs, const Element& rhs,
                                const FloatOp& float_op, LastNote& note) {
  if (lhs.h != nullptr && rhs.h != nullptr) return CombineHistograms(expr, *lhs.h, *rhs.h, note);
  if (lhs.h == nullptr && rhs.h == nullptr && !IsTrim(expr.op)) {
    return Combined{float_op(lhs.f, rhs.f, lhs.f)};
  }
  if (lhs.h == nullptr && rhs.h != nullptr && expr.op == BinaryOp::kMul) {
    FloatHistogram result = **rhs.h;
    result.Mul(lhs.f);
    return Shared(std::move(result));
  }
  if (lhs.h != nullptr) {
    FloatHistogram result = **lhs.h;
    switch (expr.op) {
      case BinaryOp::kMul:
        result.Mul(rhs.f);
        return Shared(std::move(result));
      case BinaryOp::kDiv:
        result.Div(rhs.f);
        return Shared(std::move(result));
      case BinaryOp::kTrimUpper:
        result.TrimAbove(rhs.f);
        return Shared(std::move(result));
      case BinaryOp::kTrimLower:
        result.TrimBelow(rhs.f);
        return Shared(std::move(result));
      default:
        break;
    }
  }
  note = {LastNote::Kind::kTypes, lhs.h != nullptr, rhs.h != nullptr};
  return std::nullopt;
}

class SampleJoin {
 public:
  SampleJoin(Evaluator& evaluator, const BinaryExpr& expr, const SteppedVector& many,
             const SteppedVector& one, const FloatOp& float_op)
      : evaluator_(evaluator),
        expr_(expr),
        many_(many),
        one_(one),
        float_op_(float_op),
        groups_(MatchingChoice(evaluator, expr.matching)),
        group_of_one_(GroupsOf(one, groups_)),
        group_of_many_(GroupsOf(many, groups_)),
        one_at_(groups_.size(), kNone),
        matched_(groups_.size(), false),
        result_(evaluator, expr),
        out_(evaluator.NewVector()) {}

  SteppedVector Run() {
    for (std::size_t step = 0; step < out_.steps(); ++step) {
      evaluator_.CheckAlive();
      RunStep(step);
    }
    out_.DropEmptyRows();
    return std::move(out_);
  }

 private:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  bool one_to_one() const { return expr_.matching.cardinality == Cardinality::kOneToOne; }
  bool swapped() const { return expr_.matching.cardinality == Cardinality::kOneToMany; }

  static bool AnyAt(const SteppedVector& vector, std::size_t step) {
    for (std::size_t i = 0; i < vector.size(); ++i) {
      if (!vector.At(i, step).empty()) return true;
    }
    return false;
  }

  void RunStep(std::size_t step) {
    const bool many = AnyAt(many_, step);
    const bool one = AnyAt(one_, step);
    // Without an element on one side there is nothing to match, and nothing that could be wrong.
    if ((!many && !one) || (!(many && one) && !expr_.matching.fills())) return;
    FindOnes(step);
    matched_.assign(groups_.size(), false);
    joined_.clear();
    note_ = {};
    for (std::size_t i = 0; i < many_.size(); ++i) {
      const Element element = many_.At(i, step);
      if (element.empty()) continue;
      const std::uint32_t group = group_of_many_[i];
      const std::size_t found = one_at_[group];
      if (found != kNone) {
        Put(step, group, {many_.row(i).labels, element},
            {one_.row(found).labels, one_.At(found, step)});
      } else if (expr_.matching.fill_right) {
        Put(step, group, {many_.row(i).labels, element},
            {groups_.labels(group), {*expr_.matching.fill_right}});
      }
    }
    if (expr_.matching.fill_left) FillMany(step);
    note_.Tell(evaluator_.annotations(), expr_);
  }

  // Joins what was left over on the "one" side.
  void FillMany(std::size_t step) {
    for (std::size_t i = 0; i < one_.size(); ++i) {
      const Element element = one_.At(i, step);
      const std::uint32_t group = group_of_one_[i];
      if (element.empty() || matched_[group]) continue;
      Put(step, group, {groups_.labels(group), {*expr_.matching.fill_left}},
          {one_.row(i).labels, element});
    }
  }

  void FindOnes(std::size_t step) {
    one_at_.assign(groups_.size(), kNone);
    for (std::size_t i = 0; i < one_.size(); ++i) {
      if (one_.At(i, step).empty()) continue;
      std::size_t& slot = one_at_[group_of_one_[i]];
      if (slot != kNone) {
        FailDuplicate(expr_, groups_.labels(group_of_one_[i]), one_.row(slot).labels,
                      one_.row(i).labels);
      }
      slot = i;
    }
  }

  struct Side {
    model::LabelView labels;
    Element element;
  };

  void Put(std::size_t step, std::uint32_t group, const Side& many, const Side& one) {
    const Side& lhs = swapped() ? one : many;
    const Side& rhs = swapped() ? many : one;
    const auto combined = Combine(expr_, lhs.element, rhs.element, float_op_, note_);
    if (!combined) return;
    if (one_to_one() && matched_[group]) FailManyToOne();
    matched_[group] = true;
    const std::uint32_t row = rows_.NumberOf(result_.Of(many.labels, one.labels));
    if (row == out_.size()) out_.AddRow({rows_.labels(row), expr_.return_bool});
    if (!one_to_one() && !joined_.emplace(group, row).second) FailNotUnique();
    if (combined->empty()) return;
    if (!out_.At(row, step).empty()) FailSameLabels();
    out_.Set(row, step, combined->element());
  }

  Evaluator& evaluator_;
  const BinaryExpr& expr_;
  const SteppedVector& many_;
  const SteppedVector& one_;
  const FloatOp& float_op_;
  LabelGroups groups_;
  const std::vector<std::uint32_t> group_of_one_;
  const std::vector<std::uint32_t> group_of_many_;
  // Of the current step: the row of one_ in each group, which groups were matched, and the rows of
  // the result that each group was joined into.
  std::vector<std::size_t> one_at_;
  std::vector<bool> matched_;
  std::set<std::pair<std::uint32_t, std::uint32_t>> joined_;
  LastNote note_;
  ResultLabels result_;
  LabelIndex rows_;
  SteppedVector out_;
};

}  // namespace

void CombineWithScalars(Evaluator& evaluator, const BinaryExpr& expr, SteppedVector& vector,
                        std::span<const double> scalars, const FloatOp& float_op) {
  const bool scalar_left = expr.lhs->type() == ValueType::kScalar;
  // A comparison keeps the element of the vector, on whichever side it stands.
  const auto on_vector = [&](double lhs, double rhs, double) {
    return float_op(lhs, rhs, scalar_left ? rhs : lhs);
  };
  for (std::size_t step = 0; step < vector.steps(); ++step) {
    LastNote note;
    for (std::size_t i = 0; i < vector.size(); ++i) {
      const Element element = std::as_const(vector).At(i, step);
      if (element.empty()) continue;
      const Element scalar{scalars[step]};
      const auto combined = scalar_left ? Combine(expr, scalar, element, on_vector, note)
                                        : Combine(expr, element, scalar, on_vector, note);
      if (combined) {
        vector.Set(i, step, combined->element());
      } else {
        vector.Clear(i, step);
      }
    }
    note.Tell(evaluator.annotations(), expr);
  }
}

SteppedVector JoinSamples(Evaluator& evaluator, const BinaryExpr& expr, const SteppedVector& many,
                          const SteppedVector& one, const FloatOp& float_op) {
  return SampleJoin(evaluator, expr, many, one, float_op).Run();
}

}  // namespace azexporter::promql
