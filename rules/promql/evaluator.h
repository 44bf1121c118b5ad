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
  SampleBudget budget;
  Annotations annotations;
  LabelSpace labels;
  // Nodes that have the same value whatever the step.
  std::unordered_map<const Expr*, bool> step_invariant;
  // Nodes of which the expression has equals elsewhere.
  RepeatedNodes repeated;
};

// A range vector at all steps: where the windows lie.
struct Windows {
  Steps steps;
  AtModifier at;  // resolved: kNone or kTimestamp
  std::int64_t offset_ms = 0;
  std::int64_t range_ms = 0;

  // Windows are open on the left: (Start(i), End(i)].
  model::TimestampMs End(std::size_t step) const {
    return (at.kind == AtModifier::Kind::kNone ? steps.At(step) : at.t) - offset_ms;
  }
  model::TimestampMs Start(std::size_t step) const { return End(step) - range_ms; }
};

// One series of a range vector: every point that lies in any of the windows, none of them stale.
struct RangeSeries {
  model::LabelView labels;
  bool drop_name = false;
  std::vector<model::FPoint> points;
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
  // or of a function over a range, are then never held all at once.
  using RowVisitor = std::function<void(const SteppedVector::Row&, std::span<const double>)>;
  void ForEachRow(const Expr& expr, const RowVisitor& visit);

  // Calls `visit` for every series of a range vector, one at a time. REQUIRES: a matrix selector or
  // subquery, perhaps in parentheses.
  using RangeVisitor = std::function<void(const RangeSeries&, const Windows&)>;
  void ForEachRange(const Expr& expr, const RangeVisitor& visit);

  // As a selector, but with the time of each sample (seconds) for its value.
  SteppedVector EvalSampleTimes(const VectorSelector& selector);

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
  // Two floats met in an operator that takes none.
  void NoteIncompatible(const BinaryExpr& expr);
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
  SteppedVector EvalSelector(const VectorSelector& selector, bool times);
  // `set`: what the selector selected.
  void ForEachRowOf(const storage::SeriesSet& set, const VectorSelector& selector, bool times,
                    const RowVisitor& visit);
  bool IsStepInvariant(const Expr& expr) const;
  void ForEachLatest(const storage::SeriesSet& set, const Windows& windows, bool times,
                     const RowVisitor& visit);
  SteppedVector EvalUnary(const UnaryExpr& expr);
  SteppedVector EvalCall(const CallExpr& call);
  SteppedVector EvalMapCall(const CallExpr& call);
  SteppedVector EvalRangeCall(const CallExpr& call);
  void ForEachRowOfRangeCall(const CallExpr& call, const RowVisitor& visit);
  void NoteNonCounter(const model::LabelView& labels, const PositionRange& position);
  bool DropEach(std::span<SteppedVector::Row> rows);
  LabelChoice WithoutMetadata();
  void ForEachSelected(const MatrixSelector& matrix, const RangeVisitor& visit);
  void ForEachOfSubquery(const SubqueryExpr& subquery, const RangeVisitor& visit);
  const storage::SeriesSet& Select(const VectorSelector& selector);
  AtModifier Resolve(const AtModifier& at) const;

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

  Query& query_;
  const Steps steps_;
  // The value of a node that is repeated, and how often it will be asked for.
  struct Kept {
    SteppedVector value;
    std::size_t uses;
  };
  std::unordered_map<std::size_t, Kept> kept_;  // by number in Query::repeated
};

// Whether a node has the same value at every step; fills `out` for it and all below.
bool FindStepInvariant(const Expr& expr, std::unordered_map<const Expr*, bool>& out);

// The earliest and latest time of a sample that can matter, when `expr` is evaluated at the times
// `at`. What start() and end() mean is in `query`.
struct TimeSpan {
  model::TimestampMs from;
  model::TimestampMs to;
};
TimeSpan NeededTimes(const Expr& expr, TimeSpan at, TimeSpan query, std::int64_t lookback_ms);

}  // namespace azexporter::promql
