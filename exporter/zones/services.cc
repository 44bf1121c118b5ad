#include "azexporter/zones/services.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <unordered_map>
#include <utility>

#include "network_load_balancer.h"

namespace azexporter::zones {
namespace {

bool KeptForControlPlane(const kube::Node& node) {
  return std::any_of(node.taints.begin(), node.taints.end(), [](const kube::Taint& taint) {
    return (taint.key == "node-role.kubernetes.io/control-plane" ||
            taint.key == "node-role.kubernetes.io/master") &&
           taint.effect != "PreferNoSchedule";
  });
}

// What the slices together say of one endpoint.
struct MergedEndpoint {
  bool ready = true;
  bool serving = true;
  bool terminating = false;
  bool hinted = true;
  std::string_view zone;
  std::vector<std::string_view> hint_zones;  // each once

  bool is_ready() const { return ready && !terminating; }
};

// The zone its node is in, where a slice does not say: those written by hand need not.
std::string_view ZoneOf(const kube::ClusterState& cluster, const kube::Endpoint& endpoint) {
  if (!endpoint.zone.empty()) return endpoint.zone;
  const kube::Node* node =
      endpoint.node_name.empty() ? nullptr : cluster.FindNode(endpoint.node_name);
  return node == nullptr ? std::string_view() : node->zone();
}

void Merge(const kube::ClusterState& cluster, const kube::Endpoint& endpoint,
           MergedEndpoint& merged) {
  merged.ready = merged.ready && endpoint.ready;
  merged.serving = merged.serving && endpoint.serving;
  merged.terminating = merged.terminating || endpoint.terminating;
  merged.hinted = merged.hinted && !endpoint.hint_zones.empty();
  if (merged.zone.empty()) merged.zone = ZoneOf(cluster, endpoint);
  std::vector<std::string_view>& hints = merged.hint_zones;
  for (const std::string& zone : endpoint.hint_zones) {
    if (std::find(hints.begin(), hints.end(), zone) == hints.end()) hints.push_back(zone);
  }
}

using Slices = std::span<const kube::EndpointSlice* const>;
using Endpoints = std::vector<MergedEndpoint>;

std::int64_t CountReady(const Endpoints& endpoints) {
  return std::count_if(endpoints.begin(), endpoints.end(),
                       [](const MergedEndpoint& endpoint) { return endpoint.is_ready(); });
}

// The family with most ready endpoints, then with most, then the first by name.
const Endpoints* LargestFamily(const std::map<std::string_view, Endpoints>& families) {
  const Endpoints* largest = nullptr;
  for (const auto& [family, endpoints] : families) {
    if (largest == nullptr || std::pair(CountReady(endpoints), endpoints.size()) >
                                  std::pair(CountReady(*largest), largest->size())) {
      largest = &endpoints;
    }
  }
  return largest;
}

// Adds them to `all`, which is empty. Mostly they come in order, and each pod once.
void MergeByPod(const kube::ClusterState& cluster, std::vector<const kube::Endpoint*>& endpoints,
                Endpoints& all) {
  const kube::Endpoint* last = nullptr;
  for (const kube::Endpoint* endpoint : endpoints) {
    const int order = last == nullptr ? -1 : last->target_pod.compare(endpoint->target_pod);
    if (order > 0) {
      std::stable_sort(endpoints.begin(), endpoints.end(),
                       [](const auto* a, const auto* b) { return a->target_pod < b->target_pod; });
      all.clear();
      return MergeByPod(cluster, endpoints, all);
    }
    if (order < 0) all.emplace_back();
    Merge(cluster, *endpoint, all.back());
    last = endpoint;
  }
}

// Reads the endpoints of one Service after another, in the same room.
class EndpointReader {
 public:
  explicit EndpointReader(const kube::ClusterState& cluster) : cluster_(cluster) {}

  // Each endpoint of the slices once, until the next call; `fqdn` counts those that are names.
  const Endpoints& Read(Slices slices, std::int64_t& fqdn) {
    of_pods_.clear();
    all_.clear();
    std::map<std::string_view, Endpoints> others;  // by family
    for (const kube::EndpointSlice* slice : slices) {
      if (slice->address_type == "FQDN") {
        fqdn += static_cast<std::int64_t>(slice->endpoints.size());
        continue;
      }
      for (const kube::Endpoint& endpoint : slice->endpoints) {
        if (endpoint.target_pod.empty()) {
          Merge(cluster_, endpoint, others[slice->address_type].emplace_back());
        } else {
          of_pods_.push_back(&endpoint);
        }
      }
    }
    MergeByPod(cluster_, of_pods_, all_);
    if (const Endpoints* largest = LargestFamily(others)) {
      all_.insert(all_.end(), largest->begin(), largest->end());
    }
    return all_;
  }

 private:
  const kube::ClusterState& cluster_;
  std::vector<const kube::Endpoint*> of_pods_;
  Endpoints all_;
};

void CountEndpoints(const Endpoints& endpoints, ServiceStatus& status) {
  std::vector<std::pair<std::string_view, std::int64_t>> ready_by_zone;  // few, in no order
  for (const MergedEndpoint& endpoint : endpoints) {
    if (endpoint.is_ready()) {
      ++status.ready;
      auto there = std::find_if(ready_by_zone.begin(), ready_by_zone.end(),
                                [&](const auto& zone) { return zone.first == endpoint.zone; });
      if (there == ready_by_zone.end()) {
        there = ready_by_zone.insert(there, {endpoint.zone, 0});
      }
      ++there->second;
      status.hinted += endpoint.hinted ? 1 : 0;
    } else if (!endpoint.terminating) {
      ++status.not_ready;
    } else if (endpoint.serving) {
      ++status.serving_terminating;
    }
  }
  status.ready_by_zone.insert(ready_by_zone.begin(), ready_by_zone.end());
}

bool IsAuto(std::string_view mode) { return mode == "Auto" || mode == "auto"; }
bool IsOff(std::string_view mode) {
  return mode.empty() || mode == "Disabled" || mode == "disabled";
}

TrafficMode ModeOf(const kube::Service& service) {
  const std::string* annotation =
      kube::Find(service.meta.annotations, "service.kubernetes.io/topology-aware-hints");
  if (annotation == nullptr) {
    annotation = kube::Find(service.meta.annotations, "service.kubernetes.io/topology-mode");
  }
  if (annotation != nullptr && IsAuto(*annotation)) return TrafficMode::kAuto;
  const std::string& distribution = service.traffic_distribution;
  if (distribution == "PreferClose" || distribution == "PreferSameZone") {
    return TrafficMode::kSameZone;
  }
  if (distribution == "PreferSameNode") return TrafficMode::kSameNode;
  const bool other = annotation != nullptr && !IsOff(*annotation);
  return distribution.empty() && !other ? TrafficMode::kCluster : TrafficMode::kUnknown;
}

// Each zone is to get at least ready * (its part of the CPU) / 1.2 endpoints, rounded up: more of
// them than there are cannot be had.
// Semantics: kubernetes.io/docs/concepts/services-networking/topology-aware-routing#safeguards and
// staging/src/k8s.io/endpointslice/topologycache, in its floating-point numbers.
bool Imbalanced(std::int64_t ready, const std::map<std::string, std::int64_t>& cpu_milli) {
  constexpr double kOverload = 0.2;
  double total = 0;
  for (const auto& [zone, cpu] : cpu_milli) total += static_cast<double>(cpu);
  double wanted = 0;
  for (const auto& [zone, cpu] : cpu_milli) {
    const double part = static_cast<double>(cpu) / total * static_cast<double>(ready);
    wanted += std::ceil(part * (1 / (1 + kOverload)));
  }
  return wanted > static_cast<double>(ready);
}

HintStatus HintsOf(const ServiceStatus& status, const ServiceZones& zones) {
  if (status.source == EndpointSource::kNone || status.headless) return HintStatus::kNotProxied;
  const bool asked = status.mode != TrafficMode::kCluster;
  if (asked && status.internal_local) return HintStatus::kLocalPolicy;
  if (status.ready > 0 && status.hinted == status.ready) return HintStatus::kPresent;
  if (!asked) return HintStatus::kNotAsked;
  if (status.ready == 0) return HintStatus::kNoReadyEndpoints;
  if (status.source == EndpointSource::kByHand) return HintStatus::kByHand;
  if (status.ready_unzoned() > 0) return HintStatus::kEndpointUnzoned;
  if (status.mode != TrafficMode::kAuto) return HintStatus::kUnexplained;
  if (zones.incomplete) return HintStatus::kNodeIncomplete;
  const auto zone_count = static_cast<std::int64_t>(zones.cpu_milli.size());
  if (zone_count < 2) return HintStatus::kOneZone;
  if (status.ready < zone_count) return HintStatus::kTooFewEndpoints;
  if (Imbalanced(status.ready, zones.cpu_milli)) return HintStatus::kImbalance;
  return HintStatus::kUnexplained;
}

// Whom the clients of each zone reach where hints are followed.
void AddHintedZones(const Endpoints& endpoints, const ServiceZones& zones, ServiceStatus& status) {
  if (status.hints != HintStatus::kPresent) return;
  std::unordered_map<std::string_view, int> hinted;
  for (const MergedEndpoint& endpoint : endpoints) {
    if (!endpoint.is_ready()) continue;
    for (const std::string_view zone : endpoint.hint_zones) ++hinted[zone];
  }
  for (const std::string& zone : zones.zones) {
    const auto found = hinted.find(zone);
    if (found == hinted.end()) status.unhinted_zones.push_back(zone);
    if (found != hinted.end() && found->second == 1) status.single_endpoint_zones.push_back(zone);
  }
}

EndpointSource SourceOf(const kube::Service& service) {
  if (service.type == "ExternalName") return EndpointSource::kNone;
  return service.selector.empty() ? EndpointSource::kByHand : EndpointSource::kSelector;
}

ServiceStatus StatusOf(const kube::Service& service, Slices slices, const ServiceZones& zones,
                       EndpointReader& reader) {
  ServiceStatus status;
  status.ns = service.meta.ns;
  status.name = service.meta.name;
  status.type = service.type;
  status.headless = service.headless;
  status.source = SourceOf(service);
  status.publish_not_ready = service.publish_not_ready;
  status.external_local = service.external_traffic_policy == "Local" &&
                          (service.type == "NodePort" || service.type == "LoadBalancer");
  status.internal_local =
      service.internal_traffic_policy == "Local" && status.source != EndpointSource::kNone;
  const Endpoints& endpoints = reader.Read(slices, status.fqdn);
  CountEndpoints(endpoints, status);
  const bool zonal = status.expects_endpoints() || status.ready > status.ready_unzoned();
  for (const std::string& zone : zones.zones) {
    if (zonal && !status.ready_by_zone.contains(zone)) status.empty_zones.push_back(zone);
  }
  status.mode = ModeOf(service);
  status.hints = HintsOf(status, zones);
  AddHintedZones(endpoints, zones, status);
  status.nlb = NetworkLoadBalancerOf(service);
  if (status.nlb) AddDroppedZones(zones, status);
  return status;
}

}  // namespace

std::int64_t ServiceStatus::ReadyWithout(const std::string& zone) const {
  const auto found = ready_by_zone.find(zone);
  const std::int64_t lost = zone.empty() || found == ready_by_zone.end() ? 0 : found->second;
  return ready - lost - ready_unzoned();
}

std::int64_t ServiceStatus::ready_unzoned() const {
  const auto found = ready_by_zone.find("");
  return found == ready_by_zone.end() ? 0 : found->second;
}

ServiceZones ServiceZonesOf(const kube::ClusterState& cluster) {
  ServiceZones zones;
  for (const auto& node : cluster.nodes()) {
    if (node->ready() != kube::ConditionStatus::kTrue) continue;
    const std::string zone(node->zone());
    const std::int64_t cpu = node->allocatable.cpu_milli;
    if (!node->control_plane()) {
      if (zone.empty() || cpu <= 0) zones.incomplete = true;
      if (!zone.empty()) zones.cpu_milli[zone] += cpu;
    }
    if (zone.empty()) continue;
    if (!KeptForControlPlane(*node)) zones.zones.insert(zone);
    if (kube::Find(node->meta.labels, "node.kubernetes.io/exclude-from-external-load-balancers") ==
        nullptr) {
      zones.target_zones.insert(zone);
    }
  }
  return zones;
}

std::vector<ServiceStatus> ServicesOf(const kube::ClusterState& cluster, std::string_view ns,
                                      const ServiceZones& zones) {
  std::vector<const kube::EndpointSlice*> slices;
  for (const auto& slice : cluster.SlicesIn(ns)) slices.push_back(slice.get());
  std::stable_sort(slices.begin(), slices.end(),
                   [](const auto* a, const auto* b) { return a->service < b->service; });
  EndpointReader reader(cluster);
  const auto services = cluster.ServicesIn(ns);
  std::vector<ServiceStatus> all;
  all.reserve(services.size());
  auto at = slices.begin();
  for (const auto& service : services) {
    const std::string& name = service->meta.name;
    const auto first =
        std::find_if(at, slices.end(), [&](const auto* slice) { return slice->service >= name; });
    at = std::find_if(first, slices.end(),
                      [&](const auto* slice) { return slice->service != name; });
    all.push_back(StatusOf(*service, {first, at}, zones, reader));
  }
  return all;
}

std::string_view EndpointSourceName(EndpointSource source) {
  switch (source) {
    case EndpointSource::kSelector:
      return "selector";
    case EndpointSource::kByHand:
      return "by_hand";
    case EndpointSource::kNone:
      return "none";
  }
  return "none";
}

std::string_view TrafficModeName(TrafficMode mode) {
  switch (mode) {
    case TrafficMode::kCluster:
      return "cluster";
    case TrafficMode::kAuto:
      return "auto";
    case TrafficMode::kSameZone:
      return "same_zone";
    case TrafficMode::kSameNode:
      return "same_node";
    case TrafficMode::kUnknown:
      return "unknown";
  }
  return "unknown";
}

std::string_view HintStatusName(HintStatus status) {
  switch (status) {
    case HintStatus::kNotProxied:
      return "not_proxied";
    case HintStatus::kLocalPolicy:
      return "local_policy";
    case HintStatus::kPresent:
      return "present";
    case HintStatus::kNotAsked:
      return "not_asked";
    case HintStatus::kNoReadyEndpoints:
      return "no_ready_endpoints";
    case HintStatus::kByHand:
      return "by_hand";
    case HintStatus::kEndpointUnzoned:
      return "endpoint_unzoned";
    case HintStatus::kNodeIncomplete:
      return "node_incomplete";
    case HintStatus::kOneZone:
      return "one_zone";
    case HintStatus::kTooFewEndpoints:
      return "too_few_endpoints";
    case HintStatus::kImbalance:
      return "imbalance";
    case HintStatus::kUnexplained:
      return "unexplained";
  }
  return "unexplained";
}

}  // namespace azexporter::zones
