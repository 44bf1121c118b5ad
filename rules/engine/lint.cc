#include "azexporter/rules/lint.h"
#include "azexporter/base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "azexporter/promql/parser.h"
#include "lint_rule.h"

namespace azexporter::rules {
namespace {

// Sorted.
constexpr LintCheck kChecks[] = {
    {check::kAlwaysTrue, "A comparison holds for every value there can be."},
    {check::kDeltaOfCounter, "delta, deriv, idelta or predict_linear of a counter."},
    {check::kLostLabel, "by, on or group_left asks for a label that was taken away before."},
    {check::kNeverMatches, "The sides of an operator differ in a label that must be equal."},
    {check::kNeverTrue, "An expression, or a part of it, can never return anything."},
    {check::kQuantileWithoutLe, "histogram_quantile of buckets without their label le."},
    {check::kRateOfGauge, "rate, irate or increase of a gauge."},
    {check::kTemplateLabel, "A template prints a label that the expression does not return."},
    {check::kUnknownLabel, "One of azexporter's metrics is asked for a label it never has."},
    {check::kUnknownMetric, "A name with az_ or azexporter_ that azexporter does not have."},
    {check::kUnknownValue, "A label is compared with a value it never has."},
    {check::kValueInLabel, "A label holds the value, so that each new value is a new alert."},
};

// "" beyond the end.
std::string_view LineAt(const std::vector<std::string_view>& lines, std::size_t index) {
  return index < lines.size() ? lines[index] : std::string_view();
}

std::size_t IndentOf(std::string_view line) {
  return std::min(line.find_first_not_of(' '), line.size());
}

bool IsComment(std::string_view line) { return base::Trim(line).starts_with('#'); }

bool IsWithinCharacter(std::string_view text, std::size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
}

// The line with a caret under the column, 1-based; of a long line only what is around it.
std::string Excerpt(std::string_view line, int column) {
  constexpr std::size_t kBefore = 60;
  constexpr std::size_t kMost = 96;
  constexpr std::string_view kDots = "...";
  auto at = static_cast<std::size_t>(column) - 1;
  std::string shown(line);
  if (at < shown.size() && shown.size() > kMost) {
    std::size_t start = at > kBefore ? at - kBefore : 0;
    start = std::min(start, shown.size() - kMost);
    while (IsWithinCharacter(shown, start)) ++start;
    std::size_t end = std::min(start + kMost, shown.size());
    while (IsWithinCharacter(shown, end)) --end;
    const std::string_view before = start == 0 ? "" : kDots;
    shown = std::string(before) + shown.substr(start, end - start) +
            std::string(end == line.size() ? "" : kDots);
    at = at - start + before.size();
  }
  return promql::ShowPlace(shown, fmt::format("1:{}: ", at + 1));
}

// The names that a line's comment silences.
void AddIgnored(std::string_view line, std::set<std::string, std::less<>>& names) {
  constexpr std::string_view kMark = "azexporter: ignore ";
  const std::size_t hash = line.find('#');
  if (hash == std::string_view::npos) return;
  std::string_view comment = line.substr(hash);
  const std::size_t at = comment.find(kMark);
  if (at == std::string_view::npos || !base::Trim(comment.substr(1, at - 1)).empty()) return;
  comment.remove_prefix(at + kMark.size());
  while (!comment.empty()) {
    const std::size_t end = std::min(comment.find_first_of(", \t\r"), comment.size());
    if (end > 0) names.emplace(comment.substr(0, end));
    comment.remove_prefix(std::min(end + 1, comment.size()));
  }
}

// The findings of one file.
class FileLint {
 public:
  FileLint(const LintedFile& file, const Knowledge& knowledge, std::vector<Finding>& out)
      : file_(file), knowledge_(knowledge), out_(out), lines_(base::SplitLines(file.text)) {
    for (const RuleGroup& group : file.groups) {
      for (const Rule& rule : group.rules) starts_.insert(rule.line);
    }
  }

  void Check(const Rule& rule) {
    const std::size_t before = out_.size();
    const promql::Analysis analysis(*rule.expr, knowledge_);
    std::vector<ExprFinding> found;
    ExprLint(rule, analysis, knowledge_, found).Check();
    for (ExprFinding& finding : found) AddExprFinding(rule, std::move(finding));
    CheckTemplates(rule, analysis.of(*rule.expr));
    const auto ignored = IgnoredBy(rule);
    const auto mine = out_.begin() + static_cast<std::ptrdiff_t>(before);
    out_.erase(std::remove_if(mine, out_.end(),
                              [&](const Finding& f) { return ignored.contains(f.name); }),
               out_.end());
    std::stable_sort(out_.begin() + static_cast<std::ptrdiff_t>(before), out_.end(),
                     [](const Finding& a, const Finding& b) { return a.place < b.place; });
  }

 private:
  // The lines of a rule, from the comments right above it to where what follows begins; 0-based.
  std::pair<std::size_t, std::size_t> LinesOfRule(const Rule& rule) const {
    const auto start = static_cast<std::size_t>(rule.line) - 1;
    if (start >= lines_.size()) return {0, 0};
    const std::size_t indent = IndentOf(lines_[start]);
    const bool has_dash = base::Trim(lines_[start]).starts_with('-');
    const auto next = starts_.upper_bound(rule.line);
    const std::size_t most =
        next == starts_.end() ? lines_.size() : static_cast<std::size_t>(*next) - 1;
    std::size_t end = start + 1;
    for (; end < most; ++end) {
      if (base::Trim(lines_[end]).empty()) continue;
      if (IndentOf(lines_[end]) < indent + (has_dash ? 1 : 0)) break;
    }
    std::size_t first = start;
    while (first > 0 && IsComment(lines_[first - 1])) --first;
    return {first, end};
  }

  std::set<std::string, std::less<>> IgnoredBy(const Rule& rule) const {
    std::set<std::string, std::less<>> names;
    const auto [first, end] = LinesOfRule(rule);
    for (std::size_t i = first; i < end; ++i) AddIgnored(lines_[i], names);
    return names;
  }

  void AddExprFinding(const Rule& rule, ExprFinding found) {
    const promql::PositionRange& at = found.position;
    const auto line = static_cast<std::size_t>(at.line) - 1;
    Place place = line < rule.expr_places.size() ? rule.expr_places[line] : Place{rule.line, 1};
    // Where a line stands elsewhere than it is read, columns mean nothing.
    if (IsExact(rule, at.line, place)) place.column += at.column - 1;
    out_.push_back({found.name, found.severity, file_.name, place, rule.name,
                    Excerpt(LineAt(base::SplitLines(rule.expr_text), line), at.column),
                    std::move(found.explanation)});
  }

  bool IsExact(const Rule& rule, int line, const Place& place) const {
    const auto wanted =
        LineAt(base::SplitLines(rule.expr_text), static_cast<std::size_t>(line) - 1);
    const auto found = LineAt(lines_, static_cast<std::size_t>(place.line) - 1);
    const auto column = static_cast<std::size_t>(place.column) - 1;
    return column <= found.size() && found.substr(column).starts_with(wanted);
  }

  void CheckTemplates(const Rule& rule, const promql::Facts& facts) {
    std::set<std::string> told;
    for (const TemplateMap* map : {&rule.labels, &rule.annotations}) {
      if (rule.kind == RuleKind::kRecording) continue;
      for (const auto& [name, text] : *map) {
        for (const TemplateUse& use : PrintedBy(text)) {
          if (use.name.empty()) {
            if (map == &rule.labels) AddValueInLabel(rule, name);
          } else if (!facts.labels.CanHave(use.name) && told.insert(use.name).second) {
            AddTemplateLabel(rule, use.name, facts.labels);
          }
        }
      }
    }
  }

  void AddTemplateLabel(const Rule& rule, const std::string& label,
                        const promql::LabelFacts& labels) {
    // A label of the scrape may be put back on the way to whoever reads it.
    const Severity severity = knowledge_.IsAmbient(label) ? Severity::kInfo : Severity::kWarning;
    AddAtText(
        rule, "$labels." + label, check::kTemplateLabel, severity,
        fmt::format("The expression returns no label {}{}: the template prints nothing there.",
                    label, labels.closed_by.empty() ? "" : " (" + labels.closed_by + ")"));
  }

  void AddValueInLabel(const Rule& rule, const std::string& label) {
    AddAtText(
        rule, "$value", check::kValueInLabel, Severity::kWarning,
        fmt::format("Label {} holds the value: whenever it changes, the alert ends and another "
                    "begins, with its `for` from the start. Say it in an annotation.",
                    label));
  }

  // At the first place within the rule where `text` stands.
  void AddAtText(const Rule& rule, const std::string& text, std::string_view name,
                 Severity severity, std::string explanation) {
    Place place{rule.line, 1};
    std::string excerpt;
    const auto [first, end] = LinesOfRule(rule);
    for (std::size_t i = first; i < end; ++i) {
      const std::size_t at = lines_[i].find(text);
      if (at == std::string_view::npos || IsComment(lines_[i])) continue;
      place = {static_cast<int>(i) + 1, static_cast<int>(at) + 1};
      const std::size_t margin = std::min(lines_[i].find_first_not_of(' '), at);
      excerpt = Excerpt(lines_[i].substr(margin), static_cast<int>(at - margin) + 1);
      break;
    }
    out_.push_back(
        {name, severity, file_.name, place, rule.name, std::move(excerpt), std::move(explanation)});
  }

  const LintedFile& file_;
  const Knowledge& knowledge_;
  std::vector<Finding>& out_;
  std::vector<std::string_view> lines_;
  std::set<int> starts_;  // first lines of the rules
};

}  // namespace

std::string_view SeverityName(Severity severity) {
  switch (severity) {
    case Severity::kInfo:
      return "info";
    case Severity::kWarning:
      return "warning";
    case Severity::kError:
      return "error";
  }
  return "";
}

std::span<const LintCheck> LintChecks() { return kChecks; }

std::string Finding::ToString() const {
  return fmt::format("{}:{}:{}: {}: {}: {}: {}\n{}", file, place.line, place.column,
                     SeverityName(severity), name, rule, explanation, excerpt);
}

std::vector<Finding> Lint(std::span<const LintedFile> files, const Catalogue& catalogue) {
  Knowledge knowledge(catalogue);
  knowledge.Learn(files);
  std::vector<Finding> findings;
  for (const LintedFile& file : files) {
    FileLint lint(file, knowledge, findings);
    for (const RuleGroup& group : file.groups) {
      for (const Rule& rule : group.rules) lint.Check(rule);
    }
  }
  return findings;
}

std::vector<DuplicateRule> DuplicateRules(std::span<const RuleGroup> groups) {
  std::map<DuplicateRule, int> counts;
  for (const RuleGroup& group : groups) {
    for (const Rule& rule : group.rules) ++counts[{rule.name, rule.labels}];
  }
  std::vector<DuplicateRule> duplicates;
  for (const auto& [rule, count] : counts) {
    if (count > 1) duplicates.push_back(rule);
  }
  return duplicates;
}

}  // namespace azexporter::rules
