#pragma once

// Native histograms as the protobuf message Histogram of remote write, which is the same in
// versions 1.0 and 2.0: how they travel, and how they are kept on disk.
// Source: prometheus/prompb/types.proto, prometheus/prompb/io/prometheus/write/v2/types.proto.
//
// Thread safety: pure functions.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "azexporter/base/result.h"
#include "azexporter/model/histogram.h"

namespace azexporter::model {

// A histogram with what version 2.0 says beside its time.
struct HistogramMessage {
  HPoint point;
  TimestampMs start_t = 0;  // since when it has counted; 0 where it is not known
};

// Counts may be whole numbers, each told by its difference from the one before, or floats. kBadData
// where the message is malformed; the histogram may still be invalid.
base::Result<HistogramMessage> DecodeHistogram(std::string_view message);

// The same from the message Histogram of the protobuf exposition, which numbers these fields in
// another way and says no time; its classic buckets are passed over.
// Source: prometheus/client_model, io/prometheus/client/metrics.proto.
base::Result<FloatHistogram> DecodeExposedHistogram(std::string_view message);

// With whole counts where all of them are, and add up to the count, as a reader may check; else
// with float counts.
std::string EncodeHistogram(const HPoint& point);

// What the messages of remote write and of the protobuf exposition have in common: the repeated
// fields of that number.
void AppendSpanFields(std::string& out, std::uint32_t number, std::span<const BucketSpan> spans);
// Whole counts, each as its difference from the one before, packed.
void AppendDeltaFields(std::string& out, std::uint32_t number, std::span<const double> counts);

}  // namespace azexporter::model
