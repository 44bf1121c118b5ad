#pragma once

// Native histograms in remote write: the message Histogram, which is the same in versions 1.0 and
// 2.0. Private to `exposition`.
// Source: prometheus/prompb/types.proto, prometheus/prompb/io/prometheus/write/v2/types.proto.
//
// Thread safety: pure functions.

#include <string>
#include <string_view>

#include "azexporter/base/result.h"
#include "azexporter/model/histogram.h"

namespace azexporter::exposition {

// Counts may be whole numbers, each told by its difference from the one before, or floats. kBadData
// where the message is malformed; the histogram may still be invalid.
base::Result<model::HPoint> DecodeHistogram(std::string_view message);

// With float counts.
std::string EncodeHistogram(const model::HPoint& point);

}  // namespace azexporter::exposition
