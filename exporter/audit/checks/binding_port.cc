#include "../checks.h"
#include "../context.h"

namespace azexporter::audit {
namespace {

using base::YamlNode;

bool HasPort(const Object& service, const std::string& wanted) {
  for (const YamlNode& port : ItemsAt(service.root, {"spec", "ports"})) {
    if (TextAt(port, {"port"}) == wanted || TextAt(port, {"name"}) == wanted) return true;
  }
  return false;
}

std::vector<Problem> Run(const Context& context) {
  std::vector<Problem> problems;
  for (const Object* binding : context.Of(kAwsBalancer, "TargetGroupBinding")) {
    const Field port = FieldAt(binding->root, {"spec", "serviceRef", "port"});
    const std::string name = TextAt(binding->root, {"spec", "serviceRef", "name"});
    if (!port) continue;
    const Object* service = context.manifests.Find(kCore, "Service", binding->ns, name);
    if (service == nullptr || HasPort(*service, port.value->scalar())) continue;
    problems.push_back(ProblemAt(
        *binding, *port.key,
        "Service " + name + PlaceText(service->root) + " has no port " + port.value->scalar()));
  }
  return problems;
}

}  // namespace

Check BindingPort() {
  return {.name = "binding-port",
          .severity = Severity::kError,
          .title = "a target group binding names a port that its Service does not have",
          .explanation =
              "serviceRef.port is a port of the Service, not of the pods. With another one no "
              "target is ever registered.",
          .fix = "Name the Service's port.",
          .source =
              "https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/"
              "targetgroupbinding/spec/",
          .run = &Run};
}

}  // namespace azexporter::audit
