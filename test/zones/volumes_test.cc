#include "azexporter/zones/volumes.h"

#include <gtest/gtest.h>

#include "cluster_parts.h"
#include "reports.h"
#include "support/add_label.h"

namespace azexporter::zones {
namespace {

using kube::SelectorOp;
using test::ClusterParts;
using test::kZoneKey;

constexpr char kEbs[] = "topology.ebs.csi.aws.com/zone";
constexpr char kCinder[] = "topology.cinder.csi.openstack.org/zone";
constexpr char kHost[] = "kubernetes.io/hostname";
using Requirements = std::vector<kube::Requirement>;

kube::Requirement In(const std::string& key, std::vector<std::string> values) {
  return {key, SelectorOp::kIn, std::move(values)};
}

// Nodes a1, a2 in zone a, b1 in b, and x1 in none.
ClusterParts TwoZones() {
  ClusterParts parts;
  for (const char* name : {"a1", "a2", "b1"}) {
    const std::string zone(1, *name);
    kube::Node& node = parts.ZoneNode(name, zone);
    test::AddLabel(node.meta, kEbs, zone);
    test::AddLabel(node.meta, kCinder, "nova-" + zone);
    test::AddLabel(node.meta, "disk", std::string_view(name) == "a2" ? "slow" : "fast");
  }
  parts.Node("x1", {{kHost, "x1"}});
  return parts;
}

kube::PersistentVolume& Volume(ClusterParts& parts, const std::string& name,
                               std::vector<Requirements> terms) {
  auto& volume = parts.volumes.emplace_back();
  volume.meta.name = name;
  volume.phase = "Bound";
  volume.capacity_bytes = 10;
  volume.storage_class = "gp3";
  volume.node_affinity.emplace();
  for (Requirements& term : terms) {
    volume.node_affinity->terms.push_back({.match_expressions = std::move(term)});
  }
  return volume;
}

// "zones a,b stranded"
std::string Text(const VolumePlace& place) {
  std::string text(VolumeReachName(place.reach));
  for (const std::string& zone : place.zones) text += " " + zone;
  return text + (place.stranded ? " stranded" : "");
}

TEST(VolumesTest, FindsTheZonesAVolumeIsReachedFrom) {
  struct Case {
    const char* name;
    std::vector<Requirements> terms;
    const char* want;
  };
  const Case cases[] = {
      {"a zone", {{In(kZoneKey, {"a"})}}, "zones a"},
      {"the label before it",
       {{In("failure-domain.beta.kubernetes.io/zone", {"a"})}},
       "zones a stranded"},
      {"a driver's key", {{In(kEbs, {"b"})}}, "zones b"},
      {"a key no node carries", {{In("topology.gke.io/zone", {"b"})}}, "zones b stranded"},
      {"a driver's own name for a zone", {{In(kCinder, {"nova-a"})}}, "zones a"},
      {"a name that no node carries", {{In(kCinder, {"nova-c"})}}, "zones nova-c stranded"},
      {"two names of which one is carried", {{In(kCinder, {"nova-a", "a"})}}, "zones a"},
      {"two zones", {{In(kZoneKey, {"b", "a"})}}, "zones a b"},
      {"two terms", {{In(kZoneKey, {"a"})}, {In(kZoneKey, {"b"})}}, "zones a b"},
      {"two keys that agree", {{In(kZoneKey, {"a"}), In(kEbs, {"a"})}}, "zones a"},
      {"two keys that share a zone", {{In(kZoneKey, {"a", "b"}), In(kEbs, {"b"})}}, "zones b"},
      {"two keys that contradict", {{In(kZoneKey, {"a"}), In(kEbs, {"b"})}}, "unknown stranded"},
      {"a zone that is gone", {{In(kZoneKey, {"c"})}}, "zones c stranded"},
      {"one of two that is gone", {{In(kZoneKey, {"a", "c"})}}, "zones a"},
      {"zones with a node of the kind",
       {{In(kZoneKey, {"a", "b"}), In("disk", {"slow"})}},
       "zones a"},
      {"no node of the kind",
       {{In(kZoneKey, {"a", "b"}), In("disk", {"none"})}},
       "zones a b stranded"},
      {"any zone", {{{kZoneKey, SelectorOp::kExists, {}}}}, "zones a b"},
      {"not in a zone", {{{kZoneKey, SelectorOp::kNotIn, {"a"}}}}, "zones b"},
      {"Azure, in no zone", {{In("topology.disk.csi.azure.com/zone", {""})}}, "unknown stranded"},
      {"Azure, in every zone",
       {{In("topology.disk.csi.azure.com/zone", {"a", "b", ""})}},
       "zones a b stranded"},
      {"a host", {{In(kHost, {"a2"})}}, "zones a"},
      {"a host without zone", {{In(kHost, {"x1"})}}, "unknown"},
      {"a host that is gone", {{In(kHost, {"a9"})}}, "unknown stranded"},
      {"by another label", {{In("disk", {"fast"})}}, "zones a b"},
      {"a key that only looks like it", {{In("example.com/zones", {"a"})}}, "unknown stranded"},
      {"no values", {{In(kZoneKey, {})}}, "unknown stranded"},
      {"an empty term", {{}}, "unknown stranded"},
      {"no terms", {}, "unknown stranded"},
  };
  for (const Case& c : cases) {
    ClusterParts parts = TwoZones();
    const auto& volume = Volume(parts, "v", c.terms);
    EXPECT_EQ(Text(PlaceOf(parts.Build(), volume)), c.want) << c.name;
  }
}

TEST(VolumesTest, FindsTheZoneOfANodeGivenByName) {
  ClusterParts parts = TwoZones();
  auto& volume = Volume(parts, "v", {{}});
  volume.node_affinity->terms[0].match_fields = {In("metadata.name", {"b1"})};
  EXPECT_EQ(Text(PlaceOf(parts.Build(), volume)), "zones b");
  volume.node_affinity.reset();
  EXPECT_EQ(Text(PlaceOf(parts.Build(), volume)), "everywhere");
}

TEST(VolumesTest, CountsVolumesByZoneAndClass) {
  ClusterParts parts = TwoZones();
  Volume(parts, "v1", {{In(kZoneKey, {"a"})}});
  Volume(parts, "v2", {{In(kZoneKey, {"a"})}}).capacity_bytes = 5;
  Volume(parts, "v3", {{In(kZoneKey, {"a"})}}).storage_class = "";
  Volume(parts, "v4", {{In(kZoneKey, {"a", "b"})}}).phase = "Released";
  Volume(parts, "v5", {{In(kHost, {"a9"})}});
  Volume(parts, "v6", {}).node_affinity.reset();
  std::string got;
  for (const VolumeGroup& group : VolumesOf(parts.Build()).groups) {
    got += std::string(VolumeReachName(group.reach)) + " " + group.zone + "/" +
           group.storage_class + " " + std::to_string(group.volumes) + " " +
           std::to_string(group.capacity_bytes) + " " + std::to_string(group.stranded) + "\n";
  }
  EXPECT_EQ(got,
            "everywhere /gp3 1 10 0\nzones a/ 1 10 0\nzones a/gp3 3 25 0\nzones b/gp3 1 10 0\n"
            "unknown /gp3 1 10 1\n");
  EXPECT_TRUE(VolumesOf(kube::ClusterState()).groups.empty());
}

TEST(VolumesTest, SaysWhatClassesMakeOfZones) {
  using Terms = std::vector<kube::TopologyTerm>;
  struct Case {
    const char* name;
    kube::VolumeBinding binding;
    Terms allowed;
    std::vector<std::vector<Requirements>> volumes;  // no terms: everywhere
    const char* want;                                // allowed zones, and what is to be said
  };
  constexpr auto kNow = kube::VolumeBinding::kImmediate;
  constexpr auto kLater = kube::VolumeBinding::kWaitForFirstConsumer;
  const std::vector<Requirements> in_a = {{In(kZoneKey, {"a"})}};
  const Case cases[] = {
      {"waits", kLater, {}, {in_a}, ""},
      {"immediate", kNow, {}, {in_a}, " blind"},
      {"immediate, nothing made yet", kNow, {}, {}, " blind"},
      {"immediate, of a file system", kNow, {}, {{}, {}}, ""},
      {"immediate, of both kinds", kNow, {}, {{}, in_a}, " blind"},
      {"immediate in one zone", kNow, {{{In(kZoneKey, {"a"})}}}, {in_a}, "a one"},
      {"waits, in one zone", kLater, {{{In(kEbs, {"b"})}}}, {}, "b one"},
      {"immediate in two zones", kNow, {{{In(kZoneKey, {"a", "b"})}}}, {}, "a,b blind"},
      {"one zone a term", kLater, {{{In(kZoneKey, {"b"})}}, {{In(kZoneKey, {"a"})}}}, {}, "a,b"},
      {"a driver's own name", kLater, {{{In(kCinder, {"nova-a"})}}}, {}, "a one"},
      {"one term names no zone", kLater, {{{In(kZoneKey, {"a"})}}, {{In("disk", {"x"})}}}, {}, ""},
  };
  for (const Case& c : cases) {
    ClusterParts parts = TwoZones();
    auto& storage_class = parts.storage_classes.emplace_back();
    storage_class.meta.name = "gp3";
    storage_class.binding = c.binding;
    storage_class.allowed_topologies = c.allowed;
    for (const auto& terms : c.volumes) {
      auto& volume = Volume(parts, "v" + std::to_string(parts.volumes.size()), terms);
      if (terms.empty()) volume.node_affinity.reset();
    }
    Volume(parts, "other", in_a).storage_class = "local";
    const StorageClassStatus status = VolumesOf(parts.Build()).classes.at(0);
    std::string got;
    for (const std::string& zone : status.allowed_zones) got += (got.empty() ? "" : ",") + zone;
    got += status.one_zone() ? " one" : "";
    got += status.blind_choice ? " blind" : "";
    EXPECT_EQ(got, c.want) << c.name;
    EXPECT_EQ(status.volumes, static_cast<std::int64_t>(c.volumes.size())) << c.name;
  }
}

TEST(VolumesTest, InOneZoneThereIsNothingToChoose) {
  ClusterParts parts;
  parts.ZoneNode("a1", "a");
  parts.storage_classes.emplace_back().meta.name = "gp3";
  EXPECT_TRUE(VolumesOf(parts.Build()).classes.at(0).immediate);
  EXPECT_FALSE(VolumesOf(parts.Build()).classes.at(0).blind_choice);
}

kube::PersistentVolumeClaim& Claim(ClusterParts& parts, const std::string& name,
                                   const std::string& volume) {
  auto& claim = ClusterParts::Named(parts.claims, name);
  claim.volume_name = volume;
  claim.phase = volume.empty() ? "Pending" : "Bound";
  return claim;
}

// "data pinned v1 a; Deployment/web; web-1,web-2"
std::string Text(const PinnedClaim& claim) {
  std::string text = claim.claim + " " + std::string(ClaimStateName(claim.state)) + " " +
                     claim.volume + " " + claim.zone + (claim.stranded ? " stranded" : "") +
                     (claim.waits_for_pod ? " waits" : "") + ";";
  for (const WorkloadRef& ref : claim.workloads) text += " " + ref.kind + "/" + ref.name;
  text += ";";
  for (const std::string& pod : claim.pods) text += " " + pod;
  return text;
}
std::string ClaimsOf(const ClusterParts& parts) {
  std::string text;
  for (const PinnedClaim& claim : PinnedClaimsOf(parts.Build(), "shop")) text += Text(claim) + "\n";
  return text;
}

TEST(VolumesTest, ListsTheClaimsThatHoldPodsInOneZone) {
  ClusterParts parts = TwoZones();
  Volume(parts, "v1", {{In(kZoneKey, {"a"})}});
  Volume(parts, "v2", {{In(kZoneKey, {"a", "b"})}});
  Volume(parts, "v3", {}).node_affinity.reset();
  Volume(parts, "v4", {{In(kZoneKey, {"c"})}});
  Volume(parts, "v5", {{In(kHost, {"x1"})}});
  Volume(parts, "v6", {{In(kZoneKey, {"c", "d"})}});
  for (const char* number : {"1", "2", "3", "4", "5", "6"}) {
    Claim(parts, std::string("c") + number, std::string("v") + number);
  }
  Claim(parts, "no-volume", "v9");
  Claim(parts, "lost", "v8").phase = "Lost";
  Claim(parts, "reserved", "v1").phase = "Pending";
  Claim(parts, "strange", "v1").phase = "";
  Claim(parts, "elsewhere", "v1").meta.ns = "bank";
  EXPECT_EQ(ClaimsOf(parts),
            "c1 pinned v1 a;;\nc4 pinned v4 c stranded;;\nc5 unplaced v5 ;;\n"
            "c6 unplaced v6  stranded;;\nlost lost v8 ;;\nno-volume unplaced v9 ;;\n"
            "reserved pending v1 ;;\nstrange pending v1 ;;\n");
  EXPECT_TRUE(PinnedClaimsOf(parts.Build(), "empty").empty());
}

TEST(VolumesTest, NamesWhomAClaimHolds) {
  ClusterParts parts = TwoZones();
  Volume(parts, "v", {{In(kZoneKey, {"a"})}});
  Claim(parts, "shared", "v");
  auto& deployment = ClusterParts::Named(parts.deployments, "web");
  deployment.claims = {"shared"};
  auto& replica_set = ClusterParts::Named(parts.replica_sets, "web-1");
  replica_set.claims = {"shared"};
  replica_set.owners.push_back({"Deployment", "web", true});
  ClusterParts::Named(parts.jobs, "done").claims = {"shared"};
  parts.jobs[0].finished = true;
  ClusterParts::Named(parts.jobs, "import").claims = {"shared"};
  parts.Pod("web-1-a", "a1", {}).claims = {"shared"};
  parts.pods.back().owners = {{"ReplicaSet", "web-1", true}};
  parts.Pod("lone", "a1", {}).claims = {"shared"};
  parts.pods.back().owners = {};
  parts.Pod("rollout", "a1", {}).claims = {"shared"};
  parts.Pod("finished", "a1", {}).claims = {"shared"};
  parts.pods.back().phase = kube::PodPhase::kSucceeded;
  parts.Pod("other", "a1", {}).claims = {"c9"};
  parts.pods.back().meta.ns = "bank";
  EXPECT_EQ(ClaimsOf(parts),
            "shared pinned v a; Deployment/web Job/import Rollout/web; lone rollout web-1-a\n");
}

TEST(VolumesTest, KnowsTheClaimsOfStatefulSetsByName) {
  struct Case {
    const char *claim, *want;
  };
  const Case cases[] = {
      {"data-db-0", " StatefulSet/db"},
      {"data-db-17", " StatefulSet/db"},  // scaled down, to be used again
      {"wal-db-1", " StatefulSet/db"},
      {"data-db", ""},
      {"data-db-", ""},
      {"data-db-01", ""},
      {"data-db-x", ""},
      {"data-dbx-0", ""},
      {"0", ""},
      {"data-x-db-0", " StatefulSet/db StatefulSet/x-db"},  // by its name it may be of either
  };
  for (const Case& c : cases) {
    ClusterParts parts = TwoZones();
    ClusterParts::Named(parts.stateful_sets, "db").claim_templates = {"data", "wal", "data-x"};
    ClusterParts::Named(parts.stateful_sets, "x-db").claim_templates = {"data"};
    ClusterParts::Named(parts.stateful_sets, "dbx").claim_templates = {"data"};
    parts.stateful_sets.back().meta.ns = "bank";
    Volume(parts, "v", {{In(kZoneKey, {"a"})}});
    Claim(parts, c.claim, "v");
    EXPECT_EQ(ClaimsOf(parts), std::string(c.claim) + " pinned v a;" + c.want + ";\n");
  }
}

TEST(VolumesTest, TellsWaitingForAPodFromBeingStuck) {
  struct Case {
    const char* name;
    std::optional<std::string> storage_class;
    bool used;
    bool want;
  };
  const Case cases[] = {
      {"waits as its class does", "later", false, true},
      {"waits though a pod asks", "later", true, false},
      {"need not wait", "now", false, false},
      {"of the default class", std::nullopt, false, true},
      {"of none", "", false, false},
      {"of one that is not there", "gone", false, false},
  };
  for (const Case& c : cases) {
    ClusterParts parts = TwoZones();
    for (const char* name : {"later", "now", "older-default"}) {
      parts.storage_classes.emplace_back().meta.name = name;
    }
    parts.storage_classes[0].binding = kube::VolumeBinding::kWaitForFirstConsumer;
    parts.storage_classes[0].is_default = true;
    parts.storage_classes[0].meta.created_ms = 2;
    parts.storage_classes[2].is_default = true;  // the newest counts
    parts.storage_classes[2].meta.created_ms = 1;
    Claim(parts, "data", "").storage_class = c.storage_class;
    if (c.used) parts.Pod("p", "", {}).claims = {"data"};
    const PinnedClaim claim = PinnedClaimsOf(parts.Build(), "shop").at(0);
    EXPECT_EQ(ClaimStateName(claim.state), "pending") << c.name;
    EXPECT_EQ(claim.waits_for_pod, c.want) << c.name;
  }
}

TEST(VolumesTest, MissesClaimsThatAreNamedButNotThere) {
  ClusterParts parts = TwoZones();
  parts.Pod("p", "", {}).claims = {"b-typo"};
  ClusterParts::Named(parts.deployments, "web").claims = {"c-typo"};
  ClusterParts::Named(parts.stateful_sets, "db").claim_templates = {"data"};
  Claim(parts, "a", "");
  Claim(parts, "c", "");
  EXPECT_EQ(ClaimsOf(parts),
            "a pending  ;;\nb-typo missing  ; Rollout/web; p\nc pending  ;;\n"
            "c-typo missing  ; Deployment/web;\n");
}

}  // namespace
}  // namespace azexporter::zones
