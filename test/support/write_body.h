#pragma once

// Makes the bodies of remote write requests, well-formed and otherwise.

#include <snappy.h>

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "azexporter/model/sample.h"

namespace azexporter::test {

inline void AppendVarint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

// A protobuf field that holds bytes.
inline std::string BytesField(std::uint32_t number, std::string_view bytes) {
  std::string out;
  AppendVarint(out, std::uint64_t{number} << 3 | 2);
  AppendVarint(out, bytes.size());
  out += bytes;
  return out;
}

inline std::string LabelMessage(std::string_view name, std::string_view value) {
  return BytesField(1, name) + BytesField(2, value);
}

inline std::string SampleMessage(model::FPoint point) {
  std::string out = "\x09";  // field 1, eight bytes
  const auto bits = std::bit_cast<std::uint64_t>(point.f);
  for (int i = 0; i < 8; ++i) out += static_cast<char>(bits >> (8 * i));
  out += '\x10';  // field 2, a varint
  AppendVarint(out, static_cast<std::uint64_t>(point.t));
  return out;
}

using LabelPairs = std::vector<std::pair<std::string, std::string>>;

// A TimeSeries as a field of a WriteRequest. Labels in the given order; `more` is put behind.
inline std::string SeriesField(const LabelPairs& labels, const std::vector<model::FPoint>& points,
                               std::string_view more = "") {
  std::string series;
  for (const auto& [name, value] : labels) series += BytesField(1, LabelMessage(name, value));
  for (const model::FPoint& point : points) series += BytesField(2, SampleMessage(point));
  return BytesField(1, series.append(more));
}

inline std::string Snappy(std::string_view text) {
  std::string out;
  snappy::Compress(text.data(), text.size(), &out);
  return out;
}

}  // namespace azexporter::test
