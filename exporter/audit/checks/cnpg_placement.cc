#include "../checks.h"
#include "../context.h"

namespace azexporter::audit {
namespace {

// Where people look for placement, and CloudNativePG has no field.
constexpr std::string_view kNoFields[] = {"nodeAffinity", "podAffinity", "podAntiAffinity",
                                          "nodeSelector", "tolerations", "replicas",
                                          "zones",        "topology",    "topologyKey"};

std::vector<Problem> Run(const Context& context) {
  std::vector<Problem> problems;
  for (const Object* cluster : context.Of(kCnpg, "Cluster")) {
    const Field spec = FieldAt(cluster->root, {"spec"});
    if (!spec) continue;
    for (const auto& [key, value] : spec.value->entries()) {
      if (key.scalar() == "instances" && value.kind() == base::YamlNode::Kind::kSequence) {
        problems.push_back(
            ProblemAt(*cluster, key, "instances is a number, not a list of placements"));
      }
      for (std::string_view name : kNoFields) {
        if (key.scalar() != name) continue;
        problems.push_back(
            ProblemAt(*cluster, key, "spec." + key.scalar() + " is no field of a Cluster"));
      }
    }
  }
  return problems;
}

}  // namespace

Check CnpgPlacement() {
  return {.name = "cnpg-placement",
          .severity = Severity::kError,
          .title = "a CloudNativePG Cluster is placed by fields that it does not have",
          .explanation =
              "Fields that the definition does not have are refused or dropped, and a value of "
              "another type is refused; either way nothing keeps the instances apart.",
          .fix =
              "Use spec.affinity (topologyKey, podAntiAffinityType, nodeSelector, "
              "tolerations) or spec.topologySpreadConstraints.",
          .source = "https://cloudnative-pg.io/documentation/current/scheduling/",
          .run = &Run};
}

}  // namespace azexporter::audit
