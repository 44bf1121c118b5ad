#include "azexporter/base/yaml_path.h"

namespace azexporter::base {

const YamlNode& ValueAt(const YamlNode& root, std::initializer_list<std::string_view> path) {
  static const YamlNode kNone;
  const YamlNode* node = &root;
  for (const std::string_view key : path) {
    const YamlNode* next = &kNone;
    for (const auto& [name, value] : node->entries()) {
      if (name.scalar() == key) next = &value;
    }
    node = next;
  }
  return *node;
}

}  // namespace azexporter::base
