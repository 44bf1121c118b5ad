#include "../checks.h"
#include "../context.h"

namespace azexporter::audit {
namespace {

constexpr std::string_view kOld =
    "service.beta.kubernetes.io/aws-load-balancer-cross-zone-load-balancing-enabled";
constexpr std::string_view kAttributes = "service.beta.kubernetes.io/aws-load-balancer-attributes";
constexpr std::string_view kTargetAttributes =
    "service.beta.kubernetes.io/aws-load-balancer-target-group-attributes";
constexpr std::string_view kTargetType =
    "service.beta.kubernetes.io/aws-load-balancer-nlb-target-type";

bool IsCrossZone(const Object& service) {
  const auto annotation = [&](std::string_view name) {
    return TextAt(service.root, {"metadata", "annotations", name});
  };
  constexpr std::string_view kOn = "load_balancing.cross_zone.enabled=true";
  return annotation(kOld) == "true" || annotation(kAttributes).find(kOn) != std::string::npos ||
         annotation(kTargetAttributes).find(kOn) != std::string::npos;
}

std::vector<Problem> Run(const Context& context) {
  std::vector<Problem> problems;
  for (const Object* service : context.Of(kCore, "Service")) {
    const Field policy = FieldAt(service->root, {"spec", "externalTrafficPolicy"});
    if (!policy || policy.value->scalar() != "Local" || !IsCrossZone(*service) ||
        TextAt(service->root, {"metadata", "annotations", kTargetType}) == "ip") {
      continue;
    }
    problems.push_back(ProblemAt(*service, *policy.key,
                                 "externalTrafficPolicy Local with cross-zone load balancing"));
  }
  return problems;
}

}  // namespace

Check LocalTrafficCrossZone() {
  return {.name = "local-traffic-cross-zone",
          .severity = Severity::kWarning,
          .title = "traffic is kept on the node that cross-zone balancing picked",
          .explanation =
              "The load balancer gives each node its share; with Local a node passes it to its own "
              "pods only and drops it where it has none. What a pod gets depends on how many "
              "stand on its node, and a node that just lost its pod drops requests until the "
              "health check notices.",
          .fix =
              "Register pods instead of nodes (aws-load-balancer-nlb-target-type: ip), or use "
              "externalTrafficPolicy Cluster.",
          .source =
              "https://kubernetes.io/docs/reference/networking/virtual-ips/"
              "#external-traffic-policy",
          .run = &Run};
}

}  // namespace azexporter::audit
