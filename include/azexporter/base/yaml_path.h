#pragma once

// Looking into a document of which only some places are of interest, such as an object of an API
// server. What is configuration is read by YamlMap, which is strict.
//
// Thread safety: pure.

#include <initializer_list>
#include <string_view>

#include "azexporter/base/yaml.h"

namespace azexporter::base {

// The value at the path of keys; a null node where there is none.
const YamlNode& ValueAt(const YamlNode& root, std::initializer_list<std::string_view> path);

}  // namespace azexporter::base
