#pragma once

// Answers of queries in the JSON of Prometheus's HTTP API, for the server and for the command line.
//
// Thread safety: pure functions; a JsonSink is for one thread only.
// Source: prometheus.io/docs/prometheus/latest/querying/api/.

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/promql/explain.h"
#include "azexporter/promql/result_sink.h"
#include "azexporter/promql/value.h"

namespace azexporter::web {

// {"resultType":"vector","result":[...]
// The object stays open, for what goes beside the result.
void AppendQueryData(std::string& out, const promql::Value& value);

// The same from an answer as it comes. Names are put into JSON once a shape of label sets, and no
// Labels are made.
class JsonSink : public promql::ResultSink {
 public:
  // `out` must outlive this. `limit`: of rows, 0: none.
  JsonSink(std::string& out, std::size_t limit) : out_(out), limit_(limit) {}

  void Take(const promql::Scalar& scalar) override;
  void Take(const promql::String& string) override;
  void BeginVector(std::size_t most) override;
  void BeginMatrix(std::size_t most) override;
  void Add(const model::LabelView& labels, const model::FPoint& point) override;
  void Add(const model::LabelView& labels, const model::HPoint& point) override;
  void Add(const model::LabelView& labels, std::span<const model::FPoint> points,
           std::span<const model::HPoint> histograms) override;
  // To be called when all has come.
  void Finish();
  // There were more rows than `limit`.
  bool truncated() const { return limit_ > 0 && rows_ > limit_; }

 private:
  void Begin(std::string_view type, std::size_t most);
  bool BeginRow(const model::LabelView& labels);
  void EndRow();
  void AppendTimeOf(model::TimestampMs t);

  std::string& out_;
  const std::size_t limit_;
  std::size_t most_ = 0;
  std::size_t rows_ = 0;
  std::size_t first_row_ = 0;  // where it begins in `out_`
  bool open_ = false;
  // `"name":` of each column, the comma before it included, of the shape of the last row.
  const model::Shape* shape_ = nullptr;
  std::vector<std::string> keys_;
  // Of the last point.
  std::string time_text_;
  std::optional<model::TimestampMs> time_;
};

// A node with its values and its "children".
void AppendExplanation(std::string& out, const promql::Explanation& explanation);

}  // namespace azexporter::web
