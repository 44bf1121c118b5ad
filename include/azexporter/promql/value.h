#pragma once

// What a query answers.
//
// Thread safety: values; thread-compatible.

#include <string>
#include <variant>
#include <vector>

#include "azexporter/model/histogram.h"
#include "azexporter/model/labels.h"
#include "azexporter/model/sample.h"

namespace azexporter::promql {

struct Scalar {
  model::TimestampMs t = 0;
  double f = 0;
};

struct String {
  model::TimestampMs t = 0;
  std::string text;
};

// One sample a series, all at the time of the query.
using Vector = std::vector<model::Sample>;

struct MatrixSeries {
  model::Labels labels;
  // In order of time; of both together at least one.
  std::vector<model::FPoint> points;
  std::vector<model::HPoint> histograms = {};
};
using Matrix = std::vector<MatrixSeries>;

using Value = std::variant<Scalar, String, Vector, Matrix>;

// Prometheus's annotations: what the asker should know although there is an answer. Sorted, each
// once, e.g. `PromQL info: metric might not be a counter, ...: "up" (1:6)`.
struct QueryNotes {
  std::vector<std::string> warnings;
  std::vector<std::string> infos;
};

struct QueryResult : QueryNotes {
  Value value;
};

}  // namespace azexporter::promql
