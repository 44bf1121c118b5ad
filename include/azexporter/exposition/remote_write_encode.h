#pragma once

// Makes the bodies of remote write requests: the protobuf messages prometheus.WriteRequest
// (version 1.0) and io.prometheus.write.v2.Request (2.0), and the snappy block around them. Written
// by hand as the decoder is: see remote_write.h.
// Source: prometheus.io/docs/specs/prw/remote_write_spec/ and remote_write_spec_2_0/,
// prometheus/prompb.
//
// Thread safety: pure functions.

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/model/histogram.h"
#include "azexporter/model/labels.h"
#include "azexporter/model/metric_family.h"
#include "azexporter/model/sample.h"

namespace azexporter::exposition {

struct WriteSeries {
  model::Labels labels;
  std::vector<model::FPoint> points;  // in order of time; a staleness marker keeps its bits
  std::vector<model::HPoint> histograms = {};  // in order of time
};

struct FamilyMetadata {
  model::MetricType type = model::MetricType::kUnknown;
  std::string help;
};
// By the name of the family.
using MetadataMap = std::map<std::string, FamilyMetadata, std::less<>>;

// The family that a series of this name belongs to: of its own name, or of a histogram that it is
// the _bucket, _sum or _count of. Null where none is known.
const FamilyMetadata* FindMetadata(const MetadataMap& metadata, std::string_view metric_name);

// prometheus.WriteRequest with samples.
std::string EncodeWriteRequest(std::span<const WriteSeries> series);
// prometheus.WriteRequest with nothing but metadata.
std::string EncodeWriteMetadata(const MetadataMap& metadata);
// io.prometheus.write.v2.Request. Symbol 0 is "". A series without known metadata has the type
// unspecified; start timestamps are not known and left at 0.
std::string EncodeWriteRequestV2(std::span<const WriteSeries> series, const MetadataMap& metadata);

// The message as a snappy block (not framed).
std::string CompressWriteBody(std::string_view message);

}  // namespace azexporter::exposition
