#include "../checks.h"
#include "../context.h"

namespace azexporter::audit {
namespace {

std::vector<Problem> Run(const Context& context) {
  std::vector<Problem> problems;
  for (const Object* cluster : context.Of(kCnpg, "Cluster")) {
    const Field instances = FieldAt(cluster->root, {"spec", "instances"});
    if (!instances) {
      problems.push_back(ProblemOf(*cluster, "instances is not given, which means 1"));
    } else if (IntAt(cluster->root, {"spec", "instances"}) == 1) {
      problems.push_back(ProblemAt(*cluster, *instances.key, "one instance and no standby"));
    }
  }
  return problems;
}

}  // namespace

Check CnpgSingleInstance() {
  return {
      .name = "cnpg-single-instance",
      .severity = Severity::kWarning,
      .title = "a CloudNativePG Cluster of one instance",
      .explanation =
          "With its zone the database is gone, and its volume cannot be mounted in another one: "
          "what is left is a restore from a backup.",
      .fix = "Run three instances, one a zone.",
      .source = "https://cloudnative-pg.io/documentation/current/architecture/",
      .run = &Run};
}

}  // namespace azexporter::audit
