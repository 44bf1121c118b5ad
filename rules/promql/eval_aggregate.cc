// Aggregation operators.
// Semantics: prometheus/promql/engine.go, aggregation, aggregationK, aggregationCountValues.

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <map>

#include "azexporter/base/float_format.h"
#include "azexporter/base/utf8.h"
#include "eval_error.h"
#include "evaluator.h"
#include "histogram_total.h"
#include "kahan.h"
#include "label_space.h"
#include "quantile.h"

namespace azexporter::promql {
namespace {

// What an aggregation makes of native histograms.
enum class OfHistograms {
  kCounts,   // they are samples like any other
  kIgnores,  // with an info
  kSums,
  kAverages,
};

// Each of these gathers the floats of one group at one step. Add is called once or more, then Value
// tells the result.

struct CountState {
  static constexpr OfHistograms kOfHistograms = OfHistograms::kCounts;
  double count = 0;
  void Add(double) { ++count; }
  bool empty() const { return count == 0; }
  double Value() const { return count; }
};

struct GroupState {
  static constexpr OfHistograms kOfHistograms = OfHistograms::kCounts;
  bool seen = false;
  void Add(double) { seen = true; }
  bool empty() const { return !seen; }
  double Value() const { return 1; }
};

struct SumState {
  static constexpr OfHistograms kOfHistograms = OfHistograms::kSums;
  KahanSum sum;
  bool seen = false;
  void Add(double value) {
    if (seen) return sum.Add(value);
    sum.sum = value;
    seen = true;
  }
  bool empty() const { return !seen; }
  double Value() const { return sum.Total(); }
};

// A number beats NaN.
template <bool kMax>
struct ExtremeState {
  static constexpr OfHistograms kOfHistograms = OfHistograms::kIgnores;
  double extreme = 0;
  bool seen = false;
  void Add(double value) {
    const bool better = kMax ? extreme < value : extreme > value;
    if (!seen || better || std::isnan(extreme)) extreme = value;
    seen = true;
  }
  bool empty() const { return !seen; }
  double Value() const { return extreme; }
};

// Welford's method.
struct VarianceState {
  static constexpr OfHistograms kOfHistograms = OfHistograms::kIgnores;
  double count = 0;
  double mean = 0;
  double squares = 0;
  void Add(double value) {
    ++count;
    if (count == 1) {
      mean = value;
      squares = std::isfinite(value) ? 0 : std::nan("");
      return;
    }
    const double delta = value - mean;
    mean += delta / count;
    squares += delta * (value - mean);
  }
  bool empty() const { return count == 0; }
  double Value() const { return squares / count; }
};

struct DeviationState : VarianceState {
  double Value() const { return std::sqrt(VarianceState::Value()); }
};

struct MeanState : Mean {
  static constexpr OfHistograms kOfHistograms = OfHistograms::kAverages;
};

// The totals of the native histograms of all groups and steps, of which there are few.
class HistogramTotals {
 public:
  HistogramTotals(Evaluator& evaluator, const AggregateExpr& expr)
      : evaluator_(evaluator), expr_(expr) {}

  // `cell`: group x steps + step.
  void Add(std::size_t cell, const model::FloatHistogram& histogram,
           const model::LabelView& labels) {
    const bool mean = expr_.op == AggregateOp::kAvg;
    HistogramTotal& total = totals_.try_emplace(cell, mean).first->second;
    if (total.incompatible() || total.Add(histogram)) return;
    evaluator_.annotations().MixedSchemas(labels.Get(model::kMetricName), expr_.expr->position());
  }

  // Puts the totals where there are no floats; where there are, there is no value at all.
  void PutInto(SteppedVector& out) const {
    const PositionRange& position = expr_.expr->position();
    Annotations& annotations = evaluator_.annotations();
    for (const auto& [cell, total] : totals_) {
      const std::size_t row = cell / out.steps();
      const std::size_t step = cell % out.steps();
      if (total.bounds_reconciled()) annotations.BoundsReconciled("aggregation", position);
      if (!IsAbsent(out.values(row)[step])) {
        annotations.MixedSamplesInAggregation(position);
        out.Clear(row, step);
      } else if (!total.incompatible()) {
        if (total.reset_collision()) annotations.ResetCollision("aggregation", position);
        out.SetHistogram(row, step, std::make_shared<const model::FloatHistogram>(total.Value()));
      }
    }
  }

 private:
  Evaluator& evaluator_;
  const AggregateExpr& expr_;
  std::map<std::size_t, HistogramTotal> totals_;
};

LabelChoice GroupingChoice(Evaluator& evaluator, const AggregateExpr& expr) {
  LabelSpace& labels = evaluator.labels();
  std::vector<model::Symbol> names = labels.Intern(expr.grouping);
  if (!expr.without) return LabelChoice::Only(labels, std::move(names));
  names.push_back(labels.metric_name());
  return LabelChoice::AllBut(labels, std::move(names));
}

// The rows of an aggregation's result, found as the input goes by.
class GroupRows {
 public:
  GroupRows(Evaluator& evaluator, const AggregateExpr& expr)
      : groups_(GroupingChoice(evaluator, expr)) {}

  // The group of `row`.
  std::size_t Add(const SteppedVector::Row& row) {
    const std::size_t group = groups_.GroupOf(row.labels);
    if (group == drop_name_.size()) drop_name_.push_back(false);
    // A group drops its name in the end when a member was to.
    if (row.drop_name) drop_name_[group] = true;
    return group;
  }
  std::size_t size() const { return groups_.size(); }

  // A row a group, all absent.
  SteppedVector MakeRows(Evaluator& evaluator) const {
    SteppedVector rows = evaluator.NewVector();
    rows.Reserve(size());
    for (std::size_t group = 0; group < size(); ++group) {
      rows.AddRow({groups_.labels(group), drop_name_[group]});
    }
    return rows;
  }

 private:
  LabelGroups groups_;
  std::vector<bool> drop_name_;
};

template <class State>
SteppedVector Aggregate(Evaluator& evaluator, const AggregateExpr& expr) {
  GroupRows groups(evaluator, expr);
  const std::size_t steps = evaluator.steps().count;
  std::vector<State> states;  // groups x steps
  SampleCharge charge = evaluator.NewCharge();
  HistogramTotals totals(evaluator, expr);
  evaluator.ForEachRow(*expr.expr, [&](const SteppedVector::Row& row,
                                       std::span<const double> values, ConstHistograms histograms) {
    const std::size_t group = groups.Add(row);
    if (group * steps == states.size()) {
      charge.Add(steps);
      states.resize(states.size() + steps);
    }
    State* const state = states.data() + group * steps;
    for (std::size_t step = 0; step < steps; ++step) {
      if (!IsAbsent(values[step])) state[step].Add(values[step]);
    }
    for (std::size_t step = 0; step < histograms.size(); ++step) {
      if (histograms[step] == nullptr) continue;
      if constexpr (State::kOfHistograms == OfHistograms::kCounts) {
        state[step].Add(0);
      } else if constexpr (State::kOfHistograms == OfHistograms::kIgnores) {
        evaluator.annotations().IgnoredInAggregation(AggregateOpText(expr.op),
                                                     expr.expr->position());
      } else {
        totals.Add(group * steps + step, *histograms[step], row.labels);
      }
    }
  });
  SteppedVector out = groups.MakeRows(evaluator);
  for (std::size_t group = 0; group < out.size(); ++group) {
    const std::span<double> values = out.values(group);
    for (std::size_t step = 0; step < steps; ++step) {
      const State& state = states[group * steps + step];
      if (!state.empty()) values[step] = state.Value();
    }
  }
  totals.PutInto(out);
  out.DropEmptyRows();
  return out;
}

// The groups of count_values: the labels of the grouping, and the value as one more.
class CountedValues {
 public:
  CountedValues(Evaluator& evaluator, const AggregateExpr& expr, const std::string& label)
      : labels_(evaluator.labels()),
        label_(labels_.Intern(label)),
        label_counts_(!expr.without || std::ranges::count(expr.grouping, label) == 0),
        grouping_(GroupingChoice(evaluator, expr)) {}

  void BeginRow(const model::LabelView& row) { row_ = rows_.NumberOf(grouping_.Project(row)); }
  // Of a value of the row. Labels are made once for each value that comes up.
  std::uint32_t GroupOf(double value) {
    const auto bits = std::bit_cast<std::uint64_t>(value);
    const std::uint64_t hash = base::MixHash(row_, bits);
    const std::uint32_t known = index_.Find(
        hash, [&](std::uint32_t i) { return seen_[i].row == row_ && seen_[i].bits == bits; });
    if (known != base::HashIndex::kNone) return seen_[known].group;
    index_.Insert(hash, static_cast<std::uint32_t>(seen_.size()));
    seen_.push_back({row_, bits, GroupOfText(base::FormatFloatF(value))});
    return seen_.back().group;
  }
  // Of a histogram of the row, as text.
  std::uint32_t GroupOfText(std::string_view text) {
    model::LabelView with_value = rows_.labels(row_);
    if (label_counts_) {
      const NewLabel change{label_, labels_.Intern(text)};
      with_value = labels_.With(with_value, {&change, 1});
    }
    return groups_.NumberOf(with_value);
  }
  const model::LabelView& labels(std::uint32_t group) const { return groups_.labels(group); }

 private:
  struct Seen {
    std::uint32_t row;
    std::uint64_t bits;
    std::uint32_t group;
  };
  LabelSpace& labels_;
  const model::Symbol label_;
  const bool label_counts_;
  LabelChoice grouping_;
  LabelIndex rows_;
  LabelIndex groups_;
  base::HashIndex index_;  // into seen_
  std::vector<Seen> seen_;
  std::uint32_t row_ = 0;
};

// Whether `a` comes before `b` in topk (largest first) or bottomk; NaN comes last in both.
bool Before(bool top, double a, double b) {
  if (std::isnan(b)) return !std::isnan(a);
  return top ? a > b : a < b;
}

// The k of topk, bottomk and limitk at every step; empty when no step wants any sample.
std::vector<std::size_t> ReadCounts(const SteppedVector& param, std::size_t limit) {
  constexpr double kInt64Limit = 9223372036854775807.0;
  double largest = -std::numeric_limits<double>::infinity();
  double smallest = std::numeric_limits<double>::infinity();
  bool any_nan = false;
  for (const double k : param.values(0)) {
    any_nan = any_nan || std::isnan(k);
    largest = std::max(largest, k);
    smallest = std::min(smallest, k);
  }
  if (!any_nan && largest < 1) return {};
  if (any_nan) FailEval("Parameter value is NaN");
  if (smallest <= -kInt64Limit) {
    FailEval("Scalar value " + base::FormatFloatG(smallest) + " underflows int64");
  }
  if (largest >= kInt64Limit) {
    FailEval("Scalar value " + base::FormatFloatG(largest) + " overflows int64");
  }
  std::vector<std::size_t> counts;
  for (const double k : param.values(0)) {
    const double bounded = std::clamp(k, 0.0, static_cast<double>(limit));
    counts.push_back(static_cast<std::size_t>(bounded));
  }
  return counts;
}

}  // namespace

SteppedVector Evaluator::EvalAggregate(const AggregateExpr& expr) {
  switch (expr.op) {
    case AggregateOp::kAvg:
      return Aggregate<MeanState>(*this, expr);
    case AggregateOp::kCount:
      return Aggregate<CountState>(*this, expr);
    case AggregateOp::kGroup:
      return Aggregate<GroupState>(*this, expr);
    case AggregateOp::kMax:
      return Aggregate<ExtremeState<true>>(*this, expr);
    case AggregateOp::kMin:
      return Aggregate<ExtremeState<false>>(*this, expr);
    case AggregateOp::kStddev:
      return Aggregate<DeviationState>(*this, expr);
    case AggregateOp::kStdvar:
      return Aggregate<VarianceState>(*this, expr);
    case AggregateOp::kSum:
      return Aggregate<SumState>(*this, expr);
    case AggregateOp::kQuantile:
      return EvalQuantile(expr);
    case AggregateOp::kBottomk:
    case AggregateOp::kTopk:
      return EvalTopBottom(expr);
    case AggregateOp::kCountValues:
      return EvalCountValues(expr);
    case AggregateOp::kLimitk:
      return EvalLimitk(expr);
    case AggregateOp::kLimitRatio:
      return EvalLimitRatio(expr);
  }
  FailEval("unknown aggregation");
}

SteppedVector Evaluator::EvalQuantile(const AggregateExpr& expr) {
  const SteppedVector param = Eval(*expr.param);
  for (const double q : param.values(0)) {
    if (!(q >= 0 && q <= 1)) annotations().InvalidQuantile(q, expr.param->position());
  }
  const SteppedVector input = Eval(*expr.expr);
  GroupRows groups(*this, expr);
  std::vector<std::size_t> group_of(input.size());
  for (std::size_t i = 0; i < input.size(); ++i) group_of[i] = groups.Add(input.row(i));
  SteppedVector out = groups.MakeRows(*this);
  std::vector<std::vector<double>> members(out.size());
  for (std::size_t step = 0; step < steps_.count; ++step) {
    for (std::vector<double>& values : members) values.clear();
    for (std::size_t i = 0; i < input.size(); ++i) {
      const Element element = input.At(i, step);
      if (element.h != nullptr) {
        annotations().IgnoredInAggregation("quantile", expr.expr->position());
      } else if (!IsAbsent(element.f)) {
        members[group_of[i]].push_back(element.f);
      }
    }
    for (std::size_t group = 0; group < out.size(); ++group) {
      if (members[group].empty()) continue;
      out.values(group)[step] = Quantile(param.scalar(step), members[group]);
    }
  }
  out.DropEmptyRows();
  return out;
}

// The samples themselves, fewer of them.
SteppedVector Evaluator::EvalTopBottom(const AggregateExpr& expr) {
  SteppedVector input = Eval(*expr.expr);
  const SteppedVector param = Eval(*expr.param);
  const std::vector<std::size_t> counts = ReadCounts(param, input.size());
  if (counts.empty()) return NewVector();
  const bool top = expr.op == AggregateOp::kTopk;
  if (input.has_histograms()) {
    for (std::size_t i = 0; i < input.size(); ++i) {
      const ConstHistograms histograms = std::as_const(input).histograms(i);
      for (std::size_t step = 0; step < histograms.size(); ++step) {
        if (histograms[step] == nullptr || counts[step] == 0) continue;
        annotations().IgnoredInAggregation(AggregateOpText(expr.op), expr.position());
      }
    }
    input.DropHistograms();
  }
  GroupRows groups(*this, expr);
  std::vector<std::vector<std::size_t>> members;
  for (std::size_t i = 0; i < input.size(); ++i) {
    const std::size_t group = groups.Add(input.row(i));
    if (group == members.size()) members.emplace_back();
    members[group].push_back(i);
  }

  SteppedVector ordered = NewVector();  // of an instant query, whose order is worth something
  for (std::vector<std::size_t>& rows : members) {
    for (std::size_t step = 0; step < steps_.count; ++step) {
      const auto value = [&](std::size_t row) { return input.values(row)[step]; };
      const auto absent = std::stable_partition(
          rows.begin(), rows.end(), [&](std::size_t row) { return !IsAbsent(value(row)); });
      const auto present = static_cast<std::size_t>(absent - rows.begin());
      const std::size_t kept = std::min(counts[step], present);
      std::partial_sort(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(kept), absent,
                        [&](std::size_t a, std::size_t b) {
                          if (Before(top, value(a), value(b))) return true;
                          return !Before(top, value(b), value(a)) && a < b;
                        });
      for (std::size_t k = kept; k < present; ++k) input.values(rows[k])[step] = Absent();
      if (steps_.count > 1) continue;
      for (std::size_t k = 0; k < kept; ++k) {
        ordered.AddRow(input.row(rows[k]))[0] = value(rows[k]);
      }
    }
  }
  if (steps_.count == 1) return ordered;
  input.DropEmptyRows();
  return input;
}

// The first k samples of each group, of whatever kind.
SteppedVector Evaluator::EvalLimitk(const AggregateExpr& expr) {
  SteppedVector input = Eval(*expr.expr);
  const SteppedVector param = Eval(*expr.param);
  const std::vector<std::size_t> counts = ReadCounts(param, input.size());
  if (counts.empty()) return NewVector();
  GroupRows groups(*this, expr);
  std::vector<std::size_t> group_of(input.size());
  for (std::size_t i = 0; i < input.size(); ++i) group_of[i] = groups.Add(input.row(i));
  std::vector<std::size_t> kept;
  for (std::size_t step = 0; step < steps_.count; ++step) {
    kept.assign(groups.size(), 0);
    for (std::size_t i = 0; i < input.size(); ++i) {
      if (std::as_const(input).At(i, step).empty()) continue;
      if (kept[group_of[i]]++ >= counts[step]) input.Clear(i, step);
    }
  }
  input.DropEmptyRows();
  return input;
}

// The samples of those series whose hash is among the lowest, or with a ratio below zero among the
// highest: `limit_ratio(0.2, v)` and `limit_ratio(-0.8, v)` share out all of them.
SteppedVector Evaluator::EvalLimitRatio(const AggregateExpr& expr) {
  SteppedVector input = Eval(*expr.expr);
  const SteppedVector param = Eval(*expr.param);
  const std::span<const double> ratios = param.values(0);
  if (std::ranges::all_of(ratios, [](double ratio) { return ratio == 0; })) return NewVector();
  if (std::ranges::any_of(ratios, [](double ratio) { return std::isnan(ratio); })) {
    FailEval("Ratio value is NaN");
  }
  const auto [least, most] = std::ranges::minmax_element(ratios);
  if (*most > 1) annotations().InvalidRatio(*most, 1, expr.param->position());
  if (*least < -1) annotations().InvalidRatio(*least, -1, expr.param->position());
  constexpr double kMostHash = 18446744073709551615.0;
  for (std::size_t i = 0; i < input.size(); ++i) {
    const auto hash = static_cast<double>(input.row(i).labels.ToLabels().Hash());
    const double place = hash / kMostHash;
    for (std::size_t step = 0; step < steps_.count; ++step) {
      const double ratio = std::clamp(ratios[step], -1.0, 1.0);
      const bool takes = ratio >= 0 ? place < ratio || ratio == 1 : place >= 1 + ratio;
      if (!takes || ratio == 0) input.Clear(i, step);
    }
  }
  input.DropEmptyRows();
  return input;
}

SteppedVector Evaluator::EvalCountValues(const AggregateExpr& expr) {
  const std::string& label = As<StringLiteral>(Unwrap(*expr.param)).value;
  if (label.empty() || !base::IsValidUtf8(label)) {
    std::string quoted;
    model::AppendQuoted(quoted, label);
    FailEval("invalid label name " + quoted);
  }
  const SteppedVector input = Eval(*expr.expr);
  SteppedVector out = NewVector();
  CountedValues counted(*this, expr, label);
  for (std::size_t i = 0; i < input.size(); ++i) {
    CheckAlive(i);
    counted.BeginRow(input.row(i).labels);
    for (std::size_t step = 0; step < steps_.count; ++step) {
      const Element element = input.At(i, step);
      if (element.empty()) continue;
      const std::uint32_t group = element.h != nullptr
                                      ? counted.GroupOfText((*element.h)->ToString())
                                      : counted.GroupOf(element.f);
      if (group == out.size()) out.AddRow({counted.labels(group)});
      double& count = out.values(group)[step];
      count = IsAbsent(count) ? 1 : count + 1;
    }
  }
  return out;
}

}  // namespace azexporter::promql
