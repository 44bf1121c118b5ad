#include "datasource.h"

#include "api_answer.h"
#include "azexporter/promql/printer.h"

namespace azexporter::app {
namespace {

// The server is told of the timeout; its own message comes first.
constexpr std::int64_t kGraceMs = 1'000;
constexpr std::size_t kMaxAnswerBytes = std::size_t{256} << 20;

remote::Endpoint WithoutSlash(remote::Endpoint endpoint) {
  while (endpoint.url.ends_with('/')) endpoint.url.pop_back();
  return endpoint;
}

}  // namespace

Datasource::Datasource(config::Datasource config)
    : config_(std::move(config)), client_(WithoutSlash(config_.endpoint)) {}

base::Result<promql::QueryResult> Datasource::Evaluate(const promql::Expr& expr,
                                                       model::TimestampMs t) {
  if (outage_ && outage_->t == t) return base::Fail(outage_->error);
  outage_.reset();
  auto result = Ask(expr, t);
  if (result) return result;
  return base::Fail(std::move(result.error()).WithContext("datasource"));
}

base::Result<promql::QueryResult> Datasource::Ask(const promql::Expr& expr, model::TimestampMs t) {
  auto response = client_.Send({.path = "/api/v1/query",
                                .headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
                                .body = FormText({{"query", promql::Print(expr)},
                                                  {"time", Seconds(t)},
                                                  {"timeout", Seconds(config_.timeout_ms)}}),
                                .timeout_ms = config_.timeout_ms + kGraceMs,
                                .max_answer_bytes = kMaxAnswerBytes},
                               stop_.get_token());
  if (!response) {
    outage_ = Outage{t, base::Error(response.error()).WithContext("datasource")};
    return base::Fail(response.error());
  }
  simdjson::dom::parser parser;
  AZX_ASSIGN_OR_RETURN(const simdjson::dom::element root,
                       ReadAnswer(parser, *response, client_.endpoint().url));
  return QueryResultOf(root);
}

}  // namespace azexporter::app
