#include "azexporter/promql/series_notation.h"

#include <charconv>

#include "azexporter/base/float_format.h"
#include "azexporter/model/sample.h"
#include "azexporter/promql/parser.h"

namespace azexporter::promql {
namespace {

using base::Result;

bool IsBlank(char c) { return c == ' ' || c == '\t'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// One item of a sequence: "1+2x5".
class ItemReader {
 public:
  ItemReader(std::string_view item, Sequence& out) : item_(item), rest_(item), out_(out) {}

  Result<void> Read() {
    if (rest_.starts_with("{{")) return Malformed("native histograms are not supported yet");
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
      out_.emplace_back(value);
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

}  // namespace

Result<Sequence> ParseSequence(std::string_view text) {
  Sequence values;
  std::size_t i = 0;
  while (i < text.size()) {
    if (IsBlank(text[i])) {
      ++i;
      continue;
    }
    std::size_t end = i;
    while (end < text.size() && !IsBlank(text[end])) ++end;
    AZX_RETURN_IF_ERROR(ItemReader(text.substr(i, end - i), values).Read());
    i = end;
  }
  return values;
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
