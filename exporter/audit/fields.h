#pragma once

// Reading fields of manifests, leniently as base/yaml_path.h does: what is of another form than
// expected reads as absent, too, since the audit judges what it understands. Private to `audit`.
//
// Thread safety: pure functions.

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/base/function_ref.h"
#include "azexporter/base/yaml_path.h"
#include "azexporter/kube/selectors.h"
#include "azexporter/kube/workloads.h"

namespace azexporter::audit {

using Path = std::initializer_list<std::string_view>;

using base::FieldAt;
using Field = base::YamlField;

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
