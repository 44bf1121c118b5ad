#include "../checks.h"

#include <algorithm>
#include "../context.h"

namespace azexporter::audit {
namespace {

using base::YamlNode;

bool IsSpread(const Object& cluster) {
  if (TextAt(cluster.root, {"spec", "affinity", "topologyKey"}) == kZoneKey &&
      BoolAt(cluster.root, {"spec", "affinity", "enablePodAntiAffinity"}) != false) {
    return true;
  }
  return std::ranges::any_of(
      ItemsAt(cluster.root, {"spec", "topologySpreadConstraints"}),
      [](const YamlNode& spread) { return TextAt(spread, {"topologyKey"}) == kZoneKey; });
}

std::vector<Problem> Run(const Context& context) {
  std::vector<Problem> problems;
  for (const Object* cluster : context.Of(kCnpg, "Cluster")) {
    const Field spec = FieldAt(cluster->root, {"spec"});
    if (!spec || IsSpread(*cluster)) continue;
    // Of a number given twice, any.
    for (const auto& [key, value] : spec.value->entries()) {
      if (key.scalar() != "instances" || value.AsInt64().value_or(0) < 2) continue;
      problems.push_back(ProblemAt(
          *cluster, key, "nothing keeps the " + value.scalar() + " instances in different zones"));
    }
  }
  return problems;
}

}  // namespace

Check CnpgZoneSpread() {
  return {
      .name = "cnpg-zone-spread",
      .severity = Severity::kWarning,
      .title = "the instances of a CloudNativePG Cluster may stand in one zone",
      .explanation =
          "By default they prefer different nodes and look at no zone: primary and standbys may "
          "be lost together.",
      .fix =
          "Set spec.affinity.topologyKey: topology.kubernetes.io/zone, with "
          "podAntiAffinityType required, or a topology spread constraint.",
      .source = "https://cloudnative-pg.io/documentation/current/scheduling/",
      .run = &Run};
}

}  // namespace azexporter::audit
