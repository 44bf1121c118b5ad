#pragma once

// Reading fields of manifests leniently: what is absent, null or of another form than expected
// reads as absent, since the audit judges what it understands. Of a key given twice the last
// counts, as it does for kubectl. Private to `audit`.
//
// Thread safety: pure functions.

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/base/function_ref.h"
#include "azexporter/base/yaml.h"
#include "azexporter/kube/selectors.h"
#include "azexporter/kube/workloads.h"

namespace azexporter::audit {

using Path = std::initializer_list<std::string_view>;

// A key of a map, and what stands there.
struct Field {
  const base::YamlNode* key = nullptr;
  const base::YamlNode* value = nullptr;

  explicit operator bool() const { return value != nullptr; }
};

// Follows keys of nested maps.
Field FieldAt(const base::YamlNode& node, Path path);

std::string TextAt(const base::YamlNode& node, Path path);  // "" where absent
std::optional<std::int64_t> IntAt(const base::YamlNode& node, Path path);
std::optional<bool> BoolAt(const base::YamlNode& node, Path path);
// Elements of a list; none where absent.
const std::vector<base::YamlNode>& ItemsAt(const base::YamlNode& node, Path path);
kube::StringMap StringMapAt(const base::YamlNode& node, Path path);
std::optional<kube::LabelSelector> SelectorAt(const base::YamlNode& node, Path path);
std::optional<kube::NodeSelector> NodeSelectorAt(const base::YamlNode& node, Path path);
// A count or a percentage, as disruption budgets have it.
std::optional<kube::IntOrPercent> AmountAt(const base::YamlNode& node, Path path);

// Every entry of every map below, from the top.
void ForEachEntry(
    const base::YamlNode& node,
    base::FunctionRef<void(const base::YamlNode& key, const base::YamlNode& value)> see);

// " (FILE:LINE)" of a node, to point at another place in a message; "" where it stands in no file.
std::string PlaceText(const base::YamlNode& node);

}  // namespace azexporter::audit
