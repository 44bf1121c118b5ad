#pragma once

// What is wrong with rules although they load: expressions that can never return anything, labels
// and values that a metric never has, templates that use what an aggregation took away. It rests on
// the algebra of PromQL (azexporter/promql/analysis.h) and on a catalogue of known metrics. Of
// metrics that nobody described, and of labels that a scrape adds, nothing is said.
//
// A comment `# azexporter: ignore NAME` (or several names, with commas) silences findings of that
// name: on the lines directly above a rule, or anywhere within it.
//
// Thread safety: pure functions.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/model/labels.h"
#include "azexporter/rules/catalogue.h"
#include "azexporter/rules/rule_file.h"

namespace azexporter::rules {

enum class Severity { kInfo, kWarning, kError };
std::string_view SeverityName(Severity severity);  // "info", ...

// The findings that there are, sorted by name.
struct LintCheck {
  std::string_view name;
  std::string_view help;  // one sentence
};
std::span<const LintCheck> LintChecks();

struct Finding {
  std::string_view name;  // of a LintCheck
  Severity severity = Severity::kWarning;
  std::string file;
  Place place;
  std::string rule;  // its name
  // The line that the place is in, and a caret under it; each with a line feed.
  std::string excerpt;
  std::string explanation;  // sentences

  // "FILE:LINE:COLUMN: SEVERITY: NAME: RULE: EXPLANATION", then the excerpt.
  std::string ToString() const;
};

struct LintedFile {
  std::string name;       // where findings are; without what RuleGroup::file adds
  std::string_view text;  // what the groups were read from
  std::span<const RuleGroup> groups;
};

// Of every file, in the order of the text. A metric that a rule of any of the files records is
// known by that rule's expression.
std::vector<Finding> Lint(std::span<const LintedFile> files, const Catalogue& catalogue);

// promtool's lint: rules of one name with the same labels.
struct DuplicateRule {
  std::string name;
  TemplateMap labels;

  auto operator<=>(const DuplicateRule&) const = default;
};
// Each once, sorted.
std::vector<DuplicateRule> DuplicateRules(std::span<const RuleGroup> groups);

}  // namespace azexporter::rules
