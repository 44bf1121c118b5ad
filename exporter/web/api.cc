#include <algorithm>
#include <set>

#include "azexporter/base/duration.h"
#include "azexporter/base/float_format.h"
#include "azexporter/base/time_text.h"
#include "azexporter/promql/parser.h"
#include "handlers.h"
#include "json_views.h"

namespace azexporter::web {
namespace {

using base::BadData;
using base::Fail;
using base::JsonWriter;
using base::Result;

// Prometheus's bound on the steps of a range query.
constexpr std::int64_t kMaxSteps = 11'000;

Result<std::int64_t> TimeParam(const Request& request, const std::string& name,
                               std::int64_t fallback_ms) {
  const std::string text = request.Param(name);
  if (text.empty()) return fallback_ms;
  auto time = base::ParseTimeMs(text);
  if (time) return *time;
  return BadData("invalid parameter \"" + name + "\": " + time.error().message());
}

// "30s" or seconds as a number.
Result<std::int64_t> StepParam(const Request& request) {
  const std::string text = request.Param("step");
  std::int64_t step_ms = 0;
  if (auto seconds = base::ParseFloat(text)) {
    constexpr double kMost = 1e10;
    if (!(*seconds <= kMost)) return BadData("invalid parameter \"step\": too large");
    step_ms = static_cast<std::int64_t>(*seconds * 1000);
  } else {
    auto duration = base::ParseDurationMs(text);
    if (!duration) {
      return BadData("invalid parameter \"step\": cannot parse \"" + text +
                     "\" to a valid duration");
    }
    step_ms = *duration;
  }
  if (step_ms > 0) return step_ms;
  return BadData(
      "invalid parameter \"step\": zero or negative query resolution step widths are not accepted. "
      "Try a positive integer");
}

Result<std::shared_ptr<const promql::Expr>> QueryParam(const Request& request) {
  auto expr = promql::ParseExpr(request.Param("query"));
  if (expr) return *expr;
  return BadData("invalid parameter \"query\": " + expr.error().message());
}

ApiData QueryData(const promql::QueryResult& result) {
  JsonWriter json;
  WriteQueryData(json, result.value);
  return {json.Take(), result.warnings, result.infos};
}

Result<ApiData> Query(const ServerDeps& deps, const ServerOptions&, const Request& request) {
  AZX_ASSIGN_OR_RETURN(const std::int64_t time, TimeParam(request, "time", deps.clock.NowMs()));
  AZX_ASSIGN_OR_RETURN(const auto expr, QueryParam(request));
  AZX_ASSIGN_OR_RETURN(const promql::QueryResult result,
                       deps.engine.Instant(deps.store, *expr, time));
  return QueryData(result);
}

Result<ApiData> QueryRange(const ServerDeps& deps, const ServerOptions&, const Request& request) {
  for (const char* name : {"start", "end"}) {
    if (request.Param(name).empty()) {
      return BadData(std::string("invalid parameter \"") + name +
                     "\": cannot parse \"\" to a valid timestamp");
    }
  }
  AZX_ASSIGN_OR_RETURN(const std::int64_t start, TimeParam(request, "start", 0));
  AZX_ASSIGN_OR_RETURN(const std::int64_t end, TimeParam(request, "end", 0));
  if (end < start) {
    return BadData("invalid parameter \"end\": end timestamp must not be before start time");
  }
  AZX_ASSIGN_OR_RETURN(const std::int64_t step, StepParam(request));
  if ((end - start) / step > kMaxSteps) {
    return BadData(
        "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query "
        "resolution (?step=XX)");
  }
  AZX_ASSIGN_OR_RETURN(const auto expr, QueryParam(request));
  AZX_ASSIGN_OR_RETURN(const promql::QueryResult result,
                       deps.engine.Range(deps.store, *expr, start, end, step));
  return QueryData(result);
}

// The selectors of match[], one list of matchers each.
using Selectors = std::vector<std::vector<model::Matcher>>;

Result<Selectors> MatchParams(const Request& request) {
  Selectors selectors;
  for (const std::string& text : request.Params("match[]")) {
    auto matchers = promql::ParseMetricSelector(text);
    if (!matchers) return BadData("invalid parameter \"match[]\": " + matchers.error().message());
    selectors.push_back(std::move(*matchers));
  }
  return selectors;
}

Result<std::unique_ptr<storage::Querier>> QuerierFor(const ServerDeps& deps,
                                                     const Request& request) {
  const std::int64_t now = deps.clock.NowMs();
  constexpr std::int64_t kDay = 86'400'000;
  AZX_ASSIGN_OR_RETURN(const std::int64_t start, TimeParam(request, "start", now - kDay));
  AZX_ASSIGN_OR_RETURN(const std::int64_t end, TimeParam(request, "end", now));
  return deps.store.NewQuerier(start, end);
}

Result<ApiData> Series(const ServerDeps& deps, const ServerOptions&, const Request& request) {
  AZX_ASSIGN_OR_RETURN(const Selectors selectors, MatchParams(request));
  if (selectors.empty()) return BadData("no match[] parameter provided");
  AZX_ASSIGN_OR_RETURN(const auto querier, QuerierFor(deps, request));
  std::set<model::Labels> found;
  for (const auto& matchers : selectors) {
    AZX_ASSIGN_OR_RETURN(const storage::SeriesSet* set, querier->Select(matchers));
    for (const model::LabelView& labels : set->labels()) found.insert(labels.ToLabels());
  }
  JsonWriter json;
  json.BeginArray();
  for (const model::Labels& labels : found) WriteLabels(json, labels);
  json.EndArray();
  return ApiData{json.Take(), {}, {}};
}

ApiData StringList(const std::set<std::string>& values) {
  JsonWriter json;
  json.BeginArray();
  for (const std::string& value : values) json.String(value);
  json.EndArray();
  return {json.Take(), {}, {}};
}

// The union over all selectors; over every series where there is no selector.
template <class Ask>
Result<ApiData> UnionOver(const ServerDeps& deps, const Request& request, Ask ask) {
  AZX_ASSIGN_OR_RETURN(Selectors selectors, MatchParams(request));
  if (selectors.empty()) selectors.emplace_back();
  AZX_ASSIGN_OR_RETURN(const auto querier, QuerierFor(deps, request));
  std::set<std::string> all;
  for (const auto& matchers : selectors) {
    AZX_ASSIGN_OR_RETURN(const std::vector<std::string> values, ask(*querier, matchers));
    all.insert(values.begin(), values.end());
  }
  return StringList(all);
}

Result<ApiData> LabelNames(const ServerDeps& deps, const ServerOptions&, const Request& request) {
  return UnionOver(deps, request, [](storage::Querier& querier, const auto& matchers) {
    return querier.LabelNames(matchers);
  });
}

Result<ApiData> LabelValues(const ServerDeps& deps, const ServerOptions&, const Request& request) {
  const std::string name = request.path_params.at("name");
  return UnionOver(deps, request, [&](storage::Querier& querier, const auto& matchers) {
    return querier.LabelValues(name, matchers);
  });
}

Result<ApiData> Rules(const ServerDeps& deps, const ServerOptions&, const Request&) {
  JsonWriter json;
  WriteRules(json, deps.rules.Groups());
  return ApiData{json.Take(), {}, {}};
}

Result<ApiData> Alerts(const ServerDeps& deps, const ServerOptions&, const Request&) {
  JsonWriter json;
  WriteAlerts(json, deps.rules.Groups());
  return ApiData{json.Take(), {}, {}};
}

// None is ever dropped: there is no relabelling of Alertmanagers yet.
Result<ApiData> Alertmanagers(const ServerDeps& deps, const ServerOptions&, const Request&) {
  JsonWriter json;
  json.BeginObject().Key("activeAlertmanagers").BeginArray();
  if (deps.alertmanagers) {
    for (const std::string& url : deps.alertmanagers()) {
      json.BeginObject().Key("url").String(url).EndObject();
    }
  }
  json.EndArray().Key("droppedAlertmanagers").BeginArray().EndArray().EndObject();
  return ApiData{json.Take(), {}, {}};
}

Result<ApiData> Zones(const ServerDeps& deps, const ServerOptions&, const Request&) {
  const auto round = deps.latest.Get();
  if (!round) return Fail(base::ErrorCode::kUnavailable, "no round is finished yet");
  JsonWriter json;
  WriteZones(json, round->report);
  return ApiData{json.Take(), {}, {}};
}

Result<ApiData> BuildInfo(const ServerDeps&, const ServerOptions& options, const Request&) {
  JsonWriter json;
  json.BeginObject().Key("version").String(options.version);
  json.Key("revision").String(options.revision).Key("branch").String("");
  json.Key("buildUser").String("").Key("buildDate").String("").Key("goVersion").String("");
  json.EndObject();
  return ApiData{json.Take(), {}, {}};
}

constexpr ApiRoute kRoutes[] = {
    {"/api/v1/alertmanagers", &Alertmanagers},
    {"/api/v1/alerts", &Alerts},
    {"/api/v1/label/:name/values", &LabelValues},
    {"/api/v1/labels", &LabelNames},
    {"/api/v1/query", &Query},
    {"/api/v1/query_range", &QueryRange},
    {"/api/v1/rules", &Rules},
    {"/api/v1/series", &Series},
    {"/api/v1/status/buildinfo", &BuildInfo},
    {"/api/v1/zones", &Zones},
};

}  // namespace

std::string Request::Param(const std::string& name) const {
  const auto found = params.find(name);
  return found == params.end() ? std::string() : found->second;
}

std::vector<std::string> Request::Params(const std::string& name) const {
  std::vector<std::string> values;
  const auto [begin, end] = params.equal_range(name);
  for (auto it = begin; it != end; ++it) values.push_back(it->second);
  return values;
}

std::span<const ApiRoute> ApiRoutes() { return kRoutes; }

}  // namespace azexporter::web
