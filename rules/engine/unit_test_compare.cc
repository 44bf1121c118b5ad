#include "unit_test_compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include "azexporter/base/duration.h"
#include "azexporter/base/float_format.h"

namespace azexporter::rules {
namespace {

using Lines = std::vector<std::string>;

// Beyond this the lines are not aligned: all of one side go, all of the other come.
constexpr std::size_t kMaxAligned = 4'000'000;

std::string NameLine(const CompareOptions& options) {
  return options.test_name.empty() ? "" : fmt::format("    name: {},\n", options.test_name);
}

std::string Quoted(std::string_view text) {
  std::string out;
  model::AppendQuoted(out, text);
  return out;
}

// "- " what is only expected, "+ " what is only there, "  " what is both: along a longest common
// subsequence.
std::string Diff(const Lines& expected, const Lines& got) {
  std::string text = "        diff (- expected, + got):";
  const auto add = [&](char mark, const std::string& line) {
    text += fmt::format("\n          {} {}", mark, line);
  };
  const std::size_t width = got.size() + 1;
  const bool aligned = (expected.size() + 1) * width <= kMaxAligned;
  // common[i * width + j]: lines in common from expected[i] and got[j] on.
  std::vector<std::size_t> common(aligned ? (expected.size() + 1) * width : 0);
  for (std::size_t i = aligned ? expected.size() : 0; i-- > 0;) {
    for (std::size_t j = got.size(); j-- > 0;) {
      common[i * width + j] =
          expected[i] == got[j] ? common[(i + 1) * width + j + 1] + 1
                                : std::max(common[(i + 1) * width + j], common[i * width + j + 1]);
    }
  }
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < expected.size() || j < got.size()) {
    if (aligned && i < expected.size() && j < got.size() && expected[i] == got[j]) {
      add(' ', expected[i++]);
      ++j;
    } else if (i < expected.size() && (!aligned || j == got.size() ||
                                       common[(i + 1) * width + j] >= common[i * width + j + 1])) {
      add('-', expected[i++]);
    } else {
      add('+', got[j++]);
    }
  }
  return text;
}

auto Key(const ExpectedAlert& alert) { return std::tie(alert.state, alert.labels); }

bool AlertLess(const ExpectedAlert& a, const ExpectedAlert& b) {
  return Key(a) != Key(b) ? Key(a) < Key(b) : a.annotations < b.annotations;
}

bool SameAlert(const ExpectedAlert& a, const ExpectedAlert& b) {
  return Key(a) == Key(b) && a.annotations == b.annotations;
}

// As promtool lists alerts; the state is told where it is not firing.
std::string ListOfAlerts(const std::vector<ExpectedAlert>& alerts) {
  if (alerts.empty()) return "[]";
  std::string text = "[";
  for (std::size_t i = 0; i < alerts.size(); ++i) {
    text += fmt::format("{}\n            {}:", i == 0 ? "" : ",", i);
    if (alerts[i].state != AlertState::kFiring) {
      text += fmt::format("\n              State:{}", AlertStateName(alerts[i].state));
    }
    text += fmt::format("\n              Labels:{}\n              Annotations:{}",
                        alerts[i].labels.ToString(), alerts[i].annotations.ToString());
  }
  return text + "\n            ]";
}

// A line a label and annotation, for a diff.
Lines LinesOfAlerts(const std::vector<ExpectedAlert>& alerts) {
  Lines lines;
  for (const ExpectedAlert& alert : alerts) {
    lines.push_back(std::string(AlertStateName(alert.state)));
    for (const auto& [name, value] : alert.labels) {
      lines.push_back(fmt::format("  label {}={}", name, Quoted(value)));
    }
    for (const auto& [name, value] : alert.annotations) {
      lines.push_back(fmt::format("  annotation {}={}", name, Quoted(value)));
    }
  }
  return lines;
}

bool SameValue(double a, double b, bool fuzzy) {
  if (a == b || (std::isnan(a) && std::isnan(b))) return true;
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  return fuzzy && (std::nextafter(a, kInfinity) == b || std::nextafter(a, -kInfinity) == b);
}

Lines LinesOfSamples(const std::vector<ExpectedSample>& samples) {
  Lines lines;
  for (const ExpectedSample& sample : samples) {
    lines.push_back(fmt::format(
        "{} {}", sample.labels.ToString(),
        sample.histogram.empty() ? base::FormatFloatG(sample.value) : sample.histogram));
  }
  return lines;
}

void SortByLabels(std::vector<ExpectedSample>& samples) {
  std::ranges::stable_sort(samples, {}, &ExpectedSample::labels);
}

}  // namespace

std::string AlertTestHead(const AlertTest& test, const CompareOptions& options) {
  return fmt::format("{}    alertname: {}, time: {}, line: {},", NameLine(options), test.name,
                     base::FormatDurationMs(test.eval_time_ms), test.line);
}

std::string ExprTestHead(const ExprTest& test, const CompareOptions& options) {
  return fmt::format("{}    expr: {}, time: {}, line: {},", NameLine(options), Quoted(test.expr),
                     base::FormatDurationMs(test.eval_time_ms), test.line);
}

std::optional<std::string> CompareAlerts(const AlertTest& test, std::vector<ExpectedAlert> got,
                                         const CompareOptions& options) {
  std::vector<ExpectedAlert> expected = test.expected;
  const auto pending = [](const ExpectedAlert& a) { return a.state == AlertState::kPending; };
  if (std::ranges::none_of(expected, pending)) std::erase_if(got, pending);
  std::ranges::sort(expected, AlertLess);
  std::ranges::sort(got, AlertLess);
  if (std::ranges::equal(expected, got, SameAlert)) return std::nullopt;
  const std::string head = AlertTestHead(test, options);
  if (options.diff) return head + "\n" + Diff(LinesOfAlerts(expected), LinesOfAlerts(got));
  return fmt::format("{}\n        exp:{},\n        got:{}", head, ListOfAlerts(expected),
                     ListOfAlerts(got));
}

std::optional<std::string> CompareSamples(const ExprTest& test, std::vector<ExpectedSample> got,
                                          const CompareOptions& options) {
  std::vector<ExpectedSample> expected = test.expected;
  SortByLabels(expected);
  SortByLabels(got);
  const bool same = std::ranges::equal(expected, got, [&](const auto& a, const auto& b) {
    return a.labels == b.labels && a.histogram == b.histogram &&
           SameValue(a.value, b.value, options.fuzzy);
  });
  if (same) return std::nullopt;
  const std::string head = ExprTestHead(test, options);
  const Lines expected_lines = LinesOfSamples(expected);
  const Lines got_lines = LinesOfSamples(got);
  if (options.diff) return head + "\n" + Diff(expected_lines, got_lines);
  return fmt::format("{}\n        exp: {}\n        got: {}", head,
                     expected.empty() ? "nil" : fmt::format("{}", fmt::join(expected_lines, ", ")),
                     got.empty() ? "nil" : fmt::format("{}", fmt::join(got_lines, ", ")));
}

}  // namespace azexporter::rules
