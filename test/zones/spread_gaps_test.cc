#include "azexporter/zones/spread_gaps.h"

#include <gtest/gtest.h>

#include "cluster_parts.h"
#include "reports.h"

namespace azexporter::zones {
namespace {

using test::ClusterParts;
using test::Constraint;
using test::kZoneKey;
using test::Label;
using test::Spec;

kube::PodAffinityTerm Term(const std::string& key, std::optional<kube::LabelSelector> selector) {
  kube::PodAffinityTerm term;
  term.topology_key = key;
  term.selector = std::move(selector);
  return term;
}
kube::PodSpec Spreads(const std::string& key, std::optional<kube::LabelSelector> selector) {
  kube::PodSpec spec;
  spec.spread_constraints = {Constraint(key, 1, std::move(selector))};
  return spec;
}
kube::PodSpec Avoids(kube::PodAffinityTerm term) {
  kube::PodSpec spec;
  spec.required_anti_affinity = {std::move(term)};
  return spec;
}
kube::PodSpec Prefers(const std::string& key, std::optional<kube::LabelSelector> selector) {
  kube::PodSpec spec;
  spec.preferred_anti_affinity = {Term(key, std::move(selector))};
  spec.preferred_anti_affinity[0].weight = 1;
  return spec;
}
kube::PodAffinityTerm InNamespaces(std::vector<std::string> namespaces) {
  kube::PodAffinityTerm term = Term(kZoneKey, Label("app", "web"));
  term.namespaces = std::move(namespaces);
  return term;
}

TEST(UnspreadWorkloadsTest, TellsWhatKeepsAWorkloadFromStandingInOneZone) {
  struct Case {
    const char* name;
    std::int64_t replicas;
    kube::PodSpec spec;
    const char* want;  // "" where there is no gap
  };
  const kube::LabelSelector web = Label("app", "web");
  const kube::LabelSelector typo = Label("app", "wbe");
  const Case cases[] = {
      {"nothing", 2, {}, "no_rule"},
      {"one replica needs nothing", 1, {}, ""},
      {"spread over zones", 2, Spreads(kZoneKey, web), ""},
      {"by the old label", 2, Spreads("failure-domain.beta.kubernetes.io/zone", web), ""},
      {"spread over hosts only", 2, Spreads("kubernetes.io/hostname", web), "no_rule"},
      {"a selector that misses its own pods", 2, Spreads(kZoneKey, typo), "never_binds"},
      {"no selector", 2, Spreads(kZoneKey, std::nullopt), "never_binds"},
      {"required anti-affinity", 2, Avoids(Term(kZoneKey, web)), ""},
      {"preferred anti-affinity", 2, Prefers(kZoneKey, web), ""},
      {"anti-affinity over hosts", 2, Avoids(Term("kubernetes.io/hostname", web)), "no_rule"},
      {"anti-affinity to others", 2, Avoids(Term(kZoneKey, typo)), "never_binds"},
      {"anti-affinity in another namespace", 2, Avoids(InNamespaces({"bank"})), "never_binds"},
      {"anti-affinity in its own among others", 2, Avoids(InNamespaces({"bank", "shop"})), ""},
  };
  for (const Case& c : cases) {
    ClusterParts parts;
    auto& deployment = ClusterParts::Named(parts.deployments, "web");
    deployment.desired = c.replicas;
    deployment.template_labels = {{"app", "web"}};
    deployment.template_spec = Spec(c.spec);
    std::string got;
    for (const UnspreadWorkload& gap : FindUnspreadWorkloads(parts.Build(), {})) {
      got += SpreadGapName(gap.gap);
      EXPECT_EQ(gap.replicas, c.replicas) << c.name;
    }
    EXPECT_EQ(got, c.want) << c.name;
  }
}

TEST(UnspreadWorkloadsTest, ChoosesTheWorkloads) {
  ClusterParts parts;
  ClusterParts::Named(parts.daemon_sets, "agent").desired = 5;
  auto& done = ClusterParts::Named(parts.jobs, "done");
  done.desired = 3;
  done.finished = true;
  ClusterParts::Named(parts.stateful_sets, "db").desired = 3;
  ClusterParts::Named(parts.deployments, "web").desired = 2;
  auto& of_web = ClusterParts::Named(parts.replica_sets, "web-1");
  of_web.desired = 2;
  of_web.owners = {{"Deployment", "web", true}};
  parts.Pod("r1", "", {});
  parts.Pod("r2", "", {});
  parts.Pod("leaving", "", {}).meta.terminating = true;
  parts.pods[2].owners.Edit()[0].name = "leaves";
  std::string got;
  for (const UnspreadWorkload& gap : FindUnspreadWorkloads(parts.Build(), {})) {
    got += gap.workload.kind + "/" + gap.workload.name + " ";
  }
  EXPECT_EQ(got, "Deployment/web Rollout/web StatefulSet/db ");
}

TEST(UnspreadWorkloadsTest, TellsWhereTheClusterDefaultsApply) {
  ClusterParts parts;
  parts.Pod("p", "", {{"app", "web"}});
  parts.Pod("q", "", {{"app", "web"}});
  EXPECT_FALSE(
      FindUnspreadWorkloads(parts.Build(), SystemDefaultConstraints()).at(0).default_applies);
  ClusterParts::Named(parts.services, "web").selector = {{"app", "web"}};
  EXPECT_TRUE(
      FindUnspreadWorkloads(parts.Build(), SystemDefaultConstraints()).at(0).default_applies);
  EXPECT_FALSE(FindUnspreadWorkloads(parts.Build(), {}).at(0).default_applies);
}

// "a=2 b=3"
std::string Violations(const ClusterParts& parts) {
  std::string text;
  for (const AntiAffinityViolation& violation : FindAntiAffinityViolations(parts.Build())) {
    text += (text.empty() ? "" : " ") + violation.zone + "=" + std::to_string(violation.pods);
  }
  return text;
}

ClusterParts TwoZones() {
  ClusterParts parts;
  parts.ZoneNode("a1", "a");
  parts.ZoneNode("a2", "a");
  parts.ZoneNode("b1", "b");
  return parts;
}

TEST(AntiAffinityTest, TwoPodsInOneZoneViolateIt) {
  ClusterParts parts = TwoZones();
  const auto spec = Spec(Avoids(Term(kZoneKey, Label("app", "web"))));
  parts.Pod("p", "a1", {{"app", "web"}}).spec = spec;
  parts.Pod("q", "b1", {{"app", "web"}}).spec = spec;
  EXPECT_EQ(Violations(parts), "");
  parts.Pod("r", "a2", {{"app", "web"}}).spec = spec;
  EXPECT_EQ(Violations(parts), "a=2");
  parts.pods[2].meta.terminating = true;
  EXPECT_EQ(Violations(parts), "");
}

TEST(AntiAffinityTest, APodMayForbidOthersThatDoNotForbidIt) {
  ClusterParts parts = TwoZones();
  parts.Pod("p", "a1", {{"app", "web"}}).spec = Spec(Avoids(Term(kZoneKey, Label("app", "noisy"))));
  parts.Pod("q", "b1", {{"app", "noisy"}});
  EXPECT_EQ(Violations(parts), "");
  parts.Pod("r", "a2", {{"app", "noisy"}});
  EXPECT_EQ(Violations(parts), "a=2");
}

TEST(AntiAffinityTest, LooksIntoTheNamespacesItNames) {
  ClusterParts parts = TwoZones();
  kube::PodAffinityTerm term = InNamespaces({"bank"});
  parts.Pod("p", "a1", {{"app", "web"}}).spec = Spec(Avoids(term));
  parts.Pod("q", "a2", {{"app", "web"}});
  EXPECT_EQ(Violations(parts), "");
  parts.Pod("r", "a2", {{"app", "web"}}).meta.ns = "bank";
  EXPECT_EQ(Violations(parts), "a=2");
  term.namespaces.clear();
  term.namespace_selector = kube::LabelSelector();  // every namespace
  parts.pods[0].spec = Spec(Avoids(term));
  EXPECT_EQ(Violations(parts), "a=3");
}

TEST(AntiAffinityTest, KeysTellTemplatesApart) {
  ClusterParts parts = TwoZones();
  kube::PodAffinityTerm term = Term(kZoneKey, Label("app", "web"));
  term.match_label_keys = {"pod-template-hash"};
  for (const char* hash : {"1", "2"}) {
    parts.Pod(hash, "a1", {{"app", "web"}, {"pod-template-hash", hash}}).spec = Spec(Avoids(term));
  }
  EXPECT_EQ(Violations(parts), "");
  term.match_label_keys.clear();
  term.mismatch_label_keys = {"pod-template-hash"};
  for (kube::Pod& pod : parts.pods) pod.spec = Spec(Avoids(term));
  EXPECT_EQ(Violations(parts), "a=2 a=2");  // each forbids the other
}

TEST(AntiAffinityTest, PreferredTermsAndOtherKeysAreNotViolated) {
  ClusterParts parts = TwoZones();
  kube::PodSpec spec = Prefers(kZoneKey, Label("app", "web"));
  spec.required_anti_affinity = {Term("kubernetes.io/hostname", Label("app", "web"))};
  parts.Pod("p", "a1", {{"app", "web"}}).spec = Spec(spec);
  parts.Pod("q", "a1", {{"app", "web"}}).spec = Spec(spec);
  EXPECT_EQ(Violations(parts), "");
}

}  // namespace
}  // namespace azexporter::zones
