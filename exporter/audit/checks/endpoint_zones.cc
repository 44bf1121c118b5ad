#include "../checks.h"
#include "../context.h"

namespace azexporter::audit {
namespace {

std::vector<Problem> Run(const Context& context) {
  std::vector<Problem> problems;
  for (const Object* slice : context.Of("discovery.k8s.io", "EndpointSlice")) {
    // The API servers' own addresses, by the servers themselves, which know no zones.
    if (slice->ns == "default" && slice->name == "kubernetes") continue;
    for (const base::YamlNode& endpoint : ItemsAt(slice->root, {"endpoints"})) {
      if (!TextAt(endpoint, {"zone"}).empty()) continue;
      const std::string node = TextAt(endpoint, {"nodeName"});
      const auto& addresses = ItemsAt(endpoint, {"addresses"});
      problems.push_back(
          ProblemAt(*slice, endpoint,
                    "endpoint " + (addresses.empty() ? "" : addresses.front().scalar() + " ") +
                        (node.empty() ? "" : "on node " + node + " ") + "has no zone"));
    }
  }
  return problems;
}

}  // namespace

Check EndpointZones() {
  return {
      .name = "endpoint-zones",
      .severity = Severity::kWarning,
      .title = "an endpoint without a zone",
      .explanation =
          "One endpoint whose zone is not known is enough for the hints of the whole Service to "
          "be left out, and nobody can tell what the loss of a zone would leave.",
      .fix = "Give each endpoint its zone, or its node the label topology.kubernetes.io/zone.",
      .source =
          "https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/"
          "#topology",
      .run = &Run};
}

}  // namespace azexporter::audit
