#pragma once

// Writes metric families in Prometheus's text format 0.0.4.
// Source: prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
//
// Thread safety: pure functions.

#include <string>
#include <string_view>
#include <vector>

#include "azexporter/model/histogram.h"
#include "azexporter/model/metric_family.h"

namespace azexporter::exposition {

inline constexpr std::string_view kTextContentType = "text/plain; version=0.0.4; charset=utf-8";

// HELP, TYPE and every sample of the family; nothing for a family without metrics.
void AppendText(std::string& out, const model::MetricFamily& family);
// The two halves of it.
void AppendHead(std::string& out, const model::MetricDesc& desc);
void AppendSampleLines(std::string& out, const model::MetricFamily& family);

// The samples of a family as the text format and a scrape spell them: a histogram becomes
// NAME_bucket (with `le`), NAME_sum and NAME_count. Labels carry __name__.
struct FlatSample {
  model::Labels labels;
  double value = 0;
};
void AppendSamples(std::vector<FlatSample>& out, const model::MetricFamily& family);
// The native histograms of a family: series of its own name.
struct FlatHistogram {
  model::Labels labels;  // with __name__
  model::HistogramPtr value;
};
void AppendHistograms(std::vector<FlatHistogram>& out, const model::MetricFamily& family);

// A native histogram with custom buckets as a classic one: a bucket for each bound, then +Inf.
// REQUIRES: custom buckets.
struct CumulativeBucket {
  double upper_bound = 0;
  double count = 0;
};
std::vector<CumulativeBucket> CumulativeBuckets(const model::FloatHistogram& histogram);

// "0.5", "+Inf": the text of a bucket's `le`.
std::string BucketBoundText(double upper_bound);

}  // namespace azexporter::exposition
