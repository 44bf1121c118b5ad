#include "network_load_balancer.h"
#include "azexporter/base/text.h"

#include <string>
#include <string_view>

namespace azexporter::zones {
namespace {

constexpr std::string_view kBlanks = " \t\n";
constexpr std::string_view kCrossZoneKey = "load_balancing.cross_zone.enabled";

// The annotation service.beta.kubernetes.io/aws-load-balancer-NAME; nullptr where it is absent.
const std::string* Annotation(const kube::Service& service, std::string_view name) {
  const std::string key = "service.beta.kubernetes.io/aws-load-balancer-" + std::string(name);
  return kube::Find(service.meta.annotations, key);
}

std::string_view Text(const std::string* annotation) {
  return annotation == nullptr ? std::string_view() : std::string_view(*annotation);
}

CrossZone CrossZoneIn(std::string_view value) {
  if (value == "true") return CrossZone::kOn;
  return value == "false" ? CrossZone::kOff : CrossZone::kUnknown;
}

// What "k1=v1,k2=v2" says about cross-zone balancing; absent where it is silent. A list that is
// malformed is refused as a whole by the controller, and what it had set before stays.
std::optional<CrossZone> CrossZoneOf(std::string_view attributes) {
  std::optional<CrossZone> result;
  while (!attributes.empty()) {
    const std::size_t comma = attributes.find(',');
    const std::string_view entry = base::Trim(attributes.substr(0, comma), kBlanks);
    attributes.remove_prefix(comma == std::string_view::npos ? attributes.size() : comma + 1);
    if (entry.empty()) continue;
    const std::size_t equals = entry.find('=');
    if (equals == std::string_view::npos) return CrossZone::kUnknown;
    if (base::Trim(entry.substr(0, equals), kBlanks) != kCrossZoneKey) continue;
    const std::string_view value = base::Trim(entry.substr(equals + 1), kBlanks);
    // Of target groups: as if it were not written.
    if (value != "use_load_balancer_configuration") result = CrossZoneIn(value);
  }
  return result;
}

// Which controller makes the load balancer: they read different annotations.
enum class Maker { kNone, kCloudProvider, kLoadBalancerController };

Maker MakerOf(const kube::Service& service) {
  if (!service.load_balancer_class.empty()) {
    // eks.amazonaws.com/nlb: EKS Auto Mode, docs.aws.amazon.com/eks/latest/userguide/
    // auto-configure-nlb.html. With any other class the annotations are nobody's.
    const bool nlb = service.load_balancer_class == "service.k8s.aws/nlb" ||
                     service.load_balancer_class == "eks.amazonaws.com/nlb";
    return nlb && service.type == "LoadBalancer" ? Maker::kLoadBalancerController : Maker::kNone;
  }
  const std::string_view type = Text(Annotation(service, "type"));
  if (type == "nlb") {
    return service.type == "LoadBalancer" ? Maker::kCloudProvider : Maker::kNone;
  }
  const bool exposed = service.type == "LoadBalancer" || service.type == "NodePort";
  return exposed && (type == "external" || type == "nlb-ip") ? Maker::kLoadBalancerController
                                                             : Maker::kNone;
}

void ReadTargets(const kube::Service& service, Maker maker, NetworkLoadBalancer& nlb) {
  nlb.targets = TargetType::kInstance;
  if (maker == Maker::kCloudProvider) return;  // it knows no other
  const std::string_view written = Text(Annotation(service, "nlb-target-type"));
  if (written == "ip" || Text(Annotation(service, "type")) == "nlb-ip") {
    nlb.targets = TargetType::kIp;
  } else if (written != "instance") {
    nlb.targets_by_default =
        written.empty() && service.load_balancer_class == "service.k8s.aws/nlb";
    // `external` without a target type is taken by no controller; what EKS Auto Mode has for
    // default is not known here.
    if (!nlb.targets_by_default) nlb.targets = TargetType::kUnknown;
  }
}

// The target groups' own setting goes first, then the deprecated annotation, then the attributes.
CrossZone CrossZoneOf(const kube::Service& service, Maker maker) {
  const std::string* deprecated = Annotation(service, "cross-zone-load-balancing-enabled");
  const bool controller = maker == Maker::kLoadBalancerController;
  if (controller) {
    const auto of_groups = CrossZoneOf(Text(Annotation(service, "target-group-attributes")));
    if (of_groups) return *of_groups;
  }
  if (deprecated != nullptr) return CrossZoneIn(*deprecated);
  if (!controller) return CrossZone::kOff;
  return CrossZoneOf(Text(Annotation(service, "attributes"))).value_or(CrossZone::kOff);
}

}  // namespace

std::optional<NetworkLoadBalancer> NetworkLoadBalancerOf(const kube::Service& service) {
  const Maker maker = MakerOf(service);
  if (maker == Maker::kNone) return std::nullopt;
  NetworkLoadBalancer nlb;
  ReadTargets(service, maker, nlb);
  nlb.cross_zone = CrossZoneOf(service, maker);
  return nlb;
}

void AddDroppedZones(const ServiceZones& zones, ServiceStatus& status) {
  NetworkLoadBalancer& nlb = *status.nlb;
  if (nlb.cross_zone == CrossZone::kOn || status.ready == 0) return;
  const bool any_node = nlb.targets == TargetType::kInstance && !status.external_local;
  for (const std::string& zone : zones.zones) {
    const bool answers =
        any_node ? zones.target_zones.contains(zone) : status.ready_by_zone.contains(zone);
    if (!answers) nlb.dropped_zones.push_back(zone);
  }
}

std::string_view TargetTypeName(TargetType type) {
  switch (type) {
    case TargetType::kInstance:
      return "instance";
    case TargetType::kIp:
      return "ip";
    case TargetType::kUnknown:
      return "unknown";
  }
  return "unknown";
}

std::string_view CrossZoneName(CrossZone cross_zone) {
  switch (cross_zone) {
    case CrossZone::kOff:
      return "off";
    case CrossZone::kOn:
      return "on";
    case CrossZone::kUnknown:
      return "unknown";
  }
  return "unknown";
}

}  // namespace azexporter::zones
