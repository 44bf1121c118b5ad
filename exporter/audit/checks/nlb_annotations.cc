#include "../checks.h"
#include "../context.h"

namespace azexporter::audit {
namespace {

constexpr std::string_view kType = "service.beta.kubernetes.io/aws-load-balancer-type";
constexpr std::string_view kCrossZone =
    "service.beta.kubernetes.io/aws-load-balancer-cross-zone-load-balancing-enabled";

std::vector<Problem> Run(const Context& context) {
  std::vector<Problem> problems;
  for (const Object* service : context.Of(kCore, "Service")) {
    const Field type = FieldAt(service->root, {"metadata", "annotations", kType});
    if (type && (type.value->scalar() == "nlb" || type.value->scalar() == "nlb-ip")) {
      problems.push_back(
          ProblemAt(*service, *type.key, "type " + type.value->scalar() + " is deprecated"));
    }
    const Field cross_zone = FieldAt(service->root, {"metadata", "annotations", kCrossZone});
    if (cross_zone) {
      problems.push_back(
          ProblemAt(*service, *cross_zone.key, "cross-zone-load-balancing-enabled is deprecated"));
    }
  }
  return problems;
}

}  // namespace

Check NlbAnnotations() {
  return {.name = "nlb-annotations",
          .severity = Severity::kWarning,
          .title = "deprecated annotations of a network load balancer",
          .explanation =
              "Type nlb is for the cloud provider that was built into Kubernetes. The AWS Load "
              "Balancer Controller reads cross-zone from "
              "aws-load-balancer-attributes since 2.3; a network load balancer spreads over zones "
              "only when told, so a setting that is no longer read leaves a zone without "
              "targets out of DNS.",
          .fix =
              "Use spec.loadBalancerClass service.k8s.aws/nlb (or type external) and "
              "aws-load-balancer-attributes: load_balancing.cross_zone.enabled=true.",
          .source =
              "https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/"
              "service/annotations/#deprecated-attributes",
          .run = &Run};
}

}  // namespace azexporter::audit
