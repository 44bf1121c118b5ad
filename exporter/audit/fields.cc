#include "fields.h"

#include <algorithm>
#include <charconv>

namespace azexporter::audit {
namespace {

using base::YamlNode;

kube::SelectorOp OpOf(std::string_view name) {
  using kube::SelectorOp;
  for (SelectorOp op : {SelectorOp::kIn, SelectorOp::kNotIn, SelectorOp::kExists,
                        SelectorOp::kDoesNotExist, SelectorOp::kGt, SelectorOp::kLt}) {
    if (kube::SelectorOpName(op) == name) return op;
  }
  return SelectorOp::kExists;
}

std::optional<std::int64_t> ParseInt(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::vector<kube::Requirement> RequirementsAt(const YamlNode& node, Path path) {
  std::vector<kube::Requirement> requirements;
  for (const YamlNode& item : ItemsAt(node, path)) {
    kube::Requirement& requirement = requirements.emplace_back();
    requirement.key = TextAt(item, {"key"});
    requirement.op = OpOf(TextAt(item, {"operator"}));
    for (const YamlNode& value : ItemsAt(item, {"values"})) {
      requirement.values.push_back(value.scalar());
    }
  }
  return requirements;
}

}  // namespace

std::string TextAt(const YamlNode& node, Path path) {
  const Field field = FieldAt(node, path);
  return field ? field.value->scalar() : "";
}

std::optional<std::int64_t> IntAt(const YamlNode& node, Path path) {
  return ParseInt(TextAt(node, path));
}

std::optional<bool> BoolAt(const YamlNode& node, Path path) {
  const std::string text = TextAt(node, path);
  if (text == "true") return true;
  if (text == "false") return false;
  return std::nullopt;
}

const std::vector<YamlNode>& ItemsAt(const YamlNode& node, Path path) {
  static const std::vector<YamlNode> kNone;
  const Field field = FieldAt(node, path);
  return field ? field.value->items() : kNone;
}

kube::StringMap StringMapAt(const YamlNode& node, Path path) {
  kube::StringMap map;
  const Field field = FieldAt(node, path);
  if (!field) return map;
  for (const auto& [key, value] : field.value->entries()) {
    map.emplace_back(key.scalar(), value.scalar());
  }
  std::ranges::sort(map);
  return map;
}

std::optional<kube::LabelSelector> SelectorAt(const YamlNode& node, Path path) {
  const Field field = FieldAt(node, path);
  if (!field) return std::nullopt;
  kube::LabelSelector selector;
  selector.match_labels = StringMapAt(*field.value, {"matchLabels"});
  selector.requirements = RequirementsAt(*field.value, {"matchExpressions"});
  return selector;
}

std::optional<kube::NodeSelector> NodeSelectorAt(const YamlNode& node, Path path) {
  const Field field = FieldAt(node, path);
  if (!field) return std::nullopt;
  kube::NodeSelector selector;
  for (const YamlNode& term : ItemsAt(*field.value, {"nodeSelectorTerms"})) {
    selector.terms.push_back({.match_expressions = RequirementsAt(term, {"matchExpressions"}),
                              .match_fields = RequirementsAt(term, {"matchFields"})});
  }
  return selector;
}

std::optional<kube::IntOrPercent> AmountAt(const YamlNode& node, Path path) {
  std::string text = TextAt(node, path);
  const bool percent = text.ends_with('%');
  if (percent) text.pop_back();
  const auto value = ParseInt(text);
  if (!value) return std::nullopt;
  return kube::IntOrPercent{.value = *value, .percent = percent};
}

void ForEachEntry(const YamlNode& node,
                  base::FunctionRef<void(const YamlNode& key, const YamlNode& value)> see) {
  for (const YamlNode& item : node.items()) ForEachEntry(item, see);
  for (const auto& [key, value] : node.entries()) {
    see(key, value);
    ForEachEntry(value, see);
  }
}

std::string PlaceText(const YamlNode& node) {
  if (node.file().empty()) return "";
  return " (" + node.file() + ":" + std::to_string(node.line()) + ")";
}

}  // namespace azexporter::audit
