#include "api_answer.h"

#include <cmath>

#include "azexporter/base/float_format.h"
#include "azexporter/base/text.h"

namespace azexporter::app {

namespace dom = simdjson::dom;
using base::ErrorCode;
using base::Result;

tl::unexpected<base::Error> Strange(std::string_view what) {
  return base::Fail(ErrorCode::kUnavailable,
                    "the answer is not that of a Prometheus API: " + std::string(what));
}

std::string Text(const dom::element& object, const char* key) {
  std::string_view text;
  return object[key].get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

std::vector<dom::element> List(const dom::element& object, const char* key) {
  dom::array list;
  if (object[key].get(list) != simdjson::SUCCESS) return {};
  return {list.begin(), list.end()};
}

Result<dom::element> Member(const dom::element& object, const char* key) {
  dom::element member;
  if (object[key].get(member) == simdjson::SUCCESS) return member;
  return Strange(std::string("there is no \"") + key + "\"");
}

std::vector<std::string> Texts(const std::vector<dom::element>& list) {
  std::vector<std::string> texts;
  for (const dom::element one : list) {
    std::string_view text;
    if (one.get(text) == simdjson::SUCCESS) texts.emplace_back(text);
  }
  return texts;
}

model::Labels LabelsOf(const dom::element& json) {
  model::LabelsBuilder builder;
  dom::object object;
  if (json.get(object) != simdjson::SUCCESS) return {};
  for (const auto field : object) {
    std::string_view value;
    if (field.value.get(value) == simdjson::SUCCESS) builder.Set(field.key, value);
  }
  return builder.Build();
}

Result<model::FPoint> PointOf(const dom::element& json, std::string* text) {
  double seconds = 0;
  std::string_view value;
  if (json.at(0).get(seconds) != simdjson::SUCCESS || json.at(1).get(value) != simdjson::SUCCESS) {
    return Strange("a point is no pair");
  }
  const model::TimestampMs t = std::llround(seconds * 1000);
  if (text != nullptr) {
    *text = value;
    return model::FPoint{t, 0};
  }
  AZX_ASSIGN_OR_RETURN(const double number, base::ParseFloat(value));
  return model::FPoint{t, number};
}

namespace {

Result<promql::Value> ValueOf(const dom::element& data) {
  const std::string type = Text(data, "resultType");
  AZX_ASSIGN_OR_RETURN(const dom::element result, Member(data, "result"));
  if (type == "scalar") {
    AZX_ASSIGN_OR_RETURN(const model::FPoint point, PointOf(result));
    return promql::Scalar{point.t, point.f};
  }
  if (type == "string") {
    promql::String string;
    AZX_ASSIGN_OR_RETURN(const model::FPoint point, PointOf(result, &string.text));
    string.t = point.t;
    return string;
  }
  if (type == "vector") {
    promql::Vector vector;
    for (const dom::element series : List(data, "result")) {
      AZX_ASSIGN_OR_RETURN(const dom::element metric, Member(series, "metric"));
      if (series["histogram"].error() == simdjson::SUCCESS) {
        return base::Fail(ErrorCode::kExecution, "native histograms are not supported yet: " +
                                                     LabelsOf(metric).ToString());
      }
      AZX_ASSIGN_OR_RETURN(const dom::element value, Member(series, "value"));
      AZX_ASSIGN_OR_RETURN(const model::FPoint point, PointOf(value));
      vector.push_back({LabelsOf(metric), point.t, point.f});
    }
    return vector;
  }
  if (type != "matrix") return Strange("a result of type \"" + type + "\"");
  promql::Matrix matrix;
  for (const dom::element series : List(data, "result")) {
    promql::MatrixSeries& row = matrix.emplace_back();
    AZX_ASSIGN_OR_RETURN(const dom::element metric, Member(series, "metric"));
    row.labels = LabelsOf(metric);
    for (const dom::element point : List(series, "values")) {
      AZX_ASSIGN_OR_RETURN(const model::FPoint read, PointOf(point));
      row.points.push_back(read);
    }
  }
  return matrix;
}

ErrorCode CodeOf(const std::string& error_type) {
  constexpr std::pair<std::string_view, ErrorCode> kCodes[] = {
      {"bad_data", ErrorCode::kBadData},
      {"timeout", ErrorCode::kTimeout},
      {"canceled", ErrorCode::kCanceled},
      {"unavailable", ErrorCode::kUnavailable}};
  for (const auto& [name, code] : kCodes) {
    if (name == error_type) return code;
  }
  return ErrorCode::kExecution;
}

}  // namespace

std::string FormText(const FormParams& params) {
  std::string form;
  for (const auto& [name, value] : params) {
    form += (form.empty() ? "" : "&") + base::UrlEscape(name) + "=" + base::UrlEscape(value);
  }
  return form;
}

std::string Seconds(std::int64_t ms) { return base::FormatFloatF(static_cast<double>(ms) / 1000); }

Result<dom::element> ReadAnswer(dom::parser& parser, const net::HttpResponse& response,
                                const std::string& url) {
  dom::element root;
  if (parser.parse(response.body).get(root) != simdjson::SUCCESS || Text(root, "status").empty()) {
    return Strange(net::RedactUrl(url) + ": HTTP status " + std::to_string(response.status));
  }
  if (Text(root, "status") == "success") return root;
  return base::Fail(CodeOf(Text(root, "errorType")), Text(root, "error"));
}

Result<promql::QueryResult> QueryResultOf(const dom::element& root) {
  AZX_ASSIGN_OR_RETURN(const dom::element data, Member(root, "data"));
  promql::QueryResult result;
  AZX_ASSIGN_OR_RETURN(result.value, ValueOf(data));
  result.warnings = Texts(List(root, "warnings"));
  result.infos = Texts(List(root, "infos"));
  return result;
}

}  // namespace azexporter::app
