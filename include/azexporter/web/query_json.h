#pragma once

// Answers of queries in the JSON of Prometheus's HTTP API, for the server and for the command line.
//
// Thread safety: pure functions.
// Source: prometheus.io/docs/prometheus/latest/querying/api/.

#include <string>

#include "azexporter/promql/explain.h"
#include "azexporter/promql/value.h"

namespace azexporter::web {

// {"resultType":"vector","result":[...]
// The object stays open, for what goes beside the result.
void AppendQueryData(std::string& out, const promql::Value& value);

// A node with its values and its "children".
void AppendExplanation(std::string& out, const promql::Explanation& explanation);

}  // namespace azexporter::web
