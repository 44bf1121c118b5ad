#include "script_expectation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>

#include "azexporter/base/float_format.h"

namespace azexporter::promql {
namespace {

// Relative error that is still equal. Source: prometheus/promql/promqltest/test.go.
constexpr double kTolerance = 1e-6;

bool AlmostEqual(double expected, double actual) {
  if (model::IsStaleNaN(expected) || model::IsStaleNaN(actual)) {
    return model::IsStaleNaN(expected) && model::IsStaleNaN(actual);
  }
  if (std::isnan(expected) && std::isnan(actual)) return true;
  if (expected == actual) return true;
  const double difference = std::abs(expected - actual);
  constexpr double kSmallest = std::numeric_limits<double>::min();
  const double sum = std::abs(expected) + std::abs(actual);
  if (expected == 0 || actual == 0 || sum < kSmallest) return difference < kTolerance * kSmallest;
  return difference / std::min(sum, std::numeric_limits<double>::max()) < kTolerance;
}

bool AlmostEqual(const model::BucketCounts& expected, const model::BucketCounts& actual) {
  return expected.spans == actual.spans &&
         std::ranges::equal(expected.counts, actual.counts,
                            [](double a, double b) { return AlmostEqual(a, b); });
}

// Empty buckets count for nothing, and a hint only where one is expected.
bool AlmostEqual(model::FloatHistogram expected, model::FloatHistogram actual, bool hint) {
  expected.Compact();
  actual.Compact();
  return expected.schema == actual.schema && AlmostEqual(expected.count, actual.count) &&
         AlmostEqual(expected.sum, actual.sum) &&
         expected.zero_threshold == actual.zero_threshold &&
         AlmostEqual(expected.zero_count, actual.zero_count) &&
         expected.custom_bounds == actual.custom_bounds &&
         AlmostEqual(expected.positive, actual.positive) &&
         AlmostEqual(expected.negative, actual.negative) && (!hint || expected.hint == actual.hint);
}

// A float or a histogram at a time.
struct Point {
  model::TimestampMs t = 0;
  SequenceValue value;
};

bool AlmostEqual(const SequenceValue& expected, const SequenceValue& actual) {
  if (expected.h == nullptr || actual.h == nullptr) {
    return expected.h == actual.h && AlmostEqual(expected.f, actual.f);
  }
  return AlmostEqual(*expected.h, *actual.h, expected.names_hint);
}

std::string Text(double value) { return base::FormatFloatG(value); }
std::string Text(const SequenceValue& value) {
  return value.h == nullptr ? Text(value.f) : value.h->ToNotation();
}

std::string PointsText(const std::vector<Point>& points) {
  std::string text;
  for (const Point& point : points) {
    text += fmt::format("{}{}@{}ms", text.empty() ? "" : " ", Text(point.value), point.t);
  }
  return text.empty() ? "no points" : text;
}

// All of a series, in order of time.
std::vector<Point> PointsOf(const MatrixSeries& series) {
  std::vector<Point> points;
  for (const model::FPoint& point : series.points) points.push_back({point.t, {point.f}});
  for (const model::HPoint& point : series.histograms) points.push_back({point.t, {0, point.h}});
  std::ranges::stable_sort(points, {}, &Point::t);
  return points;
}

// The expected series by their labels.
class Expected {
 public:
  explicit Expected(const EvalCommand& eval) : eval_(eval) {
    for (std::size_t i = 0; i < eval.series.size(); ++i) by_labels_[eval.series[i].labels] = i;
  }

  Outcome Check(const Value& value) const {
    if (const auto* scalar = std::get_if<Scalar>(&value)) return CheckScalar(*scalar);
    if (const auto* string = std::get_if<String>(&value)) return CheckString(*string);
    if (const auto* vector = std::get_if<Vector>(&value)) return CheckVector(*vector);
    return CheckMatrix(std::get<Matrix>(value));
  }

 private:
  Outcome CheckScalar(const Scalar& scalar) const {
    if (!eval_.scalar) return Mismatch{"a vector", "scalar " + Text(scalar.f)};
    if (AlmostEqual(*eval_.scalar, scalar.f)) return std::nullopt;
    return Mismatch{Text(*eval_.scalar), Text(scalar.f)};
  }

  Outcome CheckString(const String& string) const {
    if (eval_.string.value_or("") == string.text) return std::nullopt;
    return Mismatch{eval_.string.value_or("another type"), string.text};
  }

  Outcome CheckVector(const Vector& vector) const {
    if (eval_.scalar) return Mismatch{"scalar " + Text(*eval_.scalar), "a vector"};
    std::vector<bool> seen(eval_.series.size());
    for (std::size_t position = 0; position < vector.size(); ++position) {
      const model::Sample& sample = vector[position];
      const SequenceValue value{sample.f, sample.h};
      const std::string got = fmt::format("{} {}", sample.labels.ToString(), Text(value));
      const auto found = by_labels_.find(sample.labels);
      if (found == by_labels_.end()) return Mismatch{"no such series", got};
      const Sequence& values = eval_.series[found->second].values;
      if (eval_.ordered && found->second != position) {
        return Mismatch{
            fmt::format("{} at position {}", sample.labels.ToString(), found->second + 1),
            fmt::format("it at position {}", position + 1)};
      }
      const SequenceValue wanted =
          values.empty() ? SequenceValue() : values[0].value_or(SequenceValue());
      if (!AlmostEqual(wanted, value)) return Mismatch{Text(wanted), got};
      seen[found->second] = true;
    }
    return CheckAllSeen(seen);
  }

  Outcome CheckMatrix(const Matrix& matrix) const {
    if (eval_.ordered) return Mismatch{"an ordered vector", "a matrix"};
    if (eval_.scalar) return Mismatch{"scalar " + Text(*eval_.scalar), "a matrix"};
    if (!std::ranges::is_sorted(matrix, {}, &MatrixSeries::labels)) {
      return Mismatch{"series sorted by labels", "another order"};
    }
    std::vector<bool> seen(eval_.series.size());
    for (const MatrixSeries& series : matrix) {
      const auto found = by_labels_.find(series.labels);
      const std::vector<Point> points = PointsOf(series);
      const std::string got = fmt::format("{} {}", series.labels.ToString(), PointsText(points));
      if (found == by_labels_.end()) return Mismatch{"no such series", got};
      seen[found->second] = true;
      const std::vector<Point> wanted = Wanted(eval_.series[found->second].values);
      const bool equal = std::ranges::equal(wanted, points, [](const Point& a, const Point& b) {
        return a.t == b.t && AlmostEqual(a.value, b.value);
      });
      if (!equal) return Mismatch{PointsText(wanted), got};
    }
    return CheckAllSeen(seen);
  }

  std::vector<Point> Wanted(const Sequence& values) const {
    std::vector<Point> points;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const model::TimestampMs t = eval_.start + static_cast<std::int64_t>(i) * eval_.step_ms;
      if (values[i]) points.push_back({t, *values[i]});
    }
    return points;
  }

  Outcome CheckAllSeen(const std::vector<bool>& seen) const {
    for (std::size_t i = 0; i < seen.size(); ++i) {
      // A series given twice is found where it stands last.
      const std::size_t index = by_labels_.at(eval_.series[i].labels);
      if (!seen[index]) return Mismatch{eval_.series[i].labels.ToString(), "no such series"};
    }
    return std::nullopt;
  }

  const EvalCommand& eval_;
  std::unordered_map<model::Labels, std::size_t, model::LabelsHash> by_labels_;
};

Outcome CheckTexts(std::string_view kind, const std::vector<TextExpectation>& expected, bool none,
                   const std::vector<std::string>& actual) {
  const std::string got = actual.empty() ? "none" : fmt::format("{}", fmt::join(actual, "; "));
  if (none && !actual.empty()) return Mismatch{fmt::format("no {}", kind), got};
  if (expected.empty()) return std::nullopt;
  for (const TextExpectation& expectation : expected) {
    const bool met = std::ranges::any_of(
        actual, [&](const std::string& text) { return expectation.Accepts(text); });
    if (!met) return Mismatch{fmt::format("{} {}", kind, expectation.text), got};
  }
  for (const std::string& text : actual) {
    const bool meant = std::ranges::any_of(
        expected, [&](const TextExpectation& expectation) { return expectation.Accepts(text); });
    if (!meant) return Mismatch{fmt::format("no other {}", kind), text};
  }
  return std::nullopt;
}

}  // namespace

Outcome CheckValue(const EvalCommand& eval, const Value& value) {
  return Expected(eval).Check(value);
}

Outcome CheckAnnotations(const EvalCommand& eval, const QueryResult& result) {
  if (auto wrong = CheckTexts("warning", eval.warn, eval.no_warn, result.warnings)) return wrong;
  return CheckTexts("info", eval.info, eval.no_info, result.infos);
}

Outcome CheckFailure(const EvalCommand& eval, const base::Error& error) {
  if (!eval.expect_fail) return Mismatch{"a result", error.message()};
  for (const TextExpectation& expectation : eval.fail) {
    if (!expectation.Accepts(error.message())) {
      return Mismatch{"error " + expectation.text, error.message()};
    }
  }
  return std::nullopt;
}

}  // namespace azexporter::promql
