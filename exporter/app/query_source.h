#pragma once

// What `azexporter query` asks: samples loaded from files, or a server of Prometheus's HTTP API.
// Private to `app`.
//
// Thread safety: one thread only.

#include <memory>
#include <string>
#include <vector>

#include "azexporter/base/result.h"
#include "azexporter/promql/engine.h"
#include "azexporter/promql/explain.h"
#include "azexporter/promql/value.h"

namespace azexporter::app {

class QuerySource {
 public:
  virtual ~QuerySource() = default;

  // The time that stands for "now": that of the newest sample, or the clock's.
  virtual model::TimestampMs now() const = 0;

  virtual base::Result<promql::QueryResult> Instant(const std::string& expr,
                                                    model::TimestampMs t) = 0;
  virtual base::Result<promql::QueryResult> Evaluate(const std::string& expr,
                                                     const promql::RangeTimes& range) = 0;
  virtual base::Result<promql::Explanation> Explain(const std::string& expr,
                                                    const promql::ExplainOptions& options) = 0;
  // The series that any of the selectors takes, sorted.
  virtual base::Result<std::vector<model::Labels>> Series(
      const std::vector<std::string>& selectors) = 0;
  // The names of labels, or the values of one, of all series or of those the selectors take.
  virtual base::Result<std::vector<std::string>> Labels(
      const std::string& label, const std::vector<std::string>& selectors) = 0;
};

// Files in OpenMetrics or the text format; "-" is standard input. A sample without a timestamp is
// of now. kBadData "FILE:LINE:COLUMN: ...".
base::Result<std::unique_ptr<QuerySource>> LoadSamples(const std::vector<std::string>& files,
                                                       const promql::EngineOptions& options);

// A server at http://HOST:PORT, asked when it is used.
std::unique_ptr<QuerySource> AskServer(const std::string& url, std::int64_t timeout_ms);

}  // namespace azexporter::app
