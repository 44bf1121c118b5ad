// Binary operators.
// Semantics: prometheus/promql/engine.go, VectorBinop, VectorscalarBinop, VectorAnd, VectorOr,
// VectorUnless.

#include <algorithm>
#include <cmath>

#include "eval_error.h"
#include "evaluator.h"
#include "label_space.h"

namespace azexporter::promql {
namespace {

// Whether the result still is of the metric on the left: arithmetic makes something new.
bool ChangesMetric(BinaryOp op) { return !IsComparison(op) && !IsSetOp(op) && !IsTrim(op); }

// All labels in braces, the metric name among them: as errors name the series of a match group.
std::string InBraces(const model::LabelView& view) {
  const model::Labels labels = view.ToLabels();
  std::string text = "{";
  for (const model::Label label : labels) {
    if (text.size() > 1) text += ", ";
    if (model::IsLegacyLabelName(label.name)) {
      text += label.name;
    } else {
      model::AppendQuoted(text, label.name);
    }
    text += '=';
    model::AppendQuoted(text, label.value);
  }
  return text + "}";
}

LabelChoice MatchingChoice(Evaluator& evaluator, const VectorMatching& matching) {
  LabelSpace& labels = evaluator.labels();
  std::vector<model::Symbol> names = labels.Intern(matching.labels);
  if (matching.on) return LabelChoice::Only(labels, std::move(names));
  names.push_back(labels.metric_name());
  return LabelChoice::AllBut(labels, std::move(names));
}

// The group of matching labels that each row falls into, numbered alike on both sides.
std::vector<std::uint32_t> GroupsOf(const SteppedVector& vector, LabelGroups& groups) {
  std::vector<std::uint32_t> group_of(vector.size());
  for (std::size_t i = 0; i < vector.size(); ++i) {
    group_of[i] = groups.GroupOf(vector.row(i).labels);
  }
  return group_of;
}

// At which steps any row of a group has a value: groups x steps.
std::vector<bool> PresentGroups(const SteppedVector& vector,
                                const std::vector<std::uint32_t>& group_of, std::size_t groups) {
  std::vector<bool> present(groups * vector.steps());
  for (std::size_t i = 0; i < vector.size(); ++i) {
    for (std::size_t step = 0; step < vector.steps(); ++step) {
      if (!IsAbsent(vector.values(i)[step])) present[group_of[i] * vector.steps() + step] = true;
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

// The labels of the elements of a join's result.
class ResultLabels {
 public:
  ResultLabels(Evaluator& evaluator, const BinaryExpr& expr)
      : space_(evaluator.labels()),
        include_(space_.Intern(expr.matching.include)),
        kept_(Kept(evaluator, expr)) {}

  model::LabelView Of(const model::LabelView& many, const model::LabelView& one) {
    const model::LabelView kept = kept_.Project(many);
    if (include_.empty()) return kept;
    changes_.clear();
    for (const model::Symbol name : include_) changes_.push_back({name, one.Get(name)});
    return space_.With(kept, changes_);
  }

  // Two elements of the "many" side that differ surely have different labels in the result.
  bool KeepsDistinct(const SteppedVector& many) {
    LabelReader name(space_.metric_name());
    const model::Shape* shape = nullptr;
    bool drops_name = false;
    model::Symbol metric;
    for (std::size_t i = 0; i < many.size(); ++i) {
      const model::LabelView& labels = many.row(i).labels;
      const model::Symbol its_metric = name.Of(labels);
      if (&labels.shape() != shape) {
        shape = &labels.shape();
        const model::LabelView kept = kept_.Project(labels);
        const std::size_t dropped = labels.size() - kept.size();
        // At most one goes, which is the name; and none is replaced.
        if (dropped > 1 || (dropped == 1 && (!its_metric || kept.Get(space_.metric_name())))) {
          return false;
        }
        if (std::ranges::any_of(include_, [&](model::Symbol n) { return bool(kept.Get(n)); })) {
          return false;
        }
        if (i > 0 && drops_name != (dropped == 1)) return false;
        drops_name = dropped == 1;
      }
      if (i > 0 && drops_name && its_metric != metric) return false;
      metric = its_metric;
    }
    return true;
  }

 private:
  static LabelChoice Kept(Evaluator& evaluator, const BinaryExpr& expr) {
    LabelSpace& space = evaluator.labels();
    const VectorMatching& matching = expr.matching;
    const bool one_to_one = matching.cardinality == Cardinality::kOneToOne;
    std::vector<model::Symbol> names = space.Intern(matching.labels);
    const bool drops_name =
        ChangesMetric(expr.op) || (expr.return_bool && !evaluator.options().delayed_name_removal);
    if (one_to_one && matching.on) {
      if (drops_name) {
        std::erase_if(names, [&](model::Symbol name) {
          return std::ranges::find(space.metadata(), name) != space.metadata().end();
        });
      }
      return LabelChoice::Only(space, std::move(names));
    }
    if (!one_to_one) names.clear();
    if (drops_name) names.insert(names.end(), space.metadata().begin(), space.metadata().end());
    return LabelChoice::AllBut(space, std::move(names));
  }

  LabelSpace& space_;
  const std::vector<model::Symbol> include_;
  LabelChoice kept_;
  std::vector<NewLabel> changes_;
};

// Between two vectors, where one side has at most one element in a group of matching labels at any
// step: the "one" side. The other is the "many" side, even where the operator is one-to-one.
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
        in_place_(all_distinct_ && !IsTrim(expr.op) &&
                  (expr.matching.include.empty() || many.steps() == 1)),
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
      if (slot != kNone) FailDuplicate(one_.row(slot).labels, i);
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
    if (matched_[group] == step) {
      FailEval(
          "multiple matches for labels: many-to-one matching must be explicit "
          "(group_left/group_right)");
    }
    matched_[group] = step;
  }

  // What came of a pair at that step.
  void Put(std::size_t many, std::size_t one, std::size_t step, double value) {
    if (IsTrim(expr_.op)) evaluator_.NoteIncompatible(expr_);
    const std::size_t group = group_of_many_[many];
    CheckOneToOne(group, step);
    const std::size_t row = OutRow(many, one);
    if (expr_.matching.cardinality != Cardinality::kOneToOne && !all_distinct_) {
      Joined& last = last_joined_[row];
      if (last.step == step && last.group == group) {
        FailEval("multiple matches for labels: grouping labels must ensure unique matches");
      }
      last = {step, group};
    }
    if (IsAbsent(value)) return;
    if (!IsAbsent(out_.values(row)[step])) {
      FailEval("vector cannot contain metrics with the same labelset");
    }
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

  [[noreturn]] void FailDuplicate(const model::LabelView& other, std::size_t i) const {
    std::string first = InBraces(other);
    std::string second = InBraces(one_.row(i).labels);
    if (second < first) std::swap(first, second);
    FailEval("found duplicate series for the match group " +
             InBraces(groups_.labels(group_of_one_[i])) + " on the " +
             (swapped() ? "left" : "right") + " hand-side of the operation: [" + first + ", " +
             second +
             "];many-to-many matching not allowed: matching labels must be unique on one side");
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

}  // namespace

SteppedVector Evaluator::EvalBinary(const BinaryExpr& expr) {
  const bool left_scalar = expr.lhs->type() == ValueType::kScalar;
  const bool right_scalar = expr.rhs->type() == ValueType::kScalar;
  if (left_scalar && right_scalar) return EvalScalarBinary(expr);
  if (left_scalar || right_scalar) return EvalVectorScalar(expr);
  return IsSetOp(expr.op) ? EvalSetOp(expr) : EvalVectorVector(expr);
}

void Evaluator::NoteIncompatible(const BinaryExpr& expr) {
  query_.annotations.IncompatibleFloats(BinaryOpText(expr.op), expr.position());
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
  const bool any = std::ranges::any_of(vector.values(), [](double v) { return !IsAbsent(v); });
  if (IsTrim(expr.op) && any) NoteIncompatible(expr);
  WithOperation(expr, [&](auto operation) {
    for (std::size_t i = 0; i < vector.size(); ++i) {
      ApplyToRow(vector.values(i), scalar.values(0), scalar_left, operation);
    }
  });
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
          vector.values(i)[step] = Absent();
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
    std::ranges::copy(rhs.values(i), lhs.AddRow(rhs.row(i)).begin());
  }
  // One series may stand on both sides, here now and there later.
  return steps_.count == 1 && query_.options.delayed_name_removal ? std::move(lhs)
                                                                  : MergeEqual(std::move(lhs));
}

SteppedVector Evaluator::EvalVectorVector(const BinaryExpr& expr) {
  SteppedVector lhs = Eval(*expr.lhs);
  SteppedVector rhs = Eval(*expr.rhs);
  const bool swapped = expr.matching.cardinality == Cardinality::kOneToMany;
  return VectorJoin(*this, expr, swapped ? rhs : lhs, swapped ? lhs : rhs).Run();
}

}  // namespace azexporter::promql
