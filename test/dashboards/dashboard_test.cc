// The dashboard against the catalogue of metrics: what it asks for must exist, and say what it is.

#include "dashboards/dashboard.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "azexporter/collect/collector.h"
#include "azexporter/promql/parser.h"

namespace azexporter::test {
namespace {

using nlohmann::json;

std::map<std::string, model::MetricType, std::less<>> Declared() {
  std::map<std::string, model::MetricType, std::less<>> declared;
  for (const collect::Collector& collector : collect::Collectors()) {
    for (const model::MetricDesc& family : collector.families) {
      declared.emplace(family.name, family.type);
    }
  }
  return declared;
}

// Whether a collector's row, or azexporter's own metrics, bring a series of this name.
bool Exists(std::string_view series) {
  if (series.starts_with("azexporter_") || series == "az_alerts") return true;
  static const auto declared = Declared();
  for (std::string_view suffix : {"_bucket", "_count", "_sum"}) {
    if (!series.ends_with(suffix)) continue;
    const auto found = declared.find(series.substr(0, series.size() - suffix.size()));
    if (found != declared.end()) return found->second == model::MetricType::kHistogram;
  }
  const auto found = declared.find(series);
  return found != declared.end() && found->second != model::MetricType::kHistogram;
}

std::string MetricName(const promql::Selection& selection) {
  for (const model::Matcher& matcher : selection.matchers) {
    if (matcher.name() == "__name__" && matcher.type() == model::MatchType::kEqual) {
      return matcher.value();
    }
  }
  return "";
}

class DashboardTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_FALSE(dashboard_.is_discarded()) << "no JSON"; }

  const json dashboard_ = LoadDashboard();
};

TEST_F(DashboardTest, ImportsAnywhere) {
  EXPECT_TRUE(dashboard_["id"].is_null());
  EXPECT_TRUE(dashboard_["uid"].is_null());
  ASSERT_EQ(dashboard_["__inputs"].size(), 1u);
  EXPECT_EQ(dashboard_["__inputs"][0]["name"], "DS_PROMETHEUS");
  std::set<std::string> variables;
  for (const json& variable : dashboard_["templating"]["list"]) variables.insert(variable["name"]);
  EXPECT_EQ(variables, (std::set<std::string>{"datasource", "zone"}));
  // Every data source is the variable's, at whatever depth it is named.
  int named = 0;
  std::vector<const json*> left = {&dashboard_};
  while (!left.empty()) {
    const json& node = *left.back();
    left.pop_back();
    if (node.is_object() && node.contains("datasource")) {
      ++named;
      EXPECT_EQ(node["datasource"]["uid"], "${datasource}");
    }
    if (!node.is_structured()) continue;
    for (const json& child : node) left.push_back(&child);
  }
  EXPECT_GT(named, 20);
}

TEST_F(DashboardTest, EveryPanelSaysWhatItShows) {
  std::set<int> ids;
  std::set<std::string> titles;
  std::vector<std::string> rows;
  for (const json& panel : dashboard_["panels"]) {
    const std::string title = panel.value("title", "");
    EXPECT_FALSE(title.empty());
    EXPECT_TRUE(titles.insert(title).second || panel["type"] == "row") << title;
    EXPECT_TRUE(ids.insert(panel["id"].get<int>()).second) << title << ": id is there twice";
    if (panel["type"] == "row") {
      rows.push_back(title);
      continue;
    }
    SCOPED_TRACE(title);
    const std::string description = panel.value("description", "");
    EXPECT_TRUE(description.ends_with('.'));
    EXPECT_EQ(description.find('\n'), std::string::npos);
    EXPECT_NE(panel["fieldConfig"]["defaults"].value("unit", ""), "");
    EXPECT_FALSE(panel["targets"].empty());
    std::set<std::string> refs;
    for (const json& target : panel["targets"]) {
      EXPECT_TRUE(refs.insert(target["refId"]).second) << "refId is there twice";
      EXPECT_NE(target.value("legendFormat", ""), "");
    }
  }
  EXPECT_EQ(rows, (std::vector<std::string>{"Overview", "Zones", "Zone loss and spread", "Latency",
                                            "Databases", "azexporter"}));
}

TEST_F(DashboardTest, PanelsDoNotOverlap) {
  std::set<std::pair<int, int>> taken;
  for (const json& panel : dashboard_["panels"]) {
    const json& at = panel["gridPos"];
    const int x = at["x"];
    const int y = at["y"];
    EXPECT_LE(x + at["w"].get<int>(), 24) << panel["title"];
    for (int i = 0; i < at["w"].get<int>(); ++i) {
      for (int j = 0; j < at["h"].get<int>(); ++j) {
        EXPECT_TRUE(taken.insert({x + i, y + j}).second) << panel["title"];
      }
    }
  }
}

TEST_F(DashboardTest, AsksOnlyForMetricsThatExist) {
  const std::vector<PanelQuery> queries = DashboardQueries(dashboard_);
  EXPECT_GT(queries.size(), 15u);
  for (const auto& [panel, query] : queries) {
    SCOPED_TRACE(panel + ": " + query);
    EXPECT_EQ(query.find('$'), std::string::npos) << "an unknown variable";
    const auto expr = promql::ParseExpr(query);
    ASSERT_TRUE(expr) << expr.error().message();
    for (const promql::Selection& selection : promql::Selections(**expr)) {
      EXPECT_TRUE(Exists(MetricName(selection))) << MetricName(selection);
      // What Prometheus adds to a target is not there when azexporter itself is asked.
      for (const model::Matcher& matcher : selection.matchers) {
        EXPECT_NE(matcher.name(), "job");
        EXPECT_NE(matcher.name(), "instance");
      }
    }
  }
  EXPECT_FALSE(Exists("az_zone_states"));
  EXPECT_FALSE(Exists("http_request_duration_seconds"));
}

}  // namespace
}  // namespace azexporter::test
