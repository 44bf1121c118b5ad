#include "../checks.h"

#include <map>
#include "../context.h"

namespace azexporter::audit {
namespace {

using base::YamlNode;

void FindIn(const Object& object, const YamlNode& node, std::vector<Problem>& problems) {
  std::map<std::string_view, const YamlNode*> seen;
  for (const auto& [key, value] : node.entries()) {
    const auto [first, is_new] = seen.emplace(key.scalar(), &key);
    if (!is_new) {
      problems.push_back(ProblemAt(object, key,
                                   "\"" + key.scalar() + "\" is given at line " +
                                       std::to_string(first->second->line()) + " already"));
    }
    FindIn(object, value, problems);
  }
  for (const YamlNode& item : node.items()) FindIn(object, item, problems);
}

std::vector<Problem> Run(const Context& context) {
  std::vector<Problem> problems;
  for (const Object& object : context.manifests.objects()) FindIn(object, object.root, problems);
  return problems;
}

}  // namespace

Check DuplicateKey() {
  return {.name = "duplicate-key",
          .severity = Severity::kError,
          .title = "a key is given twice in one map",
          .explanation =
              "YAML forbids it. kubectl's strict validation refuses the object; what does not "
              "validate keeps the last of the two and drops the other without a word.",
          .fix = "Keep the one that is meant.",
          .source = "https://yaml.org/spec/1.2.2/#3213-node-comparison",
          .offline_only = "the API server keeps one of the two",
          .run = &Run};
}

}  // namespace azexporter::audit
