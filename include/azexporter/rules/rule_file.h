#pragma once

// Rule files as Prometheus reads them: groups of alerting and recording rules. A file may also hold
// PrometheusRule objects of the Prometheus Operator, as kubectl prints them: a document each, or a
// List of them.
// Source: prometheus.io/docs/prometheus/latest/configuration/recording_rules/ and alerting_rules/;
// prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1.PrometheusRule.
// Checks: prometheus/model/rulefmt.
//
// Thread safety: values; immutable once loaded.

#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "azexporter/base/result.h"
#include "azexporter/promql/ast.h"
#include "azexporter/promql/parser.h"

namespace azexporter::rules {

// Names with their templates, sorted by name.
using TemplateMap = std::vector<std::pair<std::string, std::string>>;

enum class RuleKind { kAlerting, kRecording };

// A place in a file; both are 1-based, columns count bytes.
struct Place {
  int line = 0;
  int column = 0;

  auto operator<=>(const Place&) const = default;
};

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
  // Where each line of expr_text stands in the file. Where YAML writes it otherwise than it reads
  // (escapes, folded lines), the place of the whole text.
  std::vector<Place> expr_places;
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

// A file with all that is wrong with it.
struct RuleFile {
  std::vector<RuleGroup> groups;      // of the rules without an error
  std::vector<base::Error> errors;    // kBadData "file:line:column: ...", in the order of the text
  std::vector<std::string> warnings;  // "file:line:column: ...": what was passed over
};

// Reads a text; `file` is its name, `parser` says what expressions may use. Of several YAML
// documents only the first counts, as in Prometheus, unless they are objects of Kubernetes: then
// each PrometheusRule counts. Where there are several of these, RuleGroup::file is
// "FILE#NAMESPACE/NAME", since each may have a group of the same name.
RuleFile ReadRuleFile(std::string_view text, const std::string& file,
                      UnknownKeys unknown = UnknownKeys::kRefuse,
                      const promql::ParserOptions& parser = {});

// Every group of the text, or its first error.
base::Result<std::vector<RuleGroup>> ParseRuleFile(std::string_view text, const std::string& file,
                                                   UnknownKeys unknown = UnknownKeys::kRefuse,
                                                   const promql::ParserOptions& parser = {});

// The same from files.
base::Result<std::vector<RuleGroup>> LoadRuleFiles(const std::vector<std::string>& paths,
                                                   UnknownKeys unknown = UnknownKeys::kRefuse,
                                                   const promql::ParserOptions& parser = {});

// The files that the patterns (`rule_files:` of a configuration) name, each once. A pattern may
// match nothing; a path without a wildcard is among them whether it is there or not, so that
// whoever opens it misses it.
std::vector<std::string> FindRuleFiles(const std::vector<std::string>& patterns);

// What a PrometheusRule object is called.
struct PrometheusRuleMeta {
  std::string name;
  std::string ns;  // empty: none is written
  std::vector<std::pair<std::string, std::string>> labels;
};
// The groups as such an object, in YAML. kBadData where two of them have the same name, which an
// object must not have.
base::Result<std::string> ToPrometheusRule(const std::vector<RuleGroup>& groups,
                                           const PrometheusRuleMeta& meta);

// The packs that are built into the program: rules/alerts/recommended.yaml and documented.yaml.
std::string_view RecommendedPack();
std::string_view DocumentedPack();

}  // namespace azexporter::rules
