#pragma once

// The data of the query benchmarks: a large cluster as its exporters show it.
//
//   kube_node_status_condition           nodes x 10 (five conditions, two states)
//   kube_pod_info                        pods, ten labels each
//   http_request_duration_seconds_*      20 services x 9 zone pairs x (12 buckets, count, sum)
//   http_request_duration_seconds        the same pairs, as native histograms of 40 buckets
//
// Everything but the histograms is the same at each time, as it mostly is in life.

#include <functional>
#include <string>
#include <vector>

#include "azexporter/model/histogram.h"
#include "azexporter/model/labels.h"

namespace azexporter::bench {

struct ZoneDataSize {
  int nodes = 5000;
  int pods = 150'000;
};

struct BenchSeries {
  model::Labels labels;
  // The value of the i-th sample.
  std::function<double(int)> value;
  // The same of a series of native histograms, which has no `value`.
  std::function<model::HistogramPtr(int)> histogram = nullptr;
};

// Calls `visit` for each series.
void ForEachSeries(const ZoneDataSize& size, const std::function<void(const BenchSeries&)>& visit);

// What is asked of it, with the name under which the results are printed.
struct BenchQuery {
  const char* name;
  const char* query;
  bool range = false;  // over all of the data, 121 steps; else at its end
  // How far answers may lie apart, relatively. Within a bucket of a native histogram Prometheus
  // before 3.0 interpolates linearly, and since then exponentially.
  double tolerance = 1e-9;
};
const std::vector<BenchQuery>& Queries();

}  // namespace azexporter::bench
