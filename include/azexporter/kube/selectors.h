#pragma once

// Selectors over labels and over nodes.
// Semantics: kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors and
// kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#node-affinity.
//
// Thread safety: values.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/kube/object_meta.h"

namespace azexporter::kube {

enum class SelectorOp { kIn, kNotIn, kExists, kDoesNotExist, kGt, kLt };
std::string_view SelectorOpName(SelectorOp op);

struct Requirement {
  std::string key;
  SelectorOp op = SelectorOp::kExists;
  std::vector<std::string> values;

  // kNotIn holds where the key is absent, too. kGt and kLt compare integers and hold only where
  // both the label and the one value are such.
  bool Matches(const StringMap& labels) const;
  bool operator==(const Requirement&) const = default;
};

// All of its parts must match; one without parts matches everything. An absent selector matches
// nothing, hence std::optional wherever one may be absent.
struct LabelSelector {
  StringMap match_labels;
  std::vector<Requirement> requirements;  // never kGt or kLt

  bool Matches(const StringMap& labels) const;
  bool empty() const { return match_labels.empty() && requirements.empty(); }
  bool operator==(const LabelSelector&) const = default;
};

bool Matches(const std::optional<LabelSelector>& selector, const StringMap& labels);
// "app=web,tier in (a,b),!old", as kubectl prints it; "<none>" where absent, "" where empty.
std::string SelectorText(const std::optional<LabelSelector>& selector);

// All of its requirements must match; a term without any matches no node.
struct NodeSelectorTerm {
  std::vector<Requirement> match_expressions;  // on the node's labels
  std::vector<Requirement> match_fields;       // on metadata.name, the only field there is

  bool Matches(std::string_view node_name, const StringMap& node_labels) const;
  bool operator==(const NodeSelectorTerm&) const = default;
};

// One of its terms must match; without terms it matches no node.
struct NodeSelector {
  std::vector<NodeSelectorTerm> terms;

  bool Matches(std::string_view node_name, const StringMap& node_labels) const;
  bool operator==(const NodeSelector&) const = default;
};

}  // namespace azexporter::kube
