#pragma once

// Reads what a server of Prometheus's HTTP API answers. Private to `app`.
// Source: prometheus.io/docs/prometheus/latest/querying/api/.
//
// Thread safety: pure functions; an element lives as long as its parser keeps the answer.

#include <simdjson.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "azexporter/base/result.h"
#include "azexporter/model/labels.h"
#include "azexporter/model/sample.h"
#include "azexporter/net/http_client.h"
#include "azexporter/promql/value.h"

namespace azexporter::app {

using FormParams = std::vector<std::pair<std::string, std::string>>;
// As the body of a POST, or behind the "?" of a GET.
std::string FormText(const FormParams& params);
// Seconds with milliseconds, as the API takes times and steps.
std::string Seconds(std::int64_t ms);

// The whole answer where its status is "success"; else the server's own error, with the code that
// it names. kUnavailable where it is no answer of such an API.
base::Result<simdjson::dom::element> ReadAnswer(simdjson::dom::parser& parser,
                                                const net::HttpResponse& response,
                                                const std::string& url);
// What `query` and `query_range` answer. `root` is of ReadAnswer.
base::Result<promql::QueryResult> QueryResultOf(const simdjson::dom::element& root);

// Faults of the answer's form end as this.
tl::unexpected<base::Error> Strange(std::string_view what);

// "" and nothing where there is no such member, or it is of another kind.
std::string Text(const simdjson::dom::element& object, const char* key);
std::vector<simdjson::dom::element> List(const simdjson::dom::element& object, const char* key);
std::vector<std::string> Texts(const std::vector<simdjson::dom::element>& list);
base::Result<simdjson::dom::element> Member(const simdjson::dom::element& object, const char* key);
model::Labels LabelsOf(const simdjson::dom::element& json);
// [1435781451.781,"1"]; `text` takes what stands behind the time where that is no number.
base::Result<model::FPoint> PointOf(const simdjson::dom::element& json,
                                    std::string* text = nullptr);

}  // namespace azexporter::app
