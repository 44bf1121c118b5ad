#include "azexporter/audit/live.h"

#include <gtest/gtest.h>

#include "azexporter/kube/cluster.h"
#include "support/cluster_builder.h"

namespace azexporter::audit {
namespace {

std::shared_ptr<const kube::DestinationRule> Rule(const std::string& name,
                                                  const std::string& locality) {
  kube::DestinationRule rule;
  rule.meta.name = name;
  rule.meta.ns = "shop";
  rule.json =
      R"({"apiVersion":"networking.istio.io/v1","kind":"DestinationRule","metadata":{"name":")" +
      name + R"(","namespace":"shop","managedFields":[{"fieldsV1":{"f:spec":{}}}]},"spec":)" +
      R"({"host":")" + name + R"(","trafficPolicy":{"loadBalancer":{"localityLbSetting":)" +
      R"({"distribute":[{"from":")" + locality + R"(","to":{")" + locality + R"(":100}}]}}}}})";
  return std::make_shared<const kube::DestinationRule>(std::move(rule));
}

// Nodes of the zones "left" and "right", of which no name of a zone tells.
kube::ClusterState Cluster(kube::Objects<kube::DestinationRule> rules, int nodes = 2) {
  kube::ClusterState::Parts parts;
  kube::Objects<kube::Node> made;
  for (int i = 0; i < nodes; ++i) {
    kube::Node node;
    node.meta.name = "n" + std::to_string(i);
    test::AddLabel(node.meta, "topology.kubernetes.io/zone", i % 2 == 0 ? "left" : "right");
    made.push_back(std::make_shared<const kube::Node>(std::move(node)));
  }
  parts.nodes = kube::MakeList(std::move(made));
  parts.destination_rules = kube::MakeList(std::move(rules));
  return kube::ClusterState(std::move(parts));
}

TEST(LiveAuditTest, JudgesCustomResourcesByTheZonesOfTheNodes) {
  LiveAudit audit;
  const auto report = audit.Update(Cluster({Rule("a", "left/left/*"), Rule("b", "here/left/*")}));
  EXPECT_TRUE(report->faults.empty());
  EXPECT_EQ(report->objects, 2u);
  ASSERT_EQ(report->findings.size(), 1u) << ToText(*report);
  EXPECT_EQ(report->findings[0].check->name, "istio-locality-region");
  EXPECT_EQ(report->findings[0].Object(), "DestinationRule shop/a");
}

TEST(LiveAuditTest, IsMadeAnewOnlyWhereSomethingChanged) {
  LiveAudit audit;
  const auto rule = Rule("a", "left/left/*");
  const auto first = audit.Update(Cluster({rule}));
  EXPECT_EQ(audit.Update(Cluster({rule})), first);  // other nodes, with the same labels
  EXPECT_EQ(audit.judged(), 0u);
  EXPECT_NE(audit.Update(Cluster({rule}, 3)), first);
  const auto repaired = audit.Update(Cluster({Rule("a", "here/left/*")}));
  EXPECT_NE(repaired, first);
  EXPECT_TRUE(repaired->findings.empty());
}

// A cluster's objects, from YAML.
std::shared_ptr<const kube::ClusterState> Read(const std::string& text) {
  std::vector<std::string> skipped;
  auto cluster = kube::ReadSnapshot(text, "a.yaml", 0, skipped);
  EXPECT_TRUE(cluster) << cluster.error().message();
  EXPECT_TRUE(skipped.empty()) << skipped.front();
  return cluster.value_or(std::make_shared<const kube::ClusterState>());
}

std::string Workload(const std::string& ns, const std::string& name, const std::string& more = "",
                     const std::string& meta = "", const std::string& status = "{}") {
  return "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: " + name +
         ", namespace: " + ns + ", " + meta + "}\nstatus: " + status +
         "\nspec:\n  replicas: 4\n  selector: {matchLabels: {app: " + name +
         "}}\n  template:\n    metadata: {labels: {app: " + name +
         "}}\n    spec: {terminationGracePeriodSeconds: 0, " + more + "}\n";
}

std::vector<std::string> Told(const Report& report) {
  std::vector<std::string> told;
  for (const Finding& finding : report.findings) {
    told.push_back(std::string(finding.check->name) + " " + finding.Object() + ": " +
                   finding.message);
  }
  return told;
}

using Lines = std::vector<std::string>;

TEST(LiveAuditTest, AChangeIsJudgedInItsNamespaceAlone) {
  LiveAudit audit;
  const auto first = audit.Update(*Read(Workload("a", "web") + Workload("b", "web")));
  EXPECT_EQ(audit.judged(), 2u);
  EXPECT_EQ(first->findings.size(), 2u);
  // All objects are others, and say the same to a check.
  EXPECT_EQ(audit.Update(*Read(Workload("a", "web", "", "", "{readyReplicas: 1}") +
                               Workload("b", "web", "", "uid: x"))),
            first);
  EXPECT_EQ(audit.judged(), 0u);
  const auto silenced = audit.Update(
      *Read(Workload("a", "web") +
            Workload("b", "web", "", "annotations: {azexporter.io/audit-ignore: all}")));
  EXPECT_EQ(audit.judged(), 1u);
  EXPECT_EQ(silenced->findings.size(), 1u);
  EXPECT_EQ(silenced->ignored, 1u);
  const auto gone = audit.Update(*Read(Workload("a", "web")));
  EXPECT_EQ(audit.judged(), 1u);
  EXPECT_EQ(gone->objects, 1u);
  EXPECT_EQ(gone->ignored, 0u);
}

constexpr char kNodes[] = R"(---
apiVersion: v1
kind: Node
metadata: {name: n1, labels: {kubernetes.io/hostname: n1, pool: db}}
---
apiVersion: v1
kind: Node
metadata: {name: n2, labels: {kubernetes.io/hostname: n2, pool: db}}
spec: {taints: [{key: node.kubernetes.io/unreachable, effect: NoExecute}]}
---
apiVersion: v1
kind: Node
metadata: {name: n3, labels: {kubernetes.io/hostname: n3}}
---
apiVersion: v1
kind: Node
metadata: {name: n4, labels: {kubernetes.io/hostname: n4}}
spec: {taints: [{key: dedicated, value: infra, effect: NoSchedule}]}
)";

struct NodesCase {
  const char* demands;
  const char* places;  // of the 4 pods, how many find one; "": all
};

TEST(LiveAuditTest, KnowsWhichNodesAWorkloadMayUse) {
  const NodesCase cases[] = {
      {"", "3"},  // one that is unreachable comes back
      {"nodeSelector: {pool: db},", "2"},
      {"tolerations: [{key: dedicated, operator: Exists}],", ""},
      {"tolerations: [{key: dedicated, value: other}],", "3"},
  };
  for (const NodesCase& c : cases) {
    SCOPED_TRACE(c.demands);
    const auto report = LiveAudit().Update(
        *Read(Workload("a", "web",
                       std::string(c.demands) +
                           " affinity: {podAntiAffinity: "
                           "{requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: "
                           "kubernetes.io/hostname, labelSelector: {matchLabels: {app: web}}}]}}") +
              kNodes));
    Lines expected = {"graceful-termination Deployment a/web: pods are killed without a warning"};
    if (*c.places != '\0') {
      expected.insert(expected.begin(),
                      "anti-affinity-too-many Deployment a/web: 4 pods must not share a node, and "
                      "there are " +
                          std::string(c.places) + " that they may use");
    }
    EXPECT_EQ(Told(*report), expected);
  }
}

TEST(LiveAuditTest, ALabelThatNoNodeCarriesIsKnown) {
  const std::string spread =
      "topologySpreadConstraints: [{topologyKey: rack, maxSkew: 1, whenUnsatisfiable: "
      "ScheduleAnyway, labelSelector: {matchLabels: {app: web}}}]";
  const auto report = LiveAudit().Update(*Read(Workload("a", "web", spread) + kNodes));
  EXPECT_EQ(Told(*report).back(),
            "spread-unknown-key Deployment a/web: no node has the label rack: none of the "
            "cluster's 4 nodes carries it");
  EXPECT_EQ(Told(*LiveAudit().Update(*Read(Workload("a", "web", spread)))).size(), 1u)
      << "without nodes nothing is known";
}

TEST(LiveAuditTest, WithoutASecondZoneNothingIsSaidOfTheLossOfOne) {
  const std::string spread =
      "topologySpreadConstraints: [{topologyKey: topology.kubernetes.io/zone, maxSkew: 1, "
      "whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {app: web}}}]";
  const std::string budget =
      "---\napiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: b, namespace: a}\n"
      "spec: {minAvailable: 3, selector: {matchLabels: {app: web}}}\n";
  const auto told = [&](int zones) {
    std::string text = Workload("a", "web", spread) + budget;
    for (int i = 0; i < zones; ++i) {
      const std::string name(1, static_cast<char>('a' + i));
      text += "---\napiVersion: v1\nkind: Node\nmetadata: {name: " + name +
              ", labels: {topology.kubernetes.io/zone: " + name + "}}\n";
    }
    return LiveAudit().Update(*Read(text))->findings.size();
  };
  EXPECT_EQ(told(1), 1u) << "of the pods that are killed at once";
  EXPECT_GE(told(3), 3u);
}

TEST(LiveAuditTest, WhatAnAuditedObjectMadeIsNotToldOfAgain) {
  const std::string owned =
      "ownerReferences: [{kind: RedisCluster, name: cache, controller: true}]";
  const std::string owner =
      "---\napiVersion: redis.redis.opstreelabs.in/v1beta2\nkind: RedisCluster\n"
      "metadata: {name: cache, namespace: a}\nspec: {clusterSize: 1}\n";
  EXPECT_EQ(LiveAudit().Update(*Read(Workload("a", "web", "", owned)))->findings.size(), 1u);
  EXPECT_TRUE(LiveAudit().Update(*Read(Workload("a", "web", "", owned) + owner))->findings.empty());
}

TEST(LiveAuditTest, ABudgetCoversWhatItsControllerCounted) {
  const auto told = [](const std::string& status) {
    return Told(*LiveAudit().Update(
        *Read("apiVersion: policy/v1\nkind: PodDisruptionBudget\n"
              "metadata: {name: b, namespace: n, generation: 2}\n"
              "spec: {maxUnavailable: 1, selector: {matchLabels: {app: b}}}\nstatus: " +
              status)));
  };
  EXPECT_EQ(told("{observedGeneration: 2, expectedPods: 0}"),
            (Lines{"budget-selects-nothing PodDisruptionBudget n/b: no workload of the namespace "
                   "has the labels app=b"}));
  EXPECT_EQ(told("{observedGeneration: 2, expectedPods: 3}"), Lines());
  EXPECT_EQ(told("{observedGeneration: 1, expectedPods: 0}"), Lines());
  EXPECT_EQ(told("{}"), Lines());
}

std::string Volume(const std::string& name, const std::string& zones) {
  return "---\napiVersion: v1\nkind: PersistentVolume\nmetadata: {name: " + name +
         "}\nspec: {storageClassName: ssd-regional, nodeAffinity: {required: {nodeSelectorTerms: "
         "[{matchExpressions: [{key: topology.kubernetes.io/zone, operator: In, values: [" +
         zones + "]}]}]}}}\n";
}

TEST(LiveAuditTest, VolumesTellWhetherTheirClassIsRegional) {
  const std::string storage_class =
      "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: ssd-regional}\n"
      "provisioner: example.com/disk\nvolumeBindingMode: WaitForFirstConsumer\n";
  LiveAudit audit;
  EXPECT_EQ(Told(*audit.Update(*Read(storage_class))), Lines()) << "nothing is known of it";
  EXPECT_EQ(Told(*audit.Update(*Read(storage_class + Volume("pv-2", "b") + Volume("pv-1", "a")))),
            (Lines{"storage-class-regional StorageClass ssd-regional: ssd-regional says regional, "
                   "but volume pv-1 is bound to a"}));
  EXPECT_EQ(audit.judged(), 1u);
  EXPECT_EQ(Told(*audit.Update(*Read(storage_class + Volume("pv-1", "a, b")))), Lines());
}

TEST(LiveAuditTest, AVolumeIsOfTheNamespaceOfItsClaim) {
  const std::string rest =
      Workload("a", "web", "volumes: [{persistentVolumeClaim: {claimName: data}}]") + kNodes +
      "---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data, namespace: a}\n"
      "spec: {accessModes: [ReadWriteMany], volumeName: pv-1}\n"
      "---\napiVersion: v1\nkind: Node\nmetadata: {name: z1, labels: "
      "{topology.kubernetes.io/zone: a}}\n---\napiVersion: v1\nkind: Node\nmetadata: {name: z2, "
      "labels: {topology.kubernetes.io/zone: b}}\n";
  const auto volume = [](const std::string& zones) {
    std::string text = Volume("pv-1", zones);
    return text.insert(text.find("spec: {") + 7, "claimRef: {namespace: a, name: data}, ");
  };
  LiveAudit audit;
  EXPECT_EQ(Told(*audit.Update(*Read(rest))).size(), 1u);
  EXPECT_EQ(Told(*audit.Update(*Read(rest + volume("a"))))[0],
            "claim-in-one-zone Deployment a/web: all pods share the claim data, whose volume pv-1 "
            "is in a alone");
  EXPECT_EQ(Told(*audit.Update(*Read(rest + volume("a, b")))).size(), 1u);
}

TEST(LiveAuditTest, TheServersOwnEndpointsAreNoFault) {
  const auto told = [](const std::string& ns, const std::string& name) {
    return Told(*LiveAudit().Update(
        *Read("apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: " + name +
              ", namespace: " + ns +
              "}\naddressType: IPv4\nendpoints: [{addresses: [10.0.0.1], nodeName: n1}, "
              "{addresses: [10.0.0.2], zone: a}]\n")));
  };
  EXPECT_EQ(told("default", "kubernetes"), Lines());
  EXPECT_EQ(told("n", "web-x"), (Lines{"endpoint-zones EndpointSlice n/web-x: endpoint 10.0.0.1 on "
                                       "node n1 has no zone"}));
}

TEST(LiveAuditTest, FindsNothingWhereThereIsNothing) {
  LiveAudit audit;
  const auto report = audit.Update(kube::ClusterState());
  EXPECT_TRUE(report->findings.empty());
  EXPECT_EQ(report->objects, 0u);
}

}  // namespace
}  // namespace azexporter::audit
