// azexporter check rules: as promtool's, with a lint that knows PromQL and azexporter's metrics.

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <vector>

#include "azexporter/app/commands.h"
#include "azexporter/base/file.h"
#include "azexporter/rules/lint.h"
#include "azexporter/rules/rule_file.h"
#include "rule_groups.h"

namespace azexporter::app {
namespace {

constexpr int kBad = 1;
constexpr int kLintFound = 3;

struct LintChoice {
  bool duplicates = false;
  bool azexporter = false;
};

LintChoice ChooseLint(std::string_view text) {
  LintChoice choice;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    const std::string_view name = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (name == "all" || name == "duplicate-rules") choice.duplicates = true;
    if (name == "all" || name == "azexporter") choice.azexporter = true;
    if (name == "all" || name == "duplicate-rules" || name == "azexporter" || name == "none") {
      continue;
    }
    fmt::print("WARNING: unknown lint option: \"{}\"\n", name);
  }
  return choice;
}

// A file, as it was read.
struct Checked {
  std::string name;
  std::string text;
  rules::RuleFile file;
  std::vector<rules::Finding> findings;
  std::string duplicates;  // promtool's words for them; empty where there are none
};

Checked ReadChecked(const std::string& path, rules::UnknownKeys unknown,
                    const promql::ParserOptions& parser) {
  Checked checked;
  checked.name = path == "-" ? "standard input" : path;
  auto text = base::ReadFile(path);
  if (!text) {
    checked.file.errors.push_back(text.error());
    return checked;
  }
  checked.text = std::move(*text);
  checked.file = rules::ReadRuleFile(checked.text, checked.name, unknown, parser);
  return checked;
}

std::string TellDuplicates(const std::vector<rules::RuleGroup>& groups) {
  const auto duplicates = rules::DuplicateRules(groups);
  if (duplicates.empty()) return "";
  std::string told = fmt::format("lint error {} duplicate rule(s) found.\n", duplicates.size());
  for (const rules::DuplicateRule& rule : duplicates) {
    told += fmt::format("Metric: {}\nLabel(s):\n", rule.name);
    for (const auto& [name, value] : rule.labels) told += fmt::format("\t{}: {}\n", name, value);
  }
  return told + "Might cause inconsistency while recording expressions\n";
}

void AddFindings(std::vector<Checked>& files) {
  std::vector<rules::LintedFile> linted;
  for (const Checked& checked : files) {
    linted.push_back({checked.name, checked.text, checked.file.groups});
  }
  std::vector<rules::Finding> findings = rules::Lint(linted, MetricCatalogue());
  for (Checked& checked : files) {
    if (!checked.file.errors.empty()) continue;  // first things first
    std::ranges::copy_if(findings, std::back_inserter(checked.findings),
                         [&](const rules::Finding& f) { return f.file == checked.name; });
  }
}

bool IsLintError(const rules::Finding& finding) {
  return finding.severity != rules::Severity::kInfo;
}

// What is wrong goes to standard error, as promtool's does; the order of both streams is kept.
int Tell(const Checked& checked) {
  fmt::print("Checking {}\n", checked.name);
  std::fflush(stdout);
  for (const std::string& warning : checked.file.warnings) {
    fmt::print(stderr, "  WARNING: {}\n", warning);
  }
  std::string wrong;
  for (const base::Error& error : checked.file.errors) wrong += error.message() + "\n";
  int code = wrong.empty() ? 0 : kBad;
  if (code == 0) {
    wrong = checked.duplicates;
    for (const rules::Finding& finding : checked.findings) {
      if (IsLintError(finding)) wrong += finding.ToString();
    }
    if (!wrong.empty()) code = kLintFound;
  }
  if (code == 0) {
    std::size_t count = 0;
    for (const rules::RuleGroup& group : checked.file.groups) count += group.rules.size();
    fmt::print("  SUCCESS: {} rules found\n", count);
  } else {
    fmt::print(stderr, "  FAILED:\n{}", wrong);
  }
  for (const rules::Finding& finding : checked.findings) {
    if (!IsLintError(finding)) fmt::print("{}", finding.ToString());
  }
  fmt::print("\n");
  std::fflush(stdout);
  return code;
}

}  // namespace

int RunCheckRules(const Flags& flags) {
  const CheckRulesFlags& given = flags.check_rules;
  const LintChoice lint = ChooseLint(given.lint);
  const auto unknown =
      given.ignore_unknown_fields ? rules::UnknownKeys::kIgnore : rules::UnknownKeys::kRefuse;
  std::vector<Checked> files;
  const std::vector<std::string> paths =
      flags.files.empty() ? std::vector<std::string>{"-"} : flags.files;
  for (const std::string& path : paths) {
    files.push_back(ReadChecked(path, unknown, flags.engine.parser));
  }
  if (lint.azexporter) AddFindings(files);
  bool bad = false;
  bool found = false;
  for (Checked& checked : files) {
    if (lint.duplicates) checked.duplicates = TellDuplicates(checked.file.groups);
    const int code = Tell(checked);
    bad = bad || code == kBad;
    found = found || code == kLintFound;
  }
  if (bad) return kBad;
  return found && given.lint_fatal ? kLintFound : 0;
}

}  // namespace azexporter::app
