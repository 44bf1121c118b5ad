#include "../checks.h"
#include "../context.h"

namespace azexporter::audit {
namespace {

std::vector<Problem> Run(const Context& context) {
  std::vector<Problem> problems;
  for (const Object* rule : context.Of(kIstio, "DestinationRule")) {
    const Field spec = FieldAt(rule->root, {"spec"});
    if (!spec || !TextAt(*spec.value, {"host"}).empty()) continue;
    problems.push_back(ProblemAt(*rule, *spec.key, "no spec.host: it applies to nothing"));
  }
  return problems;
}

}  // namespace

Check IstioHostMissing() {
  return {.name = "istio-host-missing",
          .severity = Severity::kError,
          .title = "a DestinationRule without a host",
          .explanation = "The field is required; Istio refuses the rule.",
          .fix = "Name the Service in spec.host.",
          .source =
              "https://istio.io/latest/docs/reference/config/networking/destination-rule/"
              "#DestinationRule",
          .run = &Run};
}

}  // namespace azexporter::audit
