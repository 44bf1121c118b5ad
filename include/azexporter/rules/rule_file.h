#pragma once

// Rule files as Prometheus reads them: groups of alerting and recording rules.
// Source: prometheus.io/docs/prometheus/latest/configuration/recording_rules/ and alerting_rules/.
//
// Thread safety: values; immutable once loaded.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "azexporter/base/result.h"
#include "azexporter/promql/ast.h"

namespace azexporter::rules {

// Names with their templates, sorted by name.
using TemplateMap = std::vector<std::pair<std::string, std::string>>;

enum class RuleKind { kAlerting, kRecording };

struct Rule {
  RuleKind kind = RuleKind::kAlerting;
  std::string name;  // the alert's name, or the recorded metric's
  std::string expr_text;
  std::shared_ptr<const promql::Expr> expr;
  std::int64_t for_ms = 0;
  std::int64_t keep_firing_for_ms = 0;
  TemplateMap labels;       // of recording rules: plain values
  TemplateMap annotations;  // alerting rules only
  int line = 0;             // in the file, 1-based
};

struct RuleGroup {
  std::string name;
  std::string file;
  std::int64_t interval_ms = 0;  // 0: the global evaluation interval
  std::int64_t query_offset_ms = 0;
  int limit = 0;  // most alerts or series a rule may make; 0: no limit
  std::vector<Rule> rules;
};

// What becomes of keys that rule files do not have. Prometheus refuses them; promtool ignores them
// on request, for files that carry more than rules.
enum class UnknownKeys { kRefuse, kIgnore };

// Every group of the text. `file` is named in errors: kBadData "file:line:column: ...". Of several
// YAML documents only the first counts, as in Prometheus.
base::Result<std::vector<RuleGroup>> ParseRuleFile(std::string_view text, const std::string& file,
                                                   UnknownKeys unknown = UnknownKeys::kRefuse);

// The same from files; a group's name is unique within its file.
base::Result<std::vector<RuleGroup>> LoadRuleFiles(const std::vector<std::string>& paths,
                                                   UnknownKeys unknown = UnknownKeys::kRefuse);

// The packs that are built into the program: rules/alerts/recommended.yaml and documented.yaml.
std::string_view RecommendedPack();
std::string_view DocumentedPack();

}  // namespace azexporter::rules
