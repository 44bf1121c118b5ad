#include "../checks.h"
#include "../context.h"

namespace azexporter::audit {
namespace {

struct Misplaced {
  std::string_view field;
  std::string_view instead;
};
// Of no version of the definition.
constexpr Misplaced kMisplaced[] = {
    {"size", "clusterSize counts the leaders, and as many followers"},
    {"persistence", "volumes are asked for with storage.volumeClaimTemplate"},
    {"topologySpreadConstraints", "it belongs to redisLeader and to redisFollower"},
    {"affinity", "it belongs to redisLeader and to redisFollower"},
    {"replicas", "it belongs to redisLeader and to redisFollower"},
};

std::vector<Problem> Run(const Context& context) {
  std::vector<Problem> problems;
  for (const Object* cluster : context.Of(kOpsTree, "RedisCluster")) {
    for (const Misplaced& misplaced : kMisplaced) {
      const Field field = FieldAt(cluster->root, {"spec", misplaced.field});
      if (!field) continue;
      problems.push_back(
          ProblemAt(*cluster, *field.key,
                    "spec." + std::string(misplaced.field) +
                        " is no field of a RedisCluster: " + std::string(misplaced.instead)));
    }
  }
  return problems;
}

}  // namespace

Check RedisUnknownFields() {
  return {.name = "redis-unknown-fields",
          .severity = Severity::kError,
          .title = "a RedisCluster is sized, stored or placed by fields that it does not have",
          .explanation =
              "Fields that the definition does not have are refused or dropped: nothing keeps the "
              "nodes of a shard in different zones, or their data on a volume.",
          .fix = "Use clusterSize, storage, and the placement of redisLeader and redisFollower.",
          .source =
              "https://github.com/OT-CONTAINER-KIT/redis-operator/blob/main/api/"
              "rediscluster/v1beta2/rediscluster_types.go",
          .run = &Run};
}

}  // namespace azexporter::audit
