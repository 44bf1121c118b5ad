#include "../checks.h"
#include "../context.h"

namespace azexporter::audit {
namespace {

bool IsAlnum(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Semantics:
// kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set
bool IsLabelValue(std::string_view value) {
  if (value.empty()) return true;
  if (value.size() > 63 || !IsAlnum(value.front()) || !IsAlnum(value.back())) return false;
  for (char c : value) {
    if (!IsAlnum(c) && c != '-' && c != '_' && c != '.') return false;
  }
  return true;
}

std::vector<Problem> Run(const Context& context) {
  std::vector<Problem> problems;
  for (const Object& object : context.manifests.objects()) {
    const Field spec = FieldAt(object.root, {"spec"});
    if (!spec) continue;
    ForEachEntry(*spec.value, [&](const base::YamlNode& key, const base::YamlNode& value) {
      if (key.scalar() != "nodeSelector") return;
      for (const auto& [label, wanted] : value.entries()) {
        if (wanted.kind() != base::YamlNode::Kind::kScalar || IsLabelValue(wanted.scalar())) {
          continue;
        }
        problems.push_back(ProblemAt(object, label,
                                     "no node can carry " + label.scalar() + "=" + wanted.scalar() +
                                         ": it is no value of a label"));
      }
    });
  }
  return problems;
}

}  // namespace

Check NodeSelectorValue() {
  return {
      .name = "node-selector-value",
      .severity = Severity::kError,
      .title = "a node selector asks for a value that no label can have",
      .explanation =
          "A node selector compares the whole value, and a label's value holds letters, "
          "digits, '-', '_' and '.' only: a list with commas matches no node, and the pods stay "
          "pending.",
      .fix =
          "List the values in a required node affinity (operator In), or leave zones to a "
          "spread constraint.",
      .source =
          "https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/"
          "#syntax-and-character-set",
      .run = &Run};
}

}  // namespace azexporter::audit
