// Lists of relabel_config, as Prometheus has them.
// Source: prometheus.io/docs/prometheus/latest/configuration/configuration/#relabel_config.

#include "azexporter/model/relabel.h"

#include "decode.h"

namespace azexporter::config {
namespace {

Result<void> ReadOptionalText(YamlMap& map, std::string_view key, std::optional<std::string>& out) {
  const YamlNode* node = map.Find(key);
  if (node == nullptr) return {};
  AZX_ASSIGN_OR_RETURN(out, node->AsString());
  return {};
}

Result<void> ReadAction(YamlMap& map, model::RelabelAction& action) {
  const YamlNode* node = map.Find("action");
  if (node == nullptr) return {};
  AZX_ASSIGN_OR_RETURN(const std::string text, node->AsString());
  const auto known = model::ParseRelabelAction(text);
  if (!known) return Fail(node->ErrorHere("there is no relabel action \"" + text + "\""));
  action = *known;
  return {};
}

Result<void> ReadRegex(YamlMap& map, std::optional<std::string>& regex) {
  AZX_RETURN_IF_ERROR(ReadOptionalText(map, "regex", regex));
  if (!regex) return {};
  const auto parsed = model::AnchoredRegexp::Create(*regex);
  if (!parsed) return Fail(map.Find("regex")->ErrorHere(parsed.error().message()));
  return {};
}

Result<void> ReadModulus(YamlMap& map, std::uint64_t& modulus) {
  const YamlNode* node = map.Find("modulus");
  if (node == nullptr) return {};
  AZX_ASSIGN_OR_RETURN(const std::int64_t number, node->AsInt64());
  if (number < 0) return Fail(node->ErrorHere("modulus must not be negative"));
  modulus = static_cast<std::uint64_t>(number);
  return {};
}

Result<void> ReadSourceLabels(YamlMap& map, std::vector<std::string>& names) {
  const YamlNode* node = map.Find("source_labels");
  if (node == nullptr) return {};
  AZX_ASSIGN_OR_RETURN(names, node->AsStringList());
  for (const YamlNode& name : node->items()) {
    if (name.scalar().empty()) return Fail(name.ErrorHere("a label has a name"));
  }
  return {};
}

}  // namespace

Result<void> ReadRelabelRules(YamlMap& parent, std::string_view key, model::RelabelRules& rules) {
  return ReadList(parent, key, [&](const YamlNode& item, YamlMap& map) -> Result<void> {
    model::RelabelOptions options;
    AZX_RETURN_IF_ERROR(ReadAction(map, options.action));
    AZX_RETURN_IF_ERROR(ReadSourceLabels(map, options.source_labels));
    AZX_RETURN_IF_ERROR(ReadOptionalText(map, "separator", options.separator));
    AZX_RETURN_IF_ERROR(ReadRegex(map, options.regex));
    AZX_RETURN_IF_ERROR(ReadModulus(map, options.modulus));
    AZX_RETURN_IF_ERROR(ReadText(map, "target_label", options.target_label));
    AZX_RETURN_IF_ERROR(ReadOptionalText(map, "replacement", options.replacement));
    AZX_RETURN_IF_ERROR(map.CheckAllRead());  // before what is missing for the misspelt one
    auto rule = model::RelabelRule::Create(std::move(options));
    if (!rule) return Fail(item.ErrorHere(rule.error().message()));
    rules.push_back(std::move(*rule));
    return {};
  });
}

}  // namespace azexporter::config
