#pragma once

// Runs a parsed expression over stored samples, at one time or at every step of a range.
//
//   Engine engine(EngineOptions{}, clock);
//   AZX_ASSIGN_OR_RETURN(auto expr, engine.Parse("sum by (zone) (up)"));
//   AZX_ASSIGN_OR_RETURN(QueryResult result, engine.Instant(store, *expr, now_ms));
//
// A range query evaluates each node of the expression once, series by series over all steps, rather
// than the whole expression once a step.
//
// Thread safety: thread-safe; an Engine is constant after construction.
// Semantics: prometheus/promql/engine.go (Prometheus 3: left-open ranges and look-back).

#include <cstddef>
#include <cstdint>
#include <stop_token>

#include "azexporter/base/clock.h"
#include "azexporter/base/result.h"
#include "azexporter/model/sample.h"
#include "azexporter/promql/ast.h"
#include "azexporter/promql/parser.h"
#include "azexporter/promql/result_sink.h"
#include "azexporter/promql/value.h"
#include "azexporter/storage/storage.h"

namespace azexporter::promql {

struct EngineOptions {
  // How far back a sample still counts, ms (exclusive). Default 5m, as Prometheus.
  std::int64_t lookback_ms = kDefaultLookbackMs;
  // The step of a subquery that names none, ms. Prometheus takes its global evaluation interval,
  // whose default is 1m.
  std::int64_t default_subquery_step_ms = 60'000;
  // How many values a query may hold in memory at once; a series counts once a step, whether it has
  // a value there or not. Default as Prometheus.
  std::size_t max_samples = 50'000'000;
  // How long a query may take, ms. Default 2m, as Prometheus.
  std::int64_t timeout_ms = 120'000;
  // Drop metric names at the end of the query rather than in each function, so that label_replace
  // and the like still see them. Prometheus's feature flag promql-delayed-name-removal.
  bool delayed_name_removal = false;
  // Where a counter is known to have begun anew at a time, rate and the like count that as a reset.
  // Prometheus's feature flag use-start-timestamps.
  bool use_start_timestamps = false;
  // Whether a metric is a counter is told by its label __type__ rather than by its name.
  // Prometheus's feature flag type-and-unit-labels.
  bool type_and_unit_labels = false;
  // What queries may use that Prometheus has behind feature flags.
  ParserOptions parser = {};
};

// The steps of a range query: start, start + step_ms, ... up to end inclusive.
struct RangeTimes {
  model::TimestampMs start = 0;
  model::TimestampMs end = 0;
  std::int64_t step_ms = 0;
};

class Engine {
 public:
  // `clock` must outlive this.
  Engine(EngineOptions options, const base::Clock& clock) : options_(options), clock_(clock) {}

  const EngineOptions& options() const { return options_; }

  // An expression as this engine's options allow it.
  base::Result<std::shared_ptr<const Expr>> Parse(std::string_view query) const {
    return ParseExpr(query, options_.parser);
  }

  // The value at `t`: a Scalar, String or Vector; a Matrix of raw points for a range vector.
  // Errors: kExecution, kTimeout, kCanceled (stop was asked for), or what the store answered.
  base::Result<QueryResult> Instant(const storage::Queryable& store, const Expr& expr,
                                    model::TimestampMs t, std::stop_token stop = {}) const;

  // The values at the steps: always a Matrix. kBadData when step_ms <= 0, end < start, or the
  // expression is neither scalar nor instant vector.
  base::Result<QueryResult> Range(const storage::Queryable& store, const Expr& expr,
                                  const RangeTimes& times, std::stop_token stop = {}) const;

  // The same, but the answer goes to `sink`.
  base::Result<QueryNotes> Instant(const storage::Queryable& store, const Expr& expr,
                                   model::TimestampMs t, ResultSink& sink,
                                   std::stop_token stop = {}) const;
  base::Result<QueryNotes> Range(const storage::Queryable& store, const Expr& expr,
                                 const RangeTimes& times, ResultSink& sink,
                                 std::stop_token stop = {}) const;

 private:
  const EngineOptions options_;
  const base::Clock& clock_;
};

}  // namespace azexporter::promql
