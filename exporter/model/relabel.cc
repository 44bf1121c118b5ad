#include "azexporter/model/relabel.h"
#include "azexporter/base/text.h"

#include <algorithm>
#include <utility>

#include "azexporter/base/utf8.h"
#include "md5.h"

namespace azexporter::model {
namespace {

using base::BadData;
using base::Result;

constexpr std::string_view kSeparator = ";";
constexpr std::string_view kRegex = "(.*)";
constexpr std::string_view kReplacement = "$1";

constexpr std::pair<RelabelAction, std::string_view> kActions[] = {
    {RelabelAction::kReplace, "replace"},     {RelabelAction::kKeep, "keep"},
    {RelabelAction::kDrop, "drop"},           {RelabelAction::kKeepEqual, "keepequal"},
    {RelabelAction::kDropEqual, "dropequal"}, {RelabelAction::kHashMod, "hashmod"},
    {RelabelAction::kLabelMap, "labelmap"},   {RelabelAction::kLabelDrop, "labeldrop"},
    {RelabelAction::kLabelKeep, "labelkeep"}, {RelabelAction::kLowercase, "lowercase"},
    {RelabelAction::kUppercase, "uppercase"},
};

// What an action takes beside `source_labels`.
struct Needs {
  bool target = false;      // must have a target_label
  bool plain_name = false;  // which is a label's name as it stands
  bool replacement = true;  // may have a replacement
};

Needs NeedsOf(RelabelAction action) {
  switch (action) {
    case RelabelAction::kReplace:
      return {.target = true};
    case RelabelAction::kHashMod:
      return {.target = true, .plain_name = true};
    case RelabelAction::kKeepEqual:
    case RelabelAction::kDropEqual:
    case RelabelAction::kLowercase:
    case RelabelAction::kUppercase:
      return {.target = true, .plain_name = true, .replacement = false};
    case RelabelAction::kKeep:
    case RelabelAction::kDrop:
    case RelabelAction::kLabelMap:
      return {};
    case RelabelAction::kLabelDrop:
    case RelabelAction::kLabelKeep:
      return {.replacement = false};
  }
  return {};
}

bool IsLabelName(std::string_view name) { return !name.empty() && base::IsValidUtf8(name); }

Result<void> CheckNames(const RelabelOptions& options) {
  const Needs needs = NeedsOf(options.action);
  const std::string action(RelabelActionName(options.action));
  if (needs.target && options.target_label.empty()) {
    return BadData("action " + action + " needs a target_label");
  }
  if (needs.target && !IsLabelName(options.target_label)) {
    return BadData("\"" + options.target_label + "\" is no target_label for action " + action);
  }
  if (options.action == RelabelAction::kLabelMap &&
      !IsLabelName(options.replacement.value_or(std::string(kReplacement)))) {
    return BadData("\"" + *options.replacement + "\" is no replacement for action labelmap");
  }
  return {};
}

bool IsDefault(const std::optional<std::string>& given, std::string_view default_text) {
  return !given || *given == default_text;
}

Result<void> CheckOptions(const RelabelOptions& options) {
  const std::string action(RelabelActionName(options.action));
  if (options.action == RelabelAction::kHashMod && options.modulus == 0) {
    return BadData("action hashmod needs a modulus above 0");
  }
  AZX_RETURN_IF_ERROR(CheckNames(options));
  const bool plain = IsDefault(options.separator, kSeparator) && options.modulus == 0;
  const bool no_replacement = IsDefault(options.replacement, kReplacement);
  const bool equal =
      options.action == RelabelAction::kKeepEqual || options.action == RelabelAction::kDropEqual;
  if (equal && !(plain && no_replacement && IsDefault(options.regex, kRegex))) {
    return BadData("action " + action + " takes source_labels and target_label, and no more");
  }
  const bool names =
      options.action == RelabelAction::kLabelDrop || options.action == RelabelAction::kLabelKeep;
  if (names &&
      !(plain && no_replacement && options.source_labels.empty() && options.target_label.empty())) {
    return BadData("action " + action + " takes a regex, and no more");
  }
  if (!NeedsOf(options.action).replacement && !no_replacement) {
    return BadData("action " + action + " takes no replacement");
  }
  return {};
}

}  // namespace

std::optional<RelabelAction> ParseRelabelAction(std::string_view text) {
  const std::string lower = base::Lower(std::string(text));
  for (const auto& [action, name] : kActions) {
    if (name == lower) return action;
  }
  return std::nullopt;
}

std::string_view RelabelActionName(RelabelAction action) {
  for (const auto& [known, name] : kActions) {
    if (known == action) return name;
  }
  return "";
}

Result<RelabelRule> RelabelRule::Create(RelabelOptions options) {
  AZX_RETURN_IF_ERROR(CheckOptions(options));
  AZX_ASSIGN_OR_RETURN(AnchoredRegexp regex,
                       AnchoredRegexp::Create(options.regex.value_or(std::string(kRegex))));
  return RelabelRule(std::move(options), std::move(regex));
}

std::string RelabelRule::Source(const LabelsBuilder& labels) const {
  const std::string_view separator = options_.separator ? *options_.separator : kSeparator;
  std::string joined;
  bool first = true;
  for (const std::string& name : options_.source_labels) {
    if (!std::exchange(first, false)) joined += separator;
    joined += labels.Get(name);
  }
  return joined;
}

void RelabelRule::Replace(const std::string& source, LabelsBuilder& labels) const {
  std::string target;
  std::string value;
  if (!regex_.Expand(source, options_.target_label, target) || !IsLabelName(target)) return;
  regex_.Expand(source, options_.replacement ? *options_.replacement : kReplacement, value);
  labels.Set(target, value);
}

void RelabelRule::ChangeNames(LabelsBuilder& labels) const {
  for (const Label label : labels.Build()) {
    const bool matches = regex_.Matches(label.name);
    if (options_.action == RelabelAction::kLabelMap) {
      std::string name;
      if (!regex_.Expand(label.name, options_.replacement ? *options_.replacement : kReplacement,
                         name)) {
        continue;
      }
      if (!name.empty()) labels.Set(name, label.value);
    } else if (matches == (options_.action == RelabelAction::kLabelDrop)) {
      labels.Remove(label.name);
    }
  }
}

bool RelabelRule::Apply(LabelsBuilder& labels) const {
  const std::string source = Source(labels);
  switch (options_.action) {
    case RelabelAction::kReplace:
      Replace(source, labels);
      return true;
    case RelabelAction::kKeep:
      return regex_.Matches(source);
    case RelabelAction::kDrop:
      return !regex_.Matches(source);
    case RelabelAction::kKeepEqual:
      return labels.Get(options_.target_label) == source;
    case RelabelAction::kDropEqual:
      return labels.Get(options_.target_label) != source;
    case RelabelAction::kHashMod:
      labels.Set(options_.target_label, std::to_string(Md5Tail(source) % options_.modulus));
      return true;
    case RelabelAction::kLabelMap:
    case RelabelAction::kLabelDrop:
    case RelabelAction::kLabelKeep:
      ChangeNames(labels);
      return true;
    case RelabelAction::kLowercase:
      labels.Set(options_.target_label, base::Lower(source));
      return true;
    case RelabelAction::kUppercase:
      labels.Set(options_.target_label, base::Upper(source));
      return true;
  }
  return true;
}

std::optional<Labels> Relabel(const Labels& labels, const RelabelRules& rules) {
  if (rules.empty()) return labels;
  LabelsBuilder builder(labels);
  for (const RelabelRule& rule : rules) {
    if (!rule.Apply(builder)) return std::nullopt;
  }
  return builder.Build();
}

}  // namespace azexporter::model
