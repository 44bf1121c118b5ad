#pragma once

// Looking leniently into a document of which only some places are of interest, such as an object of
// an API server: what is absent, null or below what is no map is not there. Of a key given twice
// the last counts, as it does for kubectl. What is configuration is read by YamlMap, which is
// strict.
//
// Thread safety: pure functions.

#include <initializer_list>
#include <string_view>

#include "azexporter/base/yaml.h"

namespace azexporter::base {

// A key of a map, and what stands there. Valid as long as the document.
struct YamlField {
  const YamlNode* key = nullptr;
  const YamlNode* value = nullptr;

  explicit operator bool() const { return value != nullptr; }
};

// Follows keys of nested maps.
YamlField FieldAt(const YamlNode& root, std::initializer_list<std::string_view> path);
// The value there; a null node where there is none.
const YamlNode& ValueAt(const YamlNode& root, std::initializer_list<std::string_view> path);

}  // namespace azexporter::base
