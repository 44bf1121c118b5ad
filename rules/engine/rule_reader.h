#pragma once

// Decodes rule groups from YAML and notes everything that is wrong with them. Private to `rules`.
//
// Thread safety: one thread only.

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/base/yaml.h"
#include "azexporter/rules/rule_file.h"

namespace azexporter::rules {

// Whose the groups are.
struct GroupOwner {
  const std::string& file;  // becomes RuleGroup::file
  // Of a PrometheusRule, whose groups have keys for Thanos, too.
  bool of_operator = false;
};

struct ReadOptions {
  UnknownKeys unknown = UnknownKeys::kRefuse;
  promql::ParserOptions parser = {};
};

class GroupReader {
 public:
  // `text` is what the nodes were parsed from. Both must outlive this.
  GroupReader(std::string_view text, const ReadOptions& options, RuleFile& out);

  // Reads what stands under `groups:`; names of groups are unique among them.
  void ReadGroups(const base::YamlNode& list, const GroupOwner& owner);
  // Faults of keys that were never asked for.
  void CheckKeys(base::YamlMap& map);

  void Fault(const base::YamlNode& node, std::string_view message);

 private:
  void ReadGroup(const base::YamlNode& node, const GroupOwner& owner, std::set<std::string>& names);
  void ReadRules(const base::YamlNode& list, const TemplateMap& group_labels, RuleGroup& group);
  Rule ReadRule(const base::YamlNode& node);
  void ReadName(const base::YamlNode& node, base::YamlMap& map, Rule& rule);
  void ReadExpr(const base::YamlNode& node, base::YamlMap& map, Rule& rule);
  void ReadTimes(base::YamlMap& map, Rule& rule);
  void ReadLimit(base::YamlMap& map, RuleGroup& group);
  void ReadDuration(base::YamlMap& map, std::string_view key, std::int64_t& out);
  std::string ReadText(const base::YamlNode& node);
  // `kind`: "label" or "annotation". Of an alert, by its name, the values are templates; otherwise
  // (nullptr) they are plain.
  TemplateMap ReadTemplates(base::YamlMap& map, std::string_view key, std::string_view kind,
                            const std::string* alert);
  std::vector<Place> PlacesOf(const base::YamlNode& node, std::string_view value) const;

  std::vector<std::string_view> lines_;  // of the text
  const ReadOptions options_;
  RuleFile& out_;
};

}  // namespace azexporter::rules
