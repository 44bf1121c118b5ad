#include <simdjson.h>

#include <cmath>

#include "api_answer.h"
#include "azexporter/base/clock.h"
#include "azexporter/base/float_format.h"
#include "azexporter/base/text.h"
#include "azexporter/net/http_client.h"
#include "query_source.h"

namespace azexporter::app {
namespace {

namespace dom = simdjson::dom;
using base::ErrorCode;
using base::Result;

promql::ValueType TypeOf(const std::string& name) {
  for (const auto type : {promql::ValueType::kScalar, promql::ValueType::kString,
                          promql::ValueType::kVector, promql::ValueType::kMatrix}) {
    if (promql::ValueTypeName(type) == name) return type;
  }
  return promql::ValueType::kString;
}

// The parser bounds how deep the JSON is.
Result<promql::Explanation> ExplanationOf(const dom::element& json) {
  promql::Explanation node{.text = Text(json, "text"),
                           .type = TypeOf(Text(json, "type")),
                           .note = Text(json, "note"),
                           .error = Text(json, "error")};
  double seconds = 0;
  if (json["time"].get(seconds) == simdjson::SUCCESS) node.t = std::llround(seconds * 1000);
  std::uint64_t series = 0;
  if (json["series"].get(series) == simdjson::SUCCESS) node.series = series;
  for (const dom::element value : List(json, "values")) {
    promql::Explanation::Value& out = node.values.emplace_back();
    dom::element part;
    if (value["metric"].get(part) == simdjson::SUCCESS) out.labels = LabelsOf(part);
    if (value["value"].get(part) == simdjson::SUCCESS) {
      AZX_ASSIGN_OR_RETURN(const model::FPoint point, PointOf(part));
      out.value = point.f;
    }
    std::uint64_t points = 0;
    if (value["points"].get(points) == simdjson::SUCCESS) out.points = points;
  }
  for (const dom::element child : List(json, "children")) {
    AZX_ASSIGN_OR_RETURN(promql::Explanation read, ExplanationOf(child));
    node.children.push_back(std::move(read));
  }
  return node;
}

class Server final : public QuerySource {
 public:
  Server(std::string url, std::int64_t timeout_ms) : url_(std::move(url)), timeout_ms_(timeout_ms) {
    while (url_.ends_with('/')) url_.pop_back();
  }

  model::TimestampMs now() const override { return clock_.NowMs(); }
  Result<promql::QueryResult> Instant(const std::string& expr, model::TimestampMs t) override {
    return Query("query", {{"query", expr}, {"time", Seconds(t)}});
  }
  Result<promql::QueryResult> Evaluate(const std::string& expr,
                                       const promql::RangeTimes& range) override {
    return Query("query_range", {{"query", expr},
                                 {"start", Seconds(range.start)},
                                 {"end", Seconds(range.end)},
                                 {"step", Seconds(range.step_ms)}});
  }
  Result<promql::Explanation> Explain(const std::string& expr,
                                      const promql::ExplainOptions& options) override {
    AZX_ASSIGN_OR_RETURN(const dom::element root,
                         Ask("explain", {{"query", expr},
                                         {"time", Seconds(options.t)},
                                         {"limit", std::to_string(options.max_values)}}));
    AZX_ASSIGN_OR_RETURN(const dom::element data, Member(root, "data"));
    return ExplanationOf(data);
  }
  Result<std::vector<model::Labels>> Series(const std::vector<std::string>& selectors) override {
    AZX_ASSIGN_OR_RETURN(const dom::element root, Ask("series", Matches(selectors)));
    std::vector<model::Labels> all;
    for (const dom::element one : List(root, "data")) all.push_back(LabelsOf(one));
    return all;
  }
  Result<std::vector<std::string>> Labels(const std::string& label,
                                          const std::vector<std::string>& selectors) override {
    // The values of a label are asked for by GET alone.
    AZX_ASSIGN_OR_RETURN(const dom::element root,
                         label.empty() ? Ask("labels", Matches(selectors))
                                       : Ask("label/" + base::UrlEscape(label) + "/values",
                                             Matches(selectors), "GET"));
    return Texts(List(root, "data"));
  }

 private:
  using Params = FormParams;

  static Params Matches(const std::vector<std::string>& selectors) {
    Params params;
    for (const std::string& selector : selectors) params.emplace_back("match[]", selector);
    return params;
  }

  Result<promql::QueryResult> Query(const std::string& path, Params params) {
    params.emplace_back("timeout", Seconds(timeout_ms_));
    AZX_ASSIGN_OR_RETURN(const dom::element root, Ask(path, params));
    return QueryResultOf(root);
  }

  Result<dom::element> Ask(const std::string& path, const Params& params,
                           const std::string& method = "POST");

  std::string url_;
  const std::int64_t timeout_ms_;
  const base::SystemClock clock_;
  net::HttpClient http_{{.user_agent = "azexporter"}};
  dom::parser parser_;  // holds the last answer
};

Result<dom::element> Server::Ask(const std::string& path, const Params& params,
                                 const std::string& method) {
  std::string form = FormText(params);
  net::HttpRequest request{.method = method, .url = url_ + "/api/v1/" + path};
  if (method == "GET") {
    if (!form.empty()) request.url += "?" + form;
  } else {
    request.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
    request.body = std::move(form);
  }
  constexpr std::int64_t kGraceMs = 5'000;  // the server's own message comes first
  request.timeout_ms = timeout_ms_ + kGraceMs;
  AZX_ASSIGN_OR_RETURN(const net::HttpResponse response, http_.Fetch(request));
  return ReadAnswer(parser_, response, request.url);
}

}  // namespace

std::unique_ptr<QuerySource> AskServer(const std::string& url, std::int64_t timeout_ms) {
  return std::make_unique<Server>(url, timeout_ms);
}

}  // namespace azexporter::app
