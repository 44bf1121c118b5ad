// The requests that Grafana's Prometheus data source makes, replayed.
// Source: grafana/pkg/promlib/{client,healthcheck,heuristics}.go and
// grafana/packages/grafana-prometheus/src/{datasource,language_provider,resource_clients}.ts.

#include <nlohmann/json.hpp>

#include "server_fixture.h"

namespace azexporter::web {
namespace {

using nlohmann::json;

class GrafanaTest : public ServerTest {
 protected:
  void SetUp() override { PublishRound(); }

  // What Grafana's backend puts on each request of a panel.
  static net::HttpHeaders PanelHeaders() {
    return {{"X-Datasource-Uid", "P1809F7CD0C75ACF3"},
            {"X-Dashboard-Uid", "azexporter"},
            {"X-Panel-Id", "4"},
            {"X-Grafana-Org-Id", "1"},
            {"X-Query-Group-Id", "e1f4"},
            {"X-Grafana-From-Expr", "false"}};
  }

  // The answer, read as JSON where it is any.
  json Json(const net::HttpResponse& response) {
    EXPECT_EQ(response.Header("content-type"), "application/json") << response.body;
    return json::parse(response.body, nullptr, false);
  }
  json Post(const std::string& path, const std::string& form, int status = 200) {
    auto headers = PanelHeaders();
    headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
    const auto response =
        Send({.method = "POST", .url = path, .headers = std::move(headers), .body = form});
    EXPECT_EQ(response.status, status) << response.body;
    return Json(response);
  }
  json Get(const std::string& target) {
    const auto response = Send({.url = target, .headers = PanelHeaders()});
    EXPECT_EQ(response.status, 200) << response.body;
    return Json(response);
  }
};

TEST_F(GrafanaTest, SaveAndTest) {
  EXPECT_EQ(Post("/api/v1/query", "query=1%2B1&time=4")["data"],
            json::parse(R"({"resultType":"scalar","result":[4,"2"]})"));
  const json info = Get("/api/v1/status/buildinfo");
  EXPECT_EQ(info["data"]["version"], "1.2.3");
  EXPECT_FALSE(info["data"].contains("features")) << "it would be taken for Mimir";
}

TEST_F(GrafanaTest, AGraphPanel) {
  const json graph = Post("/api/v1/query_range",
                          "end=1800000000&query=up%7Bzone%3D~%22a%7Cb%22%7D&start=1799999970&"
                          "step=15&timeout=60s");
  EXPECT_EQ(graph["status"], "success");
  EXPECT_EQ(graph["data"]["resultType"], "matrix");
  ASSERT_EQ(graph["data"]["result"].size(), 2U);
  EXPECT_EQ(graph["data"]["result"][0]["metric"], (json{{"__name__", "up"}, {"zone", "a"}}));
  EXPECT_EQ(graph["data"]["result"][0]["values"],
            json::parse(R"([[1799999985,"1"],[1800000000,"0.5"]])"));
  // Beside each range query with exemplars switched on.
  EXPECT_EQ(Post("/api/v1/query_exemplars", "end=1800000000&query=up&start=1799999970")["data"],
            json::array());
}

TEST_F(GrafanaTest, ATablePanel) {
  const json table = Post("/api/v1/query", "query=sort_desc%28up%29&time=1800000000.123");
  ASSERT_EQ(table["data"]["result"].size(), 2U);
  EXPECT_EQ(table["data"]["result"][0]["value"], json::parse(R"([1800000000.123,"1e+21"])"));
}

TEST_F(GrafanaTest, AnErrorIsShownWithItsText) {
  const json error = Post("/api/v1/query_range", "end=2&query=up%7B&start=1&step=1", 400);
  EXPECT_EQ(error["status"], "error");
  EXPECT_EQ(error["errorType"], "bad_data");
  EXPECT_EQ(error["error"],
            "invalid parameter \"query\": 1:4: parse error: unexpected end of input inside braces");
}

TEST_F(GrafanaTest, TheQueryEditor) {
  const std::string times = "end=1800000060&start=1799996400";
  EXPECT_EQ(Get("/api/v1/label/__name__/values?" + times + "&limit=40000")["data"],
            (json{"ALERTS", "ALERTS_FOR_STATE", "up"}));
  EXPECT_EQ(Post("/api/v1/labels", times + "&limit=40000&match%5B%5D=up")["data"],
            (json{"__name__", "zone"}));
  EXPECT_EQ(
      Get("/api/v1/label/zone/values?" + times + "&match%5B%5D=up%7Bzone%21%3D%22b%22%7D")["data"],
      (json{"a"}));
  EXPECT_EQ(
      Post("/api/v1/series", times + "&limit=40000&match%5B%5D=%7B__name__%21%3D%22%22%7D")["data"]
          .size(),
      4U);
  const json metadata = Get("/api/v1/metadata?limit=40000");
  EXPECT_EQ(metadata["data"]["up"][0]["type"], "gauge");
  EXPECT_EQ(metadata["data"]["up"][0]["help"], "Up.");
}

// Where the data source is set to POST, it asks again by GET what was answered with 405 or 400.
TEST_F(GrafanaTest, FallsBackToGet) {
  EXPECT_EQ(Send({.method = "POST",
                  .url = "/api/v1/label/zone/values",
                  .headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
                  .body = "start=1799996400"})
                .status,
            405);
  EXPECT_EQ(Get("/api/v1/label/zone/values?start=1799996400")["data"], (json{"a", "b"}));
}

TEST_F(GrafanaTest, TheAlertList) {
  const json rules = Get("/api/v1/rules?exclude_alerts=false&group_limit=100");
  const json& group = rules["data"]["groups"][0];
  EXPECT_EQ(group["name"], "g");
  EXPECT_EQ(group["rules"][0]["type"], "alerting");
  EXPECT_EQ(group["rules"][0]["alerts"][0]["state"], "firing");
  EXPECT_EQ(Get("/api/v1/alerts")["data"]["alerts"][0]["labels"]["zone"], "a");
}

}  // namespace
}  // namespace azexporter::web
