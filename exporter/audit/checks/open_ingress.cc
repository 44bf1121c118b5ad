#include "../checks.h"
#include "../context.h"

namespace azexporter::audit {
namespace {

using base::YamlNode;

std::vector<Problem> Run(const Context& context) {
  std::vector<Problem> problems;
  for (const Object* binding : context.Of(kAwsBalancer, "TargetGroupBinding")) {
    for (const YamlNode& ingress : ItemsAt(binding->root, {"spec", "networking", "ingress"})) {
      const YamlNode* open = nullptr;
      bool has_group = false;
      for (const YamlNode& peer : ItemsAt(ingress, {"from"})) {
        has_group = has_group || FieldAt(peer, {"securityGroup"});
        const Field block = FieldAt(peer, {"ipBlock", "cidr"});
        if (block && (block.value->scalar() == "0.0.0.0/0" || block.value->scalar() == "::/0")) {
          open = block.value;
        }
      }
      if (open == nullptr || !has_group) continue;
      problems.push_back(ProblemAt(*binding, *open,
                                   open->scalar() + " beside a security group lets everybody in"));
    }
  }
  return problems;
}

}  // namespace

Check OpenIngress() {
  return {.name = "open-ingress",
          .severity = Severity::kWarning,
          .title = "a target group binding lets in everybody beside a security group",
          .explanation =
              "The peers of a rule are alternatives: an address block for everybody makes the "
              "security group beside it mean nothing, and pods are reached past the load "
              "balancer.",
          .fix = "Leave out the block, or the group.",
          .source =
              "https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/"
              "targetgroupbinding/spec/",
          .run = &Run};
}

}  // namespace azexporter::audit
