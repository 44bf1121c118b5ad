#include "../checks.h"
#include "../context.h"

namespace azexporter::audit {
namespace {

using base::YamlNode;

// A spread constraint or anti-affinity, required or preferred, over zones.
bool IsSpread(const YamlNode& role) {
  bool found = false;
  ForEachEntry(role, [&](const YamlNode& key, const YamlNode& value) {
    found = found || (key.scalar() == "topologyKey" && value.scalar() == kZoneKey);
  });
  return found;
}

std::vector<Problem> Run(const Context& context) {
  std::vector<Problem> problems;
  for (const Object* cluster : context.Of(kOpsTree, "RedisCluster")) {
    for (std::string_view role : {"redisLeader", "redisFollower"}) {
      const Field field = FieldAt(cluster->root, {"spec", role});
      const auto size = IntAt(cluster->root, {"spec", "clusterSize"});
      const auto replicas = IntAt(cluster->root, {"spec", role, "replicas"});
      if (replicas.value_or(size.value_or(3)) < 2 || (field && IsSpread(*field.value))) continue;
      const std::string message =
          "nothing keeps the pods of " + std::string(role) + " in different zones";
      problems.push_back(field ? ProblemAt(*cluster, *field.key, message)
                               : ProblemOf(*cluster, message));
    }
  }
  return problems;
}

}  // namespace

Check RedisZoneSpread() {
  return {.name = "redis-zone-spread",
          .severity = Severity::kWarning,
          .title = "the leaders or followers of a RedisCluster may stand in one zone",
          .explanation =
              "A leader is replaced only when most leaders agree, so a zone that holds most of "
              "them takes the whole cluster along; and a shard whose leader and follower are in "
              "one zone loses its slots with it.",
          .fix =
              "Give redisLeader and redisFollower a topology spread constraint over "
              "topology.kubernetes.io/zone.",
          .source =
              "https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/"
              "#replica-election-and-promotion",
          .run = &Run};
}

}  // namespace azexporter::audit
