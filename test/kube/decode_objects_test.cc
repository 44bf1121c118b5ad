// Workloads, budgets, volumes, services and endpoint slices: what a real API server answered, and
// what objects may look like beside that.

#include <gtest/gtest.h>

#include <set>

#include "azexporter/kube/cluster.h"
#include "kube/decode.h"
#include "kube/recording.h"
#include "kube/value_pool.h"

namespace azexporter::kube {
namespace {

template <class T>
std::vector<T> Decoded(std::string body) {
  auto list = Decoder().List<T>(body, Encoding::kJson);
  EXPECT_TRUE(list) << list.error().message();
  if (!list) return {};
  EXPECT_TRUE(list->item_errors.empty()) << list->item_errors[0];
  std::vector<T> objects;
  for (const auto& object : list->items) objects.push_back(*object);
  return objects;
}

template <class T>
T Named(const std::vector<T>& objects, std::string_view name) {
  for (const T& object : objects) {
    if (object.meta.name == name) return object;
  }
  ADD_FAILURE() << "no " << T::kResource << " " << name;
  return {};
}

// The only object of a list that holds `json`.
template <class T>
T One(const std::string& json) {
  const auto objects = Decoded<T>("{\"items\":[" + json + "]}");
  EXPECT_EQ(objects.size(), 1u);
  return objects.empty() ? T() : objects[0];
}

// The error of the only object of a list.
template <class T>
std::string ErrorOf(const std::string& json) {
  std::string body = "{\"items\":[" + json + "]}";
  const auto list = Decoder().List<T>(body, Encoding::kJson);
  EXPECT_TRUE(list);
  return list && !list->item_errors.empty() ? list->item_errors[0] : "";
}

class RecordedObjectsTest : public ::testing::Test {
 protected:
  void SetUp() override { AZX_SKIP_WITHOUT(test::RecordingsFolder()); }
};

TEST_F(RecordedObjectsTest, Nodes) {
  const auto nodes = Decoded<Node>(Recording("nodes.list.json"));
  const Node node = Named(nodes, "ip-10-0-0-4.ec2.internal");
  EXPECT_EQ(node.allocatable.cpu_milli, 7910);
  EXPECT_EQ(node.allocatable.memory_bytes, 64'842'308LL * 1024);
  EXPECT_EQ(node.allocatable.pods, 250);
  EXPECT_EQ(node.allocatable.Get("ephemeral-storage"), 95'491'281'146);
  EXPECT_EQ(node.allocatable.others.size(), 3u);
}

TEST_F(RecordedObjectsTest, PodsOfOneTemplateShareTheirSpec) {
  const auto pods = Decoded<Pod>(Recording("pods.list.json"));
  std::set<const PodSpec*> of_ops;
  std::set<const PodSpec*> all;
  for (const Pod& pod : pods) {
    all.insert(pod.spec.get());
    if (Lookup(pod.meta.labels, "app") == "machine-native-ops") of_ops.insert(pod.spec.get());
  }
  EXPECT_EQ(of_ops.size(), 1u);
  EXPECT_LE(all.size(), 13u) << "10 Deployments and 3 StatefulSets";
  const Pod kafka = Named(pods, "kafka-0");
  EXPECT_EQ(kafka.claims, std::vector<std::string>{"data-kafka-0"});
  EXPECT_EQ(kafka.meta.created_ms, 1'795'330'937'000);  // 2026-11-22T07:02:17Z
  ASSERT_EQ(kafka.spec->tolerations.size(), 2u);
  EXPECT_TRUE(
      Tolerates(kafka.spec->tolerations, {"node.kubernetes.io/unreachable", "", "NoExecute"}));
  EXPECT_FALSE(
      Tolerates(kafka.spec->tolerations, {"node.kubernetes.io/unreachable", "", "NoSchedule"}));
}

TEST_F(RecordedObjectsTest, Deployments) {
  const auto deployments = Decoded<Deployment>(Recording("deployments.list.json"));
  ASSERT_EQ(deployments.size(), 10u);
  const Deployment ops = Named(deployments, "machine-native-ops");
  EXPECT_EQ(ops.meta.ns, "platform-03");
  EXPECT_EQ(ops.desired, 9);
  EXPECT_EQ(ops.ready, 9);
  EXPECT_EQ(SelectorText(ops.selector), "app=machine-native-ops");
  EXPECT_TRUE(Matches(ops.selector, ops.template_labels));
  const PodSpec& spec = *ops.template_spec;
  EXPECT_EQ(spec.requests.cpu_milli, 50);
  EXPECT_EQ(spec.requests.memory_bytes, 256 << 20);
  ASSERT_EQ(spec.preferred_anti_affinity.size(), 1u);
  EXPECT_EQ(spec.preferred_anti_affinity[0].weight, 100);
  EXPECT_EQ(spec.preferred_anti_affinity[0].topology_key, "topology.kubernetes.io/zone");
  EXPECT_EQ(SelectorText(spec.preferred_anti_affinity[0].selector), "app=machine-native-ops");
  ASSERT_EQ(spec.spread_constraints.size(), 2u);
  EXPECT_EQ(spec.spread_constraints[0].when_unsatisfiable, WhenUnsatisfiable::kScheduleAnyway);
  EXPECT_EQ(spec.spread_constraints[1].max_skew, 2);
  EXPECT_EQ(spec.spread_constraints[1].topology_key, "kubernetes.io/hostname");

  const PodSpec checkout = *Named(deployments, "checkout-api").template_spec;
  EXPECT_EQ(checkout.requests.cpu_milli, 60) << "with its sidecar";
  EXPECT_EQ(checkout.requests.memory_bytes, 320 << 20);
  EXPECT_EQ(checkout.spread_constraints[0].when_unsatisfiable, WhenUnsatisfiable::kDoNotSchedule);
  EXPECT_EQ(Lookup(Named(deployments, "search-indexer").template_spec->node_selector,
                   "topology.kubernetes.io/zone"),
            "us-east-1b");
}

TEST_F(RecordedObjectsTest, OtherWorkloads) {
  const auto sets = Decoded<ReplicaSet>(Recording("replicasets.list.json"));
  ASSERT_EQ(sets.size(), 10u);
  const ReplicaSet set = Named(sets, "machine-native-ops-gghpf7t79x");
  ASSERT_NE(ControllerOf(set.owners), nullptr);
  EXPECT_EQ(ControllerOf(set.owners)->kind, "Deployment");
  EXPECT_EQ(set.desired, 9);
  const auto stateful = Decoded<StatefulSet>(Recording("statefulsets.list.json"));
  ASSERT_EQ(stateful.size(), 3u);
  const StatefulSet kafka = Named(stateful, "kafka");
  EXPECT_EQ(kafka.kind, WorkloadKind::kStatefulSet);
  EXPECT_EQ(kafka.claim_templates, std::vector<std::string>{"data"});
  EXPECT_EQ(kafka.ready, 3);
  EXPECT_TRUE(Decoded<DaemonSet>(Recording("daemonsets.list.json")).empty());
}

TEST_F(RecordedObjectsTest, Budgets) {
  const auto budgets = Decoded<PodDisruptionBudget>(Recording("pdbs.list.json"));
  ASSERT_EQ(budgets.size(), 10u);
  const auto checkout = Named(budgets, "checkout-api");
  EXPECT_EQ(checkout.min_available, (IntOrPercent{50, true}));
  EXPECT_FALSE(checkout.max_unavailable);
  EXPECT_EQ(checkout.desired_healthy, 3);
  EXPECT_EQ(checkout.min_available->Of(checkout.expected_pods), 3);
  const auto fraud = Named(budgets, "fraud-scorer");
  EXPECT_EQ(fraud.max_unavailable->Text(), "25%");
  const auto ops = Named(budgets, "machine-native-ops");
  EXPECT_EQ(ops.min_available->Text(), "6");
  EXPECT_EQ(ops.current_healthy, 9);
  EXPECT_EQ(ops.disruptions_allowed, 3);
  EXPECT_EQ(ops.observed_generation, ops.generation);
  EXPECT_EQ(SelectorText(ops.selector), "app=machine-native-ops");
}

TEST_F(RecordedObjectsTest, Volumes) {
  const auto volumes = Decoded<PersistentVolume>(Recording("pvs.list.json"));
  const auto claims = Decoded<PersistentVolumeClaim>(Recording("pvcs.list.json"));
  ASSERT_EQ(volumes.size(), 9u);
  ASSERT_EQ(claims.size(), 9u);
  const auto claim = Named(claims, "data-kafka-2");
  EXPECT_EQ(claim.phase, "Bound");
  EXPECT_EQ(claim.storage_class, "gp3");
  const auto volume = Named(volumes, claim.volume_name);
  EXPECT_EQ(volume.claim_ns, "platform-02");
  EXPECT_EQ(volume.claim_name, "data-kafka-2");
  EXPECT_EQ(volume.capacity_bytes, 100LL << 30);
  ASSERT_TRUE(volume.node_affinity);
  EXPECT_TRUE(volume.node_affinity->Matches("n", {{"topology.kubernetes.io/zone", "us-east-1b"}}));
  EXPECT_FALSE(volume.node_affinity->Matches("n", {{"topology.kubernetes.io/zone", "us-east-1a"}}));
  const auto classes = Decoded<StorageClass>(Recording("storageclasses.list.json"));
  ASSERT_EQ(classes.size(), 1u);
  EXPECT_EQ(classes[0].provisioner, "ebs.csi.aws.com");
  EXPECT_EQ(classes[0].binding, VolumeBinding::kWaitForFirstConsumer);
  EXPECT_TRUE(classes[0].is_default);
  EXPECT_TRUE(classes[0].meta.annotations.empty());
}

TEST_F(RecordedObjectsTest, Services) {
  const auto services = Decoded<Service>(Recording("services.list.json"));
  ASSERT_EQ(services.size(), 13u);
  EXPECT_TRUE(Named(services, "kafka").headless);
  const auto ops = Named(services, "machine-native-ops");
  EXPECT_FALSE(ops.headless);
  EXPECT_EQ(ops.type, "ClusterIP");
  EXPECT_EQ(ops.internal_traffic_policy, "Cluster");
  EXPECT_EQ(Lookup(ops.selector, "app"), "machine-native-ops");
  EXPECT_TRUE(Named(services, "kubernetes").selector.empty());
}

TEST_F(RecordedObjectsTest, EndpointsFollowAZoneThatFails) {
  const auto slices = Decoded<EndpointSlice>(Recording("endpointslices.list.json"));
  ASSERT_EQ(slices.size(), 12u);
  const auto ops = Named(slices, "machine-native-ops-g6pp5");
  EXPECT_EQ(ops.service, "machine-native-ops");
  EXPECT_EQ(ops.address_type, "IPv4");
  ASSERT_EQ(ops.endpoints.size(), 9u);
  EXPECT_EQ(ops.endpoints[0].target_pod, "machine-native-ops-gghpf7t79x-phzhn");
  EXPECT_EQ(ops.endpoints[0].node_name, "ip-10-0-0-7.ec2.internal");
  EXPECT_EQ(ops.endpoints[0].zone, "us-east-1a");
  EXPECT_TRUE(ops.endpoints[0].hint_zones.empty());
  std::map<std::string, int> ready;
  for (const EndpointSlice& slice :
       Decoded<EndpointSlice>(Recording("endpointslices.during-zonefail.list.json"))) {
    for (const Endpoint& endpoint : slice.endpoints) ready[endpoint.zone] += endpoint.ready ? 1 : 0;
  }
  EXPECT_EQ(ready["us-east-1a"], 0);
  EXPECT_GT(ready["us-east-1b"], 5);
}

TEST_F(RecordedObjectsTest, EveryWatchIsUnderstood) {
  const auto events = []<class T>(const std::string& name, T*) {
    Decoder decoder;
    int changes = 0;
    const std::string text = Recording(name);
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = std::min(text.find('\n', begin), text.size());
      std::string line = text.substr(begin, end - begin);
      begin = end + 1;
      const auto event = decoder.Event<T>(line, Encoding::kJson);
      EXPECT_TRUE(event) << event.error().message();
      if (event && event->type == EventType::kModified) ++changes;
    }
    return changes;
  };
  EXPECT_EQ(events("watch.endpointslices.zonefail.jsonl", static_cast<EndpointSlice*>(nullptr)),
            43);
  EXPECT_EQ(events("watch.pdbs.zonefail.jsonl", static_cast<PodDisruptionBudget*>(nullptr)), 30);
}

TEST_F(RecordedObjectsTest, ASnapshotOfTheServersOwnListsIsRead) {
  // Items of a list from the API itself do not say their kind; kubectl's do.
  std::vector<std::string> skipped;
  const auto state = ReadSnapshot(Recording("deployments.list.json"), "file", 1, skipped);
  ASSERT_TRUE(state);
  EXPECT_TRUE(skipped.empty());
  EXPECT_EQ((*state)->deployments().size(), 10u);
  EXPECT_NE((*state)->FindWorkload(WorkloadKind::kDeployment, "platform-03", "ledger-core"),
            nullptr);
}

std::string PodWith(const std::string& spec) {
  return R"({"metadata":{"name":"p","namespace":"n"},"spec":{)" + spec + "}}";
}

struct RequestCase {
  const char* name;
  const char* spec;
  std::int64_t cpu_milli;
  std::int64_t memory_bytes;
};

class PodRequestTest : public ::testing::TestWithParam<RequestCase> {};

TEST_P(PodRequestTest, IsWhatTheSchedulerReserves) {
  const Resources requests = One<Pod>(PodWith(GetParam().spec)).spec->requests;
  EXPECT_EQ(requests.cpu_milli, GetParam().cpu_milli);
  EXPECT_EQ(requests.memory_bytes, GetParam().memory_bytes);
}

constexpr RequestCase kRequestCases[] = {
    {"none", R"("containers":[{}])", 0, 0},
    {"sum",
     R"("containers":[{"resources":{"requests":{"cpu":"100m","memory":"1k"}}},
                      {"resources":{"requests":{"cpu":1}}}])",
     1100, 1000},
    {"limit_without_request",
     R"("containers":[{"resources":{"limits":{"cpu":"2","memory":"5"},"requests":{"cpu":"1"}}}])",
     1000, 5},
    {"init_larger",
     R"("containers":[{"resources":{"requests":{"cpu":"1","memory":"10"}}}],
        "initContainers":[{"resources":{"requests":{"cpu":"3","memory":"1"}}},
                          {"resources":{"requests":{"cpu":"2","memory":"2"}}}])",
     3000, 10},
    {"sidecar_runs_on",
     R"("containers":[{"resources":{"requests":{"cpu":"1"}}}],
        "initContainers":[{"restartPolicy":"Always","resources":{"requests":{"cpu":"2"}}},
                          {"resources":{"requests":{"cpu":"3"}}}])",
     5000, 0},
    {"sidecar_after_init",
     R"("containers":[{"resources":{"requests":{"cpu":"1"}}}],
        "initContainers":[{"resources":{"requests":{"cpu":"3"}}},
                          {"restartPolicy":"Always","resources":{"requests":{"cpu":"2"}}}])",
     3000, 0},
    {"overhead",
     R"("containers":[{"resources":{"requests":{"cpu":"1"}}}],
        "overhead":{"cpu":"250m","memory":"120"})",
     1250, 120},
    {"of_the_pod",
     R"("containers":[{"resources":{"requests":{"cpu":"1","memory":"7"}}}],
        "resources":{"requests":{"cpu":"4"}})",
     4000, 7},
};

std::string NameOf(const ::testing::TestParamInfo<RequestCase>& c) { return c.param.name; }

INSTANTIATE_TEST_SUITE_P(All, PodRequestTest, ::testing::ValuesIn(kRequestCases), NameOf);

TEST(DecodePodTest, ReadsWhatTheSchedulerReads) {
  const Pod pod = One<Pod>(PodWith(R"(
    "priorityClassName":"high","priority":1000,"hostNetwork":true,"nodeName":"n1",
    "containers":[{"ports":[{"containerPort":80},{"hostPort":53,"protocol":"UDP"}]}],
    "initContainers":[{"ports":[{"hostPort":99}]}],
    "affinity":{
      "nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[
        {"matchExpressions":[{"key":"cores","operator":"Gt","values":["8"]}]}]}},
      "podAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[
        {"topologyKey":"zone","namespaceSelector":{},"matchLabelKeys":["h"]}]},
      "podAntiAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[
        {"topologyKey":"host","labelSelector":{"matchExpressions":[
          {"key":"app","operator":"In","values":["a","b"]}]},"namespaces":["x"],
         "mismatchLabelKeys":["m"]}]}},
    "tolerations":[{"operator":"Exists"},{"key":"k","value":"v","effect":"NoSchedule"},
                   {"key":"k","operator":"Gt","value":"7"}],
    "topologySpreadConstraints":[{"maxSkew":3,"topologyKey":"zone","minDomains":2,
      "whenUnsatisfiable":"DoNotSchedule","nodeAffinityPolicy":"Ignore","nodeTaintsPolicy":"Honor",
      "matchLabelKeys":["pod-template-hash"]}],
    "volumes":[{"name":"a","persistentVolumeClaim":{"claimName":"shared"}},
               {"name":"scratch","ephemeral":{"volumeClaimTemplate":{}}},{"name":"b"}])"));
  EXPECT_EQ(pod.node_name, "n1");
  EXPECT_EQ(pod.claims, (std::vector<std::string>{"shared", "p-scratch"}));
  const PodSpec& spec = *pod.spec;
  EXPECT_EQ(spec.priority_class, "high");
  EXPECT_EQ(spec.priority, 1000);
  EXPECT_TRUE(spec.host_network);
  EXPECT_EQ(spec.host_ports, (std::vector<HostPort>{{53, "UDP", ""}}));
  ASSERT_TRUE(spec.required_node_affinity);
  EXPECT_TRUE(spec.AdmitsNode("n", {{"cores", "16"}}));
  EXPECT_FALSE(spec.AdmitsNode("n", {{"cores", "8"}}));
  ASSERT_EQ(spec.required_affinity.size(), 1u);
  EXPECT_FALSE(spec.required_affinity[0].selector) << "absent is not empty";
  ASSERT_TRUE(spec.required_affinity[0].namespace_selector);
  EXPECT_TRUE(spec.required_affinity[0].namespace_selector->empty());
  EXPECT_EQ(spec.required_affinity[0].match_label_keys, std::vector<std::string>{"h"});
  ASSERT_EQ(spec.required_anti_affinity.size(), 1u);
  EXPECT_EQ(SelectorText(spec.required_anti_affinity[0].selector), "app in (a,b)");
  EXPECT_EQ(spec.required_anti_affinity[0].namespaces, std::vector<std::string>{"x"});
  EXPECT_EQ(spec.required_anti_affinity[0].mismatch_label_keys, std::vector<std::string>{"m"});
  ASSERT_EQ(spec.tolerations.size(), 3u);
  EXPECT_EQ(spec.tolerations[0].op, Toleration::Op::kExists);
  EXPECT_EQ(spec.tolerations[1].op, Toleration::Op::kEqual);
  EXPECT_EQ(spec.tolerations[2].op, Toleration::Op::kOther);
  ASSERT_EQ(spec.spread_constraints.size(), 1u);
  EXPECT_EQ(spec.spread_constraints[0].min_domains, 2);
  EXPECT_EQ(spec.spread_constraints[0].node_affinity_policy, NodeInclusionPolicy::kIgnore);
  EXPECT_EQ(spec.spread_constraints[0].node_taints_policy, NodeInclusionPolicy::kHonor);
  EXPECT_FALSE(spec.spread_constraints[0].selector);
}

TEST(DecodePodTest, APodOfADaemonSetIsPinnedAndSharesItsSpec) {
  const auto on = [](const std::string& node) {
    return R"({"metadata":{"name":"agent-)" + node + R"(","namespace":"n"},"spec":{"affinity":{
      "nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[
      {"matchFields":[{"key":"metadata.name","operator":"In","values":[")" +
           node + R"("]}]}]}}}}})";
  };
  const auto pods = Decoded<Pod>("{\"items\":[" + on("n1") + "," + on("n2") + "]}");
  ASSERT_EQ(pods.size(), 2u);
  EXPECT_EQ(pods[0].pinned_node, "n1");
  EXPECT_EQ(pods[1].pinned_node, "n2");
  EXPECT_FALSE(pods[0].spec->required_node_affinity);
  EXPECT_EQ(pods[0].spec, pods[1].spec);
}

TEST(DecodePodTest, TellsWhetherTheSchedulerGaveUp) {
  const auto pod = [](const std::string& condition) {
    return One<Pod>(R"({"metadata":{"name":"p","namespace":"n"},"status":{"phase":"Pending",
        "conditions":[{"type":"PodScheduled",)" +
                    condition + "}]}}");
  };
  EXPECT_TRUE(pod(R"("status":"False","reason":"Unschedulable")").unschedulable);
  EXPECT_FALSE(pod(R"("status":"False","reason":"SchedulingGated")").unschedulable);
  EXPECT_FALSE(pod(R"("status":"True")").unschedulable);
}

TEST(ValuePoolTest, ForgetsWhatNobodyHolds) {
  ValuePool<PodSpec> pool;
  PodSpec spec;
  spec.priority = -1;
  const auto kept = pool.Intern(spec);
  for (int i = 0; i < 20'000; ++i) {
    spec.priority = i;
    EXPECT_EQ(pool.Intern(spec)->priority, i);
  }
  EXPECT_LE(pool.size(), ValuePool<PodSpec>::kSmallest);
  spec.priority = -1;
  EXPECT_EQ(pool.Intern(spec), kept);
}

TEST(ValuePoolTest, TellsApartWhatTheHashDoesNot) {
  ValuePool<PodSpec> pool;
  PodSpec one;
  one.required_affinity.push_back({.namespaces = {"a"}});
  PodSpec other = one;
  other.required_affinity[0].namespaces = {"b"};
  EXPECT_NE(pool.Intern(one), pool.Intern(other));
  EXPECT_EQ(pool.Intern(other)->required_affinity[0].namespaces[0], "b");
}

TEST(DecodeWorkloadTest, KnowsTheDefaultsOfEachKind) {
  const std::string bare = R"({"metadata":{"name":"w","namespace":"n"},"spec":{}})";
  EXPECT_EQ(One<Deployment>(bare).desired, 1);
  EXPECT_EQ(One<ReplicaSet>(bare).desired, 1);
  EXPECT_EQ(One<StatefulSet>(bare).desired, 1);
  EXPECT_EQ(One<DaemonSet>(bare).desired, 0);
  EXPECT_EQ(One<Job>(bare).desired, 1);
  EXPECT_FALSE(One<Deployment>(bare).selector);
  EXPECT_NE(One<Job>(bare).template_spec, nullptr);
  const auto daemons = One<DaemonSet>(R"({"metadata":{"name":"w","namespace":"n"},"status":{
      "desiredNumberScheduled":15,"numberReady":14}})");
  EXPECT_EQ(daemons.desired, 15);
  EXPECT_EQ(daemons.ready, 14);
  const auto job = One<Job>(R"({"metadata":{"name":"w","namespace":"n"},"spec":{"parallelism":4,
      "template":{"metadata":{"creationTimestamp":null},"spec":{"volumes":[
        {"name":"v","persistentVolumeClaim":{"claimName":"c"}}]}}},
      "status":{"ready":2,"conditions":[{"type":"Complete","status":"True"}]}})");
  EXPECT_EQ(job.desired, 4);
  EXPECT_EQ(job.ready, 2);
  EXPECT_TRUE(job.finished);
  EXPECT_EQ(job.claims, std::vector<std::string>{"c"});
}

TEST(DecodeBudgetTest, AnAbsentSelectorIsNotAnEmptyOne) {
  const auto budget = [](const std::string& spec) {
    return One<PodDisruptionBudget>(R"({"metadata":{"name":"b","namespace":"n"},"spec":{)" + spec +
                                    "}}");
  };
  EXPECT_FALSE(budget(R"("selector":null)").selector);
  ASSERT_TRUE(budget(R"("selector":{})").selector);
  EXPECT_TRUE(budget(R"("selector":{})").selector->empty());
  EXPECT_EQ(budget(R"("maxUnavailable":"0%")").max_unavailable, (IntOrPercent{0, true}));
  EXPECT_EQ(budget(R"("unhealthyPodEvictionPolicy":"AlwaysAllow")").unhealthy_pod_eviction,
            UnhealthyPodEviction::kAlwaysAllow);
}

TEST(IntOrPercentTest, RoundsPercentagesUp) {
  EXPECT_EQ((IntOrPercent{50, true}).Of(7), 4);
  EXPECT_EQ((IntOrPercent{1, true}).Of(7), 1);
  EXPECT_EQ((IntOrPercent{0, true}).Of(7), 0);
  EXPECT_EQ((IntOrPercent{100, true}).Of(7), 7);
  EXPECT_EQ((IntOrPercent{9, false}).Of(7), 9);
}

struct EndpointCase {
  const char* conditions;
  bool ready;
  bool serving;
  bool terminating;
};

TEST(DecodeEndpointTest, ReadsAbsentConditionsAsConsumersDo) {
  constexpr EndpointCase kCases[] = {
      {"{}", true, true, false},
      {"null", true, true, false},
      {R"({"ready":null})", true, true, false},
      {R"({"ready":false})", false, false, false},
      {R"({"ready":false,"serving":true,"terminating":true})", false, true, true},
      {R"({"serving":false})", true, false, false},
  };
  for (const EndpointCase& c : kCases) {
    const auto slice = One<EndpointSlice>(
        R"({"metadata":{"name":"s","namespace":"n"},"endpoints":[{"conditions":)" +
        std::string(c.conditions) + "}]}");
    ASSERT_EQ(slice.endpoints.size(), 1u) << c.conditions;
    EXPECT_EQ(slice.endpoints[0].ready, c.ready) << c.conditions;
    EXPECT_EQ(slice.endpoints[0].serving, c.serving) << c.conditions;
    EXPECT_EQ(slice.endpoints[0].terminating, c.terminating) << c.conditions;
  }
  EXPECT_TRUE(One<EndpointSlice>(R"({"metadata":{"name":"s","namespace":"n"},"endpoints":null})")
                  .endpoints.empty());
}

TEST(DecodeServiceTest, KeepsTheAnnotationsAboutRouting) {
  const auto service = One<Service>(R"({"metadata":{"name":"s","namespace":"n","annotations":{
      "service.kubernetes.io/topology-mode":"Auto","note":"x",
      "service.beta.kubernetes.io/aws-load-balancer-attributes":"a=b",
      "kubectl.kubernetes.io/last-applied-configuration":"{}"}},
      "spec":{"type":"LoadBalancer","externalTrafficPolicy":"Local",
      "loadBalancerClass":"service.k8s.aws/nlb","trafficDistribution":"PreferClose",
      "publishNotReadyAddresses":true}})");
  EXPECT_EQ(service.meta.annotations.size(), 2u);
  EXPECT_EQ(Lookup(service.meta.annotations, "service.kubernetes.io/topology-mode"), "Auto");
  EXPECT_EQ(service.external_traffic_policy, "Local");
  EXPECT_EQ(service.load_balancer_class, "service.k8s.aws/nlb");
  EXPECT_EQ(service.traffic_distribution, "PreferClose");
  EXPECT_TRUE(service.publish_not_ready);
}

TEST(DecodeStorageTest, ReadsTopologiesAndHints) {
  const auto storage = One<StorageClass>(R"({"metadata":{"name":"c"},"provisioner":"p",
      "allowedTopologies":[{"matchLabelExpressions":[{"key":"zone","values":["a","b"]}]}]})");
  ASSERT_EQ(storage.allowed_topologies.size(), 1u);
  EXPECT_TRUE(storage.allowed_topologies[0].match_expressions[0].Matches({{"zone", "b"}}));
  EXPECT_EQ(storage.binding, VolumeBinding::kImmediate);
  EXPECT_FALSE(storage.is_default);
  EXPECT_FALSE(One<PersistentVolume>(R"({"metadata":{"name":"v"},"spec":{}})").node_affinity);
  const auto slice = One<EndpointSlice>(R"({"metadata":{"name":"s","namespace":"n"},
      "endpoints":[{"hints":{"forZones":[{"name":"a"},{"name":"b"}]},
                    "targetRef":{"kind":"Node","name":"x"}}]})");
  EXPECT_EQ(slice.endpoints[0].hint_zones, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(slice.endpoints[0].target_pod, "");
  EXPECT_EQ(slice.endpoints[0].address, "");
  EXPECT_TRUE(slice.ports.empty());
}

TEST(DecodeStorageTest, ReadsAddressesAndPorts) {
  const auto slice = One<EndpointSlice>(R"({"metadata":{"name":"s","namespace":"n"},
      "endpoints":[{"addresses":["10.0.0.1","10.0.0.9"]},{"addresses":["fd00::1"]},
                   {"addresses":null}],
      "ports":[{"name":"http","port":9093,"protocol":"TCP","appProtocol":"http"},{"name":""}]})");
  ASSERT_EQ(slice.endpoints.size(), 3u);
  EXPECT_EQ(slice.endpoints[0].address, "10.0.0.1");
  EXPECT_EQ(slice.endpoints[1].address, "fd00::1");
  EXPECT_EQ(slice.endpoints[2].address, "");
  EXPECT_EQ(slice.ports, (std::vector<EndpointPort>{{"http", "TCP", "http", 9093}, {}}));
  EXPECT_TRUE(One<EndpointSlice>(R"({"metadata":{"name":"s","namespace":"n"},"ports":null})")
                  .ports.empty());
}

TEST(DecodeErrorTest, NamesTheObjectAndTheField) {
  EXPECT_EQ(ErrorOf<Node>(R"({"metadata":{"name":"x"},"status":{"allocatable":{"cpu":"much"}}})"),
            "nodes x: status.allocatable.cpu: \"much\" is not a quantity such as 100m, 1.5Gi or "
            "1e3");
  EXPECT_EQ(ErrorOf<PodDisruptionBudget>(
                R"({"metadata":{"name":"b","namespace":"n"},"spec":{"minAvailable":"half"}})"),
            "poddisruptionbudgets n/b: spec.minAvailable: \"half\" is neither a count nor a "
            "percentage");
  EXPECT_NE(ErrorOf<Deployment>(R"({"metadata":{"name":"d","namespace":"n"},"spec":{"selector":{
                "matchExpressions":[{"key":"a","operator":"Near"}]}}})")
                .find("deployments n/d: spec.selector: unknown operator \"Near\""),
            std::string::npos);
  EXPECT_NE(ErrorOf<Service>(R"({"metadata":{"name":"s","namespace":"n"},"spec":[]})")
                .find("services n/s: spec: "),
            std::string::npos);
  EXPECT_NE(ErrorOf<EndpointSlice>(R"({"metadata":{"name":"s","namespace":"n"},"endpoints":{}})")
                .find("endpointslices n/s: endpoints: "),
            std::string::npos);
  EXPECT_NE(ErrorOf<Pod>(R"({"metadata":{"name":"p","namespace":"n","creationTimestamp":"soon"}})")
                .find("pods n/p: metadata.creationTimestamp: "),
            std::string::npos);
}

TEST(DecodeLeaseTest, ALeaseTellsWhenItWasRenewedAndForHowLong) {
  const NodeLease lease = One<NodeLease>(R"({"metadata":{"name":"n1","namespace":"kube-node-lease"},
      "spec":{"holderIdentity":"n1","leaseDurationSeconds":40,
              "renewTime":"2027-01-15T08:00:00.250000Z"}})");
  EXPECT_EQ(lease.meta.name, "n1");
  EXPECT_EQ(lease.renewed_ms, 1'800'000'000'250);
  EXPECT_EQ(lease.duration_ms, 40'000);
  EXPECT_EQ(One<NodeLease>(R"({"metadata":{"name":"n1"}})").renewed_ms, 0);
  EXPECT_EQ(One<NodeLease>(R"({"metadata":{"name":"n1"},"spec":{"leaseDurationSeconds":-1}})")
                .duration_ms,
            0);
  EXPECT_NE(ErrorOf<NodeLease>(R"({"metadata":{"name":"n1"},"spec":{"renewTime":"soon"}})")
                .find("leases n1: spec.renewTime"),
            std::string::npos);
}

}  // namespace
}  // namespace azexporter::kube
