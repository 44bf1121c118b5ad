// Sprintf, Sprint and Sprintln: %[flags][width][.precision][argument index]verb.

#include <algorithm>

#include "template_format.h"
#include "template_quote.h"

namespace azexporter::rules::text_template {
namespace {

using base::Result;

constexpr std::size_t kMostWidth = 1'000'000;

Result<std::string> Bounded(std::string text) {
  if (text.size() <= kMaxTextBytes) return text;
  return base::Fail(base::ErrorCode::kExecution,
                    "text is longer than " + std::to_string(kMaxTextBytes) + " bytes");
}

// Goes through a format once, taking operands as it needs them.
class Printer {
 public:
  Printer(std::string_view format, std::span<const Value> operands)
      : rest_(format), operands_(operands) {}

  Result<std::string> Print() {
    while (!rest_.empty() && out_.size() <= kMaxTextBytes) {
      const std::size_t percent = std::min(rest_.find('%'), rest_.size());
      out_ += rest_.substr(0, percent);
      rest_.remove_prefix(percent);
      if (rest_.empty()) break;
      rest_.remove_prefix(1);
      PrintDirective();
    }
    if (!reordered_ && next_ < operands_.size()) PrintExtra();
    return Bounded(std::move(out_));
  }

 private:
  void PrintDirective() {
    spec_ = {};
    good_index_ = true;
    after_index_ = false;
    TakeFlags();
    TakeIndex();
    TakeWidth();
    TakePrecision();
    if (!after_index_) TakeIndex();
    if (rest_.empty()) {
      out_ += "%!(NOVERB)";
      return;
    }
    const Rune rune = FirstRune(rest_);
    const std::string_view verb = rest_.substr(0, rune.bytes);
    rest_.remove_prefix(rune.bytes);
    if (verb == "%") {
      out_ += '%';
    } else if (!good_index_) {
      out_.append("%!").append(verb).append("(BADINDEX)");
    } else if (next_ >= operands_.size()) {
      out_.append("%!").append(verb).append("(MISSING)");
    } else {
      Formatter(out_).Print(operands_[next_++], rune.code, spec_);
    }
  }

  void TakeFlags() {
    for (; !rest_.empty(); rest_.remove_prefix(1)) {
      switch (rest_[0]) {
        case '#':
          spec_.sharp = true;
          break;
        case '0':
          spec_.zero = true;
          break;
        case '+':
          spec_.plus = true;
          break;
        case '-':
          spec_.minus = true;
          break;
        case ' ':
          spec_.space = true;
          break;
        default:
          return;
      }
    }
  }

  // "[3]": which operand is next, from 1 on.
  void TakeIndex() {
    if (!rest_.starts_with('[')) return;
    reordered_ = true;
    const std::size_t close = rest_.find(']');
    if (close == std::string_view::npos) {
      good_index_ = false;
      rest_.remove_prefix(1);
      return;
    }
    std::string_view inside = rest_.substr(1, close - 1);
    rest_.remove_prefix(close + 1);
    const auto index = TakeNumber(inside);
    if (!index || !inside.empty() || *index < 1 || *index > operands_.size()) {
      good_index_ = false;
      return;
    }
    next_ = *index - 1;
    after_index_ = true;
  }

  void TakeWidth() {
    if (!rest_.starts_with('*')) {
      spec_.width = TakeNumber(rest_);
      if (after_index_ && spec_.width) good_index_ = false;
      return;
    }
    rest_.remove_prefix(1);
    const auto width = TakeOperand();
    if (!width) out_ += "%!(BADWIDTH)";
    if (width && *width < 0) spec_.minus = true;
    if (width) spec_.width = static_cast<std::size_t>(*width < 0 ? -*width : *width);
    after_index_ = false;
  }

  void TakePrecision() {
    if (!rest_.starts_with('.')) return;
    rest_.remove_prefix(1);
    if (after_index_) good_index_ = false;
    TakeIndex();
    if (!rest_.starts_with('*')) {
      spec_.precision = TakeNumber(rest_).value_or(0);
      return;
    }
    rest_.remove_prefix(1);
    const auto precision = TakeOperand();
    if (!precision || *precision < 0) {
      out_ += "%!(BADPREC)";
    } else {
      spec_.precision = static_cast<std::size_t>(*precision);
    }
    after_index_ = false;
  }

  // The operand of a '*'; nothing where it is no whole number, or too large a one.
  std::optional<std::int64_t> TakeOperand() {
    if (next_ >= operands_.size()) return std::nullopt;
    const auto* number = std::get_if<Integer>(&operands_[next_++]);
    constexpr auto kMost = static_cast<std::int64_t>(kMostWidth);
    if (number == nullptr || number->value > kMost || number->value < -kMost) return std::nullopt;
    return number->value;
  }

  // Nothing where no number stands there. Behind too large a one Go reads nothing more.
  static std::optional<std::size_t> TakeNumber(std::string_view& text) {
    std::optional<std::size_t> number;
    while (!text.empty() && text[0] >= '0' && text[0] <= '9') {
      if (number.value_or(0) > kMostWidth) {
        text = {};
        return std::nullopt;
      }
      number = number.value_or(0) * 10 + static_cast<std::size_t>(text[0] - '0');
      text.remove_prefix(1);
    }
    return number;
  }

  void PrintExtra() {
    out_ += "%!(EXTRA ";
    Formatter formatter(out_);
    for (std::size_t i = next_; i < operands_.size() && out_.size() <= kMaxTextBytes; ++i) {
      if (i > next_) out_ += ", ";
      formatter.PrintWithType(operands_[i], {});
    }
    out_ += ')';
  }

  std::string_view rest_;
  const std::span<const Value> operands_;
  std::string out_;
  std::size_t next_ = 0;  // operand
  bool reordered_ = false;
  // Of the directive at hand.
  FormatSpec spec_;
  bool good_index_ = true;
  bool after_index_ = false;
};

}  // namespace

Result<std::string> Sprintf(std::string_view format, std::span<const Value> operands) {
  return Printer(format, operands).Print();
}

Result<std::string> Sprint(std::span<const Value> operands) {
  std::string text;
  Formatter formatter(text);
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const bool spaced = i > 0 && !TextOf(operands[i]) && !TextOf(operands[i - 1]);
    if (spaced) text += ' ';
    formatter.Print(operands[i], 'v', {});
  }
  return Bounded(std::move(text));
}

Result<std::string> Sprintln(std::span<const Value> operands) {
  std::string text;
  Formatter formatter(text);
  for (std::size_t i = 0; i < operands.size(); ++i) {
    if (i > 0) text += ' ';
    formatter.Print(operands[i], 'v', {});
  }
  return Bounded(text + "\n");
}

}  // namespace azexporter::rules::text_template
