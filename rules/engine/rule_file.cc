#include "azexporter/rules/rule_file.h"

#include <algorithm>
#include <set>

#include "azexporter/base/file.h"
#include "azexporter/base/utf8.h"
#include "azexporter/base/yaml.h"
#include "azexporter/model/labels.h"
#include "azexporter/promql/parser.h"
#include "azexporter/rules/template.h"

namespace azexporter::rules {
namespace {

using base::Fail;
using base::Result;
using base::YamlMap;
using base::YamlNode;

// Of an alert the values are templates; otherwise (nullptr) they are plain.
Result<TemplateMap> ReadTemplates(YamlMap& map, std::string_view key, const std::string* alert) {
  TemplateMap templates;
  const YamlNode* node = map.Find(key);
  if (node == nullptr) return templates;
  if (!node->is_map()) return Fail(node->ErrorHere(std::string(key) + " must be a map"));
  for (const auto& [name, value] : node->entries()) {
    if (!base::IsValidUtf8(name.scalar()) || name.scalar().empty()) {
      return Fail(name.ErrorHere("invalid name under " + std::string(key)));
    }
    if (key == "labels" && name.scalar() == model::kMetricName) {
      return Fail(name.ErrorHere("invalid label name \"__name__\""));
    }
    std::string text;
    if (!value.is_null()) {
      AZX_ASSIGN_OR_RETURN(text, value.AsString());
    }
    if (alert != nullptr) {
      if (auto parsed = CheckTemplate(text, *alert); !parsed) {
        return Fail(value.ErrorHere(std::string(key) + " \"" + name.scalar() +
                                    "\": " + parsed.error().message()));
      }
    }
    templates.emplace_back(name.scalar(), std::move(text));
  }
  std::sort(templates.begin(), templates.end());
  return templates;
}

Result<void> ReadDuration(YamlMap& map, std::string_view key, std::int64_t& out) {
  const YamlNode* node = map.Find(key);
  if (node == nullptr) return {};
  AZX_ASSIGN_OR_RETURN(out, node->AsDurationMs());
  return {};
}

Result<void> ReadExpr(YamlMap& map, Rule& rule) {
  AZX_ASSIGN_OR_RETURN(const YamlNode* node, map.Require("expr"));
  AZX_ASSIGN_OR_RETURN(rule.expr_text, node->AsString());
  auto expr = promql::ParseExpr(rule.expr_text);
  if (!expr) {
    return Fail(node->ErrorHere("could not parse expression of \"" + rule.name +
                                "\": " + expr.error().message()));
  }
  rule.expr = std::move(*expr);
  return {};
}

Result<void> ReadName(const YamlNode& node, YamlMap& map, Rule& rule) {
  const auto find = [&map](std::string_view key) -> const YamlNode* {
    const YamlNode* found = map.Find(key);  // an empty name is none
    return found != nullptr && found->kind() == YamlNode::Kind::kScalar && found->scalar().empty()
               ? nullptr
               : found;
  };
  const YamlNode* alert = find("alert");
  const YamlNode* record = find("record");
  if (alert != nullptr && record != nullptr) {
    return Fail(node.ErrorHere("only one of 'record' and 'alert' must be set"));
  }
  if (alert == nullptr && record == nullptr) {
    return Fail(node.ErrorHere("one of 'record' or 'alert' must be set"));
  }
  rule.kind = alert != nullptr ? RuleKind::kAlerting : RuleKind::kRecording;
  AZX_ASSIGN_OR_RETURN(rule.name, (alert != nullptr ? alert : record)->AsString());
  if (rule.kind == RuleKind::kRecording && !base::IsValidUtf8(rule.name)) {
    return Fail(record->ErrorHere("invalid recording rule name: " + rule.name));
  }
  if (rule.kind == RuleKind::kRecording && rule.name.find_first_of("{}") != std::string::npos) {
    return Fail(record->ErrorHere("braces in the recording rule name \"" + rule.name +
                                  "\"; should they be in expr?"));
  }
  return {};
}

Result<void> CheckKeys(const YamlMap& map, UnknownKeys unknown) {
  return unknown == UnknownKeys::kIgnore ? Result<void>() : map.CheckAllRead();
}

Result<Rule> ReadRule(const YamlNode& node, UnknownKeys unknown) {
  AZX_ASSIGN_OR_RETURN(YamlMap map, YamlMap::Of(node));
  Rule rule;
  rule.line = node.line();
  AZX_RETURN_IF_ERROR(ReadName(node, map, rule));
  AZX_RETURN_IF_ERROR(ReadExpr(map, rule));
  const bool alerting = rule.kind == RuleKind::kAlerting;
  AZX_ASSIGN_OR_RETURN(rule.labels, ReadTemplates(map, "labels", alerting ? &rule.name : nullptr));
  for (std::string_view key : {"for", "keep_firing_for", "annotations"}) {
    const YamlNode* only_alerts = map.Find(key);
    if (!alerting && only_alerts != nullptr) {
      return Fail(
          only_alerts->ErrorHere("invalid field '" + std::string(key) + "' in recording rule"));
    }
  }
  AZX_RETURN_IF_ERROR(ReadDuration(map, "for", rule.for_ms));
  AZX_RETURN_IF_ERROR(ReadDuration(map, "keep_firing_for", rule.keep_firing_for_ms));
  AZX_ASSIGN_OR_RETURN(rule.annotations, ReadTemplates(map, "annotations", &rule.name));
  AZX_RETURN_IF_ERROR(CheckKeys(map, unknown));
  return rule;
}

// A group's labels are defaults for its rules'.
void AddGroupLabels(const TemplateMap& group_labels, Rule& rule) {
  for (const auto& label : group_labels) {
    const bool own = std::any_of(rule.labels.begin(), rule.labels.end(),
                                 [&](const auto& have) { return have.first == label.first; });
    if (!own) rule.labels.push_back(label);
  }
  std::sort(rule.labels.begin(), rule.labels.end());
}

Result<RuleGroup> ReadGroup(const YamlNode& node, UnknownKeys unknown) {
  AZX_ASSIGN_OR_RETURN(YamlMap map, YamlMap::Of(node));
  RuleGroup group;
  group.file = node.file();
  AZX_ASSIGN_OR_RETURN(const YamlNode* name, map.Require("name"));
  AZX_ASSIGN_OR_RETURN(group.name, name->AsString());
  if (group.name.empty()) return Fail(name->ErrorHere("the name of the group must not be empty"));
  AZX_RETURN_IF_ERROR(ReadDuration(map, "interval", group.interval_ms));
  AZX_RETURN_IF_ERROR(ReadDuration(map, "query_offset", group.query_offset_ms));
  if (const YamlNode* limit = map.Find("limit")) {
    AZX_ASSIGN_OR_RETURN(const std::int64_t value, limit->AsInt64());
    constexpr std::int64_t kMost = 1'000'000'000;
    if (value < 0 || value > kMost) return Fail(limit->ErrorHere("limit is out of range"));
    group.limit = static_cast<int>(value);
  }
  AZX_ASSIGN_OR_RETURN(const TemplateMap labels, ReadTemplates(map, "labels", nullptr));
  if (const YamlNode* rules = map.Find("rules")) {
    if (rules->kind() != YamlNode::Kind::kSequence) {
      return Fail(rules->ErrorHere("rules must be a list"));
    }
    for (const YamlNode& item : rules->items()) {
      AZX_ASSIGN_OR_RETURN(Rule rule, ReadRule(item, unknown));
      AddGroupLabels(labels, rule);
      group.rules.push_back(std::move(rule));
    }
  }
  AZX_RETURN_IF_ERROR(CheckKeys(map, unknown));
  return group;
}

}  // namespace

Result<std::vector<RuleGroup>> ParseRuleFile(std::string_view text, const std::string& file,
                                             UnknownKeys unknown) {
  AZX_ASSIGN_OR_RETURN(const std::vector<YamlNode> documents, YamlNode::ParseAll(text, file));
  std::vector<RuleGroup> groups;
  if (documents.empty()) return groups;
  AZX_ASSIGN_OR_RETURN(YamlMap map, YamlMap::Of(documents.front()));
  std::set<std::string> names;
  if (const YamlNode* list = map.Find("groups")) {
    if (list->kind() != YamlNode::Kind::kSequence) {
      return Fail(list->ErrorHere("groups must be a list"));
    }
    for (const YamlNode& item : list->items()) {
      AZX_ASSIGN_OR_RETURN(RuleGroup group, ReadGroup(item, unknown));
      if (!names.insert(group.name).second) {
        return Fail(
            item.ErrorHere("groupname: \"" + group.name + "\" is repeated in the same file"));
      }
      groups.push_back(std::move(group));
    }
  }
  AZX_RETURN_IF_ERROR(CheckKeys(map, unknown));
  return groups;
}

Result<std::vector<RuleGroup>> LoadRuleFiles(const std::vector<std::string>& paths,
                                             UnknownKeys unknown) {
  std::vector<RuleGroup> all;
  for (const std::string& path : paths) {
    AZX_ASSIGN_OR_RETURN(const std::string text, base::ReadFile(path));
    AZX_ASSIGN_OR_RETURN(std::vector<RuleGroup> groups, ParseRuleFile(text, path, unknown));
    std::move(groups.begin(), groups.end(), std::back_inserter(all));
  }
  return all;
}

}  // namespace azexporter::rules
