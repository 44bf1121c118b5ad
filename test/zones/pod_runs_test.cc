// What pods of one template have alike is asked once for a run of them: the same must come out as
// where each is asked by itself.

#include <gtest/gtest.h>

#include <algorithm>

#include "azexporter/zones/workload_pods.h"
#include "cluster_parts.h"
#include "random_parts.h"
#include "reports.h"
#include "zones/label_sets.h"
#include "zones/namespace_pods.h"

namespace azexporter::zones {
namespace {

using kube::SelectorOp;
using test::ClusterParts;
using test::Dice;

constexpr int kRounds = 300;

struct Template {
  kube::Shared<kube::StringMap> labels;
  kube::Shared<std::vector<kube::Owner>> owners;
  std::shared_ptr<const kube::PodSpec> spec;
};

std::vector<kube::Owner> RandomOwners(Dice& dice) {
  if (dice.OneIn(8)) return {};
  return {{dice.Of<std::string>({"ReplicaSet", "ReplicaSet", "StatefulSet", "Job", "Rollout"}),
           dice.Of<std::string>({"one", "two", "three"}), true}};
}

Template RandomTemplate(Dice& dice) {
  kube::PodSpec spec;
  if (!dice.OneIn(3)) spec.spread_constraints.push_back(test::RandomConstraint(dice));
  if (dice.OneIn(3)) {
    kube::PodAffinityTerm term;
    term.topology_key = test::kZoneKey;
    term.selector = test::RandomSelector(dice);
    if (dice.OneIn(4)) term.namespaces = {"bank"};
    spec.required_anti_affinity.push_back(std::move(term));
  }
  spec.requests.cpu_milli = dice.Below(5);
  return {test::RandomLabels(dice), RandomOwners(dice), test::Spec(std::move(spec))};
}

void AddPods(Dice& dice, ClusterParts& parts) {
  std::vector<Template> templates;
  for (int i = 0; i < 3; ++i) templates.push_back(RandomTemplate(dice));
  const Template* of = &templates[0];
  for (int i = dice.Below(30); i > 0; --i) {
    if (dice.OneIn(4)) of = &dice.Of(templates);
    const std::string node = dice.OneIn(8) ? "" : "n" + std::to_string(dice.Below(7));
    kube::Pod& pod = parts.Pod("p" + std::to_string(100 - i), node, {});
    pod.meta.labels = of->labels;
    // As a StatefulSet labels its pods.
    if (dice.OneIn(4)) pod.meta.labels.Edit().emplace_back("z-index", std::to_string(i));
    pod.owners = of->owners;
    pod.spec = dice.OneIn(8) ? dice.Of(templates).spec : of->spec;
    pod.meta.created_ms = dice.Below(4);
    pod.meta.terminating = dice.OneIn(8);
    if (dice.OneIn(8)) pod.phase = kube::PodPhase::kSucceeded;
    if (dice.OneIn(4)) pod.ready = kube::ConditionStatus::kFalse;
    if (dice.OneIn(8)) pod.pinned_node = "n1";
    pod.unschedulable = dice.OneIn(6);
    if (dice.OneIn(4)) pod.claims = {dice.Of<std::string>({"data-one-0", "data", "gone"})};
  }
}

// Some belong to others, some of which are not there, or to each other.
template <class T>
void AddWorkloads(Dice& dice, std::deque<T>& list) {
  for (const char* name : {"one", "two"}) {
    if (dice.OneIn(3)) continue;
    T& workload = ClusterParts::Named(list, name);
    workload.desired = dice.Below(3);
    workload.template_labels = test::RandomLabels(dice);
    if (dice.OneIn(3)) workload.claim_templates = {"data"};
    if (!dice.OneIn(2)) continue;
    workload.owners = {{dice.Of<std::string>({"Deployment", "StatefulSet", "CronJob"}),
                        dice.Of<std::string>({"one", "two", "three"}), true}};
  }
}

ClusterParts RandomCluster(Dice& dice) {
  ClusterParts parts;
  for (int i = 0; i < 6; ++i) {
    parts.ZoneNode("n" + std::to_string(i), dice.Of<std::string>({"a", "b", "c"}));
  }
  AddPods(dice, parts);
  AddWorkloads(dice, parts.deployments);
  AddWorkloads(dice, parts.replica_sets);
  AddWorkloads(dice, parts.stateful_sets);
  AddWorkloads(dice, parts.jobs);
  for (const char* name : {"one", "two"}) {
    ClusterParts::Named(parts.budgets, name).selector = test::RandomSelector(dice);
  }
  ClusterParts::Named(parts.claims, "data");
  return parts;
}

// The same, but no two pods share anything.
ClusterParts Unshared(ClusterParts parts) {
  for (kube::Pod& pod : parts.pods) {
    pod.meta.labels = kube::StringMap(pod.meta.labels.get());
    pod.owners = std::vector<kube::Owner>(pod.owners.get());
    pod.spec = test::Spec(*pod.spec);
  }
  return parts;
}

std::vector<NamespaceReport> ReportsOf(const kube::ClusterState& cluster, bool defaults) {
  NamespaceOptions options;
  options.pod_selector = {{"app", "1"}};
  if (defaults) options.spread = {{"a", "d"}, SystemDefaultConstraints()};
  NamespaceReporter reporter(cluster, options);
  std::vector<NamespaceReport> reports;
  for (const std::string& ns : NamespacesOf(cluster)) {
    reports.push_back(reporter.Of(cluster, ns).report);
  }
  return reports;
}

std::vector<SeenPod> SeenIn(const kube::ClusterState& cluster) {
  return SeePods(cluster, "shop", NodeDomains(cluster.nodes()));
}

TEST(PodRunsTest, AReportIsTheSameWhateverPodsShare) {
  Dice dice(1);
  std::size_t saved = 0;
  for (int round = 0; round < kRounds; ++round) {
    SCOPED_TRACE(round);
    const ClusterParts parts = RandomCluster(dice);
    const kube::ClusterState shared = parts.Build();
    const kube::ClusterState unshared = Unshared(parts).Build();
    for (const bool defaults : {false, true}) {
      ASSERT_EQ(ReportsOf(shared, defaults), ReportsOf(unshared, defaults));
    }
    saved += RunsOf(SeenIn(unshared)).size() - RunsOf(SeenIn(shared)).size();
  }
  EXPECT_GT(saved, kRounds) << "hardly a pod was in a run with another";
}

TEST(PodRunsTest, HoldTheCountedPodsOfOneTemplate) {
  ClusterParts parts;
  const Template one{{{"app", "web"}}, {}, test::Spec({})};
  const auto add = [&](const std::string& name) -> kube::Pod& {
    kube::Pod& pod = parts.Pod(name, "", {});
    pod.meta.labels = one.labels;
    pod.owners = one.owners;
    pod.spec = one.spec;
    return pod;
  };
  add("a1");
  add("a2");
  add("b-finished").phase = kube::PodPhase::kFailed;
  add("c1");
  add("d-leaving").meta.terminating = true;
  add("e1").owners = std::vector<kube::Owner>();  // an object of its own
  add("e2");
  add("f1").pinned_node = "n1";
  add("f2").pinned_node = "n2";
  add("g1");
  add("g2").spec = test::Spec({});  // one of its own, too
  const kube::ClusterState cluster = parts.Build();
  const std::vector<SeenPod> pods = SeenIn(cluster);
  std::string runs;
  for (const PodRun& run : RunsOf(pods)) {
    for (const SeenPod& pod : run) runs += pod.pod->meta.name + " ";
    runs += "| ";
  }
  EXPECT_EQ(runs, "a1 a2 | c1 | e1 | e2 | f1 f2 | g1 | g2 | ");
  EXPECT_TRUE(RunsOf({}).empty());
}

// The short way, by what the namespace's workloads own, and the long one, from each pod upwards.
TEST(PodRunsTest, PodsFindTheirWorkloadBothWays) {
  Dice dice(2);
  for (int round = 0; round < kRounds; ++round) {
    SCOPED_TRACE(round);
    const kube::ClusterState cluster = RandomCluster(dice).Build();
    WorkloadFinder numbered(cluster, "shop");
    WorkloadFinder finder(cluster);
    for (const auto& pod : cluster.pods()) {
      const std::uint32_t number = finder.Of(*pod);
      const std::uint32_t other = numbered.Of(*pod);
      ASSERT_EQ(number == WorkloadFinder::kNone, other == WorkloadFinder::kNone);
      if (number == WorkloadFinder::kNone) continue;
      ASSERT_EQ(FullName(numbered.ref(other)), FullName(finder.ref(number)));
      ASSERT_EQ(numbered.workload(other), finder.workload(number));
    }
    const auto groups = GroupPods(RunsOf(SeenIn(cluster)), numbered);
    EXPECT_TRUE(std::is_sorted(groups.begin(), groups.end(),
                               [](const auto& a, const auto& b) { return a.ref < b.ref; }));
  }
}

TEST(LabelSetsTest, ASelectorMatchesThoseItMatchesOneByOne) {
  Dice dice(3);
  for (int round = 0; round < kRounds; ++round) {
    SCOPED_TRACE(round);
    const kube::ClusterState cluster = RandomCluster(dice).Build();
    const std::vector<SeenPod> pods = SeenIn(cluster);
    const LabelSets sets(RunsOf(pods));
    for (int i = 0; i < 5; ++i) {
      const auto selector = test::RandomSelector(dice);
      std::vector<const LabelSet*> want;
      for (const LabelSet& set : sets.sets()) {
        if (kube::Matches(selector, *set.labels)) want.push_back(&set);
      }
      ASSERT_EQ(sets.Matching(selector), want) << kube::SelectorText(selector);
    }
  }
}

TEST(LabelIndexTest, KnowsWhoMayHaveWhatIsDemanded) {
  const kube::StringMap labels[] = {{{"app", "web"}, {"tier", "1"}},
                                    {{"app", "web"}, {"tier", "2"}},
                                    {{"app", "db"}},
                                    {{"app", "web"}}};
  LabelIndex index;
  for (std::uint32_t i = 0; i < std::size(labels); ++i) index.Add(labels[i], i);
  using Numbers = std::vector<std::uint32_t>;
  struct Case {
    const char* name;
    kube::LabelSelector selector;
    std::optional<Numbers> want;  // absent: any
  };
  const Case cases[] = {
      {"nothing demanded", {}, std::nullopt},
      {"a pair", {{{"app", "web"}}, {}}, Numbers{0, 1, 3}},
      {"of two pairs the rarer", {{{"app", "web"}, {"tier", "2"}}, {}}, Numbers{1}},
      {"one value of many", {{}, {{"tier", SelectorOp::kIn, {"1"}}}}, Numbers{0}},
      {"any of two values", {{}, {{"tier", SelectorOp::kIn, {"1", "2"}}}}, std::nullopt},
      {"not a value", {{}, {{"tier", SelectorOp::kNotIn, {"1"}}}}, std::nullopt},
      {"a value that none has", {{{"app", "mail"}}, {}}, Numbers{}},
      {"a key that none has", {{{"app", "web"}, {"zone", "a"}}, {}}, Numbers{}},
  };
  for (const Case& test : cases) {
    const Numbers* found = index.Candidates(test.selector.match_labels, test.selector.requirements);
    EXPECT_EQ(found == nullptr ? std::nullopt : std::optional(*found), test.want) << test.name;
  }
}

}  // namespace
}  // namespace azexporter::zones
