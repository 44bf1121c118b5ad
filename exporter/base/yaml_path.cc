#include "azexporter/base/yaml_path.h"

namespace azexporter::base {

YamlField FieldAt(const YamlNode& root, std::initializer_list<std::string_view> path) {
  YamlField field;
  const YamlNode* at = &root;
  for (const std::string_view name : path) {
    field = {};
    for (const auto& [key, value] : at->entries()) {
      if (key.scalar() == name && !value.is_null()) field = {&key, &value};
    }
    if (!field) return {};
    at = field.value;
  }
  return field;
}

const YamlNode& ValueAt(const YamlNode& root, std::initializer_list<std::string_view> path) {
  static const YamlNode kNone;
  const YamlField field = FieldAt(root, path);
  return field ? *field.value : kNone;
}

}  // namespace azexporter::base
