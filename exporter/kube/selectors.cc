#include "azexporter/kube/selectors.h"

#include <algorithm>
#include <charconv>

namespace azexporter::kube {
namespace {

std::optional<std::int64_t> IntegerOf(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool Compares(const Requirement& requirement, const std::string& label) {
  if (requirement.values.size() != 1) return false;
  const auto have = IntegerOf(label);
  const auto bound = IntegerOf(requirement.values[0]);
  if (!have || !bound) return false;
  return requirement.op == SelectorOp::kGt ? *have > *bound : *have < *bound;
}

bool Holds(const Requirement& requirement, const std::string* value) {
  const auto listed = [&] {
    return std::find(requirement.values.begin(), requirement.values.end(), *value) !=
           requirement.values.end();
  };
  switch (requirement.op) {
    case SelectorOp::kIn:
      return value != nullptr && listed();
    case SelectorOp::kNotIn:
      return value == nullptr || !listed();
    case SelectorOp::kExists:
      return value != nullptr;
    case SelectorOp::kDoesNotExist:
      return value == nullptr;
    case SelectorOp::kGt:
    case SelectorOp::kLt:
      return value != nullptr && Compares(requirement, *value);
  }
  return false;
}

std::string RequirementText(const Requirement& requirement) {
  switch (requirement.op) {
    case SelectorOp::kExists:
      return requirement.key;
    case SelectorOp::kDoesNotExist:
      return "!" + requirement.key;
    case SelectorOp::kGt:
    case SelectorOp::kLt:
      return requirement.key + (requirement.op == SelectorOp::kGt ? ">" : "<") +
             (requirement.values.empty() ? "" : requirement.values[0]);
    case SelectorOp::kIn:
    case SelectorOp::kNotIn:
      break;
  }
  std::string text = requirement.key + (requirement.op == SelectorOp::kIn ? " in (" : " notin (");
  for (const std::string& value : requirement.values) {
    text += (text.ends_with('(') ? "" : ",") + value;
  }
  return text + ")";
}

}  // namespace

std::string_view SelectorOpName(SelectorOp op) {
  switch (op) {
    case SelectorOp::kIn:
      return "In";
    case SelectorOp::kNotIn:
      return "NotIn";
    case SelectorOp::kExists:
      return "Exists";
    case SelectorOp::kDoesNotExist:
      return "DoesNotExist";
    case SelectorOp::kGt:
      return "Gt";
    case SelectorOp::kLt:
      return "Lt";
  }
  return "";
}

bool Requirement::Matches(const StringMap& labels) const { return Holds(*this, Find(labels, key)); }

bool LabelSelector::Matches(const StringMap& labels) const {
  return MatchesLabels(labels, match_labels) &&
         std::all_of(requirements.begin(), requirements.end(),
                     [&](const Requirement& requirement) { return requirement.Matches(labels); });
}

bool Matches(const std::optional<LabelSelector>& selector, const StringMap& labels) {
  return selector && selector->Matches(labels);
}

std::string SelectorText(const std::optional<LabelSelector>& selector) {
  if (!selector) return "<none>";
  std::string text;
  for (const auto& [key, value] : selector->match_labels) {
    text += (text.empty() ? "" : ",") + key + "=" + value;
  }
  for (const Requirement& requirement : selector->requirements) {
    text += (text.empty() ? "" : ",") + RequirementText(requirement);
  }
  return text;
}

bool NodeSelectorTerm::Matches(std::string_view node_name, const StringMap& node_labels) const {
  if (match_expressions.empty() && match_fields.empty()) return false;
  return std::all_of(match_expressions.begin(), match_expressions.end(),
                     [&](const Requirement& r) { return r.Matches(node_labels); }) &&
         std::all_of(match_fields.begin(), match_fields.end(), [&](const Requirement& r) {
           const std::string name(node_name);
           return Holds(r, r.key == "metadata.name" ? &name : nullptr);
         });
}

bool NodeSelector::Matches(std::string_view node_name, const StringMap& node_labels) const {
  return std::any_of(terms.begin(), terms.end(), [&](const NodeSelectorTerm& term) {
    return term.Matches(node_name, node_labels);
  });
}

}  // namespace azexporter::kube
