#pragma once

// Evaluates a syntax tree. Each node is evaluated once, over all steps: its value is a
// SteppedVector. A subquery, or a part of the expression that is the same at every step, is
// evaluated by a second Evaluator over other steps, on the same Query.
//
// All of this throws EvalError; Engine catches it.
//
// Thread safety: one thread only.
// Semantics: prometheus/promql/engine.go.

#include <functional>
#include <span>
#include <stop_token>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "annotations.h"
#include "azexporter/base/clock.h"
#include "azexporter/promql/ast.h"
#include "azexporter/promql/engine.h"
#include "azexporter/storage/storage.h"
#include "label_space.h"
#include "sample_budget.h"
#include "stepped_vector.h"

namespace azexporter::promql {

// Nodes with the same text as others of the expression: the number that these share, and how many
// there are.
struct RepeatedNodes {
  std::unordered_map<const Expr*, std::size_t> number_of;
  std::vector<std::size_t> counts;
};
// Only nodes that are worth keeping a value of: those that compute.
RepeatedNodes FindRepeated(const Expr& expr);

// From the earliest to the latest of some times, both inclusive.
struct TimeSpan {
  model::TimestampMs from;
  model::TimestampMs to;
};

// What all evaluators of one query share.
struct Query {
  const EngineOptions& options;
  const base::Clock& clock;
  storage::Querier& querier;
  const std::stop_token stop;
  const std::int64_t deadline_ns;  // of clock.SteadyNs()
  // What @ start() and @ end() mean.
  const model::TimestampMs start;
  const model::TimestampMs end;
  // What step() and range() mean.
  const DurationContext durations;
  SampleBudget budget;
  Annotations annotations;
  LabelSpace labels;
  // Nodes that have the same value whatever the step.
  std::unordered_map<const Expr*, bool> step_invariant;
  // Nodes of which the expression has equals elsewhere.
  RepeatedNodes repeated;
  // Selectors of whose histograms only count and sum are looked at.
  std::unordered_set<const Expr*> stats_only;
};

// A range vector at all steps: where the windows lie.
struct Windows {
  Steps steps;
  AtModifier at;  // resolved: kNone or kTimestamp
  std::int64_t offset_ms = 0;
  std::int64_t range_ms = 0;
  // How far beyond the window samples are looked for as well: of anchored and smoothed selectors.
  std::int64_t before_ms = 0;
  std::int64_t after_ms = 0;
  // Of histograms only count and sum are looked at.
  bool stats_only = false;

  // Windows are open on the left: (Start(i), End(i)].
  model::TimestampMs End(std::size_t step) const {
    return (at.kind == AtModifier::Kind::kNone ? steps.At(step) : at.t) - offset_ms;
  }
  model::TimestampMs Start(std::size_t step) const { return End(step) - range_ms; }
  // What is read for a window: (From(i), To(i)].
  model::TimestampMs From(std::size_t step) const { return Start(step) - before_ms; }
  model::TimestampMs To(std::size_t step) const { return End(step) + after_ms; }
};

// One series of a range vector: every sample that lies in any of the windows, none of them stale.
struct RangeSeries {
  model::LabelView labels;
  bool drop_name = false;
  std::vector<model::FPoint> points;
  std::vector<model::HPoint> histograms;
  // When counting began, for each point and each histogram, 0 where it is not known; empty where it
  // is known of none, or start times do not count (EngineOptions::use_start_timestamps).
  std::vector<model::TimestampMs> point_starts;
  std::vector<model::TimestampMs> histogram_starts;

  bool empty() const { return points.empty() && histograms.empty(); }
};

class Evaluator {
 public:
  Evaluator(Query& query, const Steps& steps);

  const Steps& steps() const { return steps_; }
  Annotations& annotations() { return query_.annotations; }
  const EngineOptions& options() const { return query_.options; }
  LabelSpace& labels() { return query_.labels; }

  // The value of a scalar or instant vector. REQUIRES: of such a type.
  SteppedVector Eval(const Expr& expr);

  // Calls `visit` for every series of an instant vector, one at a time: the samples of a selector,
  // or of a function over a range, are then never held all at once. The histograms are those of the
  // row, empty where it has none.
  using RowVisitor =
      std::function<void(const SteppedVector::Row&, std::span<const double>, ConstHistograms)>;
  void ForEachRow(const Expr& expr, const RowVisitor& visit);

  // Calls `visit` for every series of a range vector, one at a time. REQUIRES: a matrix selector or
  // subquery, perhaps in parentheses.
  using RangeVisitor = std::function<void(const RangeSeries&, const Windows&)>;
  void ForEachRange(const Expr& expr, const RangeVisitor& visit);

  // What a selector is to give of the samples that it finds.
  enum class Ask {
    kValue,
    kTime,         // the time of the sample, seconds
    kTimeOfFloat,  // the same; an error where it is a histogram
    kStart,        // when counting began, seconds, 0 where it is not known
  };
  SteppedVector EvalSelector(const VectorSelector& selector, Ask ask);

  // --- for functions and operators
  SteppedVector NewVector() { return {steps_.count, query_.budget}; }
  // For values that are held outside of a SteppedVector.
  SampleCharge NewCharge() { return SampleCharge(query_.budget); }
  // A scalar, or a vector of one element without labels.
  SteppedVector NewScalar(double value);
  // The string in an argument. REQUIRES: of type string.
  static const std::string& StringArg(const CallExpr& call, std::size_t i);
  // The metric names no longer fit the values: drops them, or has them dropped in the end. Series
  // that so become equal are merged, as MergeEqual does.
  SteppedVector DropNames(SteppedVector vector);
  // The same at the end of the query, for the names that were to go.
  SteppedVector DropMarkedNames(SteppedVector vector);
  // The labels of one row at the end of the query.
  model::LabelView FinalLabels(const SteppedVector::Row& row);
  // Series that are equal are merged, where they do not overlap: else an error.
  SteppedVector MergeEqual(SteppedVector vector);
  // A computed duration. Throws EvalError where it makes no sense.
  std::int64_t OffsetMs(const TimeModifiers& time) const;
  std::int64_t RangeMs(const MatrixSelector& matrix) const;
  // What start(), end(), range() and step() mean.
  const Query& query() const { return query_; }
  // Throws when the query was canceled or took too long. Called once a node, and once in a while
  // within loops over series, of which `i` is the number.
  void CheckAlive() const;
  void CheckAlive(std::size_t i) const {
    if (i % 256 == 0) CheckAlive();
  }

 private:
  SteppedVector EvalHere(const Expr& expr);
  SteppedVector EvalOnce(const Expr& expr);
  SteppedVector EvalRepeated(const Expr& expr, std::size_t number);
  bool IsStepInvariant(const Expr& expr) const;
  SteppedVector EvalUnary(const UnaryExpr& expr);
  bool DropEach(std::span<SteppedVector::Row> rows);
  LabelChoice WithoutMetadata();
  const storage::SeriesSet& Select(const VectorSelector& selector);
  AtModifier Resolve(const AtModifier& at) const;

  // eval_selector.cc
  void ForEachRowOf(const VectorSelector& selector, Ask ask, const RowVisitor& visit);
  void ForEachStep(const storage::SeriesSet& set, const Windows& windows, Ask ask,
                   const RowVisitor& visit);
  void ForEachLatest(const storage::SeriesSet& set, const Windows& windows, Ask ask,
                     const RowVisitor& visit);
  void ForEachSmoothed(const VectorSelector& selector, const RowVisitor& visit);
  // The details of series `i` in a window, as the windows want them.
  void ReadDetails(const storage::SeriesSet& set, std::size_t i, const Windows& windows,
                   TimeSpan span, std::vector<storage::DetailPoint>& out) const;

  // eval_call.cc
  SteppedVector EvalCall(const CallExpr& call);
  SteppedVector EvalMapCall(const CallExpr& call);
  SteppedVector EvalRangeCall(const CallExpr& call);
  void ForEachRowOfRangeCall(const CallExpr& call, const RowVisitor& visit);
  void NoteNonCounter(const model::LabelView& labels, const PositionRange& position);

  // eval_range.cc
  // Calls `visit` for every series of the set that has samples in the windows.
  void ForEachSeries(const storage::SeriesSet& set, const Windows& windows,
                     const std::function<void(const RangeSeries&)>& visit);
  void ForEachSelected(const MatrixSelector& matrix, const RangeVisitor& visit);
  void ForEachOfSubquery(const SubqueryExpr& subquery, const RangeVisitor& visit);

  // eval_binary.cc
  SteppedVector EvalBinary(const BinaryExpr& expr);
  SteppedVector EvalScalarBinary(const BinaryExpr& expr);
  SteppedVector EvalVectorScalar(const BinaryExpr& expr);
  SteppedVector EvalSetOp(const BinaryExpr& expr);
  SteppedVector EvalVectorVector(const BinaryExpr& expr);

  // eval_aggregate.cc
  SteppedVector EvalAggregate(const AggregateExpr& expr);
  SteppedVector EvalCountValues(const AggregateExpr& expr);
  SteppedVector EvalQuantile(const AggregateExpr& expr);
  SteppedVector EvalTopBottom(const AggregateExpr& expr);
  SteppedVector EvalLimitk(const AggregateExpr& expr);
  SteppedVector EvalLimitRatio(const AggregateExpr& expr);

  Query& query_;
  const Steps steps_;
  // The value of a node that is repeated, and how often it will be asked for.
  struct Kept {
    SteppedVector value;
    std::size_t uses;
  };
  std::unordered_map<std::size_t, Kept> kept_;  // by number in Query::repeated
};

[[noreturn]] void FailSameLabels();
// Whether two rows have the same labels.
bool HasEqual(std::span<const SteppedVector::Row> rows);

// Fills `out` with the selectors below histogram_count and the like. Semantics:
// prometheus/promql/engine.go, detectHistogramStatsDecoding.
void FindStatsOnly(const Expr& expr, std::unordered_set<const Expr*>& out, bool below = false);

// Whether a node has the same value at every step; fills `out` for it and all below.
bool FindStepInvariant(const Expr& expr, std::unordered_map<const Expr*, bool>& out);

// The earliest and latest time of a sample that can matter, when `expr` is evaluated at the times
// `at`. What start() and end() mean is in `query`.
// Throws EvalError where a duration makes no sense.
struct NeededFor {
  TimeSpan query;
  std::int64_t lookback_ms;
  DurationContext durations;
};
TimeSpan NeededTimes(const Expr& expr, TimeSpan at, const NeededFor& query);

// Durations that may be computed. They throw EvalError.
std::int64_t OffsetMs(const TimeModifiers& time, const DurationContext& context);
std::int64_t RangeMs(std::int64_t range_ms, const DurationPtr& expr,
                     const DurationContext& context);

}  // namespace azexporter::promql
