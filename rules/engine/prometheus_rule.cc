// Rule groups as a PrometheusRule object. The labels of a group are written with each of its rules,
// where they were merged when the file was read.

#include <fmt/format.h>

#include <set>

#include "azexporter/base/duration.h"
#include "azexporter/rules/rule_file.h"

namespace azexporter::rules {
namespace {

// In double quotes, as both YAML and JSON read it.
std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += {'\\', c};
    } else if (c == '\n') {
      quoted += "\\n";
    } else if (c == '\t') {
      quoted += "\\t";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      quoted += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

// A block where lines are to be read as such, else in quotes.
std::string Expression(const std::string& text, std::string_view indent) {
  const bool block = text.find('\n') != std::string::npos && text.front() != ' ' &&
                     text.front() != '\n' && text.find_first_of("\t\r") == std::string::npos &&
                     !text.ends_with("\n\n");
  if (!block) return Quoted(text) + "\n";
  std::string out = text.ends_with('\n') ? "|\n" : "|-\n";
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    if (end > start) out += std::string(indent) + text.substr(start, end - start);
    out += "\n";
    start = end + 1;
  }
  return out;
}

void AddMap(std::string_view key, const TemplateMap& map, std::string& out) {
  if (map.empty()) return;
  out += fmt::format("      {}:\n", key);
  for (const auto& [name, text] : map) {
    out += fmt::format("        {}: {}\n", Quoted(name), Quoted(text));
  }
}

void AddRule(const Rule& rule, std::string& out) {
  const bool alerting = rule.kind == RuleKind::kAlerting;
  out += fmt::format("    - {}: {}\n", alerting ? "alert" : "record", Quoted(rule.name));
  out += "      expr: " + Expression(rule.expr_text, "        ");
  if (rule.for_ms != 0) out += "      for: " + base::FormatDurationMs(rule.for_ms) + "\n";
  if (rule.keep_firing_for_ms != 0) {
    out += "      keep_firing_for: " + base::FormatDurationMs(rule.keep_firing_for_ms) + "\n";
  }
  AddMap("labels", rule.labels, out);
  AddMap("annotations", rule.annotations, out);
}

void AddGroup(const RuleGroup& group, std::string& out) {
  out += fmt::format("  - name: {}\n", Quoted(group.name));
  if (group.interval_ms != 0) {
    out += "    interval: " + base::FormatDurationMs(group.interval_ms) + "\n";
  }
  if (group.query_offset_ms != 0) {
    out += "    query_offset: " + base::FormatDurationMs(group.query_offset_ms) + "\n";
  }
  if (group.limit != 0) out += fmt::format("    limit: {}\n", group.limit);
  out += group.rules.empty() ? "    rules: []\n" : "    rules:\n";
  for (const Rule& rule : group.rules) AddRule(rule, out);
}

}  // namespace

base::Result<std::string> ToPrometheusRule(const std::vector<RuleGroup>& groups,
                                           const PrometheusRuleMeta& meta) {
  std::string out = fmt::format(
      "apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata:\n  name: {}\n",
      Quoted(meta.name));
  if (!meta.ns.empty()) out += fmt::format("  namespace: {}\n", Quoted(meta.ns));
  if (!meta.labels.empty()) out += "  labels:\n";
  for (const auto& [name, value] : meta.labels) {
    out += fmt::format("    {}: {}\n", Quoted(name), Quoted(value));
  }
  out += groups.empty() ? "spec:\n  groups: []\n" : "spec:\n  groups:\n";
  std::set<std::string> names;
  for (const RuleGroup& group : groups) {
    if (!names.insert(group.name).second) {
      return base::BadData("two groups are named \"" + group.name +
                           "\": an object must not have both");
    }
    AddGroup(group, out);
  }
  return out;
}

}  // namespace azexporter::rules
