#include "rule_reader.h"

#include <algorithm>

#include "azexporter/base/text.h"
#include "azexporter/base/utf8.h"
#include "azexporter/model/labels.h"
#include "azexporter/promql/parser.h"
#include "azexporter/rules/template.h"

namespace azexporter::rules {
namespace {

using base::YamlMap;
using base::YamlNode;

// A group's labels are defaults for its rules'.
void AddGroupLabels(const TemplateMap& group_labels, Rule& rule) {
  for (const auto& label : group_labels) {
    const bool own = std::any_of(rule.labels.begin(), rule.labels.end(),
                                 [&](const auto& have) { return have.first == label.first; });
    if (!own) rule.labels.push_back(label);
  }
  std::sort(rule.labels.begin(), rule.labels.end());
}

}  // namespace

GroupReader::GroupReader(std::string_view text, const ReadOptions& options, RuleFile& out)
    : lines_(base::SplitLines(text)), options_(options), out_(out) {}

void GroupReader::Fault(const YamlNode& node, std::string_view message) {
  out_.errors.push_back(node.ErrorHere(message));
}

void GroupReader::CheckKeys(YamlMap& map) {
  if (options_.unknown == UnknownKeys::kIgnore) return;
  if (auto read = map.CheckAllRead(); !read) out_.errors.push_back(read.error());
}

std::string GroupReader::ReadText(const YamlNode& node) {
  auto text = node.AsString();
  if (text && base::IsValidUtf8(*text)) return std::move(*text);
  out_.errors.push_back(text ? node.ErrorHere("invalid UTF-8") : text.error());
  return "";
}

void GroupReader::ReadDuration(YamlMap& map, std::string_view key, std::int64_t& out) {
  const YamlNode* node = map.Find(key);
  if (node == nullptr) return;
  const auto duration = node->AsDurationMs();
  if (!duration) out_.errors.push_back(duration.error());
  out = duration.value_or(0);
}

TemplateMap GroupReader::ReadTemplates(YamlMap& map, std::string_view key, std::string_view kind,
                                       const std::string* alert) {
  TemplateMap templates;
  const YamlNode* node = map.Find(key);
  if (node == nullptr) return templates;
  if (!node->is_map()) {
    Fault(*node, std::string(key) + " must be a map");
    return templates;
  }
  for (const auto& [name, value] : node->entries()) {
    const bool valid = !name.scalar().empty() && base::IsValidUtf8(name.scalar());
    if (!valid || (kind == "label" && name.scalar() == model::kMetricName)) {
      Fault(name, "invalid " + std::string(kind) + " name \"" + name.scalar() + "\"");
    }
    const std::string text = value.is_null() ? "" : ReadText(value);
    if (alert != nullptr) {
      if (auto parsed = CheckTemplate(text, *alert); !parsed) {
        Fault(value, std::string(kind) + " \"" + name.scalar() + "\": " + parsed.error().message());
      }
    }
    templates.emplace_back(name.scalar(), text);
  }
  std::sort(templates.begin(), templates.end());
  return templates;
}

void GroupReader::ReadName(const YamlNode& node, YamlMap& map, Rule& rule) {
  const auto find = [&map](std::string_view key) -> const YamlNode* {
    const YamlNode* found = map.Find(key);  // an empty name is none
    return found != nullptr && found->kind() == YamlNode::Kind::kScalar && found->scalar().empty()
               ? nullptr
               : found;
  };
  const YamlNode* alert = find("alert");
  const YamlNode* record = find("record");
  if (alert != nullptr && record != nullptr) {
    Fault(node, "only one of 'record' and 'alert' must be set");
  }
  if (alert == nullptr && record == nullptr) {
    return Fault(node, "one of 'record' or 'alert' must be set");
  }
  rule.kind = alert != nullptr ? RuleKind::kAlerting : RuleKind::kRecording;
  rule.name = ReadText(alert != nullptr ? *alert : *record);
  if (rule.kind == RuleKind::kRecording && rule.name.find_first_of("{}") != std::string::npos) {
    Fault(*record,
          "braces in the recording rule name \"" + rule.name + "\"; should they be in expr?");
  }
}

std::vector<Place> GroupReader::PlacesOf(const YamlNode& node, std::string_view value) const {
  // A block's text begins on the line below its indicator; blank lines may stand in between.
  constexpr std::size_t kMostSkipped = 3;
  const auto first = static_cast<std::size_t>(node.line()) - 1;
  std::vector<Place> places;
  std::size_t row = first;
  for (const std::string_view line : base::SplitLines(value)) {
    Place place{node.line(), node.column()};
    for (std::size_t r = row; r < std::min(row + kMostSkipped, lines_.size()); ++r) {
      const std::size_t from = r == first ? static_cast<std::size_t>(node.column()) - 1 : 0;
      const std::size_t at = lines_[r].find(line, from);
      if (line.empty() || at == std::string_view::npos) continue;
      place = {static_cast<int>(r) + 1, static_cast<int>(at) + 1};
      row = r + 1;
      break;
    }
    places.push_back(place);
  }
  return places;
}

void GroupReader::ReadExpr(const YamlNode& node, YamlMap& map, Rule& rule) {
  const YamlNode* expr = map.Find("expr");
  if (expr == nullptr) return Fault(node, "field 'expr' must be set in rule");
  if (expr->kind() != YamlNode::Kind::kScalar) return Fault(*expr, "expr must be a text");
  rule.expr_text = expr->scalar();
  if (rule.expr_text.empty()) return Fault(*expr, "field 'expr' must be set in rule");
  rule.expr_places = PlacesOf(*expr, rule.expr_text);
  auto parsed = promql::ParseExpr(rule.expr_text, options_.parser);
  if (parsed) {
    rule.expr = std::move(*parsed);
    return;
  }
  Fault(*expr, "could not parse expression of \"" + rule.name + "\": " + parsed.error().message());
}

void GroupReader::ReadTimes(YamlMap& map, Rule& rule) {
  ReadDuration(map, "for", rule.for_ms);
  ReadDuration(map, "keep_firing_for", rule.keep_firing_for_ms);
  if (rule.kind == RuleKind::kAlerting) return;
  for (const auto& [key, given] : {std::pair("for", rule.for_ms != 0),
                                   std::pair("keep_firing_for", rule.keep_firing_for_ms != 0),
                                   std::pair("annotations", !rule.annotations.empty())}) {
    if (!given) continue;
    Fault(*map.Find(key), "invalid field '" + std::string(key) + "' in recording rule");
  }
}

Rule GroupReader::ReadRule(const YamlNode& node) {
  Rule rule;
  rule.line = node.line();
  auto map = YamlMap::Of(node);
  if (!map) {
    out_.errors.push_back(map.error());
    return rule;
  }
  ReadName(node, *map, rule);
  ReadExpr(node, *map, rule);
  const std::string* alert = rule.kind == RuleKind::kAlerting ? &rule.name : nullptr;
  rule.labels = ReadTemplates(*map, "labels", "label", alert);
  rule.annotations = ReadTemplates(*map, "annotations", "annotation", alert);
  ReadTimes(*map, rule);
  CheckKeys(*map);
  return rule;
}

void GroupReader::ReadRules(const YamlNode& list, const TemplateMap& group_labels,
                            RuleGroup& group) {
  if (list.kind() != YamlNode::Kind::kSequence) return Fault(list, "rules must be a list");
  for (const YamlNode& item : list.items()) {
    const std::size_t errors = out_.errors.size();
    Rule rule = ReadRule(item);
    if (out_.errors.size() != errors) continue;
    AddGroupLabels(group_labels, rule);
    group.rules.push_back(std::move(rule));
  }
}

void GroupReader::ReadLimit(YamlMap& map, RuleGroup& group) {
  const YamlNode* limit = map.Find("limit");
  if (limit == nullptr) return;
  const auto value = limit->AsInt64();
  if (!value) {
    out_.errors.push_back(value.error());
    return;
  }
  // What is below 0 limits nothing, as in Prometheus.
  constexpr std::int64_t kMost = 1'000'000'000;
  group.limit = static_cast<int>(std::clamp<std::int64_t>(*value, 0, kMost));
}

void GroupReader::ReadGroup(const YamlNode& node, const GroupOwner& owner,
                            std::set<std::string>& names) {
  auto map = YamlMap::Of(node);
  if (!map) {
    out_.errors.push_back(map.error());
    return;
  }
  RuleGroup group;
  group.file = owner.file;
  const YamlNode* name = map->Find("name");
  if (name != nullptr) group.name = ReadText(*name);
  if (group.name.empty()) {
    Fault(name != nullptr ? *name : node, "the name of the group must not be empty");
  } else if (!names.insert(group.name).second) {
    Fault(node, "groupname: \"" + group.name + "\" is repeated in the same file");
  }
  ReadDuration(*map, "interval", group.interval_ms);
  ReadDuration(*map, "query_offset", group.query_offset_ms);
  ReadLimit(*map, group);
  const TemplateMap labels = ReadTemplates(*map, "labels", "label", nullptr);
  if (owner.of_operator) map->Find("partial_response_strategy");
  if (const YamlNode* rules = map->Find("rules")) ReadRules(*rules, labels, group);
  CheckKeys(*map);
  out_.groups.push_back(std::move(group));
}

void GroupReader::ReadGroups(const YamlNode& list, const GroupOwner& owner) {
  if (list.kind() != YamlNode::Kind::kSequence) return Fault(list, "groups must be a list");
  std::set<std::string> names;
  for (const YamlNode& item : list.items()) ReadGroup(item, owner, names);
}

}  // namespace azexporter::rules
