// Facts in, exposition text out: one golden file a case. AZX_UPDATE_GOLDEN=1 writes them anew.

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "azexporter/base/clock.h"
#include "azexporter/base/file.h"
#include "azexporter/collect/snapshot.h"
#include "support/cluster_builder.h"

namespace azexporter::collect {
namespace {

using kube::ConditionStatus;
using test::ClusterBuilder;

constexpr std::int64_t kNow = 1'800'000'000'000;

probe::TargetFacts Probed(const std::string& zone, double seconds, probe::ProbeOutcome outcome) {
  probe::TargetFacts facts;
  facts.target = {zone, "http://" + zone, zone, /*zone_health=*/true};
  facts.source_zone = "a";
  facts.probes = 1;
  ++facts.outcomes[static_cast<std::size_t>(outcome)];
  facts.last_outcome = outcome;
  facts.latency.Observe(seconds);
  return facts;
}

db::PostgresFacts Instance(const std::string& name, bool up, bool standby, db::Lsn at) {
  db::PostgresFacts facts;
  facts.cluster = "orders";
  facts.instance = name;
  facts.zone = "a";
  facts.up = up;
  facts.error = up ? "" : "connection refused";
  facts.in_recovery = standby;
  if (standby) {
    facts.receive_lsn = at;
    facts.replay_lsn = at;
    facts.replay_age_seconds = 45;
    facts.receiver_streaming = true;
    facts.message_age_seconds = 40;
  } else {
    facts.current_lsn = at;
  }
  return facts;
}

// The text of one collector's block on facts that show each of its families.
std::string TextOf(const std::string& collector) {
  const auto cluster =
      ClusterBuilder()
          .Node("n1", {"a"})
          .Node("n2", {"b", ConditionStatus::kUnknown, /*cordoned=*/true})
          .Node("n3", {"", ConditionStatus::kTrue})
          .Pod("web-1", {.node = "n1"})
          .Pod("web-2", {.node = "", .ready = false, .phase = kube::PodPhase::kPending})
          .Build(kNow);
  zones::ExpectedZones expected;
  expected["a"] = {.nodes = 1, .expected_pods = 1, .health_endpoint = "http://a"};
  expected["b"] = {.nodes = 1, .expected_pods = 1, .health_endpoint = "http://b"};
  expected["gone"] = {.nodes = 5, .expected_pods = 3, .health_endpoint = ""};
  const std::vector<probe::TargetFacts> probes = {
      Probed("a", 0.0004, probe::ProbeOutcome::kHealthy),
      Probed("b", 5.0, probe::ProbeOutcome::kTimeout)};
  const std::vector<db::PostgresFacts> postgres = {Instance("orders-1", true, false, 1000),
                                                   Instance("orders-2", true, true, 400),
                                                   Instance("orders-3", false, true, 0)};
  const std::set<std::string> seen;
  const zones::ZoneReport report =
      zones::MakeZoneReport({.cluster = test::NotOwned(cluster),
                             .expected = expected,
                             .expectations = {.known = true},
                             .probes = probes,
                             .postgres = postgres,
                             .seen_zones = seen,
                             .pod_namespace = "",
                             .pod_selector = {{"app.kubernetes.io/name", "machine-native-ops"}},
                             .now_ms = kNow});
  const base::FakeClock clock(kNow);
  std::set<std::string> others;
  for (const Collector& row : Collectors()) others.insert(std::string(row.name));
  others.erase(collector);
  return RenderText(Gather(
      {.cluster = cluster, .report = report, .probes = probes, .options = {.pods_detail = true}},
      others, clock));
}

class CollectorGoldenTest : public ::testing::TestWithParam<std::string> {};

TEST_P(CollectorGoldenTest, WritesWhatTheGoldenFileShows) {
  const std::string path =
      std::string(AZX_SOURCE_DIR) + "/test/collect/testdata/" + GetParam() + ".prom";
  const std::string text = TextOf(GetParam());
  if (std::getenv("AZX_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << text;
  const auto golden = base::ReadFile(path);
  ASSERT_TRUE(golden) << golden.error().message();
  EXPECT_EQ(text, *golden);
}

std::vector<std::string> CollectorNames() {
  std::vector<std::string> names;
  for (const Collector& collector : Collectors()) names.emplace_back(collector.name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(EachRow, CollectorGoldenTest, ::testing::ValuesIn(CollectorNames()),
                         [](const auto& row) { return row.param; });

TEST(CollectorTableTest, IsSortedAndNamesEachFamilyOnce) {
  std::set<std::string_view> families;
  std::string_view before;
  for (const Collector& collector : Collectors()) {
    EXPECT_LT(before, collector.name);
    before = collector.name;
    for (const model::MetricDesc& desc : collector.families) {
      EXPECT_TRUE(families.insert(desc.name).second) << desc.name;
      EXPECT_FALSE(desc.help.empty()) << desc.name;
    }
  }
}

TEST(CollectorTest, ASourceThatWasNeverAskedIsAFaultAndHasNoSeries) {
  const auto cluster =
      ClusterBuilder().Health({.resource = "nodes", .last_error = "403 Forbidden"}).Build(kNow);
  const zones::ExpectedZones expected;
  const std::set<std::string> seen;
  const auto report = zones::MakeZoneReport({.cluster = test::NotOwned(cluster),
                                             .expected = expected,
                                             .expectations = {.known = true},
                                             .seen_zones = seen,
                                             .now_ms = kNow});
  const base::FakeClock clock(kNow);
  const Snapshot snapshot = Gather({.cluster = cluster, .report = report}, {}, clock);
  for (const CollectorRun& run : snapshot.runs) {
    const bool stands_on_nodes = run.collector != "postgres" && run.collector != "probes";
    EXPECT_EQ(run.success, !stands_on_nodes) << run.collector;
    if (stands_on_nodes) {
      EXPECT_EQ(run.error, "403 Forbidden");
    }
  }
  EXPECT_EQ(RenderText(snapshot), "");
}

}  // namespace
}  // namespace azexporter::collect
