#include "azexporter/zones/services.h"

#include <gtest/gtest.h>

#include "cluster_parts.h"
#include "support/add_label.h"

namespace azexporter::zones {
namespace {

using test::ClusterParts;

kube::Node& ReadyNode(ClusterParts& parts, const std::string& name, const std::string& zone,
                      std::int64_t cpu_milli = 4000) {
  kube::Node& node = parts.ZoneNode(name, zone);
  node.conditions.push_back({"Ready", kube::ConditionStatus::kTrue});
  node.allocatable.cpu_milli = cpu_milli;
  return node;
}

// Zones a, b and c with a ready node each, and the Service "web".
ClusterParts ThreeZones() {
  ClusterParts parts;
  for (const char* zone : {"a", "b", "c"}) ReadyNode(parts, std::string(zone) + "1", zone);
  auto& service = ClusterParts::Named(parts.services, "web");
  service.type = "ClusterIP";
  service.selector = {{"app", "web"}};
  return parts;
}

kube::Endpoint Endpoint(const std::string& pod, const std::string& zone) {
  kube::Endpoint endpoint;
  endpoint.target_pod = pod;
  endpoint.zone = zone;
  return endpoint;
}
kube::Endpoint Hinted(const std::string& pod, const std::string& zone, const std::string& hint) {
  kube::Endpoint endpoint = Endpoint(pod, zone);
  endpoint.hint_zones = {hint};
  return endpoint;
}
kube::Endpoint NotReady(kube::Endpoint endpoint) {
  endpoint.ready = false;
  endpoint.serving = false;
  return endpoint;
}
kube::Endpoint Leaving(kube::Endpoint endpoint) {
  endpoint.ready = false;
  endpoint.terminating = true;
  return endpoint;
}

kube::EndpointSlice& Slice(ClusterParts& parts, std::vector<kube::Endpoint> endpoints,
                           const std::string& family = "IPv4") {
  auto& slice = ClusterParts::Named(parts.endpoint_slices,
                                    "s" + std::to_string(parts.endpoint_slices.size()));
  slice.service = "web";
  slice.address_type = family;
  slice.endpoints = std::move(endpoints);
  return slice;
}
// One ready endpoint in each of the zones.
void Spread(ClusterParts& parts, std::initializer_list<const char*> zones) {
  std::vector<kube::Endpoint> endpoints;
  for (const char* zone : zones) {
    endpoints.push_back(Endpoint("p" + std::to_string(endpoints.size()), zone));
  }
  Slice(parts, std::move(endpoints));
}

std::vector<ServiceStatus> AllIn(const ClusterParts& parts) {
  const kube::ClusterState cluster = parts.Build();
  return ServicesOf(cluster, "shop", ServiceZonesOf(cluster));
}
ServiceStatus Web(const ClusterParts& parts) { return AllIn(parts).at(0); }

std::string Joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ",") + name;
  return text;
}
// "3: ?=1 a=2; empty b,c"; "?" are those without a zone.
std::string Text(const ServiceStatus& status) {
  std::string text = std::to_string(status.ready) + ":";
  for (const auto& [zone, count] : status.ready_by_zone) {
    text += " " + (zone.empty() ? "?" : zone) + "=" + std::to_string(count);
  }
  return text + "; empty " + Joined(status.empty_zones);
}

TEST(ServicesTest, FindsTheSlicesOfEachWhateverTheyAreCalled) {
  ClusterParts parts = ThreeZones();
  ClusterParts::Named(parts.services, "api");
  ClusterParts::Named(parts.services, "mail");
  Slice(parts, {Endpoint("p1", "a"), Endpoint("p2", "b")});
  Slice(parts, {Endpoint("q1", "a")}).service = "api";
  Slice(parts, {Endpoint("r1", "a")}).service = "gone";
  Slice(parts, {Endpoint("s1", "a")}).service = "";
  Slice(parts, {Endpoint("p0", "c"), Endpoint("p1", "a")});
  const std::vector<ServiceStatus> all = AllIn(parts);
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].ready, 1);  // api
  EXPECT_EQ(all[1].ready, 0);  // mail
  EXPECT_EQ(all[2].ready, 3);  // web
  EXPECT_EQ(all[2].ready_by_zone.size(), 3u);
}

TEST(ServicesTest, CountsReadyEndpointsByZone) {
  ClusterParts parts = ThreeZones();
  kube::Endpoint by_node = Endpoint("p3", "");
  by_node.node_name = "b1";
  kube::Endpoint nowhere = Endpoint("p4", "");
  nowhere.node_name = "gone";
  Slice(parts, {Endpoint("p1", "a"), Endpoint("p2", "a"), by_node});
  Slice(parts, {nowhere, NotReady(Endpoint("p5", "c")), Leaving(Endpoint("p6", "c")),
                Leaving(NotReady(Endpoint("p7", "c")))});
  Slice(parts, {Endpoint("p8", "c")}).service = "other";
  Slice(parts, {Endpoint("p9", "c")}).meta.ns = "bank";
  const ServiceStatus web = Web(parts);
  EXPECT_EQ(Text(web), "4: ?=1 a=2 b=1; empty c");
  EXPECT_EQ(web.ready_unzoned(), 1);
  EXPECT_EQ(web.not_ready, 1);
  EXPECT_EQ(web.serving_terminating, 1) << "p7 no longer answers";
  EXPECT_FALSE(web.on_terminating());
  // The one without a zone may be in the zone that goes.
  EXPECT_EQ(web.ReadyWithout("a"), 1);
  EXPECT_EQ(web.ReadyWithout("b"), 2);
  EXPECT_EQ(web.ReadyWithout("c"), 3);
  EXPECT_EQ(web.ReadyWithout(""), 3);
}

TEST(ServicesTest, CountsAnEndpointOnce) {
  using Slices = std::vector<std::pair<std::string, std::vector<kube::Endpoint>>>;
  struct Case {
    const char* name;
    Slices slices;
    const char* want;
    std::int64_t fqdn = 0;
  };
  const kube::Endpoint a = Endpoint("p1", "a"), b = Endpoint("p2", "b");
  const kube::Endpoint hand_a = Endpoint("", "a"), hand_b = Endpoint("", "b");
  const Case cases[] = {
      {"no slices", {}, "0:; empty a,b,c"},
      {"an empty slice", {{"IPv4", {}}}, "0:; empty a,b,c"},
      {"dual-stack", {{"IPv4", {a, b}}, {"IPv6", {a, b}}}, "2: a=1 b=1; empty c"},
      {"one pod has one family only", {{"IPv4", {a}}, {"IPv6", {a, b}}}, "2: a=1 b=1; empty c"},
      {"a pod in two slices of a family", {{"IPv4", {a}}, {"IPv4", {a}}}, "1: a=1; empty b,c"},
      {"slices that contradict", {{"IPv4", {a}}, {"IPv6", {NotReady(a)}}}, "0:; empty a,b,c"},
      {"a zone in one of them only",
       {{"IPv4", {Endpoint("p1", "")}}, {"IPv6", {a}}},
       "1: a=1; empty b,c"},
      {"by hand, dual-stack", {{"IPv4", {hand_a}}, {"IPv6", {hand_a}}}, "1: a=1; empty b,c"},
      {"by hand, the larger family",
       {{"IPv4", {hand_a}}, {"IPv6", {hand_a, hand_b}}},
       "2: a=1 b=1; empty c"},
      {"by hand, the family that is ready",
       {{"IPv4", {NotReady(hand_a), NotReady(hand_b)}}, {"IPv6", {hand_b}}},
       "1: b=1; empty a,c"},
      {"by hand beside pods", {{"IPv4", {a, hand_a}}, {"IPv6", {a}}}, "2: a=2; empty b,c"},
      {"names", {{"FQDN", {hand_a, hand_b}}}, "0:; empty a,b,c", 2},
  };
  for (const Case& c : cases) {
    ClusterParts parts = ThreeZones();
    for (const auto& [family, endpoints] : c.slices) Slice(parts, endpoints, family);
    EXPECT_EQ(Text(Web(parts)), c.want) << c.name;
    EXPECT_EQ(Web(parts).fqdn, c.fqdn) << c.name;
  }
}

TEST(ServicesTest, FallsBackToTerminatingEndpointsOnlyWhereNoneIsReady) {
  ClusterParts parts = ThreeZones();
  Slice(parts, {Leaving(Endpoint("p1", "a")), NotReady(Endpoint("p2", "b"))});
  EXPECT_TRUE(Web(parts).on_terminating());
  EXPECT_EQ(Text(Web(parts)), "0:; empty a,b,c");
  // With publishNotReadyAddresses the slices say ready of whatever there is.
  kube::Endpoint published = Leaving(Endpoint("p3", "c"));
  published.ready = true;
  Slice(parts, {published});
  parts.services[0].publish_not_ready = true;
  EXPECT_TRUE(Web(parts).publish_not_ready);
  EXPECT_EQ(Web(parts).serving_terminating, 2);
  EXPECT_TRUE(Web(parts).on_terminating()) << "it is on its way out";
}

TEST(ServicesTest, KnowsWhetherThereAreToBeEndpoints) {
  struct Case {
    const char* name;
    const char* type;
    bool selector, headless;
    std::vector<kube::Endpoint> endpoints;
    const char *source, *want;
    bool expects;
  };
  const kube::Endpoint a = Endpoint("", "a"), unzoned = Endpoint("", "");
  const Case cases[] = {
      {"a selector", "ClusterIP", true, false, {}, "selector", "0:; empty a,b,c", true},
      {"headless", "ClusterIP", true, true, {a}, "selector", "1: a=1; empty b,c", true},
      {"no selector", "ClusterIP", false, false, {}, "by_hand", "0:; empty ", false},
      {"as default/kubernetes",
       "ClusterIP",
       false,
       false,
       {unzoned},
       "by_hand",
       "1: ?=1; empty ",
       false},
      {"by hand in zones", "ClusterIP", false, false, {a}, "by_hand", "1: a=1; empty b,c", false},
      {"an alias", "ExternalName", false, false, {}, "none", "0:; empty ", false},
      {"an alias that had been more", "ExternalName", true, false, {}, "none", "0:; empty ", false},
  };
  for (const Case& c : cases) {
    ClusterParts parts = ThreeZones();
    parts.services[0].type = c.type;
    parts.services[0].headless = c.headless;
    if (!c.selector) parts.services[0].selector.clear();
    Slice(parts, c.endpoints);
    const ServiceStatus web = Web(parts);
    EXPECT_EQ(EndpointSourceName(web.source), c.source) << c.name;
    EXPECT_EQ(web.expects_endpoints(), c.expects) << c.name;
    EXPECT_EQ(Text(web), c.want) << c.name;
    EXPECT_EQ(web.hints == HintStatus::kNotProxied,
              c.headless || std::string_view(c.type) == "ExternalName")
        << c.name;
  }
}

TEST(ServicesTest, ReadsWhatIsAskedOfTraffic) {
  constexpr char kMode[] = "service.kubernetes.io/topology-mode";
  constexpr char kOld[] = "service.kubernetes.io/topology-aware-hints";
  struct Case {
    kube::StringMap annotations;
    const char *distribution, *want;
  };
  const Case cases[] = {
      {{}, "", "cluster"},
      {{}, "PreferClose", "same_zone"},
      {{}, "PreferSameZone", "same_zone"},
      {{}, "PreferSameNode", "same_node"},
      {{}, "preferclose", "unknown"},
      {{}, "example.com/nearby", "unknown"},
      {{{kMode, "Auto"}}, "", "auto"},
      {{{kMode, "auto"}}, "PreferClose", "auto"},
      {{{kMode, "AUTO"}}, "", "unknown"},
      {{{kMode, "Disabled"}}, "", "cluster"},
      {{{kMode, ""}}, "", "cluster"},
      {{{kMode, "Disabled"}}, "PreferClose", "same_zone"},
      {{{kMode, "example.com/x"}}, "PreferClose", "same_zone"},
      {{{kOld, "auto"}}, "", "auto"},
      {{{kOld, "Disabled"}, {kMode, "Auto"}}, "", "cluster"},
      {{{kOld, "Auto"}, {kMode, "Disabled"}}, "", "auto"},
  };
  for (const Case& c : cases) {
    ClusterParts parts = ThreeZones();
    parts.services[0].meta.annotations = c.annotations;
    parts.services[0].traffic_distribution = c.distribution;
    EXPECT_EQ(TrafficModeName(Web(parts).mode), c.want)
        << (c.annotations.empty() ? "" : c.annotations[0].second) << " " << c.distribution;
  }
}

TEST(ServicesTest, SaysWhyHintsAreNotFollowed) {
  struct Case {
    const char* name;
    const char* distribution;  // "Auto": by annotation
    std::vector<kube::Endpoint> endpoints;
    void (*change)(ClusterParts& parts);
    const char* want;
  };
  const auto as_is = [](ClusterParts&) {};
  const kube::Endpoint a = Hinted("p1", "a", "a"), b = Hinted("p2", "b", "b");
  const kube::Endpoint bare_a = Endpoint("p1", "a"), bare_b = Endpoint("p2", "b");
  const kube::Endpoint bare_c = Endpoint("p3", "c"), nowhere = Endpoint("p4", "");
  const Case cases[] = {
      {"not asked", "", {bare_a, bare_b}, as_is, "not_asked"},
      {"not asked, on one only", "", {a, bare_b}, as_is, "not_asked"},
      {"not asked, yet on all", "", {a, b}, as_is, "present"},
      {"on all", "PreferClose", {a, b}, as_is, "present"},
      {"those not ready need none", "PreferClose", {a, NotReady(bare_b)}, as_is, "present"},
      {"not on all", "PreferClose", {a, bare_b}, as_is, "unexplained"},
      {"none ready", "PreferClose", {NotReady(a)}, as_is, "no_ready_endpoints"},
      {"none at all", "Auto", {}, as_is, "no_ready_endpoints"},
      {"one without zone", "PreferClose", {a, nowhere}, as_is, "endpoint_unzoned"},
      {"a value nobody knows", "Prefer", {bare_a}, as_is, "unexplained"},
      {"by hand",
       "PreferClose",
       {bare_a},
       [](ClusterParts& parts) { parts.services[0].selector.clear(); },
       "by_hand"},
      {"local",
       "PreferClose",
       {a, b},
       [](ClusterParts& parts) { parts.services[0].internal_traffic_policy = "Local"; },
       "local_policy"},
      {"local, not asked",
       "",
       {bare_a},
       [](ClusterParts& parts) { parts.services[0].internal_traffic_policy = "Local"; },
       "not_asked"},
      {"local from outside only",
       "PreferClose",
       {a, b},
       [](ClusterParts& parts) {
         parts.services[0].type = "NodePort";
         parts.services[0].external_traffic_policy = "Local";
       },
       "present"},
      {"Auto, two for three zones", "Auto", {bare_a, bare_b}, as_is, "too_few_endpoints"},
      {"Auto, one a zone", "Auto", {bare_a, bare_b, bare_c}, as_is, "unexplained"},
      {"Auto, one without zone", "Auto", {bare_a, bare_b, nowhere}, as_is, "endpoint_unzoned"},
      {"Auto, a node without zone",
       "Auto",
       {bare_a, bare_b, bare_c},
       [](ClusterParts& parts) { ReadyNode(parts, "x", ""); },
       "node_incomplete"},
      {"Auto, a node without CPU",
       "Auto",
       {bare_a, bare_b, bare_c},
       [](ClusterParts& parts) { ReadyNode(parts, "x", "a", 0); },
       "node_incomplete"},
      {"Auto, nodes in one zone",
       "Auto",
       {bare_a},
       [](ClusterParts& parts) { parts.nodes.resize(1); },
       "one_zone"},
      // Of 3 endpoints a is due 3 * 10/18 / 1.2 = 1.4, hence 2, b and c one each: 4.
      {"Auto, most CPU in one zone",
       "Auto",
       {bare_a, bare_b, bare_c},
       [](ClusterParts& parts) { parts.nodes[0].allocatable.cpu_milli = 10000; },
       "imbalance"},
  };
  for (const Case& c : cases) {
    ClusterParts parts = ThreeZones();
    if (std::string_view(c.distribution) == "Auto") {
      parts.services[0].meta.annotations = {{"service.kubernetes.io/topology-mode", "Auto"}};
    } else {
      parts.services[0].traffic_distribution = c.distribution;
    }
    Slice(parts, c.endpoints);
    c.change(parts);
    EXPECT_EQ(HintStatusName(Web(parts).hints), c.want) << c.name;
  }
}

TEST(ServicesTest, EachFamilyNeedsItsHints) {
  ClusterParts parts = ThreeZones();
  parts.services[0].traffic_distribution = "PreferClose";
  Slice(parts, {Hinted("p1", "a", "a")});
  Slice(parts, {Endpoint("p1", "a")}, "IPv6");
  EXPECT_EQ(Web(parts).hinted, 0);
  EXPECT_EQ(HintStatusName(Web(parts).hints), "unexplained");
}

TEST(ServicesTest, TellsWhomTheClientsOfAZoneReach) {
  ClusterParts parts = ThreeZones();
  parts.services[0].traffic_distribution = "PreferSameZone";
  Slice(parts, {Hinted("p1", "a", "a"), Hinted("p2", "b", "b"), Hinted("p3", "b", "b"),
                NotReady(Hinted("p4", "c", "c")), Leaving(Hinted("p5", "c", "c"))});
  EXPECT_EQ(Joined(Web(parts).single_endpoint_zones), "a");
  EXPECT_EQ(Joined(Web(parts).unhinted_zones), "c");
  // Auto lends an endpoint to a zone that has none.
  Slice(parts, {Hinted("p6", "a", "c")});
  EXPECT_EQ(Joined(Web(parts).single_endpoint_zones), "a,c");
  EXPECT_EQ(Joined(Web(parts).unhinted_zones), "");
  EXPECT_EQ(Joined(Web(parts).empty_zones), "c");
  // One without a hint, and all clients reach all endpoints.
  Slice(parts, {Endpoint("p7", "a")});
  EXPECT_EQ(Joined(Web(parts).single_endpoint_zones), "");
  EXPECT_EQ(Joined(Web(parts).unhinted_zones), "");
}

TEST(ServicesTest, ReadsLocalPoliciesWhereTheyHaveMeaning) {
  struct Case {
    const char *type, *external, *internal;
    bool want_external, want_internal;
  };
  const Case cases[] = {
      {"LoadBalancer", "Local", "Cluster", true, false},
      {"NodePort", "Local", "Local", true, true},
      {"LoadBalancer", "Cluster", "", false, false},
      {"ClusterIP", "Local", "Local", false, true},
      {"ExternalName", "Local", "Local", false, false},
      {"", "", "", false, false},
  };
  for (const Case& c : cases) {
    ClusterParts parts = ThreeZones();
    parts.services[0].type = c.type;
    parts.services[0].external_traffic_policy = c.external;
    parts.services[0].internal_traffic_policy = c.internal;
    EXPECT_EQ(Web(parts).external_local, c.want_external) << c.type;
    EXPECT_EQ(Web(parts).internal_local, c.want_internal) << c.type;
  }
}

TEST(ServicesTest, KnowsTheZonesInWhichServicesCanBe) {
  ClusterParts parts;
  ReadyNode(parts, "a1", "a").unschedulable = true;  // cordoned: its pods still run
  ReadyNode(parts, "a2", "a", 2000);
  parts.ZoneNode("b1", "b").conditions.push_back({"Ready", kube::ConditionStatus::kFalse});
  parts.ZoneNode("c1", "c");
  auto& control_plane = ReadyNode(parts, "d1", "d");
  test::AddLabel(control_plane.meta, "node-role.kubernetes.io/control-plane", "");
  control_plane.taints.push_back({"node-role.kubernetes.io/control-plane", "", "NoSchedule"});
  auto& compact = parts.nodes.emplace_back(control_plane);  // takes ordinary pods as well
  compact.meta.name = "e1";
  for (auto& [key, value] : compact.meta.labels.Edit()) {
    if (key == "topology.kubernetes.io/zone") value = "e";
  }
  compact.taints.clear();
  auto& excluded = ReadyNode(parts, "f1", "f", 1000);
  test::AddLabel(excluded.meta, "node.kubernetes.io/exclude-from-external-load-balancers", "");
  const ServiceZones zones = ServiceZonesOf(parts.Build());
  EXPECT_EQ(zones.zones, (std::set<std::string>{"a", "e", "f"}));
  EXPECT_EQ(zones.target_zones, (std::set<std::string>{"a", "d", "e"}));
  EXPECT_EQ(zones.cpu_milli, (std::map<std::string, std::int64_t>{{"a", 6000}, {"f", 1000}}));
  EXPECT_FALSE(zones.incomplete);
  ReadyNode(parts, "g1", "");
  EXPECT_TRUE(ServiceZonesOf(parts.Build()).incomplete);
  EXPECT_TRUE(ServiceZonesOf(kube::ClusterState()).zones.empty());
}

constexpr char kLb[] = "service.beta.kubernetes.io/aws-load-balancer-";
using Annotations = std::vector<std::pair<std::string, std::string>>;

void Annotate(ClusterParts& parts, const Annotations& annotations) {
  auto& all = parts.services[0].meta.annotations;
  for (const auto& [name, value] : annotations) all.emplace_back(kLb + name, value);
  std::sort(all.begin(), all.end());
}
std::string NlbText(const ServiceStatus& status) {
  if (!status.nlb) return "none";
  return std::string(TargetTypeName(status.nlb->targets)) +
         (status.nlb->targets_by_default ? " by default, " : ", ") +
         std::string(CrossZoneName(status.nlb->cross_zone)) + ", " +
         Joined(status.nlb->dropped_zones);
}

// Endpoints are ready in a and b, none is in c.
TEST(ServicesTest, ReadsTheNetworkLoadBalancer) {
  struct Case {
    const char *type, *load_balancer_class;
    Annotations annotations;
    const char* want;
  };
  constexpr char kClass[] = "service.k8s.aws/nlb";
  const Case cases[] = {
      {"LoadBalancer", "", {}, "none"},
      {"LoadBalancer", "", {{"type", "classic"}}, "none"},
      {"ClusterIP", "", {{"type", "external"}, {"nlb-target-type", "ip"}}, "none"},
      {"ClusterIP", "", {{"type", "nlb"}}, "none"},
      {"LoadBalancer", "example.com/lb", {{"type", "external"}}, "none"},
      {"LoadBalancer", "", {{"type", "nlb"}}, "instance, off, "},
      {"LoadBalancer", "", {{"type", "nlb"}, {"nlb-target-type", "ip"}}, "instance, off, "},
      {"LoadBalancer", "", {{"type", "nlb-ip"}}, "ip, off, c"},
      {"LoadBalancer", "", {{"type", "nlb-ip"}, {"nlb-target-type", "instance"}}, "ip, off, c"},
      {"LoadBalancer", "", {{"type", "external"}, {"nlb-target-type", "ip"}}, "ip, off, c"},
      {"NodePort", "", {{"type", "external"}, {"nlb-target-type", "ip"}}, "ip, off, c"},
      {"LoadBalancer", "", {{"type", "external"}}, "unknown, off, c"},
      {"LoadBalancer", kClass, {}, "instance by default, off, "},
      {"LoadBalancer", kClass, {{"nlb-target-type", "instance"}}, "instance, off, "},
      {"LoadBalancer", kClass, {{"nlb-target-type", "ip"}}, "ip, off, c"},
      {"LoadBalancer", kClass, {{"nlb-target-type", "pod"}}, "unknown, off, c"},
      {"LoadBalancer", "eks.amazonaws.com/nlb", {}, "unknown, off, c"},
  };
  for (const Case& c : cases) {
    ClusterParts parts = ThreeZones();
    parts.services[0].type = c.type;
    parts.services[0].load_balancer_class = c.load_balancer_class;
    Annotate(parts, c.annotations);
    Spread(parts, {"a", "b"});
    EXPECT_EQ(NlbText(Web(parts)), c.want)
        << c.type << " " << c.load_balancer_class << " "
        << (c.annotations.empty() ? "" : c.annotations.back().second);
  }
}

TEST(ServicesTest, ReadsCrossZoneBalancing) {
  constexpr char kAttributes[] = "attributes";
  constexpr char kOld[] = "cross-zone-load-balancing-enabled";
  constexpr char kGroups[] = "target-group-attributes";
  struct Case {
    const char* type;
    Annotations annotations;
    const char* want;
  };
  const Case cases[] = {
      {"nlb-ip", {}, "ip, off, c"},
      {"nlb-ip", {{kAttributes, ""}}, "ip, off, c"},
      {"nlb-ip", {{kAttributes, "load_balancing.cross_zone.enabled=true"}}, "ip, on, "},
      {"nlb-ip", {{kAttributes, "load_balancing.cross_zone.enabled=false"}}, "ip, off, c"},
      {"nlb-ip",
       {{kAttributes, "x=1, load_balancing.cross_zone.enabled = true ,y=2,"}},
       "ip, on, "},
      {"nlb-ip", {{kAttributes, "load_balancing.cross_zone=true"}}, "ip, off, c"},
      {"nlb-ip", {{kAttributes, "load_balancing.cross_zone.enabled=yes"}}, "ip, unknown, c"},
      {"nlb-ip", {{kAttributes, "load_balancing.cross_zone.enabled"}}, "ip, unknown, c"},
      {"nlb-ip", {{kOld, "true"}}, "ip, on, "},
      {"nlb-ip", {{kOld, "false"}}, "ip, off, c"},
      {"nlb-ip", {{kOld, "on"}}, "ip, unknown, c"},
      {"nlb-ip",
       {{kOld, "false"}, {kAttributes, "load_balancing.cross_zone.enabled=true"}},
       "ip, off, c"},
      {"nlb-ip", {{kGroups, "load_balancing.cross_zone.enabled=true"}}, "ip, on, "},
      {"nlb-ip",
       {{kGroups, "load_balancing.cross_zone.enabled=false"}, {kOld, "true"}},
       "ip, off, c"},
      {"nlb-ip",
       {{kGroups, "load_balancing.cross_zone.enabled=use_load_balancer_configuration"},
        {kOld, "true"}},
       "ip, on, "},
      // The cloud provider's own reads the old annotation only.
      {"nlb", {{kAttributes, "load_balancing.cross_zone.enabled=true"}}, "instance, off, "},
      {"nlb", {{kOld, "true"}}, "instance, on, "},
  };
  for (const Case& c : cases) {
    ClusterParts parts = ThreeZones();
    parts.services[0].type = "LoadBalancer";
    Annotate(parts, {{"type", c.type}});
    Annotate(parts, c.annotations);
    Spread(parts, {"a", "b"});
    EXPECT_EQ(NlbText(Web(parts)), c.want)
        << c.type << " " << (c.annotations.empty() ? "" : c.annotations[0].second);
  }
}

TEST(ServicesTest, DropsZonesInWhichNoTargetCanBeHealthy) {
  ClusterParts parts = ThreeZones();
  parts.services[0].type = "LoadBalancer";
  parts.services[0].load_balancer_class = "service.k8s.aws/nlb";
  EXPECT_EQ(NlbText(Web(parts)), "instance by default, off, ") << "no endpoint: it fails open";
  Spread(parts, {"a", "b"});
  EXPECT_EQ(NlbText(Web(parts)), "instance by default, off, ") << "the nodes in c pass on";
  parts.services[0].external_traffic_policy = "Local";
  EXPECT_EQ(NlbText(Web(parts)), "instance by default, off, c") << "they have nothing to pass to";
  parts.services[0].external_traffic_policy = "Cluster";
  test::AddLabel(parts.nodes[2].meta, "node.kubernetes.io/exclude-from-external-load-balancers",
                 "true");
  EXPECT_EQ(NlbText(Web(parts)), "instance by default, off, c") << "none of them is a target";
  Annotate(parts, {{"attributes", "load_balancing.cross_zone.enabled=true"}});
  EXPECT_EQ(NlbText(Web(parts)), "instance by default, on, ");
}

TEST(ServicesTest, GivesTheServicesOfOneNamespaceByName) {
  ClusterParts parts = ThreeZones();
  ClusterParts::Named(parts.services, "api");
  ClusterParts::Named(parts.services, "db").meta.ns = "bank";
  Slice(parts, {Endpoint("p1", "a")}).service = "";
  std::string got;
  for (const ServiceStatus& status : AllIn(parts)) got += status.ns + "/" + status.name + " ";
  EXPECT_EQ(got, "shop/api shop/web ");
  EXPECT_TRUE(ServicesOf(parts.Build(), "empty", {}).empty());
  // Where no zone is known, none is empty.
  EXPECT_EQ(Text(ServicesOf(parts.Build(), "shop", {}).at(1)), "0:; empty ");
}

}  // namespace
}  // namespace azexporter::zones
