// How a check is told to programs.

#include <gtest/gtest.h>

#include "azexporter/app/check.h"

namespace azexporter::app {
namespace {

zones::ZoneReport ReportWithLag() {
  zones::ZoneReport report;
  for (zones::SourceStatus* source :
       {&report.nodes, &report.pods, &report.expectations, &report.workloads, &report.budgets,
        &report.services, &report.volumes}) {
    source->known = true;
  }
  zones::ZoneStatus& zone = report.zones.emplace_back();
  zone.zone = "it's-a";
  zone.state = zones::ZoneState::kNormal;
  zone.workers.ready = 2;
  report.losses.push_back({.zone = zone.zone,
                           .verdict = zones::Verdict::kNotSurvived,
                           .findings = {{zones::LossReason::kAtZero, true, "shop",
                                         "Deployment <web>", "its only ready pod is there"}}});
  report.losses.push_back({.zone = "b", .verdict = zones::Verdict::kSurvived});
  report.primaries["orders"] = 1;
  report.databases.push_back({.cluster = "orders",
                              .instance = "orders-2",
                              .zone = zone.zone,
                              .up = true,
                              .role = zones::DatabaseRole::kStandby,
                              .lag_seconds = 42});
  report.zones.push_back({.zone = "b", .state = zones::ZoneState::kNormal});
  return report;
}

CheckResult Judged(const CheckOptions& options = {}) { return Judge(ReportWithLag(), {}, options); }

Thresholds Of(const char* text) { return *ParseThresholds({text}); }

TEST(CheckThresholdTest, TheWorseOneDecides) {
  struct Case {
    const char* warning;
    const char* critical;
    Status want;
  };
  const Case cases[] = {
      {"lag=50", "lag=60", Status::kWarning},  // by the loss
      {"lag=30", "lag=60", Status::kWarning},
      {"lag=30", "lag=40", Status::kCritical},
  };
  for (const Case& c : cases) {
    const CheckResult result = Judged({.warning = Of(c.warning), .critical = Of(c.critical)});
    EXPECT_EQ(result.status, c.want) << c.warning << " " << c.critical;
  }
  const CheckResult critical = Judged({.critical = Of("lag=40")});
  EXPECT_EQ(critical.findings[0].text, "orders-2 of orders lags by 42.0 s, critical by -c lag=40");
  // Out of scope it is not asked about.
  EXPECT_EQ(Judged({.scope = {.only = {zones::Topic::kHealth}, .zone = "", .ns = ""},
                    .critical = Of("lag=40")})
                .status,
            Status::kOk);
}

TEST(CheckFormatTest, PerformanceDataHasThresholdsAndQuotesItsLabels) {
  const CheckPrint print{.output = CheckOutput::kNagios,
                         .verbosity = 0,
                         .scope = {},
                         .warning = Of("lag=50"),
                         .critical = Of("lag=10:60")};
  EXPECT_EQ(Format(Judged(), print),
            "AZ WARNING: the loss of it's-a would not be survived: Deployment shop/<web>: its only "
            "ready pod is there | 'zones'=2 'nodes'=2 'nodes_ready'=2 'alerts'=0 "
            "'p95_it''s-a'=U 'p95_b'=U 'loss_blockers_it''s-a'=1 'loss_blockers_b'=0 "
            "'lag_orders-2'=42.000s;50;10:60\n"
            "WARNING: the loss of it's-a would not be survived: Deployment shop/<web>: its only "
            "ready pod is there\n");
}

TEST(CheckFormatTest, JunitHasACaseForEachFindingAndEachCleanTopic) {
  const std::string text = Format(Judged({.scope = {.only = {}, .zone = "", .ns = ""}}),
                                  {.output = CheckOutput::kJunit});
  EXPECT_TRUE(text.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n"));
  EXPECT_NE(text.find("tests=\"11\" failures=\"1\" errors=\"0\""), std::string::npos) << text;
  EXPECT_NE(text.find("Deployment shop/&lt;web&gt;"), std::string::npos) << text;
  EXPECT_NE(text.find("<testcase classname=\"azexporter.zones\" name=\"zones\"/>"),
            std::string::npos)
      << text;
  EXPECT_EQ(text.find("<web>"), std::string::npos);
}

TEST(CheckFormatTest, PrometheusCountsFindings) {
  const std::string text = Format(Judged(), {.output = CheckOutput::kPrometheus});
  for (const char* line : {"azexporter_check_status 1\n",
                           "azexporter_check_findings{topic=\"loss\",severity=\"warning\"} 1\n",
                           "azexporter_check_findings{topic=\"loss\",severity=\"critical\"} 0\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  }
}

TEST(CheckFormatTest, JsonHasLossesAndFindings) {
  const std::string text = Format(Judged(), {.output = CheckOutput::kJson});
  for (
      const char* part :
      {R"("status":"WARNING","exit_code":1)",
       R"("losses":[{"zone":"it's-a","verdict":"not_survived","blockers":["Deployment shop/<web>: )",
       R"("topic":"loss","zone":"it's-a")"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << text;
  }
}

TEST(CheckFormatTest, ManyFindingsOfAKindAreToldByTheFirstFew) {
  zones::ZoneReport report = ReportWithLag();
  for (int i = 0; i < 9; ++i) {
    report.databases.push_back({.cluster = "orders", .instance = "x" + std::to_string(i)});
  }
  const CheckResult result = Judge(report, {}, {});
  EXPECT_NE(Format(result, {}).find("          and 4 more, which -v shows\n"), std::string::npos)
      << Format(result, {});
  EXPECT_EQ(Format(result, {.verbosity = 1}).find("more, which"), std::string::npos);
}

TEST(CheckFormatTest, ManyRulesWithoutDataAreCounted) {
  CheckResult result = Judged();
  result.not_judged = {{"Broken", "it failed", Status::kUnknown}};
  for (int i = 0; i < 7; ++i) {
    result.not_judged.push_back({"R" + std::to_string(i), "no series x", Status::kOk});
  }
  EXPECT_TRUE(
      Format(result, {})
          .ends_with("NOT JUDGED\nUNKNOWN   Broken: it failed\n"
                     "no data   7 rules ask for series that nobody here makes, -v names them\n"))
      << Format(result, {});
  EXPECT_NE(Format(result, {.verbosity = 1}).find("no data   R6: no series x\n"),
            std::string::npos);
}

}  // namespace
}  // namespace azexporter::app
