// ZoneModel: what did not change is taken over, and the report is the one that would be made anew.

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>

#include "azexporter/zones/zone_report.h"
#include "cluster_parts.h"

namespace azexporter::zones {
namespace {

constexpr std::int64_t kNow = 1'800'000'000'000;

// Lists of objects that stay the same ones until they change, as a reflector keeps them.
struct LiveCluster {
  kube::Objects<kube::Node> nodes;
  kube::Objects<kube::Pod> pods;
  kube::Objects<kube::Deployment> deployments;
  kube::Objects<kube::ReplicaSet> replica_sets;
  kube::Objects<kube::Job> jobs;
  kube::Objects<kube::PodDisruptionBudget> budgets;
  kube::Objects<kube::Service> services;
  kube::Objects<kube::PersistentVolume> volumes;
  kube::Objects<kube::PersistentVolumeClaim> claims;

  template <class T>
  static void Put(kube::Objects<T>& list, T object) {
    const auto key = [](const T& o) { return std::tie(o.meta.ns, o.meta.name); };
    const auto at = std::lower_bound(list.begin(), list.end(), object,
                                     [&](const auto& a, const T& b) { return key(*a) < key(b); });
    const bool there = at != list.end() && key(**at) == key(object);
    auto shared = std::make_shared<const T>(std::move(object));
    if (there) {
      *at = std::move(shared);
    } else {
      list.insert(at, std::move(shared));
    }
  }

  std::shared_ptr<const kube::ClusterState> State() const {
    kube::ClusterState::Parts parts;
    parts.nodes = kube::MakeList(nodes);
    parts.pods = kube::MakeList(pods);
    parts.deployments = kube::MakeList(deployments);
    parts.replica_sets = kube::MakeList(replica_sets);
    parts.jobs = kube::MakeList(jobs);
    parts.budgets = kube::MakeList(budgets);
    parts.services = kube::MakeList(services);
    parts.volumes = kube::MakeList(volumes);
    parts.claims = kube::MakeList(claims);
    for (const char* resource : {"nodes", "pods"}) {
      kube::ResourceHealth& health = parts.health.emplace_back();
      health.resource = resource;
      health.synced = true;
      health.last_contact_ms = kNow;
    }
    return std::make_shared<const kube::ClusterState>(std::move(parts));
  }
};

class RandomChanges {
 public:
  explicit RandomChanges(std::uint32_t seed) : random_(seed) {
    for (int i = 0; i < 9; ++i) PutNode(i);
    for (int i = 0; i < 40; ++i) PutPod();
  }

  void Change() {
    const int what = Dice(22);
    if (what == 0) {
      PutNode(Dice(9));
    } else if (what == 1) {
      PutBudget();
    } else if (what == 2) {
      PutDeployment();
    } else if (what == 3) {
      PutReplicaSet();
    } else if (what == 4) {
      PutJob();
    } else if (what == 5) {
      PutService();
    } else if (what == 6) {
      PutVolume();
    } else if (what == 7) {
      PutClaim();
    } else if (what <= 10 && !live.pods.empty()) {
      live.pods.erase(live.pods.begin() + Dice(static_cast<int>(live.pods.size())));
    } else if (what <= 15 && !live.pods.empty()) {
      ChangeStatus(*live.pods[static_cast<std::size_t>(Dice(static_cast<int>(live.pods.size())))]);
    } else {
      PutPod();
    }
  }

  LiveCluster live;

 private:
  int Dice(int sides) { return std::uniform_int_distribution<int>(0, sides - 1)(random_); }
  std::string Namespace() { return "ns" + std::to_string(Dice(4)); }
  std::string App() { return "app" + std::to_string(Dice(3)); }

  void PutNode(int number) {
    kube::Node node;
    node.meta.name = "n" + std::to_string(number);
    node.meta.labels = {{test::kZoneKey, std::string(1, static_cast<char>('a' + number % 3))}};
    const bool ready = Dice(4) > 0;
    node.conditions.push_back(
        {"Ready", ready ? kube::ConditionStatus::kTrue : kube::ConditionStatus::kFalse});
    node.unschedulable = Dice(5) == 0;
    node.allocatable.cpu_milli = 4000;
    LiveCluster::Put(live.nodes, node);
  }

  void PutPod() {
    kube::Pod pod;
    pod.meta.ns = Namespace();
    const std::string app = App();
    pod.meta.name = app + "-" + std::to_string(Dice(8));
    pod.meta.labels = {{"app", app}};
    pod.meta.terminating = Dice(8) == 0;
    const char* const kinds[] = {"Deployment", "ReplicaSet", "Job"};
    pod.owners = {{kinds[Dice(3)], app, true}};
    if (Dice(4) == 0) pod.claims = {"data-" + std::to_string(Dice(2))};
    if (Dice(6) > 0) pod.node_name = "n" + std::to_string(Dice(9));
    pod.phase = pod.node_name.empty() ? kube::PodPhase::kPending : kube::PodPhase::kRunning;
    pod.ready = Dice(5) > 0 ? kube::ConditionStatus::kTrue : kube::ConditionStatus::kFalse;
    kube::PodSpec spec;
    spec.requests.cpu_milli = 100 * Dice(5);
    if (Dice(2) == 0) {
      spec.spread_constraints.push_back(
          test::Constraint(test::kZoneKey, 1, test::Label("app", app)));
    }
    if (Dice(3) == 0) {
      kube::PodAffinityTerm term;
      term.selector = test::Label("app", app);
      term.topology_key = test::kZoneKey;
      if (Dice(2) == 0) term.namespaces = {"ns0", "ns1"};
      spec.required_anti_affinity.push_back(term);
    }
    pod.spec = test::Spec(std::move(spec));
    LiveCluster::Put(live.pods, pod);
  }

  // What kubelets report all the time.
  void ChangeStatus(kube::Pod pod) {
    pod.ready = Dice(2) == 0 ? kube::ConditionStatus::kTrue : kube::ConditionStatus::kFalse;
    pod.unschedulable = pod.node_name.empty() && Dice(2) == 0;
    if (Dice(8) == 0) pod.meta.terminating = true;
    if (Dice(8) == 0) pod.phase = kube::PodPhase::kSucceeded;
    LiveCluster::Put(live.pods, pod);
  }

  void PutReplicaSet() {
    kube::ReplicaSet set;
    set.meta.ns = Namespace();
    set.meta.name = App();
    set.desired = Dice(4);
    set.ready = Dice(4);
    set.selector = test::Label("app", App());
    LiveCluster::Put(live.replica_sets, set);
  }

  void PutJob() {
    kube::Job job;
    job.meta.ns = Namespace();
    job.meta.name = App();
    job.finished = Dice(2) == 0;
    LiveCluster::Put(live.jobs, job);
  }

  void PutService() {
    kube::Service service;
    service.meta.ns = Namespace();
    service.meta.name = "service" + std::to_string(Dice(2));
    service.type = "ClusterIP";
    service.selector = {{"app", App()}};
    LiveCluster::Put(live.services, service);
  }

  void PutVolume() {
    kube::PersistentVolume volume;
    volume.meta.name = "volume-" + std::to_string(Dice(2));
    const std::string zone(1, static_cast<char>('a' + Dice(3)));
    volume.node_affinity = {{{{{test::kZoneKey, kube::SelectorOp::kIn, {zone}}}, {}}}};
    if (Dice(2) == 0) volume.claim_ns = Namespace();
    LiveCluster::Put(live.volumes, volume);
  }

  void PutClaim() {
    kube::PersistentVolumeClaim claim;
    claim.meta.ns = Namespace();
    claim.meta.name = "data-" + std::to_string(Dice(2));
    claim.phase = Dice(4) == 0 ? "Pending" : "Bound";
    if (claim.phase == "Bound") claim.volume_name = "volume-" + std::to_string(Dice(2));
    LiveCluster::Put(live.claims, claim);
  }

  void PutDeployment() {
    kube::Deployment deployment;
    deployment.meta.ns = Namespace();
    deployment.meta.name = App();
    deployment.desired = Dice(4);
    LiveCluster::Put(live.deployments, deployment);
  }

  void PutBudget() {
    kube::PodDisruptionBudget budget;
    budget.meta.ns = Namespace();
    budget.meta.name = "budget" + std::to_string(Dice(2));
    budget.selector = test::Label("app", App());
    budget.current_healthy = Dice(5);
    budget.desired_healthy = Dice(3);
    budget.expected_pods = 5;
    LiveCluster::Put(live.budgets, budget);
  }

  std::mt19937 random_;
};

const ExpectedZones kExpected = {{"a", {}}, {"d", {}}};
const std::set<std::string> kSeen = {"b"};

// By host and hard: for pods that have no constraints of their own.
const DefaultConstraints kHard = [] {
  DefaultConstraints defaults = SystemDefaultConstraints();
  for (auto& constraint : defaults.constraints) {
    constraint.topology_key = test::kZoneKey;
    constraint.max_skew = 1;
    constraint.when_unsatisfiable = kube::WhenUnsatisfiable::kDoNotSchedule;
  }
  return defaults;
}();

ReportInputs InputsOf(std::shared_ptr<const kube::ClusterState> cluster) {
  return {.cluster = std::move(cluster),
          .expected = kExpected,
          .expectations = {.known = true},
          .probes = {},
          .postgres = {},
          .seen_zones = kSeen,
          .pod_namespace = "",
          .pod_selector = {{"app", "app0"}},
          .default_constraints = kHard,
          .now_ms = kNow};
}

std::vector<NamespaceReport> Namespaces(const ZoneReport& report) {
  std::vector<NamespaceReport> all;
  for (const auto& ns : report.namespaces) all.push_back(*ns);
  return all;
}

std::string Told(const std::vector<ZoneLoss>& losses) {
  std::string text;
  for (const ZoneLoss& loss : losses) {
    text += loss.zone + " " + std::string(VerdictName(loss.verdict)) + "\n";
    for (const LossFinding& finding : loss.findings) {
      text += (finding.blocker ? "  blocker " : "  note ") + TextOf(finding) + "\n";
    }
    if (loss.placement) {
      text += "  displaced " + std::to_string(loss.placement->displaced) + ", placed " +
              std::to_string(loss.placement->placed) + "\n";
      ForEachUnplaced(*loss.placement, [&](const UnplacedPods& row) {
        text += "  unplaced " + std::to_string(row.pods) + " of " + FullName(row.workload) + ": " +
                std::string(PlacementReasonName(row.reason)) + " " + row.detail + "\n";
      });
    }
  }
  return text;
}

TEST(ZoneModelTest, AnUpdateIsTheReportThatWouldBeMadeAnew) {
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    RandomChanges changes(seed);
    ZoneModel model;
    for (int round = 0; round < 40; ++round) {
      const auto cluster = changes.live.State();
      const ZoneReport updated = model.Update(InputsOf(cluster));
      const ZoneReport anew = MakeZoneReport(InputsOf(cluster));
      ASSERT_EQ(Namespaces(updated), Namespaces(anew)) << "seed " << seed << " round " << round;
      ASSERT_EQ(updated.zones, anew.zones) << "seed " << seed << " round " << round;
      ASSERT_EQ(Told(updated.losses), Told(anew.losses)) << "seed " << seed << " round " << round;
      ASSERT_EQ(Told(updated.evacuations), Told(anew.evacuations))
          << "seed " << seed << " round " << round;
      for (int i = 0; i < round % 3; ++i) changes.Change();
    }
  }
}

TEST(ZoneModelTest, PlacesPodsAnewOnlyWhereTheyAreOthers) {
  test::ClusterParts parts;
  LiveCluster live;
  for (const char* node : {"n1", "n2"}) {
    LiveCluster::Put(live.nodes, parts.ZoneNode(node, node));
    LiveCluster::Put(live.pods, parts.Pod(std::string("web-") + node, node, {}));
  }
  kube::Deployment deployment;
  deployment.meta.ns = "shop";
  deployment.meta.name = "web";
  LiveCluster::Put(live.deployments, deployment);
  ZoneModel model;
  const auto placement = [&] {
    const ZoneReport report = model.Update(InputsOf(live.State()));
    const auto loss = std::find_if(report.losses.begin(), report.losses.end(),
                                   [](const ZoneLoss& one) { return one.zone == "n1"; });
    return loss->placement;
  };
  const auto first = placement();
  ASSERT_NE(first, nullptr);

  kube::Pod pod = *live.pods[0];
  pod.ready = kube::ConditionStatus::kFalse;
  LiveCluster::Put(live.pods, pod);
  deployment.ready = 1;
  LiveCluster::Put(live.deployments, deployment);
  EXPECT_EQ(placement(), first);
  pod.meta.terminating = true;
  LiveCluster::Put(live.pods, pod);
  const auto second = placement();
  EXPECT_NE(second, first);
  live.pods.pop_back();
  EXPECT_NE(placement(), second);
}

TEST(ZoneModelTest, ANamespaceInWhichNothingChangedIsTakenOver) {
  test::ClusterParts parts;
  parts.ZoneNode("n1", "a");
  LiveCluster live;
  LiveCluster::Put(live.nodes, parts.nodes[0]);
  for (const char* ns : {"one", "two"}) {
    kube::Pod pod = parts.Pod("web-1", "n1", {});
    pod.meta.ns = ns;
    LiveCluster::Put(live.pods, pod);
  }
  ZoneModel model;
  const ZoneReport before = model.Update(InputsOf(live.State()));
  kube::Pod pod = *live.pods[0];
  pod.ready = kube::ConditionStatus::kFalse;
  LiveCluster::Put(live.pods, pod);
  kube::Node heartbeat = *live.nodes[0];
  heartbeat.meta.annotations = {{"example.com/seen", "now"}};
  LiveCluster::Put(live.nodes, heartbeat);
  const ZoneReport after = model.Update(InputsOf(live.State()));
  ASSERT_EQ(after.namespaces.size(), 2u);
  EXPECT_NE(after.namespaces[0], before.namespaces[0]);
  EXPECT_EQ(after.namespaces[1], before.namespaces[1]);

  live.pods.erase(live.pods.begin());
  EXPECT_EQ(model.Update(InputsOf(live.State())).namespaces.size(), 1u);
  kube::Node cordoned = *live.nodes[0];
  cordoned.unschedulable = true;
  LiveCluster::Put(live.nodes, cordoned);
  const ZoneReport anew = model.Update(InputsOf(live.State()));
  EXPECT_NE(anew.namespaces[0], before.namespaces[1]) << "nodes decide over all";
}

}  // namespace
}  // namespace azexporter::zones
