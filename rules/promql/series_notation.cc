#include "azexporter/promql/series_notation.h"

#include <algorithm>
#include <charconv>

#include "azexporter/base/duration.h"
#include "azexporter/base/float_format.h"
#include "azexporter/model/sample.h"
#include "azexporter/promql/parser.h"

namespace azexporter::promql {
namespace {

using base::Result;

bool IsBlank(char c) { return c == ' ' || c == '\t'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// The next word: up to a blank, or a whole list in brackets.
std::string_view NextField(std::string_view& rest) {
  while (!rest.empty() && IsBlank(rest.front())) rest.remove_prefix(1);
  std::size_t end = 0;
  bool brackets = false;
  while (end < rest.size() && (brackets || !IsBlank(rest[end]))) {
    if (rest[end] == '[') brackets = true;
    if (rest[end] == ']') brackets = false;
    ++end;
  }
  const std::string_view field = rest.substr(0, end);
  rest.remove_prefix(end);
  return field;
}

Result<std::vector<double>> ReadList(std::string_view text) {
  if (!text.starts_with('[') || !text.ends_with(']')) {
    return base::BadData("\"" + std::string(text) + "\" is no list in brackets");
  }
  text = text.substr(1, text.size() - 2);
  std::vector<double> values;
  for (std::string_view word = NextField(text); !word.empty(); word = NextField(text)) {
    AZX_ASSIGN_OR_RETURN(const double value, base::ParseFloat(word));
    values.push_back(value);
  }
  return values;
}

Result<std::int32_t> ReadInt(std::string_view text) {
  std::int32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return base::BadData("\"" + std::string(text) + "\" is no whole number");
  }
  return value;
}

Result<model::CounterResetHint> ReadHint(std::string_view text) {
  using model::CounterResetHint;
  for (const auto hint : {CounterResetHint::kUnknown, CounterResetHint::kReset,
                          CounterResetHint::kNotReset, CounterResetHint::kGauge}) {
    if (text == model::CounterResetHintText(hint)) return hint;
  }
  return base::BadData("unknown counter_reset_hint \"" + std::string(text) + "\"");
}

void SetSide(model::BucketCounts& side, std::vector<double> counts, std::int32_t offset) {
  if (counts.empty()) return;
  side.spans = {{offset, static_cast<std::uint32_t>(counts.size())}};
  side.counts = std::move(counts);
}

// What stands between {{ and }}.
Result<SequenceValue> ReadHistogramFields(std::string_view text) {
  auto histogram = std::make_shared<model::FloatHistogram>();
  SequenceValue value{0, histogram};
  std::vector<double> buckets;
  std::vector<double> negative_buckets;
  std::int32_t offset = 0;
  std::int32_t negative_offset = 0;
  for (std::string_view field = NextField(text); !field.empty(); field = NextField(text)) {
    const std::size_t colon = std::min(field.find(':'), field.size());
    const std::string_view key = field.substr(0, colon);
    const std::string_view given = field.substr(std::min(colon + 1, field.size()));
    if (key == "schema") {
      AZX_ASSIGN_OR_RETURN(histogram->schema, ReadInt(given));
    } else if (key == "sum") {
      AZX_ASSIGN_OR_RETURN(histogram->sum, base::ParseFloat(given));
    } else if (key == "count") {
      AZX_ASSIGN_OR_RETURN(histogram->count, base::ParseFloat(given));
    } else if (key == "z_bucket") {
      AZX_ASSIGN_OR_RETURN(histogram->zero_count, base::ParseFloat(given));
    } else if (key == "z_bucket_w") {
      AZX_ASSIGN_OR_RETURN(histogram->zero_threshold, base::ParseFloat(given));
    } else if (key == "custom_values") {
      AZX_ASSIGN_OR_RETURN(histogram->custom_bounds, ReadList(given));
    } else if (key == "buckets") {
      AZX_ASSIGN_OR_RETURN(buckets, ReadList(given));
    } else if (key == "n_buckets") {
      AZX_ASSIGN_OR_RETURN(negative_buckets, ReadList(given));
    } else if (key == "offset") {
      AZX_ASSIGN_OR_RETURN(offset, ReadInt(given));
    } else if (key == "n_offset") {
      AZX_ASSIGN_OR_RETURN(negative_offset, ReadInt(given));
    } else if (key == "counter_reset_hint") {
      AZX_ASSIGN_OR_RETURN(histogram->hint, ReadHint(given));
      value.names_hint = true;
    } else {
      return base::BadData("unknown key \"" + std::string(key) + "\" of a histogram");
    }
  }
  SetSide(histogram->positive, std::move(buckets), offset);
  SetSide(histogram->negative, std::move(negative_buckets), negative_offset);
  // Indexes far apart, or a schema that there is not, would only do harm.
  constexpr std::int32_t kFarthest = 1'000'000;
  if (offset < -kFarthest || offset > kFarthest || negative_offset < -kFarthest ||
      negative_offset > kFarthest) {
    return base::BadData("the offset of a histogram is out of range");
  }
  const bool custom = histogram->has_custom_buckets();
  if (!custom && (histogram->schema < model::FloatHistogram::kMinSchema ||
                  histogram->schema > model::FloatHistogram::kMaxSchema)) {
    return base::BadData("a histogram has no schema " + std::to_string(histogram->schema));
  }
  return value;
}

// One item of a sequence: "1+2x5".
class ItemReader {
 public:
  ItemReader(std::string_view item, Sequence& out) : item_(item), rest_(item), out_(out) {}

  Result<void> Read() {
    if (rest_.starts_with("{{")) return ReadHistograms();
    if (Take('_')) return ReadGap();
    AZX_ASSIGN_OR_RETURN(double value, ReadNumber());
    double step = 0;
    if (rest_.starts_with('+') || rest_.starts_with('-')) {
      AZX_ASSIGN_OR_RETURN(step, ReadNumber());
      if (!rest_.starts_with('x')) return Malformed("a step without a count (x)");
    }
    std::size_t more = 0;
    if (Take('x')) {
      AZX_ASSIGN_OR_RETURN(more, ReadCount());
    }
    AZX_RETURN_IF_ERROR(End(more + 1));
    for (std::size_t i = 0; i <= more; ++i) {
      out_.emplace_back(SequenceValue{value});
      // A staleness marker stays one; of all values only its bits would suffer.
      if (step != 0) value += step;
    }
    return {};
  }

 private:
  bool Take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  tl::unexpected<base::Error> Malformed(std::string_view why) const {
    return base::BadData("series values: \"" + std::string(item_) + "\": " + std::string(why));
  }

  Result<void> End(std::size_t more) const {
    if (!rest_.empty()) return Malformed("unexpected \"" + std::string(rest_) + "\"");
    if (more > kMaxSequence || out_.size() + more > kMaxSequence) {
      return Malformed("more than " + std::to_string(kMaxSequence) + " values");
    }
    return {};
  }

  Result<void> ReadGap() {
    std::size_t count = 1;
    if (Take('x')) {
      AZX_ASSIGN_OR_RETURN(count, ReadCount());
    }
    AZX_RETURN_IF_ERROR(End(count));
    out_.resize(out_.size() + count);
    return {};
  }

  // {{...}}, {{...}}xn, {{...}}+{{...}}xn
  Result<void> ReadHistograms() {
    AZX_ASSIGN_OR_RETURN(SequenceValue value, ReadHistogram());
    std::optional<SequenceValue> step;
    const bool minus = rest_.starts_with('-');
    if (minus || rest_.starts_with('+')) {
      rest_.remove_prefix(1);
      if (!rest_.starts_with("{{")) return Malformed("a histogram is followed by another kind");
      AZX_ASSIGN_OR_RETURN(step, ReadHistogram());
      if (!rest_.starts_with('x')) return Malformed("a step without a count (x)");
      value.names_hint = step->names_hint;
    }
    std::size_t more = 0;
    if (Take('x')) {
      AZX_ASSIGN_OR_RETURN(more, ReadCount());
    }
    AZX_RETURN_IF_ERROR(End(more + 1));
    out_.emplace_back(value);
    for (std::size_t i = 0; i < more; ++i) {
      if (step) {
        model::FloatHistogram next = *value.h;
        if (next.schema > step->h->schema) return Malformed("the step has a coarser schema");
        const auto notes = minus ? next.Sub(*step->h) : next.Add(*step->h);
        if (!notes) return Malformed("the step has other buckets");
        value.h = std::make_shared<const model::FloatHistogram>(std::move(next));
      }
      out_.emplace_back(value);
    }
    return {};
  }

  Result<SequenceValue> ReadHistogram() {
    const std::size_t end = rest_.find("}}");
    if (end == std::string_view::npos) return Malformed("a histogram without an end (}})");
    auto read = ReadHistogramFields(rest_.substr(2, end - 2));
    if (!read) return Malformed(read.error().message());
    rest_.remove_prefix(end + 2);
    return read;
  }

  Result<std::size_t> ReadCount() {
    std::size_t count = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), count);
    if (error != std::errc() || count > kMaxSequence) {
      return Malformed("invalid repetition in series values");
    }
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return count;
  }

  // A word, or digits with a fraction and an exponent: up to the sign of a step or the x of a
  // count.
  Result<double> ReadNumber() {
    std::size_t length = rest_.starts_with('+') || rest_.starts_with('-') ? 1 : 0;
    const auto letter = [&](std::size_t i) {
      return i < rest_.size() && ((rest_[i] | 0x20) >= 'a' && (rest_[i] | 0x20) <= 'z');
    };
    if (letter(length)) {
      while (letter(length) && rest_[length] != 'x') ++length;
    } else {
      while (length < rest_.size()) {
        const char c = rest_[length];
        const bool exponent = (c | 0x20) == 'e' && length + 1 < rest_.size();
        if (!IsDigit(c) && c != '.' && !exponent) break;
        length += exponent && !IsDigit(rest_[length + 1]) ? 2 : 1;
      }
    }
    const std::string_view text = rest_.substr(0, length);
    rest_.remove_prefix(length);
    if (text == "stale") return model::StaleNaN();
    const auto number = base::ParseFloat(text);
    if (!number) return Malformed("not a number");
    return *number;
  }

  std::string_view item_;
  std::string_view rest_;
  Sequence& out_;
};

// Where the series ends: after the braces, where there are any, else at the first blank.
std::size_t EndOfSeries(std::string_view line) {
  char quote = '\0';
  bool braces = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quote != '\0') {
      if (c == '\\' && quote != '`') ++i;
      if (c == quote) quote = '\0';
    } else if (c == '"' || c == '\'' || c == '`') {
      quote = c;
    } else if (c == '{') {
      braces = true;
    } else if (c == '}') {
      return i + 1;
    } else if (IsBlank(c) && !braces) {
      return i;
    }
  }
  return line.size();
}

// Where an item ends: at a blank that is not in a histogram.
std::size_t EndOfItem(std::string_view text, std::size_t begin) {
  bool histogram = false;
  std::size_t end = begin;
  while (end < text.size() && (histogram || !IsBlank(text[end]))) {
    if (text.substr(end).starts_with("{{")) histogram = true;
    if (text.substr(end).starts_with("}}")) histogram = false;
    ++end;
  }
  return end;
}

// A duration with a sign, taken from the front: -30s, 0.
Result<std::int64_t> TakeSignedMs(std::string_view& rest) {
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  std::size_t end = 0;
  while (end < rest.size() && rest[end] != 'x' && rest[end] != '+' && rest[end] != '-') ++end;
  AZX_ASSIGN_OR_RETURN(const std::int64_t ms, base::ParseDurationMs(rest.substr(0, end)));
  rest.remove_prefix(end);
  return negative ? -ms : ms;
}

}  // namespace

Result<std::vector<std::optional<std::int64_t>>> ParseStartTimes(std::string_view text) {
  std::vector<std::optional<std::int64_t>> times;
  for (std::string_view item = NextField(text); !item.empty(); item = NextField(text)) {
    std::optional<std::int64_t> at;
    std::string_view rest = item;
    std::int64_t step_ms = 0;
    if (rest.starts_with('_')) {
      rest.remove_prefix(1);
    } else {
      AZX_ASSIGN_OR_RETURN(at, TakeSignedMs(rest));
      if (rest.starts_with('+') || rest.starts_with('-')) {
        AZX_ASSIGN_OR_RETURN(step_ms, TakeSignedMs(rest));
      }
    }
    std::size_t count = 1;
    if (rest.starts_with('x')) {
      AZX_ASSIGN_OR_RETURN(const std::int32_t more, ReadInt(rest.substr(1)));
      rest = {};
      count = static_cast<std::size_t>(std::max(more, 0)) + (at ? 1 : 0);
    }
    if (!rest.empty() || times.size() + count > kMaxSequence) {
      return base::BadData("start times: \"" + std::string(item) + "\" is malformed");
    }
    for (std::size_t i = 0; i < count; ++i) {
      times.push_back(at);
      if (at) *at += step_ms;
    }
  }
  return times;
}

Result<Sequence> ParseSequence(std::string_view text) {
  Sequence values;
  std::size_t i = 0;
  while (i < text.size()) {
    if (IsBlank(text[i])) {
      ++i;
      continue;
    }
    const std::size_t end = EndOfItem(text, i);
    AZX_RETURN_IF_ERROR(ItemReader(text.substr(i, end - i), values).Read());
    i = end;
  }
  return values;
}

Result<void> AppendValue(storage::Appender& to, const model::Labels& labels, model::TimestampMs t,
                         const SequenceValue& value, model::TimestampMs start_t) {
  if (value.h != nullptr) {
    if (auto valid = value.h->Validate(); !valid) {
      return base::Fail(std::move(valid).error().WithContext(labels.ToString()));
    }
  }
  return storage::AsResult(to.AppendDetailed(labels, t, value.f, {value.h, start_t}), labels, t);
}

SeriesLine SplitSeriesNotation(std::string_view line) {
  const std::size_t end = EndOfSeries(line);
  return {line.substr(0, end), line.substr(end)};
}

Result<SeriesNotation> ParseSeriesNotation(std::string_view line) {
  const SeriesLine halves = SplitSeriesNotation(line);
  SeriesNotation series;
  AZX_ASSIGN_OR_RETURN(series.labels, ParseMetric(halves.series));
  AZX_ASSIGN_OR_RETURN(series.values, ParseSequence(halves.points));
  return series;
}

}  // namespace azexporter::promql
