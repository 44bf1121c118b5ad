#include "../checks.h"
#include "../context.h"

namespace azexporter::audit {
namespace {

std::vector<Problem> Run(const Context& context) {
  std::vector<Problem> problems;
  for (const Object* binding : context.Of(kAwsBalancer, "TargetGroupBinding")) {
    for (const base::YamlNode& ingress :
         ItemsAt(binding->root, {"spec", "networking", "ingress"})) {
      if (FieldAt(ingress, {"ports"})) continue;
      problems.push_back(ProblemAt(*binding, ingress, "an ingress rule without ports"));
    }
  }
  return problems;
}

}  // namespace

Check BindingIngressPorts() {
  return {
      .name = "binding-ingress-ports",
      .severity = Severity::kError,
      .title = "an ingress rule of a target group binding has no ports",
      .explanation = "The definition's schema demands them and the API server refuses the object.",
      .fix = "Add ports; one without a port number stands for all of its protocol.",
      .source =
          "https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/"
          "targetgroupbinding/spec/",
      .run = &Run};
}

}  // namespace azexporter::audit
