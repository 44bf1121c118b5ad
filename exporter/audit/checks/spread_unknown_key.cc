#include "../checks.h"

#include <algorithm>

#include "../context.h"
#include "azexporter/base/count_text.h"

namespace azexporter::audit {
namespace {

using base::YamlNode;

constexpr std::string_view kKnown[] = {"kubernetes.io/arch",
                                       "kubernetes.io/hostname",
                                       "kubernetes.io/os",
                                       "topology.kubernetes.io/region",
                                       "topology.kubernetes.io/zone",
                                       "node.kubernetes.io/instance-type"};

// Why no node carries the label; "" where one does, or may.
std::string WhyUnknown(const Context& context, std::string_view key) {
  if (context.nodes) {
    const auto count = static_cast<std::int64_t>(context.nodes->views().size());
    if (context.nodes->Values(key) > 0 || count == 0) return "";
    return "none of the cluster's " + base::CountText(count, "node") + " carries it";
  }
  if (key.starts_with("failure-domain.beta.kubernetes.io/")) {
    return "it gave way to topology.kubernetes.io";
  }
  const std::string_view prefix = key.substr(0, key.find('/'));
  const bool reserved = prefix == "kubernetes.io" || prefix == "topology.kubernetes.io" ||
                        prefix == "node.kubernetes.io";
  if (reserved && std::ranges::find(kKnown, key) == std::end(kKnown)) {
    return "Kubernetes knows no such label";
  }
  if (key == "zone" || key == "region" || key == "hostname") {
    return "nodes carry it with a prefix (" + std::string(key == "hostname" ? "" : "topology.") +
           "kubernetes.io/" + std::string(key) + ")";
  }
  return "";
}

std::vector<Problem> Run(const Context& context) {
  std::vector<Problem> problems;
  for (const Object& object : context.manifests.objects()) {
    ForEachEntry(object.root, [&](const YamlNode& key, const YamlNode& value) {
      if (key.scalar() != "topologyKey" || value.kind() != YamlNode::Kind::kScalar) return;
      const std::string why = WhyUnknown(context, value.scalar());
      if (why.empty()) return;
      problems.push_back(
          ProblemAt(object, key, "no node has the label " + value.scalar() + ": " + why));
    });
  }
  return problems;
}

}  // namespace

Check SpreadUnknownKey() {
  return {.name = "spread-unknown-key",
          .severity = Severity::kError,
          .title = "pods are spread over a label that no node has",
          .explanation =
              "The scheduler passes over nodes without the label: with DoNotSchedule the pods stay "
              "pending, with ScheduleAnyway and with anti-affinity nothing is kept apart.",
          .fix = "Use topology.kubernetes.io/zone or kubernetes.io/hostname.",
          .source =
              "https://kubernetes.io/docs/reference/labels-annotations-taints/"
              "#topologykubernetesiozone",
          .run = &Run};
}

}  // namespace azexporter::audit
