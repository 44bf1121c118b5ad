#include "azexporter/rules/rule_file.h"

#include <algorithm>

#include "azexporter/base/file.h"
#include "azexporter/base/yaml.h"
#include "rule_reader.h"

namespace azexporter::rules {
namespace {

using base::Fail;
using base::Result;
using base::YamlMap;
using base::YamlNode;

// The value of a key of a map; nullptr where there is none.
const YamlNode* At(const YamlNode& map, std::string_view key) {
  for (const auto& [name, value] : map.entries()) {
    if (name.scalar() == key) return &value;
  }
  return nullptr;
}

std::string TextAt(const YamlNode& map, std::string_view key) {
  const YamlNode* value = At(map, key);
  return value == nullptr ? "" : value->scalar();
}

constexpr std::string_view kRuleApi = "monitoring.coreos.com/v1";

bool IsKubernetesObject(const YamlNode& node) {
  return !TextAt(node, "apiVersion").empty() && !TextAt(node, "kind").empty();
}

class FileReader {
 public:
  FileReader(std::string_view text, const std::string& file, const ReadOptions& options,
             RuleFile& out)
      : file_(file), out_(out), reader_(text, options, out) {}

  void Read(const base::YamlDocuments& parsed) {
    const auto& documents = parsed.documents;
    const auto first = std::find_if(documents.begin(), documents.end(),
                                    [](const YamlNode& node) { return !node.is_null(); });
    if (first != documents.end() && IsKubernetesObject(*first)) return ReadObjects(parsed);
    if (documents.empty()) {
      if (parsed.fault) out_.errors.push_back(*parsed.fault);
      return;
    }
    ReadPlain(documents.front());
    if (documents.size() > 1 || parsed.fault) {
      out_.warnings.push_back(file_ +
                              ": several YAML documents: only the first one is read, as Prometheus "
                              "does");
    }
  }

 private:
  void ReadPlain(const YamlNode& root) {
    auto map = YamlMap::Of(root);
    if (!map) {
      out_.errors.push_back(map.error());
      return;
    }
    if (const YamlNode* list = map->Find("groups")) reader_.ReadGroups(*list, {.file = file_});
    reader_.CheckKeys(*map);
  }

  void ReadObjects(const base::YamlDocuments& parsed) {
    std::vector<const YamlNode*> objects;
    for (const YamlNode& document : parsed.documents) Gather(document, objects);
    if (parsed.fault) out_.errors.push_back(*parsed.fault);
    if (objects.empty()) {
      reader_.Fault(parsed.documents.front(), "no PrometheusRule is among the objects");
    }
    for (const YamlNode* object : objects) {
      ReadObject(*object, objects.size() == 1 ? file_ : NameOf(*object));
    }
  }

  // The PrometheusRules of a document.
  void Gather(const YamlNode& node, std::vector<const YamlNode*>& objects) {
    if (node.is_null()) return;
    const std::string kind = TextAt(node, "kind");
    if (kind == "PrometheusRule") {
      objects.push_back(&node);
    } else if (kind == "List" || kind == "PrometheusRuleList") {
      const YamlNode* items = At(node, "items");
      if (items == nullptr) return;
      for (const YamlNode& item : items->items()) Gather(item, objects);
    } else if (IsKubernetesObject(node)) {
      out_.warnings.push_back(
          node.ErrorHere("passed over: " + kind + " is no PrometheusRule").message());
    } else {
      reader_.Fault(node, "no object of Kubernetes, as the first document is");
    }
  }

  std::string NameOf(const YamlNode& object) const {
    const YamlNode* meta = At(object, "metadata");
    if (meta == nullptr) return file_;
    return file_ + "#" + TextAt(*meta, "namespace") + "/" + TextAt(*meta, "name");
  }

  void ReadObject(const YamlNode& object, const std::string& name) {
    if (TextAt(object, "apiVersion") != kRuleApi) {
      return reader_.Fault(object, "unknown apiVersion \"" + TextAt(object, "apiVersion") +
                                       "\" of a PrometheusRule, not " + std::string(kRuleApi));
    }
    auto map = YamlMap::Of(object);
    for (std::string_view key : {"apiVersion", "kind", "metadata", "status"}) map->Find(key);
    if (const YamlNode* node = map->Find("spec")) {
      auto spec = YamlMap::Of(*node);
      if (!spec) {
        out_.errors.push_back(spec.error());
        return;
      }
      if (const YamlNode* list = spec->Find("groups"))
        reader_.ReadGroups(*list, {.file = name, .of_operator = true});
      reader_.CheckKeys(*spec);
    }
    reader_.CheckKeys(*map);
  }

  const std::string& file_;
  RuleFile& out_;
  GroupReader reader_;
};

}  // namespace

RuleFile ReadRuleFile(std::string_view text, const std::string& file, UnknownKeys unknown,
                      const promql::ParserOptions& parser) {
  RuleFile out;
  FileReader(text, file, {unknown, parser}, out).Read(YamlNode::ParseUntilFault(text, file));
  return out;
}

Result<std::vector<RuleGroup>> ParseRuleFile(std::string_view text, const std::string& file,
                                             UnknownKeys unknown,
                                             const promql::ParserOptions& parser) {
  RuleFile read = ReadRuleFile(text, file, unknown, parser);
  if (!read.errors.empty()) return Fail(std::move(read.errors.front()));
  return std::move(read.groups);
}

Result<std::vector<RuleGroup>> LoadRuleFiles(const std::vector<std::string>& paths,
                                             UnknownKeys unknown,
                                             const promql::ParserOptions& parser) {
  std::vector<RuleGroup> all;
  for (const std::string& path : paths) {
    AZX_ASSIGN_OR_RETURN(const std::string text, base::ReadFile(path));
    AZX_ASSIGN_OR_RETURN(std::vector<RuleGroup> groups, ParseRuleFile(text, path, unknown, parser));
    std::move(groups.begin(), groups.end(), std::back_inserter(all));
  }
  return all;
}

std::vector<std::string> FindRuleFiles(const std::vector<std::string>& patterns) {
  std::vector<std::string> paths;
  for (const std::string& pattern : patterns) {
    std::vector<std::string> found = base::Glob(pattern);
    const bool wild = pattern.find_first_of("*?[") != std::string::npos;
    if (found.empty() && !wild) found.push_back(pattern);
    for (std::string& path : found) {
      if (std::find(paths.begin(), paths.end(), path) == paths.end()) {
        paths.push_back(std::move(path));
      }
    }
  }
  return paths;
}

}  // namespace azexporter::rules
