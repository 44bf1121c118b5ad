#include "azexporter/web/query_json.h"

#include <array>
#include <charconv>
#include <cmath>

#include "azexporter/base/float_format.h"
#include "azexporter/base/json_writer.h"

namespace azexporter::web {
namespace {

// The writers of query results append to the text themselves: an answer of thousands of series is
// mostly numbers, and a call for each comma would be felt.

void AppendInt(std::string& out, std::int64_t value) {
  std::array<char, 24> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  out.append(buffer.data(), end.ptr);
}

// 1435781451.781: no more than three decimals, and either none or three, as Prometheus.
void AppendTime(std::string& out, model::TimestampMs t) {
  if (t < 0) out += '-';
  const std::uint64_t ms =
      t < 0 ? 0 - static_cast<std::uint64_t>(t) : static_cast<std::uint64_t>(t);
  AppendInt(out, static_cast<std::int64_t>(ms / 1000));
  const std::uint64_t fraction = ms % 1000;
  if (fraction == 0) return;
  out += '.';
  out += static_cast<char>('0' + fraction / 100);
  out += static_cast<char>('0' + fraction / 10 % 10);
  out += static_cast<char>('0' + fraction % 10);
}

// The shortest text of the number, with an exponent below 1e-6 and from 1e21 up.
// Source: prometheus/util/jsonutil/marshal.go, MarshalFloat.
void AppendValue(std::string& out, double value) {
  const double magnitude = std::fabs(value);
  // Up to here every whole number is exact, and fixed notation is the shortest one.
  constexpr double kExact = 1e15;
  if (magnitude < kExact && value == std::trunc(value) && !(value == 0 && std::signbit(value))) {
    return AppendInt(out, static_cast<std::int64_t>(value));
  }
  if (!std::isfinite(value) || value == 0 || (magnitude >= kExact && magnitude < 1e21)) {
    out += base::FormatFloatF(value);
    return;
  }
  std::array<char, 32> buffer;
  const auto format = magnitude < 1e-6 || magnitude >= 1e21 ? std::chars_format::scientific
                                                            : std::chars_format::fixed;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, format);
  out.append(buffer.data(), end.ptr);
}

// [1435781451.781,"1"]
void AppendPoint(std::string& out, model::TimestampMs t, double value) {
  out += '[';
  AppendTime(out, t);
  out += ",\"";
  AppendValue(out, value);
  out += "\"]";
}

void AppendPoints(std::string& out, std::span<const model::FPoint> points) {
  bool first = true;
  for (const model::FPoint& point : points) {
    if (!first) out += ',';
    first = false;
    AppendPoint(out, point.t, point.f);
  }
}

// How the bounds of a bucket are to be read: 0 (lower,upper], 1 [lower,upper), 2 open, 3 closed.
int BoundsOf(const model::HistogramBucket& bucket) {
  if (bucket.lower_inclusive) return bucket.upper_inclusive ? 3 : 1;
  return bucket.upper_inclusive ? 0 : 2;
}

void AppendQuoted(std::string& out, double value) {
  out += '"';
  AppendValue(out, value);
  out += '"';
}

// {"count":"3","sum":"4.5","buckets":[[0,"1","2","3"]]}: buckets that have observations, ascending.
// Source: prometheus/util/jsonutil/marshal.go, MarshalHistogram.
void AppendHistogram(std::string& out, const model::FloatHistogram& histogram) {
  out += "{\"count\":";
  AppendQuoted(out, histogram.count);
  out += ",\"sum\":";
  AppendQuoted(out, histogram.sum);
  bool any = false;
  for (const model::HistogramBucket& bucket : histogram.Buckets()) {
    if (bucket.count == 0) continue;
    out += any ? "," : ",\"buckets\":[";
    any = true;
    out += '[';
    AppendInt(out, BoundsOf(bucket));
    for (const double number : {bucket.lower, bucket.upper, bucket.count}) {
      out += ',';
      AppendQuoted(out, number);
    }
    out += ']';
  }
  out += any ? "]}" : "}";
}

// [1435781451.781,{...}]
void AppendHPoint(std::string& out, const model::HPoint& point) {
  out += '[';
  AppendTime(out, point.t);
  out += ',';
  AppendHistogram(out, *point.h);
  out += ']';
}

// "values":[...],"histograms":[...], those that there are.
void AppendSamples(std::string& out, std::span<const model::FPoint> points,
                   std::span<const model::HPoint> histograms) {
  if (!points.empty() || histograms.empty()) {
    out += "\"values\":[";
    AppendPoints(out, points);
    out += ']';
  }
  if (histograms.empty()) return;
  if (!points.empty()) out += ',';
  out += "\"histograms\":[";
  for (std::size_t i = 0; i < histograms.size(); ++i) {
    if (i > 0) out += ',';
    AppendHPoint(out, histograms[i]);
  }
  out += ']';
}

// Scalars and strings are written in another way than samples: without an exponent, and their time
// as a plain number. Source: prometheus/promql/value.go.
void AppendData(std::string& out, const promql::Scalar& scalar) {
  out += "\"scalar\",\"result\":[";
  base::AppendFloatG(out, static_cast<double>(scalar.t) / 1000);
  out += ",\"" + base::FormatFloatF(scalar.f) + "\"]";
}

void AppendData(std::string& out, const promql::String& text) {
  out += "\"string\",\"result\":[";
  base::AppendFloatG(out, static_cast<double>(text.t) / 1000);
  out += ',';
  base::AppendJsonString(out, text.text);
  out += ']';
}

void AppendLabels(std::string& out, const model::Labels& labels) {
  out += '{';
  bool first = true;
  for (const model::Label label : labels) {
    if (!first) out += ',';
    first = false;
    base::AppendJsonString(out, label.name);
    out += ':';
    base::AppendJsonString(out, label.value);
  }
  out += '}';
}

void AppendSeries(std::string& out, const model::Sample& sample) {
  out += "{\"metric\":";
  AppendLabels(out, sample.labels);
  if (sample.h != nullptr) {
    out += ",\"histogram\":";
    AppendHPoint(out, {sample.t, sample.h});
  } else {
    out += ",\"value\":";
    AppendPoint(out, sample.t, sample.f);
  }
  out += '}';
}

void AppendSeries(std::string& out, const promql::MatrixSeries& series) {
  out += "{\"metric\":";
  AppendLabels(out, series.labels);
  out += ',';
  AppendSamples(out, series.points, series.histograms);
  out += '}';
}

template <class All>
void AppendAll(std::string& out, const All& all) {
  out += '[';
  bool first = true;
  for (const auto& one : all) {
    if (!first) out += ',';
    const std::size_t before = out.size();
    AppendSeries(out, one);
    // The first tells how long the others may be.
    if (first) out.reserve(before + all.size() * (out.size() - before) * 5 / 4);
    first = false;
  }
  out += ']';
}

void AppendValueOf(std::string& out, const promql::Explanation& node,
                   const promql::Explanation::Value& value) {
  out += "{\"metric\":";
  AppendLabels(out, value.labels);
  if (node.type == promql::ValueType::kMatrix) {
    out += ",\"points\":";
    AppendInt(out, static_cast<std::int64_t>(value.points));
  }
  if (value.histogram != nullptr) {
    out += ",\"histogram\":";
    AppendHPoint(out, {node.t, value.histogram});
  } else {
    out += ",\"value\":";
    AppendPoint(out, node.t, value.value);
  }
  out += '}';
}

void AppendText(std::string& out, std::string_view key, const std::string& text) {
  if (text.empty()) return;
  out += ",\"";
  out += key;
  out += "\":";
  base::AppendJsonString(out, text);
}

}  // namespace

void AppendQueryData(std::string& out, const promql::Value& value) {
  out += "{\"resultType\":";
  if (const auto* vector = std::get_if<promql::Vector>(&value)) {
    out += "\"vector\",\"result\":";
    AppendAll(out, *vector);
  } else if (const auto* matrix = std::get_if<promql::Matrix>(&value)) {
    out += "\"matrix\",\"result\":";
    AppendAll(out, *matrix);
  } else if (const auto* scalar = std::get_if<promql::Scalar>(&value)) {
    AppendData(out, *scalar);
  } else {
    AppendData(out, std::get<promql::String>(value));
  }
}

void JsonSink::Take(const promql::Scalar& scalar) {
  out_ += "{\"resultType\":";
  AppendData(out_, scalar);
}

void JsonSink::Take(const promql::String& string) {
  out_ += "{\"resultType\":";
  AppendData(out_, string);
}

void JsonSink::BeginVector(std::size_t most) { Begin("vector", most); }
void JsonSink::BeginMatrix(std::size_t most) { Begin("matrix", most); }

void JsonSink::Begin(std::string_view type, std::size_t most) {
  out_.append("{\"resultType\":\"").append(type).append("\",\"result\":[");
  most_ = most;
  open_ = true;
}

bool JsonSink::BeginRow(const model::LabelView& labels) {
  if (++rows_ > limit_ && limit_ > 0) return false;
  if (rows_ == 1) {
    first_row_ = out_.size();
  } else {
    out_ += ',';
  }
  if (&labels.shape() != shape_) {
    shape_ = &labels.shape();
    keys_.assign(labels.size(), std::string());
    for (std::size_t i = 0; i < labels.size(); ++i) {
      if (i > 0) keys_[i] += ',';
      base::AppendJsonString(keys_[i], labels.name(i).text());
      keys_[i] += ':';
    }
  }
  out_ += "{\"metric\":{";
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    out_ += keys_[i];
    base::AppendJsonString(out_, labels.value(i).text());
  }
  return true;
}

void JsonSink::EndRow() {
  out_ += '}';
  // The first tells how long the others may be.
  if (rows_ == 1) out_.reserve(first_row_ + most_ * (out_.size() - first_row_) * 5 / 4);
}

void JsonSink::AppendTimeOf(model::TimestampMs t) {
  if (time_ != t) {
    time_text_.clear();
    AppendTime(time_text_, t);
    time_ = t;
  }
  out_ += time_text_;
}

void JsonSink::Add(const model::LabelView& labels, const model::FPoint& point) {
  if (!BeginRow(labels)) return;
  out_ += "},\"value\":[";
  AppendTimeOf(point.t);
  out_ += ",\"";
  AppendValue(out_, point.f);
  out_ += "\"]";
  EndRow();
}

void JsonSink::Add(const model::LabelView& labels, const model::HPoint& point) {
  if (!BeginRow(labels)) return;
  out_ += "},\"histogram\":";
  AppendHPoint(out_, point);
  EndRow();
}

void JsonSink::Add(const model::LabelView& labels, std::span<const model::FPoint> points,
                   std::span<const model::HPoint> histograms) {
  if (!BeginRow(labels)) return;
  out_ += "},";
  AppendSamples(out_, points, histograms);
  EndRow();
}

void JsonSink::Finish() {
  if (open_) out_ += ']';
}

void AppendExplanation(std::string& out, const promql::Explanation& explanation) {
  out += "{\"text\":";
  base::AppendJsonString(out, explanation.text);
  out += ",\"type\":";
  base::AppendJsonString(out, promql::ValueTypeName(explanation.type));
  out += ",\"time\":";
  AppendTime(out, explanation.t);
  if (explanation.series) {
    out += ",\"series\":";
    AppendInt(out, static_cast<std::int64_t>(*explanation.series));
  }
  AppendText(out, "note", explanation.note);
  AppendText(out, "error", explanation.error);
  out += ",\"values\":[";
  for (const auto& value : explanation.values) {
    if (&value != explanation.values.data()) out += ',';
    AppendValueOf(out, explanation, value);
  }
  out += "],\"children\":[";
  for (const promql::Explanation& child : explanation.children) {
    if (&child != explanation.children.data()) out += ',';
    AppendExplanation(out, child);
  }
  out += "]}";
}

}  // namespace azexporter::web
