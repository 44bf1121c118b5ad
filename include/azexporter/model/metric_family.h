#pragma once

// What a collector makes: families of metrics, each described once by a MetricDesc.
//
// Thread safety: values; thread-compatible.

#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "azexporter/model/labels.h"
#include "azexporter/model/sample.h"

namespace azexporter::model {

enum class MetricType { kUnknown, kCounter, kGauge, kHistogram };

// "unknown", "counter", "gauge", "histogram": as the text formats write it.
std::string_view MetricTypeName(MetricType type);

// A label of a family whose values are a closed set, with all of them.
struct LabelValues {
  std::string_view label;
  std::span<const std::string_view> values;
};

// What values the samples of a family can have, both ends included; +Inf and -Inf where there is no
// bound. Of a histogram: of nothing, its series are counts and sums.
struct ValueBounds {
  double least = -std::numeric_limits<double>::infinity();
  double most = std::numeric_limits<double>::infinity();
  bool whole = false;  // only whole numbers
};
inline constexpr ValueBounds kAnyValue = {};
inline constexpr ValueBounds kFlag = {0, 1, true};
inline constexpr ValueBounds kAlwaysOne = {1, 1, true};
inline constexpr ValueBounds kRatio = {0, 1, false};
inline constexpr ValueBounds kNumber = {0, std::numeric_limits<double>::infinity(), true};
inline constexpr ValueBounds kAmount = {0, std::numeric_limits<double>::infinity(), false};

// A row of the metric catalogue. All views point at constants that outlive the program's work.
struct MetricDesc {
  std::string_view name;  // with its unit and `_total` where it has them
  std::string_view help;  // one sentence
  MetricType type = MetricType::kGauge;
  std::span<const std::string_view> label_names;
  ValueBounds bounds = {};
  std::span<const LabelValues> label_values = {};  // of the labels with a closed set
};

// A classic histogram. Counts are cumulative; the last bucket is +Inf and equals the total.
struct HistogramValue {
  struct Bucket {
    double upper_bound = 0;
    std::uint64_t cumulative_count = 0;
  };
  std::vector<Bucket> buckets;
  double sum = 0;
  // The same observations as a native histogram, of whole counts and exponential buckets; null
  // where none is kept. What has no native histograms, such as the text format, shows the rest.
  std::shared_ptr<const FloatHistogram> native = nullptr;
};

struct Metric {
  Labels labels;  // without __name__
  double value = 0;
};

struct HistogramMetric {
  Labels labels;  // without __name__ and le
  HistogramValue value;
};

struct MetricFamily {
  const MetricDesc* desc = nullptr;         // never null in a finished family
  std::vector<Metric> metrics;              // of every type but histogram
  std::vector<HistogramMetric> histograms;  // of histograms only
};

}  // namespace azexporter::model
