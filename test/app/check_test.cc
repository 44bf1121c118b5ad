#include "azexporter/app/check.h"

#include <gtest/gtest.h>

#include "azexporter/app/flags.h"
#include "azexporter/promql/parser.h"

namespace azexporter::app {
namespace {

using zones::ZoneState;

zones::ZoneReport HealthyReport() {
  zones::ZoneReport report;
  for (zones::SourceStatus* source :
       {&report.nodes, &report.pods, &report.expectations, &report.workloads, &report.budgets,
        &report.services, &report.volumes}) {
    source->known = true;
  }
  for (const char* name : {"a", "b"}) {
    zones::ZoneStatus& zone = report.zones.emplace_back();
    zone.zone = name;
    zone.state = ZoneState::kNormal;
    zone.workers.ready = 5;
    zone.expected_workers = 5;
    zone.pods_ready = 3;
    zone.expected_pods = 3;
    zone.health = zones::EndpointHealth::kUp;
    zone.p95_seconds = 0.0012;
    report.losses.push_back({.zone = name, .verdict = zones::Verdict::kSurvived});
  }
  return report;
}

rules::Judgement JudgementOf(const std::string& name, const std::string& severity,
                             rules::Verdict verdict) {
  auto group = std::make_shared<rules::RuleGroup>();
  rules::Rule& rule = group->rules.emplace_back();
  rule.name = name;
  rule.for_ms = 300'000;
  rule.labels = {{"severity", severity}};
  rules::Judgement judgement;
  judgement.rule = &group->rules[0];
  judgement.group = group;
  judgement.verdict = verdict;
  judgement.detail = verdict == rules::Verdict::kTrue ? "" : "why";
  if (verdict == rules::Verdict::kTrue) {
    rules::Alert& alert = judgement.alerts.emplace_back();
    alert.labels = model::Labels::Of({{"alertname", name}, {"severity", severity}, {"zone", "a"}});
    alert.annotations = model::Labels::Of({{"summary", "Summary of " + name}});
  }
  return judgement;
}

struct StateCase {
  const char* name;
  void (*change)(zones::ZoneReport&);
  Status want;
  const char* finding;
};

TEST(JudgeTest, EachFactHasItsVerdict) {
  const StateCase cases[] = {
      {"healthy", [](zones::ZoneReport&) {}, Status::kOk, ""},
      {"full", [](zones::ZoneReport& r) { r.zones[0].state = ZoneState::kFullDisruption; },
       Status::kCritical, "a is down"},
      {"missing", [](zones::ZoneReport& r) { r.zones[0].state = ZoneState::kMissing; },
       Status::kCritical, "a is missing"},
      {"partial", [](zones::ZoneReport& r) { r.zones[0].state = ZoneState::kPartialDisruption; },
       Status::kWarning, "a is partly down"},
      {"evacuated", [](zones::ZoneReport& r) { r.zones[0].state = ZoneState::kEvacuated; },
       Status::kOk, "a is evacuated"},
      {"nodes unknown",
       [](zones::ZoneReport& r) {
         r.nodes = {.known = false, .failing = true, .error = "403 Forbidden"};
       },
       Status::kCritical, "nodes could not be asked: 403 Forbidden"},
      {"endpoint down",
       [](zones::ZoneReport& r) {
         r.zones[0].health = zones::EndpointHealth::kDown;
         r.zones[0].health_error = "refused";
       },
       Status::kWarning, "health endpoint of a is down: refused"},
      {"endpoint no url",
       [](zones::ZoneReport& r) { r.zones[0].health = zones::EndpointHealth::kNotAUrl; },
       Status::kWarning, "health endpoint of a is not a http or https URL"},
      {"no zones", [](zones::ZoneReport& r) { r.zones.clear(); }, Status::kUnknown,
       "no zone is known"},
      {"split", [](zones::ZoneReport& r) { r.primaries["db"] = 2; }, Status::kCritical,
       "db is split: 2 instances are writable"},
      {"headless", [](zones::ZoneReport& r) { r.primaries["db"] = 0; }, Status::kCritical,
       "db has no writable instance"},
      {"database down",
       [](zones::ZoneReport& r) {
         r.primaries["db"] = 1;
         r.databases.push_back({.cluster = "db", .instance = "db-2", .error = "refused"});
       },
       Status::kCritical, "db-2 of db could not be asked: refused"},
      {"stale standby",
       [](zones::ZoneReport& r) {
         r.primaries["db"] = 1;
         r.databases.push_back({.cluster = "db",
                                .instance = "db-2",
                                .up = true,
                                .role = zones::DatabaseRole::kStandby,
                                .lag_seconds = 45,
                                .lag_stale = true});
       },
       Status::kWarning, "db-2 of db is cut from its upstream, its lag is at least 45s"},
  };
  for (const StateCase& c : cases) {
    zones::ZoneReport report = HealthyReport();
    c.change(report);
    const CheckResult result = Judge(report, {}, {});
    EXPECT_EQ(StatusName(result.status), StatusName(c.want)) << c.name;
    const std::string first = result.findings.empty() ? "" : result.findings[0].text;
    EXPECT_TRUE(first.starts_with(c.finding)) << c.name << ": " << first;
  }
}

TEST(JudgeTest, AlertsCountByTheirSeverity) {
  struct Case {
    const char* severity;
    rules::Verdict verdict;
    Status want;
  };
  const Case cases[] = {
      {"critical", rules::Verdict::kTrue, Status::kCritical},
      {"warning", rules::Verdict::kTrue, Status::kWarning},
      {"", rules::Verdict::kTrue, Status::kWarning},
      {"none", rules::Verdict::kTrue, Status::kOk},
      {"critical", rules::Verdict::kFalse, Status::kOk},
      {"critical", rules::Verdict::kNoData, Status::kOk},
      {"critical", rules::Verdict::kTooLittleData, Status::kUnknown},
      {"critical", rules::Verdict::kError, Status::kUnknown},
  };
  for (const Case& c : cases) {
    const CheckResult result =
        Judge(HealthyReport(), {JudgementOf("X", c.severity, c.verdict)}, {});
    EXPECT_EQ(StatusName(result.status), StatusName(c.want))
        << c.severity << " " << rules::VerdictName(c.verdict);
    const bool judged = c.verdict == rules::Verdict::kTrue || c.verdict == rules::Verdict::kFalse;
    EXPECT_EQ(result.not_judged.empty(), judged);
  }
}

TEST(JudgeTest, UnreachableMayBeUnknownAndIsNeverOk) {
  zones::ZoneReport report = HealthyReport();
  report.pods = {.known = false, .failing = true, .error = "timed out"};
  EXPECT_EQ(Judge(report, {}, {}).status, Status::kCritical);
  EXPECT_EQ(Judge(report, {}, {.unreachable_is_unknown = true}).status, Status::kUnknown);
}

TEST(FormatTest, TableShowsZonesAlertsAndWhatWasNotJudged) {
  zones::ZoneReport report = HealthyReport();
  report.zones[0].state = ZoneState::kFullDisruption;
  report.zones[0].workers = {.unknown = 5};
  report.zones[0].pods_ready = 0;
  report.losses[0].verdict = zones::Verdict::kLostAlready;
  const CheckResult result = Judge(report,
                                   {JudgementOf("Down", "critical", rules::Verdict::kTrue),
                                    JudgementOf("Lag", "warning", rules::Verdict::kNoData)},
                                   {});
  EXPECT_EQ(
      Format(result, {}),
      "AZ CRITICAL  a is down: none of its 5 nodes is ready; 1 alert\n"
      "\n"
      "ZONE  STATE            WORKERS  CONTROL PLANE  CORDONED  PODS  HEALTH  p95     IF LOST NOW\n"
      "a     full_disruption  0/5      0/0            0         0/3   up      1.2 ms  (lost)\n"
      "b     normal           5/5      0/0            0         3/3   up      1.2 ms  survived\n"
      "\n"
      "SEVERITY  ALERT  OF  STATE                     SUMMARY\n"
      "critical  Down   a   true now, fires after 5m  Summary of Down\n"
      "\n"
      "FINDINGS\n"
      "CRITICAL  a is down: none of its 5 nodes is ready\n"
      "\n"
      "NOT JUDGED\n"
      "no data   Lag: why\n");
}

TEST(FormatTest, TheFirstLineSaysWhatIsWatchedAlone) {
  zones::ZoneReport report = HealthyReport();
  report.watched_namespaces = {"bank", "shop"};
  for (const char* ns : {"bank", "shop"}) {
    auto seen = std::make_shared<zones::NamespaceReport>();
    seen->ns = ns;
    report.namespaces.push_back(std::move(seen));
  }
  const std::string text = Format(Judge(report, {}, {}), {});
  EXPECT_TRUE(
      text.starts_with("AZ OK  2 zones normal, 0 of 0 alert rules true; only namespaces "
                       "bank, shop are watched\n"))
      << text;
}

TEST(FormatTest, NagiosKeepsBarsOutOfItsText) {
  zones::ZoneReport report = HealthyReport();
  report.nodes = {.known = false, .failing = true, .error = "a|b\nc"};
  const std::string text = Format(Judge(report, {}, {}), {.output = CheckOutput::kNagios});
  EXPECT_TRUE(
      text.starts_with("AZ CRITICAL: nodes could not be asked: a/b c | 'zones'=2 'nodes'=10 "
                       "'nodes_ready'=10 'alerts'=0 'p95_a'=0.001200s"))
      << text;
}

struct FlagCase {
  std::vector<const char*> arguments;
  int code;
  bool to_stderr;
  const char* text;
};

TEST(ParseFlagsTest, ExitCodesAreOurOwn) {
  const FlagCase cases[] = {
      {{"--version"}, 0, false, "azexporter, version "},
      {{"--help"}, 0, false, "azexporter watches"},
      {{"--check", "--help"}, 3, false, "azexporter watches"},
      {{"--bogus"}, 1, true, "azexporter: "},
      {{"--check", "--bogus"}, 3, false, "AZ UNKNOWN: "},
      {{"--check", "--output", "xml"},
       3,
       false,
       "AZ UNKNOWN: --output: must be table, json, nagios, junit or prometheus"},
      {{"--check", "-t", "0"}, 3, false, "AZ UNKNOWN: --check.timeout"},
      {{"--url", "http://x"}, 1, true, "azexporter: --url: goes with --check"},
      {{"--web.external-url", "azexporter:10126"},
       1,
       true,
       "azexporter: --web.external-url: not a http or https URL: \"azexporter:10126\""},
      {{"--web.external-url", "http://u:p@x/"},
       1,
       true,
       "azexporter: --web.external-url: user and password do not belong in here: \"http://x/\""},
      {{"--web.external-url", "http://x/?a"},
       1,
       true,
       "azexporter: --web.external-url: must be a scheme, a host and a path only"},
      {{"--rules.alert.resend-delay", "soon"}, 1, true, "azexporter: --rules.alert.resend-delay: "},
      {{"check"}, 1, true, "azexporter: "},
      {{"check", "config"}, 1, true, "azexporter: "},
  };
  for (const FlagCase& c : cases) {
    std::vector<const char*> argv = {"azexporter"};
    argv.insert(argv.end(), c.arguments.begin(), c.arguments.end());
    const auto flags = ParseFlags(static_cast<int>(argv.size()), argv.data());
    ASSERT_FALSE(flags) << argv.back();
    EXPECT_EQ(flags.error().code, c.code) << argv.back();
    EXPECT_EQ(flags.error().to_stderr, c.to_stderr) << argv.back();
    EXPECT_TRUE(flags.error().text.starts_with(c.text)) << flags.error().text;
  }
}

TEST(ParseFlagsTest, TheExternalUrlHasNoSlashAtItsEnd) {
  const char* argv[] = {"azexporter", "--web.external-url", "https://x:1/az//",
                        "--rules.alert.resend-delay", "90s"};
  const auto flags = ParseFlags(5, argv);
  ASSERT_TRUE(flags) << flags.error().text;
  EXPECT_EQ(flags->external_url, "https://x:1/az");
  EXPECT_EQ(flags->resend_delay_ms, 90'000);
}

TEST(ParseFlagsTest, NamespacesAreThoseThatThereMayBe) {
  const auto parsed = [](std::vector<const char*> more) -> base::Result<config::Config> {
    std::vector<const char*> argv = {"azexporter", "--kube.namespaces"};
    argv.insert(argv.end(), more.begin(), more.end());
    const auto flags = ParseFlags(static_cast<int>(argv.size()), argv.data());
    return flags ? flags->MakeConfig() : base::BadData(flags.error().text);
  };
  const auto config = parsed({"shop,bank", "--check"});
  ASSERT_TRUE(config) << config.error().message();
  EXPECT_EQ(config->kubernetes.namespaces, (std::set<std::string>{"bank", "shop"}));
  const auto bad = parsed({"shop,../x"});
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().message(), "--kube.namespaces: \"../x\" is no name of a namespace");
  const auto with_file = parsed({"shop", "--kube.snapshot", "cluster.json"});
  ASSERT_FALSE(with_file);
  EXPECT_EQ(with_file.error().message(),
            "kubernetes.namespaces: does not go with a snapshot, which is all there is");
}

TEST(ParseFlagsTest, FlagsWinOverTheFile) {
  const char* argv[] = {
      "azexporter", "--kubeconfig", "kc", "--no-collector.pods", "--storage.retention.time", "3h"};
  const auto flags = ParseFlags(6, argv);
  ASSERT_TRUE(flags) << flags.error().text;
  const auto config = flags->MakeConfig();
  ASSERT_TRUE(config);
  EXPECT_EQ(config->kubernetes.kubeconfig, "kc");
  EXPECT_EQ(config->storage.retention_ms, 3 * 3'600'000);
  EXPECT_TRUE(config->disabled_collectors.contains("pods"));
}

}  // namespace
}  // namespace azexporter::app
