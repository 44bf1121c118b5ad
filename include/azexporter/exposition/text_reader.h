#pragma once

// Reads the text formats that exporters speak: OpenMetrics 1.0 and Prometheus's text format 0.0.4.
// Strictly: what a format forbids is refused with its line and column, and nothing is guessed.
//
// Beyond OpenMetrics 1.0, names may be written in quotes, {"utf-8 name",zone="a"}, as Prometheus 3
// does. Exemplars are checked and left out.
//
// Sources: github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md and
// prometheus.io/docs/instrumenting/exposition_formats/#text-based-format.
//
// Thread safety: pure functions; values are thread-compatible.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/base/result.h"
#include "azexporter/model/histogram.h"
#include "azexporter/model/labels.h"
#include "azexporter/model/sample.h"

namespace azexporter::exposition {

enum class TextFormat { kOpenMetrics, kText };

// OpenMetrics where the last line is "# EOF", as it must be there.
TextFormat DetectFormat(std::string_view text);

// What is said of a family before its samples; empty where nothing is said.
struct TextFamily {
  std::string name;
  std::string type;  // "counter", ...: as it is written
  std::string help;
  std::string unit;
};

struct TextSample {
  model::Labels labels;                 // with __name__
  std::optional<model::TimestampMs> t;  // nothing: the time of reading
  double value = 0;
  // The value, where it is a native histogram; only protobuf has any (message_reader.h).
  model::HistogramPtr h = nullptr;
};

struct TextPage {
  std::vector<TextFamily> families;  // in the order of the text, each once
  std::vector<TextSample> samples;   // likewise
};

struct TextReaderOptions {
  TextFormat format = TextFormat::kOpenMetrics;
  // Longer pages are refused.
  std::size_t max_samples = 10'000'000;
};

// kBadData "LINE:COLUMN: message", both from 1, columns in bytes.
base::Result<TextPage> ReadText(std::string_view text, const TextReaderOptions& options);

}  // namespace azexporter::exposition
