#pragma once

// Where the endpoints of each Service are, and what its traffic settings make of that: whom its
// clients reach, what stays when a zone goes, which zones a load balancer leaves.
// Semantics: kubernetes.io/docs/concepts/services-networking/endpoint-slices,
// .../service/#traffic-distribution, .../topology-aware-routing and
// kubernetes.io/docs/reference/networking/virtual-ips.
//
// The slices are taken at their word: an endpoint whose node died counts as ready until the control
// plane marks it. Whether slices and nodes are known at all, their ResourceHealth says.
//
// Pure functions. Thread safety: values.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/kube/cluster_state.h"

namespace azexporter::zones {

// What Services are judged against: one for all namespaces of a round.
struct ServiceZones {
  // With a ready node that is not kept for the control plane: where clients and endpoints can be.
  std::set<std::string> zones;
  // With a ready node to which load balancers may send, those labelled
  // node.kubernetes.io/exclude-from-external-load-balancers left out.
  std::set<std::string> target_zones;
  // CPU (millicores) of the ready workers by zone, by which topology-mode: Auto shares endpoints.
  std::map<std::string, std::int64_t> cpu_milli;
  // A ready worker is without zone or CPU: then Auto gives hints to no Service at all.
  bool incomplete = false;
};
ServiceZones ServiceZonesOf(const kube::ClusterState& cluster);

enum class EndpointSource {
  kSelector,  // the control plane lists the selected pods
  kByHand,    // no selector: whoever made the Service writes its slices, or nobody does
  kNone,      // ExternalName: a DNS alias, without endpoints
};
std::string_view EndpointSourceName(EndpointSource source);  // "selector", "by_hand", "none"

// What the Service asks for so that traffic stays close. The annotation topology-mode (before it,
// topology-aware-hints, which wins where both are set) goes before trafficDistribution.
enum class TrafficMode {
  kCluster,   // nothing: any endpoint
  kAuto,      // topology-mode: Auto
  kSameZone,  // PreferSameZone, and PreferClose, its older name
  kSameNode,  // PreferSameNode: then the zone, then all
  kUnknown,   // a value that is not known here; what a server makes of it is not known either
};
std::string_view TrafficModeName(TrafficMode mode);  // "cluster", "auto", "same_zone", ...

// Whether kube-proxy follows zone hints: only where every ready endpoint has one. The first reason
// that holds, in this order.
enum class HintStatus {
  kNotProxied,        // ExternalName or headless: clients go where DNS says, past all hints
  kLocalPolicy,       // asked for, but internalTrafficPolicy: Local goes before hints
  kPresent,           // followed, whoever wrote them
  kNotAsked,          // neither asked for nor on all endpoints
  kNoReadyEndpoints,  // asked for
  kByHand,            // asked for, but the control plane writes none without a selector
  kEndpointUnzoned,   // asked for, but a ready endpoint has no zone
  kNodeIncomplete,    // Auto only: a ready worker has no zone or no CPU
  kOneZone,           // Auto only: ready workers in fewer than two zones
  kTooFewEndpoints,   // Auto only: fewer ready endpoints than zones
  kImbalance,         // Auto only: no sharing by CPU keeps each endpoint below 120 % of its part
  kUnexplained,       // asked for; an older server, a fresh change, or a value it does not know
};
std::string_view HintStatusName(HintStatus status);  // "present", "too_few_endpoints", ...

enum class TargetType {
  kInstance,  // nodes, which pass on to any endpoint unless externalTrafficPolicy is Local
  kIp,        // the endpoints themselves
  kUnknown,   // the API does not tell; judged as kIp, which loses more
};
std::string_view TargetTypeName(TargetType type);

enum class CrossZone { kOff, kOn, kUnknown };
std::string_view CrossZoneName(CrossZone cross_zone);

// An AWS Network Load Balancer as the Service asks for it.
// Semantics: kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/service/nlb and
// .../annotations, cloud-provider-aws.sigs.k8s.io/service_controller,
// docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-cross-zone.html and
// .../target-group-health-checks.html.
struct NetworkLoadBalancer {
  TargetType targets = TargetType::kUnknown;
  // Not written on the Service: the controller's default, unless it was started with another one.
  bool targets_by_default = false;
  CrossZone cross_zone = CrossZone::kOff;
  // Without cross-zone balancing (and where that is not known): zones in which no target can be
  // healthy, which AWS takes out of DNS. Zones in which the load balancer has no subnet are among
  // them; the API does not tell those. Empty where no endpoint is ready anywhere: it then fails
  // open, and no zone answers.
  std::vector<std::string> dropped_zones;

  bool operator==(const NetworkLoadBalancer&) const = default;
};

struct ServiceStatus {
  std::string ns;
  std::string name;
  std::string type;
  bool headless = false;
  EndpointSource source = EndpointSource::kSelector;
  bool expects_endpoints() const { return source == EndpointSource::kSelector; }

  // Ready and not terminating; each once, though a dual-stack Service lists it in each family and a
  // pod may be in several slices: it is ready only where all of them say so. By the pod they stand
  // for; those without one are counted in the family that has most.
  std::int64_t ready = 0;
  // Of those by zone, the endpoint's own, else its node's; "" where neither tells.
  std::map<std::string, std::int64_t, std::less<>> ready_by_zone;
  std::int64_t not_ready = 0;  // neither ready nor terminating
  // On their way out but still answering: what kube-proxy falls back to where none is ready.
  std::int64_t serving_terminating = 0;
  bool on_terminating() const { return ready == 0 && serving_terminating > 0; }
  // In slices of type FQDN, for which Kubernetes defines no meaning. Counted nowhere else.
  std::int64_t fqdn = 0;
  // publishNotReadyAddresses: "ready" then says nothing about the pods.
  bool publish_not_ready = false;

  // Of ServiceZones::zones, those without a ready endpoint. None where endpoints are written by
  // hand and no zone is known of any, as of default/kubernetes, or where there are to be none. Not
  // quite sure where some are ready_unzoned().
  std::vector<std::string> empty_zones;
  // Ready endpoints known to be in other zones: a lower bound, since those without a zone may be
  // anywhere.
  std::int64_t ReadyWithout(const std::string& zone) const;
  std::int64_t ready_unzoned() const;

  TrafficMode mode = TrafficMode::kCluster;
  HintStatus hints = HintStatus::kNotAsked;
  std::int64_t hinted = 0;  // ready endpoints with a zone hint, in each family they are listed in
  // Where hints are followed. All clients of such a zone go to one endpoint, whatever the load; of
  // kSameNode, those on whose node there is none:
  std::vector<std::string> single_endpoint_zones;
  // No hint is for such a zone: its clients go to the endpoints of all zones.
  std::vector<std::string> unhinted_zones;

  // externalTrafficPolicy: Local, of a NodePort or LoadBalancer: nodes without an endpoint drop
  // traffic from outside, hence all nodes of the empty zones do.
  bool external_local = false;
  // internalTrafficPolicy: Local: a pod reaches only endpoints on its own node.
  bool internal_local = false;

  std::optional<NetworkLoadBalancer> nlb;

  bool operator==(const ServiceStatus&) const = default;
};

// The Services of one namespace, sorted by name.
std::vector<ServiceStatus> ServicesOf(const kube::ClusterState& cluster, std::string_view ns,
                                      const ServiceZones& zones);

}  // namespace azexporter::zones
