// parse(print(parse(query))) prints the same, and so does parse(pretty(parse(query))), for every
// query in reach: our scripts, rules, unit tests and dashboard, and those of Prometheus and
// kube-prometheus.

#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <iostream>
#include <set>

#include "azexporter/promql/parser.h"
#include "azexporter/promql/printer.h"
#include "dashboards/dashboard.h"
#include "script_files.h"
#include "script_reader.h"

namespace azexporter::promql {
namespace {

namespace fs = std::filesystem;

// The texts of all `expr:` in a YAML document, however deep.
void AddExprs(const YAML::Node& node, std::set<std::string>& queries) {
  if (node.IsSequence()) {
    for (const auto& item : node) AddExprs(item, queries);
  } else if (node.IsMap()) {
    for (const auto& entry : node) {
      if (entry.first.IsScalar() && entry.first.Scalar() == "expr" && entry.second.IsScalar()) {
        queries.insert(entry.second.Scalar());
      } else {
        AddExprs(entry.second, queries);
      }
    }
  }
}

std::set<std::string> QueriesOfRules(const fs::path& folder) {
  std::set<std::string> queries;
  if (!fs::exists(folder)) return queries;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const fs::path extension = entry.path().extension();
    if (extension != ".yml" && extension != ".yaml") continue;
    try {
      for (const YAML::Node& document : YAML::LoadAll(ReadFile(entry.path()))) {
        AddExprs(document, queries);
      }
    } catch (const YAML::Exception&) {
      // Some are there to be refused.
    }
  }
  return queries;
}

std::set<std::string> QueriesOfScripts(const std::vector<fs::path>& paths) {
  std::set<std::string> queries;
  for (const fs::path& path : paths) {
    const auto commands = ReadScript(ReadFile(path));
    EXPECT_TRUE(commands) << path;
    if (!commands) continue;
    for (const ScriptCommand& command : *commands) {
      if (const auto* eval = std::get_if<EvalCommand>(&command)) queries.insert(eval->query);
    }
  }
  return queries;
}

// How many of the queries parse; each of those must come back from its text.
int ExpectFixpoints(const std::set<std::string>& queries) {
  int parsed = 0;
  for (const std::string& query : queries) {
    const auto expr = ParseExpr(query);
    if (!expr) continue;
    ++parsed;
    const std::string printed = Print(**expr);
    for (const std::string& text : {printed, Pretty(**expr)}) {
      const auto again = ParseExpr(text);
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
  EXPECT_GT(ExpectFixpoints(QueriesOfScripts(OwnScripts())), 100);
}

TEST(RoundtripTest, QueriesOfPrometheus) {
  if (!fs::exists(ConformanceFolder())) GTEST_SKIP() << "nothing in " << ConformanceFolder();
  EXPECT_GT(ExpectFixpoints(QueriesOfScripts(ConformanceScripts())), 1000);
  const auto rules = QueriesOfRules(ConformanceFolder() / "rules");
  const int parsed = ExpectFixpoints(rules);
  EXPECT_GT(parsed, 290);
  std::cout << parsed << " of " << rules.size() << " expressions of rules parse\n";
}

}  // namespace
}  // namespace azexporter::promql
