#pragma once

// Writes Prometheus's protobuf exposition: messages io.prometheus.client.MetricFamily, each behind
// its length. Unlike the text format it has native histograms.
//
//   MetricMessage metric;
//   metric.AddLabel({"zone", "a"});
//   metric.SetValue(model::MetricType::kGauge, 1);
//   std::string family = FamilyHead("up", "Who answers.", FamilyType::kGauge);
//   metric.AppendTo(family);
//   AppendDelimited(page, family);
//
// Source: prometheus/client_model, io/prometheus/client/metrics.proto;
// prometheus.io/docs/instrumenting/exposition_formats/#protobuf-format.
//
// Thread safety: pure functions; MetricMessage is thread-compatible.

#include <string>
#include <string_view>

#include "azexporter/model/histogram.h"
#include "azexporter/model/labels.h"
#include "azexporter/model/metric_family.h"

namespace azexporter::exposition {

inline constexpr std::string_view kProtobufContentType =
    "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";

// The numbers of the message.
enum class FamilyType : std::uint8_t {
  kCounter = 0,
  kGauge = 1,
  kSummary = 2,
  kUntyped = 3,
  kHistogram = 4,
  kGaugeHistogram = 5,
};
FamilyType FamilyTypeOf(model::MetricType type);

// A message Metric. A label or a value is set once.
class MetricMessage {
 public:
  void AddLabel(const model::Label& label);
  // REQUIRES: no histogram.
  void SetValue(model::MetricType type, double value);
  // With its native part, where it has one.
  void SetHistogram(const model::HistogramValue& value);
  // Exponential buckets become a native histogram with float counts, custom ones a classic
  // histogram, as when Prometheus federates.
  void SetHistogram(const model::FloatHistogram& value);
  void SetTime(model::TimestampMs t);

  // Appends it to the message of its family.
  void AppendTo(std::string& family) const;

 private:
  std::string bytes_;
};

// A MetricFamily without metrics. No help is left out.
std::string FamilyHead(std::string_view name, std::string_view help, FamilyType type);
// What stands before a message of so many bytes on a page.
std::string LengthOf(std::size_t bytes);
// The message behind its length.
void AppendDelimited(std::string& out, std::string_view message);

// The formats that a page can be asked for in.
enum class PageFormat { kText, kProtobuf };
std::string_view ContentTypeOf(PageFormat format);
// What the header Accept wants most of these; text where it wants neither, or nothing is said.
// Source: RFC 9110, 12.5.1; prometheus/common/expfmt, Negotiate.
PageFormat Negotiate(std::string_view accept);

}  // namespace azexporter::exposition
