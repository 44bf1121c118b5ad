#pragma once

// Another server of Prometheus's HTTP API that rules ask, in the place of the own store. Private to
// `app`.
//
// Thread safety: Evaluate by one thread at a time, as the rule manager does; Stop from any.

#include <optional>
#include <stop_token>

#include "azexporter/base/result.h"
#include "azexporter/config/config.h"
#include "azexporter/model/sample.h"
#include "azexporter/promql/ast.h"
#include "azexporter/promql/value.h"
#include "azexporter/remote/endpoint.h"
#include "azexporter/rules/manager.h"

namespace azexporter::app {

class Datasource {
 public:
  explicit Datasource(config::Datasource config);

  // POSTs the expression to URL/api/v1/query. Errors name the data source: the server's own,
  // kTimeout, kUnavailable, and kCanceled after Stop. When the server is not to be reached, other
  // expressions at the same time are not asked any more but get the same error, so that a group
  // waits for it once and not once a rule.
  base::Result<promql::QueryResult> Evaluate(const promql::Expr& expr, model::TimestampMs t);
  // Evaluate, for who evaluates rules; lives no longer than this.
  rules::Evaluator evaluator() {
    return [this](const promql::Expr& expr, model::TimestampMs t) { return Evaluate(expr, t); };
  }
  // Ends the question under way; later ones are not asked.
  void Stop() { stop_.request_stop(); }

 private:
  struct Outage {
    model::TimestampMs t = 0;
    base::Error error;
  };

  base::Result<promql::QueryResult> Ask(const promql::Expr& expr, model::TimestampMs t);

  const config::Datasource config_;
  remote::EndpointClient client_;
  std::stop_source stop_;
  std::optional<Outage> outage_;
};

}  // namespace azexporter::app
