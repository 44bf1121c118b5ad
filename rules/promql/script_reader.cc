#include "script_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "azexporter/base/duration.h"
#include "azexporter/base/text.h"
#include "azexporter/model/regexp.h"
#include "azexporter/promql/parser.h"
#include "lexer.h"
#include "literals.h"

namespace azexporter::promql {
namespace {

using base::Result;

constexpr std::string_view kBlanks = " \t\r";

// The words of a line, one after the other.
class Words {
 public:
  explicit Words(std::string_view line) : rest_(base::Trim(line)) {}

  // "" at the end.
  std::string_view Next() {
    const std::size_t end = std::min(rest_.find_first_of(kBlanks), rest_.size());
    const std::string_view word = rest_.substr(0, end);
    rest_ = base::Trim(rest_.substr(end));
    return word;
  }
  bool Take(std::string_view word) {
    Words ahead = *this;
    if (ahead.Next() != word) return false;
    *this = ahead;
    return true;
  }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

// Words that are all a number: the expectation of a scalar.
std::optional<double> AsScalar(std::string_view line) {
  const bool negative = line.starts_with('-');
  const std::string_view digits = negative || line.starts_with('+') ? line.substr(1) : line;
  if (digits.empty() || digits.find_first_of(" {") != std::string_view::npos) return std::nullopt;
  const auto value = NumberValue(digits, false);
  if (!value) return std::nullopt;
  return negative ? -*value : *value;
}

class ScriptReader {
 public:
  explicit ScriptReader(std::string_view text) {
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      const std::string_view line = base::Trim(text.substr(0, end));
      lines_.push_back(line.starts_with('#') ? std::string_view() : line);
      text.remove_prefix(std::min(end + 1, text.size()));
    }
  }

  Result<std::vector<ScriptCommand>> Read() {
    std::vector<ScriptCommand> commands;
    while (next_ < lines_.size()) {
      const std::string_view line = lines_[next_++];
      if (line.empty()) continue;
      Words words(line);
      const std::string_view command = words.Next();
      if (command == "clear") {
        commands.emplace_back(ClearCommand());
      } else if (command == "load" || command == "load_with_nhcb") {
        AZX_ASSIGN_OR_RETURN(LoadCommand load, ReadLoad(words));
        load.with_nhcb = command != "load";
        commands.emplace_back(std::move(load));
      } else if (command == "eval" || command.starts_with("eval_")) {
        AZX_ASSIGN_OR_RETURN(EvalCommand eval, ReadEval(command, words));
        commands.emplace_back(std::move(eval));
      } else {
        return Malformed(fmt::format("unknown command \"{}\"", command));
      }
    }
    return commands;
  }

 private:
  // About the line that was read last.
  tl::unexpected<base::Error> Malformed(std::string_view why) const {
    return base::BadData(fmt::format("line {}: {}", next_, why));
  }

  Result<void> CountPoints(const SeriesNotation& series) {
    points_ += series.values.size();
    if (points_ > kMaxScriptPoints) {
      return Malformed(fmt::format("more than {} points in one script", kMaxScriptPoints));
    }
    return {};
  }

  Result<std::int64_t> Duration(std::string_view word) const {
    auto ms = base::ParseDurationMs(word);
    if (!ms) return Malformed(ms.error().message());
    return *ms;
  }

  // The lines that belong to the command: up to an empty one.
  bool NextLine(std::string_view& line) {
    if (next_ >= lines_.size() || lines_[next_].empty()) return false;
    line = lines_[next_++];
    return true;
  }

  Result<LoadCommand> ReadLoad(Words words) {
    LoadCommand load;
    AZX_ASSIGN_OR_RETURN(load.step_ms, Duration(words.Next()));
    std::unordered_map<model::Labels, std::size_t, model::LabelsHash> index;
    std::string_view line;
    while (NextLine(line)) {
      if (Words words_of_line(line); words_of_line.Next().ends_with("@st")) {
        AZX_RETURN_IF_ERROR(ReadStartTimes(Words(line), load));
        continue;
      }
      auto series = ParseSeriesNotation(line);
      if (series) {
        AZX_RETURN_IF_ERROR(CountPoints(*series));
        // A series given twice is as it was given last.
        const auto [known, is_new] = index.try_emplace(series->labels, load.series.size());
        if (is_new) load.series.emplace_back();
        load.series[known->second] = std::move(*series);
      } else {
        load.notes.push_back(fmt::format("line {}: {}", next_, series.error().message()));
      }
    }
    return load;
  }

  // series@st -30s-1mx2 _ 0
  Result<void> ReadStartTimes(Words words, LoadCommand& load) const {
    std::string_view series = words.Next();
    series.remove_suffix(std::string_view("@st").size());
    auto labels = ParseMetric(series);
    if (!labels) return Malformed(labels.error().message());
    auto times = ParseStartTimes(words.rest());
    if (!times) return Malformed(times.error().message());
    load.starts[*labels] = std::move(*times);
    return {};
  }

  Result<EvalCommand> ReadEval(std::string_view command, Words words) {
    EvalCommand eval;
    eval.line = static_cast<int>(next_);
    const TextExpectation anything{true, ""};
    if (command == "eval_fail") {
      eval.expect_fail = true;
    } else if (command == "eval_warn") {
      eval.warn.push_back(anything);
    } else if (command == "eval_info") {
      eval.info.push_back(anything);
    } else if (command == "eval_ordered") {
      eval.ordered = true;
    } else if (command != "eval") {
      return Malformed(fmt::format("unknown command \"{}\"", command));
    }
    AZX_RETURN_IF_ERROR(ReadTimes(words, eval));
    eval.query = std::string(words.rest());
    if (eval.query.empty()) return Malformed("eval without a query");
    std::string_view line;
    while (NextLine(line)) {
      AZX_RETURN_IF_ERROR(ReadExpectation(line, eval));
    }
    return eval;
  }

  Result<void> ReadTimes(Words& words, EvalCommand& eval) {
    const std::string_view kind = words.Next();
    if (kind == "instant") {
      if (words.Take("at")) {
        AZX_ASSIGN_OR_RETURN(eval.at, Duration(words.Next()));
      }
      eval.start = eval.end = eval.at;
      return {};
    }
    eval.is_range = true;
    if (kind != "range" || !words.Take("from")) {
      return Malformed("expected 'instant at TIME' or 'range from TIME to TIME step STEP'");
    }
    return ReadRange(words, eval);
  }

  // TIME to TIME step STEP
  Result<void> ReadRange(Words& words, EvalCommand& eval) {
    AZX_ASSIGN_OR_RETURN(eval.start, Duration(words.Next()));
    if (!words.Take("to")) return Malformed("expected 'to' after the start of the range");
    AZX_ASSIGN_OR_RETURN(eval.end, Duration(words.Next()));
    if (!words.Take("step")) return Malformed("expected 'step' after the end of the range");
    AZX_ASSIGN_OR_RETURN(eval.step_ms, Duration(words.Next()));
    if (eval.end < eval.start) return Malformed("the range ends before it starts");
    return {};
  }

  Result<void> ReadExpectation(std::string_view line, EvalCommand& eval) {
    Words words(line);
    if (words.Take("expect")) return ReadExpect(words, eval);
    if (words.Take("expected_fail_message")) {
      eval.fail.push_back({false, std::string(words.rest())});
      return {};
    }
    if (words.Take("expected_fail_regexp")) {
      eval.fail.push_back({true, std::string(words.rest())});
      return {};
    }
    if (const auto scalar = AsScalar(line)) {
      eval.scalar = scalar;
      return {};
    }
    auto series = ParseSeriesNotation(line);
    if (!series) {
      eval.unreadable = fmt::format("line {}: {}", next_, series.error().message());
      return {};
    }
    AZX_RETURN_IF_ERROR(CountPoints(*series));
    if (series->values.size() > 1 && !eval.is_range && !eval.expect_range_vector) {
      return Malformed("several values expected of an instant query without 'expect range vector'");
    }
    eval.series.push_back(std::move(*series));
    return {};
  }

  Result<void> ReadExpect(Words words, EvalCommand& eval) {
    if (words.Take("string")) return ReadExpectedString(words.rest(), eval);
    if (words.Take("range")) {
      if (!words.Take("vector") || !words.Take("from")) {
        return Malformed("expected 'expect range vector from TIME to TIME step STEP'");
      }
      eval.expect_range_vector = true;
      AZX_RETURN_IF_ERROR(ReadRange(words, eval));
      // The query is asked for at the end of the range.
      eval.at = eval.end;
      return {};
    }
    const std::string_view kind = words.Next();
    TextExpectation text{true, ""};
    for (const std::string_view form : {"msg:", "regex:"}) {
      if (!words.rest().starts_with(form)) continue;
      text = {form == "regex:", std::string(base::Trim(words.rest().substr(form.size())))};
    }
    if (kind == "fail") {
      eval.expect_fail = true;
      eval.fail.push_back(text);
    } else if (kind == "warn") {
      eval.warn.push_back(text);
    } else if (kind == "info") {
      eval.info.push_back(text);
    } else if (kind == "no_warn") {
      eval.no_warn = true;
    } else if (kind == "no_info") {
      eval.no_info = true;
    } else if (kind == "ordered") {
      eval.ordered = true;
    } else {
      return Malformed(fmt::format("unknown expectation \"{}\"", kind));
    }
    if (eval.fail.size() > 1) return Malformed("'expect fail' more than once");
    if (!eval.warn.empty() && eval.no_warn) return Malformed("'expect warn' beside 'no_warn'");
    if (!eval.info.empty() && eval.no_info) return Malformed("'expect info' beside 'no_info'");
    return {};
  }

  Result<void> ReadExpectedString(std::string_view quoted, EvalCommand& eval) {
    Lexer lexer(quoted);
    const Token token = lexer.Next();
    if (token.kind != TokenKind::kString || token.text.size() != quoted.size()) {
      return Malformed("expected a string in quotes");
    }
    eval.string = Unquote(token.text);
    return {};
  }

  std::vector<std::string_view> lines_;  // trimmed, comments emptied
  std::size_t next_ = 0;
  std::size_t points_ = 0;  // so far
};

}  // namespace

bool TextExpectation::Accepts(std::string_view actual) const {
  if (!is_pattern) return actual == text;
  if (text.empty()) return true;  // even of what is no UTF-8, on which no pattern matches
  const auto pattern = model::AnchoredRegexp::Create(".*(?:" + text + ").*");
  return pattern && pattern->Matches(actual);
}

Result<std::vector<ScriptCommand>> ReadScript(std::string_view text) {
  return ScriptReader(text).Read();
}

}  // namespace azexporter::promql
