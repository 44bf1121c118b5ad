#include "../checks.h"
#include "../context.h"

namespace azexporter::audit {
namespace {

bool IsSynchronous(const Object& cluster) {
  return FieldAt(cluster.root, {"spec", "postgresql", "synchronous"}) ||
         IntAt(cluster.root, {"spec", "minSyncReplicas"}).value_or(0) > 0;
}

std::vector<Problem> Run(const Context& context) {
  std::vector<Problem> problems;
  for (const Object* cluster : context.Of(kCnpg, "Cluster")) {
    const Field spec = FieldAt(cluster->root, {"spec"});
    if (!spec || IsSynchronous(*cluster)) continue;
    for (const auto& [key, value] : spec.value->entries()) {
      if (key.scalar() != "instances" || value.AsInt64().value_or(0) < 2) continue;
      problems.push_back(
          ProblemAt(*cluster, key, "a commit waits for no standby: replication is asynchronous"));
    }
  }
  return problems;
}

}  // namespace

Check CnpgAsynchronous() {
  return {.name = "cnpg-asynchronous",
          .severity = Severity::kWarning,
          .title = "a CloudNativePG Cluster replicates asynchronously",
          .explanation =
              "synchronous_commit alone does not make it synchronous: without synchronous standbys "
              "the loss of the primary's zone loses the commits that had not arrived elsewhere.",
          .fix = "Set spec.postgresql.synchronous (method any, number 1).",
          .source =
              "https://cloudnative-pg.io/documentation/current/replication/"
              "#synchronous-replication",
          .run = &Run};
}

}  // namespace azexporter::audit
