#pragma once

// A small cluster that shows each family of the collectors of workloads and of what surrounds them.
// Zone c is down; d is expected and has no node.

#include <memory>
#include <set>
#include <string>
#include <utility>

#include "azexporter/zones/zone_report.h"
#include "support/add_label.h"
#include "zones/cluster_parts.h"

namespace azexporter::test {

inline constexpr std::int64_t kShopNow = 1'800'000'000'000;

class Shop {
 public:
  Shop() {
    Nodes();
    Web();
    Api();
    Database();
    Services();
    Storage();
    for (const std::string_view resource :
         {kube::Node::kResource, kube::Pod::kResource, kube::Deployment::kResource,
          kube::ReplicaSet::kResource, kube::StatefulSet::kResource, kube::DaemonSet::kResource,
          kube::Job::kResource, kube::PodDisruptionBudget::kResource, kube::Service::kResource,
          kube::EndpointSlice::kResource, kube::PersistentVolume::kResource,
          kube::PersistentVolumeClaim::kResource, kube::StorageClass::kResource}) {
      parts.health.push_back(
          {.resource = std::string(resource), .synced = true, .last_contact_ms = kShopNow});
    }
  }

  kube::ResourceHealth& Health(std::string_view resource) {
    for (kube::ResourceHealth& health : parts.health) {
      if (health.resource == resource) return health;
    }
    return parts.health.emplace_back();
  }

  struct View {
    std::shared_ptr<const kube::ClusterState> cluster;
    zones::ZoneReport report;
  };
  View Look() const {
    View view;
    view.cluster = std::make_shared<const kube::ClusterState>(parts.Build());
    zones::ExpectedZones expected;
    for (const char* zone : {"a", "b", "c", "d"}) expected[zone];
    db::PostgresFacts orders;
    orders.cluster = "orders";
    orders.instance = "orders-1";
    orders.zone = "a";
    orders.up = true;
    view.report = zones::MakeZoneReport({.cluster = view.cluster,
                                         .expected = expected,
                                         .expectations = {.known = true},
                                         .postgres = {&orders, 1},
                                         .seen_zones = {},
                                         .now_ms = kShopNow});
    return view;
  }

  ClusterParts parts;

 private:
  void Nodes() {
    for (const char* name : {"a1", "b1", "c1"}) {
      const bool ready = *name != 'c';
      parts.ZoneNode(name, std::string(1, *name))
          .conditions.push_back(
              {"Ready", ready ? kube::ConditionStatus::kTrue : kube::ConditionStatus::kUnknown});
      kube::Node& leader = parts.ZoneNode(std::string(name) + "-cp", std::string(1, *name));
      test::AddLabel(leader.meta, "node-role.kubernetes.io/control-plane", "");
      leader.conditions = parts.nodes[parts.nodes.size() - 2].conditions;
    }
    parts.Node("x1", {{"kubernetes.io/hostname", "x1"}})
        .conditions.push_back({"Ready", kube::ConditionStatus::kTrue});
  }

  kube::Pod& PodOf(const std::string& kind, const std::string& owner, const std::string& name,
                   const std::string& node, std::shared_ptr<const kube::PodSpec> spec) {
    kube::Pod& pod = parts.Pod(name, node, {{"app", owner}});
    pod.owners = {{kind, owner, true}};
    pod.spec = std::move(spec);
    return pod;
  }

  // Its third pod could only go to c.
  void Web() {
    auto& web = ClusterParts::Named(parts.deployments, "web");
    web.desired = 3;
    web.template_labels = {{"app", "web"}};
    web.template_spec = SpecWith(Constraint(kZoneKey, 1, Label("app", "web")));
    auto& set = ClusterParts::Named(parts.replica_sets, "web");
    set.owners = {{"Deployment", "web", true}};
    set.template_labels = web.template_labels;
    set.template_spec = web.template_spec;
    PodOf("ReplicaSet", "web", "web-1", "a1", web.template_spec);
    PodOf("ReplicaSet", "web", "web-2", "b1", web.template_spec);
    kube::Pod& waiting = PodOf("ReplicaSet", "web", "web-3", "", web.template_spec);
    waiting.ready = kube::ConditionStatus::kFalse;
    waiting.phase = kube::PodPhase::kPending;
    waiting.unschedulable = true;
  }

  // Spread by no rule, of an owner that is not watched; a pod of it is on a node without zone.
  void Api() {
    PodOf("Rollout", "api", "api-1", "x1", kube::EmptyPodSpec());
    PodOf("Rollout", "api", "api-2", "b1", kube::EmptyPodSpec()).ready =
        kube::ConditionStatus::kFalse;
  }

  // Both of its pods are in a, which its anti-affinity forbids.
  void Database() {
    auto& set = ClusterParts::Named(parts.stateful_sets, "db");
    set.desired = 2;
    set.template_labels = {{"app", "db"}};
    set.claim_templates = {"data"};
    kube::PodSpec spec;
    spec.spread_constraints.push_back(Constraint(kZoneKey, 1, Label("app", "db")));
    spec.spread_constraints[0].when_unsatisfiable = kube::WhenUnsatisfiable::kScheduleAnyway;
    spec.required_anti_affinity.push_back(
        {.selector = Label("app", "db"), .topology_key = kZoneKey});
    set.template_spec = Spec(std::move(spec));
    PodOf("StatefulSet", "db", "db-0", "a1", set.template_spec).claims = {"data-db-0"};
    PodOf("StatefulSet", "db", "db-1", "a1", set.template_spec).claims = {"data-db-1"};
    for (const auto& [name, app] :
         {std::pair("db", "db"), std::pair("db-old", "db"), std::pair("gone", "gone")}) {
      auto& budget = ClusterParts::Named(parts.budgets, name);
      budget.selector = Label("app", app);
      budget.observed_generation = 3;
      const bool gone = std::string_view(app) == "gone";
      budget.expected_pods = budget.current_healthy = gone ? 0 : 2;
      budget.desired_healthy = 1;
      budget.disruptions_allowed = gone ? 0 : 1;
      budget.min_available = {1, false};
    }
    parts.budgets[1].min_available = {2, false};
    parts.budgets[1].desired_healthy = 2;
    parts.budgets[1].disruptions_allowed = 0;
  }

  void Slice(const std::string& service,
             std::initializer_list<std::pair<const char*, const char*>> endpoints) {
    auto& slice = ClusterParts::Named(parts.endpoint_slices, service + "-1");
    slice.service = service;
    slice.address_type = "IPv4";
    for (const auto& [pod, zone] : endpoints) {
      kube::Endpoint& endpoint = slice.endpoints.emplace_back();
      endpoint.target_pod = pod;
      endpoint.zone = zone;
    }
  }

  void Services() {
    auto& web = ClusterParts::Named(parts.services, "web");
    web.type = "ClusterIP";
    web.selector = {{"app", "web"}};
    web.traffic_distribution = "PreferClose";
    Slice("web", {{"web-1", "a"}, {"web-2", "b"}});
    auto& db = ClusterParts::Named(parts.services, "db");
    db.type = "LoadBalancer";
    db.selector = {{"app", "db"}};
    db.load_balancer_class = "service.k8s.aws/nlb";
    db.meta.annotations = {{"service.beta.kubernetes.io/aws-load-balancer-nlb-target-type", "ip"}};
    Slice("db", {{"db-0", "a"}, {"db-1", ""}});
    ClusterParts::Named(parts.services, "by-hand").type = "ClusterIP";
    Slice("by-hand", {{"", "b"}});
  }

  kube::PersistentVolume& Volume(const std::string& name, const std::string& storage_class) {
    auto& volume = parts.volumes.emplace_back();
    volume.meta.name = name;
    volume.storage_class = storage_class;
    volume.phase = "Bound";
    volume.capacity_bytes = 1'000'000;
    return volume;
  }

  void Storage() {
    Volume("files", "nfs");
    for (const char* zone : {"a", "a", "b"}) {
      Volume("disk-" + std::to_string(parts.volumes.size()), "gp3").node_affinity = {
          {{{{kZoneKey, kube::SelectorOp::kIn, {zone}}}, {}}}};
    }
    Volume("local", "").node_affinity = {
        {{{{"kubernetes.io/hostname", kube::SelectorOp::kIn, {"gone"}}}, {}}}};
    auto& waits = parts.storage_classes.emplace_back();
    waits.meta.name = "gp3";
    waits.binding = kube::VolumeBinding::kWaitForFirstConsumer;
    const auto claim = [&](const std::string& name, const std::string& volume,
                           const std::string& phase) {
      auto& made = ClusterParts::Named(parts.claims, name);
      made.volume_name = volume;
      made.storage_class = "gp3";
      made.phase = phase;
    };
    claim("data-db-0", "disk-1", "Bound");
    claim("cache", "disk-9", "Lost");
    claim("scratch", "", "Pending");
  }
};

}  // namespace azexporter::test
