#include "decode.h"

#include <algorithm>

#include "azexporter/base/file.h"

namespace azexporter::config {

Result<void> ReadText(YamlMap& map, std::string_view key, std::string& out) {
  const YamlNode* node = map.Find(key);
  if (node == nullptr) return {};
  AZX_ASSIGN_OR_RETURN(out, node->AsString());
  return {};
}

Result<void> ReadPath(YamlMap& map, std::string_view key, std::string& out) {
  AZX_RETURN_IF_ERROR(ReadText(map, key, out));
  const YamlNode* node = map.Find(key);
  if (node != nullptr) out = base::RelativeTo(node->file(), out);
  return {};
}

Result<void> ReadDuration(YamlMap& map, std::string_view key, std::int64_t least_ms,
                          std::int64_t& out) {
  const YamlNode* node = map.Find(key);
  if (node == nullptr) return {};
  AZX_ASSIGN_OR_RETURN(out, node->AsDurationMs());
  if (out >= least_ms) return {};
  return Fail(node->ErrorHere(std::string(key) + " must be at least " + std::to_string(least_ms) +
                              "ms, got " + node->scalar()));
}

Result<void> RefusePassword(YamlMap& map) {
  const YamlNode* password = map.Find("password");
  if (password == nullptr) return {};
  return Fail(password->ErrorHere(
      "a password does not belong in here; put it into a file (password_file)"));
}

Result<kube::StringMap> ReadStringMap(const YamlNode& node) {
  if (!node.is_map()) return Fail(node.ErrorHere("expected a map of labels"));
  kube::StringMap map;
  for (const auto& [key, value] : node.entries()) {
    AZX_ASSIGN_OR_RETURN(std::string text, value.AsString());
    map.emplace_back(key.scalar(), std::move(text));
  }
  std::sort(map.begin(), map.end());
  return map;
}

// "app=web,tier=front", as kubectl has it; of its forms this one alone.
Result<kube::StringMap> ReadSelectorText(const YamlNode& node) {
  kube::StringMap labels;
  std::string_view rest = node.scalar();
  while (!rest.empty()) {
    const std::string_view one = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), one.size() + 1));
    const std::size_t equals = one.find('=');
    const bool good = equals != one.npos && equals > 0 &&
                      one.find_first_of("!=() ", equals + 1) == one.npos &&
                      one.find_first_of("!() ") == one.npos;
    if (!good) {
      return Fail(node.ErrorHere("not LABEL=VALUE,...: \"" + node.scalar() + "\""));
    }
    labels.emplace_back(one.substr(0, equals), one.substr(equals + 1));
  }
  std::sort(labels.begin(), labels.end());
  return labels;
}

Result<void> ReadSelection(YamlMap& map, ObjectSelection& selection) {
  if (const YamlNode* selector = map.Find("selector")) {
    AZX_ASSIGN_OR_RETURN(selection.selector.match_labels,
                         selector->kind() == YamlNode::Kind::kScalar ? ReadSelectorText(*selector)
                                                                     : ReadStringMap(*selector));
  }
  if (const YamlNode* namespaces = map.Find("namespaces")) {
    AZX_ASSIGN_OR_RETURN(const auto names, namespaces->AsStringList());
    selection.namespaces = {names.begin(), names.end()};
  }
  return {};
}

Result<void> ReadBool(YamlMap& map, std::string_view key, bool& out) {
  const YamlNode* node = map.Find(key);
  if (node == nullptr) return {};
  AZX_ASSIGN_OR_RETURN(out, node->AsBool());
  return {};
}

Result<void> RefuseNotYet(const YamlNode& map, std::span<const std::string_view> keys) {
  for (const auto& [key, value] : map.entries()) {
    if (std::find(keys.begin(), keys.end(), key.scalar()) == keys.end()) continue;
    return Fail(key.ErrorHere("\"" + key.scalar() + "\" is not supported yet"));
  }
  return {};
}

}  // namespace azexporter::config
