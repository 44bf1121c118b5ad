// Alertmanagers from the endpoints of Services, and how they come and go.

#include "alertmanager_discovery.h"

#include <gtest/gtest.h>

#include "azexporter/base/clock.h"
#include "azexporter/kube/cluster.h"
#include "kubernetes_targets.h"

namespace azexporter::app {
namespace {

using notify::KubernetesDiscovery;
using Role = KubernetesDiscovery::Role;

constexpr std::string_view kCluster = R"({"kind":"List","apiVersion":"v1","items":[
  {"kind":"Service","apiVersion":"v1","metadata":{"name":"am","namespace":"mon",
   "labels":{"app.kubernetes.io/name":"alertmanager"}},"spec":{}},
  {"kind":"Pod","apiVersion":"v1","metadata":{"name":"am-0","namespace":"mon","uid":"u0",
   "labels":{"app":"am"},"ownerReferences":[{"kind":"StatefulSet","name":"am","controller":true}]},
   "spec":{"nodeName":"n1"},"status":{"phase":"Running","podIP":"10.0.0.1","hostIP":"10.1.0.1",
   "conditions":[{"type":"Ready","status":"True"}]}},
  {"kind":"EndpointSlice","apiVersion":"discovery.k8s.io/v1","metadata":{"name":"am-x1",
   "namespace":"mon","labels":{"kubernetes.io/service-name":"am"}},"addressType":"IPv4",
   "endpoints":[{"addresses":["10.0.0.1"],"nodeName":"n1","zone":"a",
     "conditions":{"ready":true,"serving":true,"terminating":false},
     "targetRef":{"kind":"Pod","name":"am-0","namespace":"mon"}},
    {"addresses":["fd00::2"],"conditions":{"ready":false}}],
   "ports":[{"name":"web","port":9093,"protocol":"TCP"}]},
  {"kind":"EndpointSlice","apiVersion":"discovery.k8s.io/v1","metadata":{"name":"other",
   "namespace":"shop","labels":{"kubernetes.io/service-name":"shop"}},"addressType":"IPv4",
   "endpoints":[{"addresses":["10.0.0.7"]}],"ports":[{"name":"web","port":80,"protocol":"TCP"}]}
]})";

std::shared_ptr<const kube::ClusterState> Cluster(std::string_view json) {
  std::vector<std::string> skipped;
  auto state = kube::ReadSnapshot(std::string(json), "cluster.json", 0, skipped);
  EXPECT_TRUE(state && skipped.empty());
  return state ? *state : std::make_shared<const kube::ClusterState>();
}

std::string Told(const std::vector<model::Labels>& targets) {
  std::string text;
  for (const model::Labels& target : targets) text += target.ToString() + "\n";
  return text;
}

TEST(KubernetesTargetsTest, OfEndpointSlices) {
  const auto targets =
      KubernetesTargets({.role = Role::kEndpointSlice, .namespaces = {"mon"}}, *Cluster(kCluster));
  constexpr std::string_view kMeta = "__meta_kubernetes_";
  ASSERT_EQ(targets.size(), 2U);
  const std::pair<std::string_view, std::string_view> labels[] = {
      {"namespace", "mon"},
      {"service_name", "am"},
      {"service_label_app_kubernetes_io_name", "alertmanager"},
      {"service_labelpresent_app_kubernetes_io_name", "true"},
      {"endpointslice_name", "am-x1"},
      {"endpointslice_address_type", "IPv4"},
      {"endpointslice_label_kubernetes_io_service_name", "am"},
      {"endpointslice_port", "9093"},
      {"endpointslice_port_name", "web"},
      {"endpointslice_port_protocol", "TCP"},
      {"endpointslice_endpoint_conditions_ready", "true"},
      {"endpointslice_endpoint_conditions_serving", "true"},
      {"endpointslice_endpoint_conditions_terminating", "false"},
      {"endpointslice_endpoint_zone", "a"},
      {"endpointslice_endpoint_node_name", "n1"},
      {"endpointslice_address_target_kind", "Pod"},
      {"endpointslice_address_target_name", "am-0"},
      {"pod_name", "am-0"},
      {"pod_ip", "10.0.0.1"},
      {"pod_host_ip", "10.1.0.1"},
      {"pod_ready", "true"},
      {"pod_phase", "Running"},
      {"pod_node_name", "n1"},
      {"pod_uid", "u0"},
      {"pod_label_app", "am"},
      {"pod_controller_kind", "StatefulSet"},
      {"pod_controller_name", "am"},
  };
  for (const auto& [name, value] : labels) {
    EXPECT_EQ(targets[0].Get(std::string(kMeta) + std::string(name)), value) << name;
  }
  EXPECT_EQ(targets[0].Get("__address__"), "10.0.0.1:9093");
  EXPECT_EQ(targets[1].Get("__address__"), "[fd00::2]:9093");
  EXPECT_EQ(targets[1].Get("__meta_kubernetes_endpointslice_endpoint_conditions_ready"), "false");
  EXPECT_FALSE(targets[1].Has("__meta_kubernetes_pod_name"));
}

TEST(KubernetesTargetsTest, OfEndpoints) {
  const auto targets = KubernetesTargets({.role = Role::kEndpoints}, *Cluster(kCluster));
  ASSERT_EQ(targets.size(), 3U);
  EXPECT_EQ(Told({targets[1], targets[2]}),
            R"({__address__="[fd00::2]:9093", __meta_kubernetes_endpoint_port_name="web", )"
            R"(__meta_kubernetes_endpoint_port_protocol="TCP", )"
            R"(__meta_kubernetes_endpoint_ready="false", __meta_kubernetes_endpoints_name="am", )"
            R"(__meta_kubernetes_namespace="mon", )"
            R"(__meta_kubernetes_service_label_app_kubernetes_io_name="alertmanager", )"
            R"(__meta_kubernetes_service_labelpresent_app_kubernetes_io_name="true", )"
            R"(__meta_kubernetes_service_name="am"})"
            "\n"
            R"({__address__="10.0.0.7:80", __meta_kubernetes_endpoint_port_name="web", )"
            R"(__meta_kubernetes_endpoint_port_protocol="TCP", )"
            R"(__meta_kubernetes_endpoint_ready="true", __meta_kubernetes_endpoints_name="shop", )"
            R"(__meta_kubernetes_namespace="shop"})"
            "\n");
  EXPECT_EQ(targets[0].Get("__meta_kubernetes_endpoint_address_target_name"), "am-0");
  EXPECT_EQ(targets[0].Get("__meta_kubernetes_endpoint_node_name"), "n1");
}

class AlertmanagerDiscoveryTest : public testing::Test {
 protected:
  AlertmanagerDiscoveryTest()
      : sender_({}, {clock_, base::Logger::Silent()}),
        discovery_(sender_, base::Logger::Silent()) {}

  std::string Urls() const {
    std::string text;
    for (const auto& one : sender_.Stats().alertmanagers) text += one.url + "\n";
    return text;
  }
  static notify::AlertingOptions Options() {
    notify::AlertingOptions options;
    options.groups.push_back(
        {.static_targets = {model::Labels::Of({{notify::kAddressLabel, "fixed:1"}})}});
    options.groups.push_back({.kubernetes = {{.role = Role::kEndpoints, .namespaces = {"mon"}}},
                              .relabel = {*model::RelabelRule::Create(
                                  {.action = model::RelabelAction::kKeep,
                                   .source_labels = {"__meta_kubernetes_service_name",
                                                     "__meta_kubernetes_endpoint_port_name",
                                                     "__meta_kubernetes_endpoint_ready"},
                                   .regex = "am;web;true"})}});
    return options;
  }

  base::SystemClock clock_;
  notify::Sender sender_;
  AlertmanagerDiscovery discovery_;
};

TEST_F(AlertmanagerDiscoveryTest, TargetsComeAndGo) {
  discovery_.Configure(Options(), {});
  EXPECT_EQ(Urls(), "http://fixed:1/api/v2/alerts\n");
  discovery_.Update(*Cluster(kCluster));
  EXPECT_EQ(Urls(), "http://fixed:1/api/v2/alerts\nhttp://10.0.0.1:9093/api/v2/alerts\n");
  EXPECT_EQ(discovery_.dropped(),
            (std::vector<std::string>{"http://[fd00::2]:9093/api/v2/alerts"}));
  // A reload that changes nothing of it forgets nothing.
  discovery_.Configure(Options(), model::Labels::Of({{"cluster", "c"}}));
  EXPECT_EQ(Urls(), "http://fixed:1/api/v2/alerts\nhttp://10.0.0.1:9093/api/v2/alerts\n");
  discovery_.Update(*Cluster(""));
  EXPECT_EQ(Urls(), "http://fixed:1/api/v2/alerts\n");
  EXPECT_TRUE(discovery_.dropped().empty());
}

TEST_F(AlertmanagerDiscoveryTest, ANewConfigurationIsInForceAtOnce) {
  discovery_.Configure(Options(), {});
  discovery_.Update(*Cluster(kCluster));
  notify::AlertingOptions options = Options();
  options.groups.pop_back();
  discovery_.Configure(options, {});
  EXPECT_EQ(Urls(), "http://fixed:1/api/v2/alerts\n");
  discovery_.Update(*Cluster(kCluster));
  EXPECT_EQ(Urls(), "http://fixed:1/api/v2/alerts\n");
}

}  // namespace
}  // namespace azexporter::app
