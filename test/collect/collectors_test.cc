// Facts in, exposition text out: one golden file a case. AZX_UPDATE_GOLDEN=1 writes them anew.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "azexporter/audit/audit.h"
#include "azexporter/base/clock.h"
#include "azexporter/base/file.h"
#include "azexporter/collect/snapshot.h"
#include "collect/shop.h"
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
    facts.synchronous_standby_names = "ANY 1 (*)";
    db::PostgresSender sender = {.application_name = name.substr(0, 7) + "2",
                                 .client_addr = "10.0.0.2",
                                 .state = "streaming",
                                 .sync_state = "quorum",
                                 .slot_name = "two",
                                 .replay_lsn = 400,
                                 .write_lag_seconds = 0.25,
                                 .flush_lag_seconds = 0.5};
    facts.senders.push_back(sender);
    // A receiver of log that reconnected, with what is left of it from before.
    for (const db::Lsn at_last : {400, 300}) {
      facts.senders.push_back({.application_name = "pg_receivewal",
                               .client_addr = "10.0.0.9",
                               .state = "streaming",
                               .sync_state = "async",
                               .replay_lsn = at_last});
    }
    facts.slots = {{.name = "two",
                    .type = "physical",
                    .active = true,
                    .wal_status = "reserved",
                    .restart_lsn = 400},
                   {.name = "changes",
                    .database = "shop",
                    .type = "logical",
                    .wal_status = "unreserved",
                    .safe_wal_size_bytes = 250,
                    .restart_lsn = 100}};
  }
  facts.timeline = 1;
  return facts;
}

// A cluster of a master in each zone and one replica, of which the master in b is cut off.
const db::RedisCluster kSessions = {.name = "sessions",
                                    .places = {{"10.0.0.1:6379", {"redis-0", "a"}},
                                               {"10.0.0.2:6379", {"redis-1", "b"}},
                                               {"10.0.0.3:6379", {"redis-2", "a"}},
                                               {"10.0.0.4:6379", {"redis-3", "c"}}}};

db::RedisFacts RedisNode(int number, bool cut_off) {
  db::RedisFacts facts;
  facts.cluster = "sessions";
  facts.address = "10.0.0." + std::to_string(number) + ":6379";
  facts.id = std::to_string(number);
  facts.asked_at_ms = kNow;
  facts.up = true;
  facts.version = "7.0.15";
  facts.cluster_enabled = true;
  facts.master = number != 3;
  facts.replid = number == 2 ? "two" : "one";
  facts.offset = number == 3 ? 900 : 1000;
  facts.connected_replicas = number == 1 ? 1 : 0;
  if (number == 3) {
    facts.master_host = "10.0.0.1";
    facts.master_port = 6379;
    facts.link_up = true;
    facts.last_io_seconds = 1;
  }
  db::RedisView& view = facts.view.emplace();
  view = {.ok = !cut_off,
          .slots_assigned = db::kRedisSlots,
          .slots_ok = cut_off ? 5461 : 10922,
          .slots_pfail = cut_off ? 10923 : 0,
          .slots_fail = cut_off ? 0 : 5462,
          .known_nodes = 4,
          .size = 3,
          .current_epoch = 3,
          .my_epoch = number,
          .messages_sent = 50,
          .messages_received = 40};
  for (int i = 1; i <= 4; ++i) {
    view.peers.push_back({.id = std::to_string(i),
                          .address = "10.0.0." + std::to_string(i) + ":6379",
                          .myself = i == number,
                          .master = i != 3,
                          .suspected = cut_off && i != number,
                          .failed = !cut_off && i == 2,
                          .connected = true,
                          .master_id = i == 3 ? "1" : ""});
  }
  view.peers[0].slots = {{0, 5460}};
  view.peers[1].slots = {{5461, 10922}};
  view.peers[3].slots = {{10923, 16383}};
  return facts;
}

std::set<std::string> AllBut(const std::string& collector) {
  std::set<std::string> others;
  for (const Collector& row : Collectors()) others.insert(std::string(row.name));
  others.erase(collector);
  return others;
}

// Labels of kube_pod_info that the pods below leave empty.
const std::set<std::string_view> kNeverShown = {"host_ip", "pod_ip", "priority_class"};

std::string ShopTextOf(const std::string& collector, const test::Shop& shop) {
  const test::Shop::View view = shop.Look();
  const base::FakeClock clock(kNow);
  return RenderText(
      Gather({.cluster = *view.cluster, .report = view.report}, AllBut(collector), clock));
}

// Facts that show each family of the collectors of nodes, pods, zones, probes and databases.
std::string TextOf(const std::string& collector) {
  static const std::set<std::string> kOfTheShop = {"budgets", "services",  "spread",
                                                   "volumes", "workloads", "zone_loss"};
  if (kOfTheShop.contains(collector)) return ShopTextOf(collector, {});
  const auto cluster =
      ClusterBuilder()
          .Node("n1", {.zone = "a",
                       .allocatable = {.cpu_milli = 3920,
                                       .memory_bytes = 16'000'000'000,
                                       .pods = 110,
                                       .others = {{"ephemeral-storage", 90'000'000'000},
                                                  {"example.com/fpga", 2},
                                                  {"hugepages-2Mi", 0},
                                                  {"native", 7}}}})
          .Node("n2", {"b", ConditionStatus::kUnknown, /*cordoned=*/true})
          .Node("n3", {.zone = "", .taints = {{"gpu", "", "NoSchedule"}}})
          .Node("n4", {.zone = "b", .taints = {{"gpu", "", "NoSchedule"}}})
          .Pod("web-1", {.node = "n1",
                         .requests = {.cpu_milli = 250,
                                      .memory_bytes = 64'000'000,
                                      .others = {{"example.com/fpga", 1}}}})
          .Lease("n1", kNow - 4'500)
          .Lease("n3", kNow - 61'000)
          .Pod("web-2", {.node = "", .ready = false, .phase = kube::PodPhase::kPending})
          .Build(kNow);
  zones::ExpectedZones expected;
  expected["a"] = {.nodes = 1, .expected_pods = 1, .health_endpoint = "http://a"};
  expected["b"] = {.nodes = 1,
                   .expected_pods = 1,
                   .health_endpoint = "http://b",
                   .maintenance_until_ms = kNow + 60'000};
  expected["gone"] = {.nodes = 5, .expected_pods = 3, .health_endpoint = ""};
  const std::vector<probe::TargetFacts> probes = {
      Probed("a", 0.0004, probe::ProbeOutcome::kHealthy),
      Probed("b", 5.0, probe::ProbeOutcome::kTimeout)};
  std::vector<db::PostgresFacts> postgres = {Instance("orders-1", true, false, 1000),
                                             Instance("orders-2", true, true, 400),
                                             Instance("orders-3", false, true, 0)};
  postgres[1].zone = "b";
  const std::vector<db::RedisFacts> redis = {RedisNode(1, false),
                                             RedisNode(2, true),
                                             RedisNode(3, false),
                                             {.cluster = "sessions",
                                              .address = "10.0.0.4:6379",
                                              .id = "4",
                                              .error = "connection refused"}};
  const zones::CnpgStatus cnpg = {.cluster = "orders",
                                  .instances = 3,
                                  .ready = 2,
                                  .phase = "Failing over",
                                  .current_primary = "orders-1",
                                  .target_primary = "orders-2"};
  const std::set<std::string> seen;
  const zones::ZoneReport report =
      zones::MakeZoneReport({.cluster = test::NotOwned(cluster),
                             .expected = expected,
                             .expectations = {.known = true},
                             .probes = probes,
                             .postgres = postgres,
                             .postgres_failovers = {{"orders", {.count = 2, .last_seconds = 31.5}}},
                             .cnpg = {&cnpg, 1},
                             .redis_clusters = {&kSessions, 1},
                             .redis = redis,
                             .seen_zones = seen,
                             .pod_namespace = "",
                             .pod_selector = {{"app.kubernetes.io/name", "machine-native-ops"}},
                             .now_ms = kNow});
  audit::Report policy;
  policy.findings.push_back(
      {.check = &audit::Checks().front(), .kind = "Deployment", .ns = "shop", .name = "orders"});
  policy.objects = 4;
  const base::FakeClock clock(kNow);
  return RenderText(Gather({.cluster = cluster,
                            .report = report,
                            .probes = probes,
                            .options = {.pods_detail = true},
                            .policy = std::make_shared<const audit::Report>(policy)},
                           AllBut(collector), clock));
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

// Nothing is shipped that was never seen: the golden files show each family, and each of its
// labels.
TEST(CollectorTableTest, TheGoldenFilesShowEachFamily) {
  for (const Collector& collector : Collectors()) {
    const std::string text = TextOf(std::string(collector.name));
    for (const model::MetricDesc& desc : collector.families) {
      const std::size_t at = text.find("# TYPE " + std::string(desc.name) + " ");
      ASSERT_NE(at, std::string::npos) << desc.name;
      const std::string family = text.substr(at, text.find("# HELP", at) - at);
      for (const std::string_view label : desc.label_names) {
        const bool shown = family.find(std::string(label) + "=\"") != std::string::npos;
        EXPECT_EQ(shown, !kNeverShown.contains(label)) << desc.name << " " << label;
      }
    }
  }
}

// The values of a label in a text of the exposition format.
std::set<std::string> ValuesOf(std::string_view text, std::string_view label) {
  std::set<std::string> values;
  for (const std::string_view before : {"{", ","}) {
    const std::string start = std::string(before) + std::string(label) + "=\"";
    for (std::size_t at = text.find(start); at != std::string_view::npos;
         at = text.find(start, at)) {
      at += start.size();
      values.emplace(text.substr(at, text.find('"', at) - at));
    }
  }
  return values;
}

// The golden files keep to what the table says of values.
TEST(CollectorTableTest, ValuesAreThoseOfTheTable) {
  for (const Collector& collector : Collectors()) {
    const std::string text = TextOf(std::string(collector.name));
    for (const model::MetricDesc& desc : collector.families) {
      const std::size_t at = text.find("# TYPE " + std::string(desc.name) + " ");
      ASSERT_NE(at, std::string::npos) << desc.name;
      const std::string family = text.substr(at, text.find("# HELP", at) - at);
      for (const model::LabelValues& closed : desc.label_values) {
        EXPECT_NE(std::ranges::find(desc.label_names, closed.label), desc.label_names.end());
        for (const std::string& value : ValuesOf(family, closed.label)) {
          EXPECT_NE(std::ranges::find(closed.values, value), closed.values.end())
              << desc.name << " " << closed.label << "=" << value;
        }
      }
      if (desc.type == model::MetricType::kHistogram) continue;
      std::istringstream lines(family);
      for (std::string line; std::getline(lines, line);) {
        if (line.empty() || line.front() == '#') continue;
        const double value = std::stod(line.substr(line.rfind(' ') + 1));
        EXPECT_GE(value, desc.bounds.least) << line;
        EXPECT_LE(value, desc.bounds.most) << line;
        EXPECT_TRUE(!desc.bounds.whole || value == std::floor(value)) << line;
      }
    }
  }
}

const model::MetricDesc& Described(std::string_view name) {
  for (const Collector& collector : Collectors()) {
    for (const model::MetricDesc& desc : collector.families) {
      if (desc.name == name) return desc;
    }
  }
  throw std::out_of_range(std::string(name));
}

// Every name of an enumeration that becomes a label's value is in the table.
template <class Enum>
void ExpectNames(std::string_view family, std::string_view (*name_of)(Enum), Enum last) {
  const auto values = Described(family).label_values.back().values;
  for (int i = 0; i <= static_cast<int>(last); ++i) {
    const std::string_view name = name_of(static_cast<Enum>(i));
    EXPECT_NE(std::ranges::find(values, name), values.end()) << family << " " << name;
  }
}

TEST(CollectorTableTest, NamesEachValueThatThereIs) {
  ExpectNames("az_zone_state", &zones::ZoneStateName, zones::ZoneState::kMissing);
  ExpectNames("az_zone_loss_blockers", &zones::LossReasonName, zones::LossReason::kUnplaceable);
  ExpectNames("az_zone_loss_unplaced_pods", &zones::PlacementReasonName,
              zones::PlacementReason::kTopologySpread);
  ExpectNames("az_service_topology_hints", &zones::HintStatusName, zones::HintStatus::kUnexplained);
  ExpectNames("az_topology_spread_constraint_missing", &zones::SpreadGapName,
              zones::SpreadGap::kNeverBinds);
  ExpectNames("az_claims", &zones::ClaimStateName, zones::ClaimState::kMissing);
  ExpectNames("az_volumes", &zones::VolumeReachName, zones::VolumeReach::kUnknown);
  ExpectNames("az_probe_results_total", &probe::ProbeOutcomeName, probe::ProbeOutcome::kFailed);
  ExpectNames("kube_pod_status_phase", &kube::PodPhaseName, kube::PodPhase::kUnknown);
}

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

TEST(CollectorTest, PolicyFailsWhereAResourceCannotBeListed) {
  struct Case {
    kube::ResourceHealth health;
    bool success;
  };
  const std::string rules(kube::DestinationRule::kResource);
  const Case cases[] = {
      {{.resource = rules, .synced = true}, true},
      {{.resource = rules, .absent = true, .last_error = "no such resource"}, true},
      {{.resource = rules, .last_error = "403 Forbidden"}, false},
      {{.resource = "deployments", .optional = true, .last_error = "403 Forbidden"}, false},
      // A file without any is believed.
      {{.resource = rules, .from_file = true, .last_error = "there are none"}, true},
  };
  for (const Case& c : cases) {
    const auto cluster = ClusterBuilder().Health(c.health).Build(kNow);
    const zones::ZoneReport report;
    const auto policy = std::make_shared<const audit::Report>();
    const base::FakeClock clock(kNow);
    const Snapshot snapshot =
        Gather({.cluster = cluster, .report = report, .policy = policy}, AllBut("policy"), clock);
    ASSERT_EQ(snapshot.runs.size(), 1u);
    EXPECT_EQ(snapshot.runs[0].success, c.success) << c.health.last_error;
    EXPECT_EQ(snapshot.runs[0].error, c.success ? "" : "403 Forbidden");
  }
}

TEST(CollectorTest, FailsWhereOperatorsDatabasesAreLookedForAndCannotBeListed) {
  const struct {
    const char* collector;
    std::string_view resource;
    CollectorOptions asked;
  } cases[] = {{"postgres", kube::CnpgCluster::kResource, {.postgres_cnpg = true}},
               {"redis", kube::RedisCluster::kResource, {.redis_opstree = true}}};
  for (const auto& c : cases) {
    const auto cluster = ClusterBuilder()
                             .Health({.resource = std::string(c.resource),
                                      .optional = true,
                                      .last_error = "403 Forbidden"})
                             .Build(kNow);
    const zones::ZoneReport report;
    const base::FakeClock clock(kNow);
    for (const bool asked : {true, false}) {
      const Snapshot snapshot = Gather(
          {.cluster = cluster, .report = report, .options = asked ? c.asked : CollectorOptions{}},
          AllBut(c.collector), clock);
      ASSERT_EQ(snapshot.runs.size(), 1u);
      EXPECT_EQ(snapshot.runs[0].error, asked ? "403 Forbidden" : "") << c.collector;
    }
  }
}

TEST(CollectorTest, AHibernatedClusterAsksForNoInstances) {
  const auto cluster = ClusterBuilder().Build(kNow);
  zones::ZoneReport report;
  report.cnpg = {{.cluster = "orders", .instances = 3, .hibernated = true}};
  const base::FakeClock clock(kNow);
  const std::string text =
      RenderText(Gather({.cluster = cluster, .report = report}, AllBut("postgres"), clock));
  EXPECT_NE(text.find("az_postgres_cnpg_instances{db_cluster=\"orders\"} 0\n"), std::string::npos)
      << text;
}

// A report with as many findings of one check, in objects of their own.
std::shared_ptr<const audit::Report> PolicyOf(audit::Severity severity, int findings) {
  const auto check = std::ranges::find(audit::Checks(), severity, &audit::Check::severity);
  auto report = std::make_shared<audit::Report>();
  for (int i = 0; i < findings; ++i) {
    report->findings.push_back({.check = &*check, .name = "n" + std::to_string(i)});
  }
  return report;
}

TEST(CollectorTest, PolicyIssuesAreTakenOverAsLongAsTheReportIsTheSame) {
  const auto cluster = ClusterBuilder().Build(kNow);
  const zones::ZoneReport report;
  const base::FakeClock clock(kNow);
  Gatherer gatherer;
  const auto gather = [&](std::shared_ptr<const audit::Report> policy) {
    return gatherer.Gather({.cluster = cluster, .report = report, .policy = std::move(policy)},
                           AllBut("policy"), clock);
  };
  const auto policy = PolicyOf(audit::Severity::kError, 2);
  const Snapshot first = gather(policy);
  EXPECT_EQ(gather(policy).blocks.back(), first.blocks.back());
  const Snapshot next = gather(PolicyOf(audit::Severity::kError, 1));
  EXPECT_NE(next.blocks.back(), first.blocks.back());
  EXPECT_EQ(RenderText(next).find("name=\"n1\""), std::string::npos);
  EXPECT_EQ(RenderText(gather(nullptr)), "") << "switched off";
}

TEST(CollectorTest, OfTooManyPolicyIssuesTheGravestAreShown) {
  const auto cluster = ClusterBuilder().Build(kNow);
  const zones::ZoneReport report;
  const base::FakeClock clock(kNow);
  auto policy = *PolicyOf(audit::Severity::kInfo, 10'000);
  const auto errors = PolicyOf(audit::Severity::kError, 3);
  policy.findings.insert(policy.findings.end(), errors->findings.begin(), errors->findings.end());
  const std::string text = RenderText(Gather(
      {.cluster = cluster, .report = report, .policy = std::make_shared<audit::Report>(policy)},
      AllBut("policy"), clock));
  const auto count = [&](std::string_view part) {
    int found = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
      ++found;
    }
    return found;
  };
  EXPECT_EQ(count("severity=\"error\""), 3);
  EXPECT_EQ(count("severity=\"info\""), 9'997);
  EXPECT_EQ(count("az_policy_issues_left_out 3\n"), 1);
}

TEST(CollectorTest, ASourceThatWasNeverAskedIsAFaultAndHasNoSeries) {
  const auto cluster = ClusterBuilder()
                           .Lease("n1", kNow)
                           .Health({.resource = "nodes", .last_error = "403 Forbidden"})
                           .Build(kNow);
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
    const bool stands_on_nodes = run.collector != "policy" && run.collector != "postgres" &&
                                 run.collector != "probes" && run.collector != "redis";
    EXPECT_EQ(run.success, !stands_on_nodes) << run.collector;
    if (stands_on_nodes) {
      EXPECT_EQ(run.error, "403 Forbidden");
    }
  }
  EXPECT_EQ(RenderText(snapshot), "");
}

// The run of a collector, and its text.
std::pair<CollectorRun, std::string> RunOf(const std::string& collector, const test::Shop& shop) {
  const test::Shop::View view = shop.Look();
  const base::FakeClock clock(kNow);
  const Snapshot snapshot =
      Gather({.cluster = *view.cluster, .report = view.report}, AllBut(collector), clock);
  return {snapshot.runs.at(0), RenderText(snapshot)};
}

struct OptionalSource {
  const char* collector;
  std::string_view resource;
};
constexpr OptionalSource kOptionalSources[] = {
    {"budgets", kube::PodDisruptionBudget::kResource},
    {"services", kube::Service::kResource},
    {"services", kube::EndpointSlice::kResource},
    {"spread", kube::ReplicaSet::kResource},
    {"volumes", kube::PersistentVolume::kResource},
    {"volumes", kube::PersistentVolumeClaim::kResource},
    {"workloads", kube::Deployment::kResource},
};

TEST(CollectorTest, AnOptionalSourceThatFailsIsAFaultOfWhoStandsOnIt) {
  for (const OptionalSource& source : kOptionalSources) {
    SCOPED_TRACE(source.resource);
    test::Shop shop;
    shop.Health(source.resource) = {
        .resource = std::string(source.resource), .optional = true, .last_error = "403 Forbidden"};
    const auto [run, text] = RunOf(source.collector, shop);
    EXPECT_FALSE(run.success);
    EXPECT_EQ(run.error, "403 Forbidden");
    EXPECT_EQ(text, "");
    EXPECT_TRUE(RunOf("zones", shop).first.success);
  }
}

TEST(CollectorTest, LeasesThatAreAskedForInVainAreAFault) {
  test::Shop shop;
  EXPECT_TRUE(RunOf("node_leases", shop).first.success) << "nobody asked";
  shop.parts.health.push_back(
      {.resource = "leases", .optional = true, .last_error = "403 Forbidden"});
  const auto [run, text] = RunOf("node_leases", shop);
  EXPECT_FALSE(run.success);
  EXPECT_EQ(run.error, "403 Forbidden");
  EXPECT_EQ(text, "");
}

TEST(CollectorTest, AnOptionalSourceThatNobodyWasAskedForIsNoFault) {
  for (const OptionalSource& source : kOptionalSources) {
    SCOPED_TRACE(source.resource);
    test::Shop shop;
    shop.Health(source.resource) = {.resource = std::string(source.resource),
                                    .optional = true,
                                    .absent = true,
                                    .last_error = "404 Not Found"};
    const auto [run, text] = RunOf(source.collector, shop);
    EXPECT_TRUE(run.success) << run.error;
    EXPECT_EQ(text, "");
  }
}

bool Has(const std::string& text, std::string_view line) {
  return text.find("\n" + std::string(line) + "\n") != std::string::npos;
}

// A verdict that is open is no verdict; what blocks is known without it.
TEST(CollectorTest, AnOpenVerdictOnAZonesLossHasNoSeriesOfItsOwn) {
  test::Shop shop;
  kube::ResourceHealth& budgets = shop.Health(kube::PodDisruptionBudget::kResource);
  budgets = {.resource = budgets.resource, .optional = true, .last_error = "403 Forbidden"};
  shop.parts.budgets.clear();
  const auto [run, text] = RunOf("zone_loss", shop);
  EXPECT_TRUE(run.success) << "it is the fault of the collector of budgets";
  EXPECT_TRUE(Has(text, "az_zone_loss_survivable{zone=\"a\"} 0")) << text;
  EXPECT_TRUE(Has(text, "az_zone_loss_not_known{zone=\"a\"} 0")) << text;
  EXPECT_EQ(text.find("reason=\"budget\""), std::string::npos) << text;
  EXPECT_EQ(text.find("reason=\"eviction\""), std::string::npos) << text;

  // Without what blocks the loss of b.
  std::erase_if(shop.parts.nodes, [](const kube::Node& node) { return node.control_plane(); });
  std::erase_if(shop.parts.services,
                [](const kube::Service& service) { return service.meta.name == "by-hand"; });
  const std::string open = RunOf("zone_loss", shop).second;
  EXPECT_TRUE(Has(open, "az_zone_loss_not_known{zone=\"b\"} 1")) << open;
  EXPECT_EQ(open.find("az_zone_loss_survivable{zone=\"b\"}"), std::string::npos) << open;

  shop.Health(kube::PodDisruptionBudget::kResource).absent = true;
  const std::string never_asked = RunOf("zone_loss", shop).second;
  EXPECT_EQ(never_asked.find("az_zone_loss_not_known{zone=\"b\"}"), std::string::npos);
  EXPECT_TRUE(Has(never_asked, "az_zone_loss_not_known{zone=\"a\"} 0")) << never_asked;
}

// A 0 of a reason that another namespace may have would be a wrong all-clear.
TEST(CollectorTest, OfSomeNamespacesAloneNothingIsSaidOfTheOthers) {
  test::Shop shop;
  const std::string whole = RunOf("zone_loss", shop).second;
  const std::string whole_zones = RunOf("zones", shop).second;
  for (const char* family : {"az_zone_loss_headroom{", "az_zone_loss_pods{",
                             "az_zone_loss_unplaced_pods{", "az_zone_evacuation_blockers{"}) {
    EXPECT_NE(whole.find(family), std::string::npos) << family << "\n" << whole;
  }
  EXPECT_NE(whole_zones.find("az_zone_requested{"), std::string::npos);
  shop.parts.namespaces = {"shop"};
  const auto [run, text] = RunOf("zone_loss", shop);
  EXPECT_TRUE(run.success) << "it was asked for so: " << run.error;
  EXPECT_TRUE(Has(text, "az_zone_loss_survivable{zone=\"a\"} 0")) << text;
  for (const char* part :
       {"az_zone_loss_headroom", "az_zone_loss_pods", "az_zone_loss_unplaced_pods",
        "reason=\"unplaceable\"", "az_zone_loss_survivable{zone=\"a\"} 1", "reason=\"budget\"} 0",
        "reason=\"at_zero\"} 0", "reason=\"service\"} 0", "reason=\"eviction\"} 0",
        "reason=\"quorum\"} 0"}) {
    EXPECT_EQ(text.find(part), std::string::npos) << part << "\n" << text;
  }
  const auto [zones_run, zones] = RunOf("zones", shop);
  EXPECT_TRUE(zones_run.success) << zones_run.error;
  EXPECT_EQ(zones.find("az_zone_requested{"), std::string::npos) << zones;
  EXPECT_NE(zones.find("az_zone_allocatable{"), std::string::npos) << zones;
}

TEST(CollectorTest, MaintenanceIsKnownWithoutNodesWhereItIsDeclaredElsewhere) {
  const auto cluster =
      ClusterBuilder().Health({.resource = "nodes", .last_error = "403 Forbidden"}).Build(kNow);
  zones::ExpectedZones expected;
  expected["a"].maintenance_until_ms = kNow + 1;
  expected["b"].maintenance_until_ms = kNow;  // over
  const auto report = zones::MakeZoneReport({.cluster = test::NotOwned(cluster),
                                             .expected = expected,
                                             .expectations = {.known = true},
                                             .seen_zones = {},
                                             .now_ms = kNow});
  const base::FakeClock clock(kNow);
  const std::string text =
      RenderText(Gather({.cluster = cluster, .report = report}, AllBut("zones"), clock));
  EXPECT_TRUE(Has(text, "az_zone_maintenance{zone=\"a\"} 1")) << text;
  EXPECT_EQ(text.find("zone=\"b\""), std::string::npos) << text;
}

}  // namespace
}  // namespace azexporter::collect
