// parse(print(parse(query))) prints the same, and so does parse(pretty(parse(query))), for every
// query in reach: our scripts, rules, unit tests and dashboard, and those of Prometheus and
// kube-prometheus.

#include <gtest/gtest.h>

#include <iostream>

#include "azexporter/promql/parser.h"
#include "azexporter/promql/printer.h"
#include "dashboards/dashboard.h"
#include "query_files.h"

namespace azexporter::promql {
namespace {

namespace fs = std::filesystem;

// How many of the queries parse; each of those must come back from its text.
int ExpectFixpoints(const std::set<std::string>& queries) {
  int parsed = 0;
  for (const std::string& query : queries) {
    const auto expr = ParseExpr(query, ParserOptions::All());
    if (!expr) continue;
    ++parsed;
    const std::string printed = Print(**expr);
    for (const std::string& text : {printed, Pretty(**expr)}) {
      const auto again = ParseExpr(text, ParserOptions::All());
      EXPECT_TRUE(again) << text;
      EXPECT_EQ(again ? Print(**again) : "", printed);
    }
  }
  return parsed;
}

TEST(RoundtripTest, OwnQueries) {
  std::set<std::string> dashboard;
  for (const auto& query : test::DashboardQueries(test::LoadDashboard())) {
    dashboard.insert(query.expr);
  }
  EXPECT_EQ(ExpectFixpoints(dashboard), static_cast<int>(dashboard.size()));
  const auto rules = QueriesOfRules(fs::path(AZX_SOURCE_DIR) / "rules/alerts");
  EXPECT_EQ(ExpectFixpoints(rules), static_cast<int>(rules.size()));
  EXPECT_GT(rules.size(), 20u);
  EXPECT_GT(ExpectFixpoints(QueriesOfScripts(OwnScripts())), 300);
}

TEST(RoundtripTest, QueriesOfPrometheus) {
  if (!fs::exists(ConformanceFolder())) GTEST_SKIP() << "nothing in " << ConformanceFolder();
  EXPECT_GT(ExpectFixpoints(QueriesOfScripts(ConformanceScripts())), 1500);
  const auto rules = QueriesOfRules(ConformanceFolder() / "rules");
  const int parsed = ExpectFixpoints(rules);
  EXPECT_GT(parsed, 290);
  std::cout << parsed << " of " << rules.size() << " expressions of rules parse\n";
}

}  // namespace
}  // namespace azexporter::promql
