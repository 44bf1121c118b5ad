#include <cmath>
#include <limits>

#include "ast_json.h"
#include "azexporter/promql/explain.h"
#include "azexporter/promql/parser.h"
#include "azexporter/promql/printer.h"
#include "azexporter/web/query_json.h"
#include "handlers.h"

namespace azexporter::web {
namespace {

using base::BadData;
using base::ErrorCode;
using base::Fail;
using base::JsonWriter;
using base::Result;
using ExprHandle = std::shared_ptr<const promql::Expr>;

// Prometheus's bound on the steps of a range query.
constexpr double kMaxSteps = 11'000;

Result<ExprHandle> QueryParam(const Context& context, const Request& request) {
  auto expr = context.deps.engine.Parse(request.Param("query"));
  if (expr) return *expr;
  return InvalidParam("query", expr.error().message());
}

// The parameters that query and query_range share.
struct QueryParams {
  std::size_t limit = 0;         // 0: none
  std::int64_t timeout_ms = 0;   // of the whole, the engine's own at most
  promql::EngineOptions engine;  // with the look-back asked for
  std::string stats;
};

std::int64_t WholeMs(double ms) {
  constexpr double kMost = 1e18;
  return static_cast<std::int64_t>(std::clamp(ms, -kMost, kMost));
}

Result<void> TakeTimeout(const Request& request, QueryParams& params) {
  params.timeout_ms = params.engine.timeout_ms;
  const std::string text = request.Param("timeout");
  if (text.empty()) return {};
  const auto timeout = ParseDurationOrSeconds(text);
  if (!timeout) return InvalidParam("timeout", timeout.error().message());
  params.timeout_ms = std::min(params.timeout_ms, WholeMs(*timeout));
  return {};
}

// What counts as a sample of the past. 0 is not given, as in Prometheus.
Result<void> TakeLookback(const Request& request, QueryParams& params) {
  params.stats = request.Param("stats");
  const std::string text = request.Param("lookback_delta");
  if (text.empty()) return {};
  const auto lookback = ParseDurationOrSeconds(text);
  if (!lookback) {
    return BadData("error parsing lookback delta duration: " + lookback.error().message());
  }
  if (*lookback > 0) params.engine.lookback_ms = std::max<std::int64_t>(1, WholeMs(*lookback));
  return {};
}

// How long the parts of a query took, as `stats` tells. How many samples it read is known to the
// engine alone, and left out.
struct Timings {
  double queue_seconds = 0;
  double eval_seconds = 0;
};

void AppendStats(std::string& out, const Timings& timings) {
  JsonWriter json;
  json.BeginObject().Key("timings").BeginObject();
  json.Key("evalTotalTime").Double(timings.eval_seconds).Key("resultSortTime").Int(0);
  json.Key("queryPreparationTime").Int(0).Key("innerEvalTime").Double(timings.eval_seconds);
  json.Key("execQueueTime").Double(timings.queue_seconds);
  json.Key("execTotalTime").Double(timings.queue_seconds + timings.eval_seconds);
  json.EndObject().EndObject();
  out += ",\"stats\":";
  out += json.text();
}

// What goes beside the answer.
void CompleteData(promql::QueryNotes notes, const QueryParams& params, const Timings& timings,
                  ApiData& data) {
  data.warnings.insert(data.warnings.begin(), notes.warnings.begin(), notes.warnings.end());
  data.infos = std::move(notes.infos);
  if (!params.stats.empty()) {
    AppendStats(data.json, timings);
    if (params.stats != "true" && params.stats != "all") {
      std::string quoted;
      model::AppendQuoted(quoted, params.stats);
      data.warnings.push_back("value " + quoted +
                              " for parameter \"stats\" is deprecated and will be rejected in the "
                              "next major release, use \"true\" or \"all\"");
    }
  }
  data.json += '}';
}

// Waits for its turn, then runs `ask` on an engine with what the request asked for, until it is
// done, its time is over or the client has gone.
template <class Ask>
auto InTurn(const Context& context, const Request& request, QueryParams params, Timings& timings,
            const Ask& ask) -> decltype(ask(context.deps.engine, std::stop_token())) {
  if (params.timeout_ms <= 0) {
    return Fail(ErrorCode::kTimeout, "query timed out in query execution");
  }
  const base::Clock& clock = context.deps.clock;
  const auto watched = context.connections.Watch(request.connection);
  const std::int64_t start_ns = clock.SteadyNs();
  AZX_ASSIGN_OR_RETURN(const QueryGate::Place place,
                       context.gate.Enter(params.timeout_ms, watched.token()));
  const std::int64_t in_ns = clock.SteadyNs();
  params.engine.timeout_ms = params.timeout_ms - (in_ns - start_ns) / 1'000'000;
  const promql::Engine engine(params.engine, clock);
  auto result = ask(engine, watched.token());
  constexpr double kNs = 1e9;
  timings = {static_cast<double>(in_ns - start_ns) / kNs,
             static_cast<double>(clock.SteadyNs() - in_ns) / kNs};
  return result;
}

// `ask`: of the engine, with where the answer goes.
template <class Ask>
Result<ApiData> RunQuery(const Context& context, const Request& request, const QueryParams& params,
                         const Ask& ask) {
  Timings timings;
  ApiData data{.json = {}};
  JsonSink sink(data.json, params.limit);
  const auto into_sink = [&](const promql::Engine& engine, std::stop_token stop) {
    auto notes = ask(engine, sink, std::move(stop));
    if (notes) sink.Finish();
    return notes;
  };
  AZX_ASSIGN_OR_RETURN(promql::QueryNotes notes,
                       InTurn(context, request, params, timings, into_sink));
  if (sink.truncated()) data.warnings.emplace_back(kTruncated);
  CompleteData(std::move(notes), params, timings, data);
  return data;
}

Result<model::TimestampMs> RangeTime(const Request& request, const std::string& name) {
  const auto time = ParseTime(request.Param(name));
  if (time) return *time;
  return InvalidParam(name, time.error().message());
}

Result<promql::RangeTimes> TakeRange(const Request& request) {
  promql::RangeTimes range;
  AZX_ASSIGN_OR_RETURN(range.start, RangeTime(request, "start"));
  AZX_ASSIGN_OR_RETURN(range.end, RangeTime(request, "end"));
  if (range.end < range.start) {
    return InvalidParam("end", "end timestamp must not be before start time");
  }
  const auto step = ParseDurationOrSeconds(request.Param("step"));
  if (!step) return InvalidParam("step", step.error().message());
  if (!(*step > 0)) {
    return InvalidParam("step",
                        "zero or negative query resolution step widths are not accepted. Try a "
                        "positive integer");
  }
  if ((static_cast<double>(range.end) - static_cast<double>(range.start)) / *step >=
      kMaxSteps + 1) {
    return BadData(
        "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query "
        "resolution (?step=XX)");
  }
  range.step_ms = std::max<std::int64_t>(1, WholeMs(*step));
  return range;
}

}  // namespace

// GET, POST /api/v1/query: query, time, timeout, limit, lookback_delta, stats.
Result<ApiData> Query(const Context& context, const Request& request) {
  QueryParams params{.engine = context.deps.engine.options()};
  AZX_ASSIGN_OR_RETURN(params.limit, LimitParam(request));
  AZX_ASSIGN_OR_RETURN(const model::TimestampMs time,
                       TimeParam(request, "time", context.deps.clock.NowMs()));
  AZX_RETURN_IF_ERROR(TakeTimeout(request, params));
  AZX_RETURN_IF_ERROR(TakeLookback(request, params));
  AZX_ASSIGN_OR_RETURN(const ExprHandle expr, QueryParam(context, request));
  return RunQuery(context, request, params,
                  [&](const promql::Engine& engine, JsonSink& sink, std::stop_token stop) {
                    return engine.Instant(context.deps.store, *expr, time, sink, std::move(stop));
                  });
}

// GET, POST /api/v1/query_range: query, start, end, step, timeout, limit, lookback_delta, stats.
Result<ApiData> QueryRange(const Context& context, const Request& request) {
  QueryParams params{.engine = context.deps.engine.options()};
  AZX_ASSIGN_OR_RETURN(params.limit, LimitParam(request));
  AZX_ASSIGN_OR_RETURN(const promql::RangeTimes range, TakeRange(request));
  AZX_RETURN_IF_ERROR(TakeTimeout(request, params));
  AZX_RETURN_IF_ERROR(TakeLookback(request, params));
  AZX_ASSIGN_OR_RETURN(const ExprHandle expr, QueryParam(context, request));
  const promql::ValueType type = expr->type();
  if (type != promql::ValueType::kVector && type != promql::ValueType::kScalar) {
    return InvalidParam("query", "invalid expression type \"" +
                                     std::string(promql::DocumentedType(type)) +
                                     "\" for range query, must be Scalar or instant Vector");
  }
  return RunQuery(context, request, params,
                  [&](const promql::Engine& engine, JsonSink& sink, std::stop_token stop) {
                    return engine.Range(context.deps.store, *expr, range, sink, std::move(stop));
                  });
}

// GET, POST /api/v1/query_exemplars: query, start, end. No exemplar is kept, so none is found.
Result<ApiData> QueryExemplars(const Context& context, const Request& request) {
  AZX_ASSIGN_OR_RETURN(const model::TimestampMs start, TimeParam(request, "start", kMinTime));
  AZX_ASSIGN_OR_RETURN(const model::TimestampMs end, TimeParam(request, "end", kMaxTime));
  if (end < start) return BadData("end timestamp must not be before start timestamp");
  AZX_ASSIGN_OR_RETURN(const ExprHandle expr, context.deps.engine.Parse(request.Param("query")));
  if (promql::Selections(*expr).empty()) return ApiData{};
  return ApiData{"[]"};
}

// GET, POST /api/v1/explain: query, time, timeout, lookback_delta, limit (values shown of each
// node, default 5). azexporter's own: the query as a tree, each node with its value at that time.
Result<ApiData> ExplainQuery(const Context& context, const Request& request) {
  QueryParams params{.engine = context.deps.engine.options()};
  AZX_ASSIGN_OR_RETURN(params.limit, LimitParam(request));
  promql::ExplainOptions options;
  if (params.limit > 0) options.max_values = params.limit;
  AZX_ASSIGN_OR_RETURN(options.t, TimeParam(request, "time", context.deps.clock.NowMs()));
  AZX_RETURN_IF_ERROR(TakeTimeout(request, params));
  AZX_RETURN_IF_ERROR(TakeLookback(request, params));
  AZX_ASSIGN_OR_RETURN(const ExprHandle expr, QueryParam(context, request));
  Timings timings;
  AZX_ASSIGN_OR_RETURN(const promql::Explanation explanation,
                       InTurn(context, request, params, timings,
                              [&](const promql::Engine& engine, std::stop_token stop) {
                                return promql::Explain(
                                    {engine, context.deps.clock, context.deps.store}, *expr,
                                    options, std::move(stop));
                              }));
  ApiData data;
  AppendExplanation(data.json, explanation);
  return data;
}

// GET, POST /api/v1/format_query: query.
Result<ApiData> FormatQuery(const Context& context, const Request& request) {
  AZX_ASSIGN_OR_RETURN(const ExprHandle expr, QueryParam(context, request));
  JsonWriter json;
  json.String(promql::Pretty(*expr));
  return ApiData{json.Take()};
}

// GET, POST /api/v1/parse_query: query.
Result<ApiData> ParseQuery(const Context& context, const Request& request) {
  AZX_ASSIGN_OR_RETURN(const ExprHandle expr, QueryParam(context, request));
  JsonWriter json;
  WriteAst(json, *expr);
  return ApiData{json.Take()};
}

}  // namespace azexporter::web
