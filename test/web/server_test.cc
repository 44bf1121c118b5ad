#include "azexporter/web/server.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "azexporter/audit/audit.h"
#include "server_fixture.h"

namespace azexporter::web {
namespace {

struct Case {
  const char* target;
  int status;
  const char* body;  // of API paths: whole
};

TEST_F(ServerTest, AnswersTheApiAsPrometheus) {
  const Case cases[] = {
      {"/api/v1/query?query=up&time=1800000000", 200,
       R"({"status":"success","data":{"resultType":"vector","result":[)"
       R"({"metric":{"__name__":"up","zone":"a"},"value":[1800000000,"0.5"]},)"
       R"({"metric":{"__name__":"up","zone":"b"},"value":[1800000000,"1e+21"]}]}})"},
      {"/api/v1/query?query=scalar(up{zone=\"a\"})", 200,
       R"({"status":"success","data":{"resultType":"scalar","result":[1800000000,"0.5"]}})"},
      {"/api/v1/query_range?query=up{zone=\"a\"}&start=1799999985&end=1800000000&step=15s", 200,
       R"({"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"up",)"
       R"("zone":"a"},"values":[[1799999985,"1"],[1800000000,"0.5"]]}]}})"},
      {"/api/v1/query?query=up{", 400, nullptr},
      {"/api/v1/query?query=up&time=noon", 400,
       R"({"status":"error","errorType":"bad_data","error":"invalid parameter \"time\": invalid )"
       R"(time value for 'time': cannot parse \"noon\" to a valid timestamp"})"},
      {"/api/v1/query_range?query=up&start=2&end=1&step=1", 400,
       R"({"status":"error","errorType":"bad_data","error":"invalid parameter \"end\": end )"
       R"(timestamp must not be before start time"})"},
      {"/api/v1/query_range?query=up&start=0&end=1&step=0", 400, nullptr},
      {"/api/v1/query_range?query=up&start=0&end=1000000&step=1", 400, nullptr},
      {"/api/v1/labels", 200,
       R"({"status":"success","data":["__name__","alertname","alertstate","severity","zone"]})"},
      {"/api/v1/label/zone/values?match[]=up", 200, R"({"status":"success","data":["a","b"]})"},
      {"/api/v1/series?match[]=up{zone=\"a\"}", 200,
       R"({"status":"success","data":[{"__name__":"up","zone":"a"}]})"},
      {"/api/v1/series", 400,
       R"({"status":"error","errorType":"bad_data","error":"no match[] parameter provided"})"},
      {"/api/v1/alerts", 200,
       R"({"status":"success","data":{"alerts":[{"labels":{"alertname":"Half","severity":)"
       R"("warning","zone":"a"},"annotations":{"summary":"zone a at 0.5"},"state":"firing",)"
       R"("activeAt":"2027-01-15T08:00:00Z","value":"5e-01"}]}})"},
      {"/api/v1/alertmanagers", 200,
       R"({"status":"success","data":{"activeAlertmanagers":[],"droppedAlertmanagers":[]}})"},
      {"/api/v1/zones", 503,
       R"({"status":"error","errorType":"unavailable","error":"no round is finished yet"})"},
      {"/api/v1/status/buildinfo", 200, nullptr},
      {"/api/v1/nothing", 404, "404 page not found: /api/v1/nothing\n"},
  };
  for (const Case& c : cases) {
    const net::HttpResponse response = Ask(Encode(c.target));
    EXPECT_EQ(response.status, c.status) << c.target << "\n" << response.body;
    if (c.body != nullptr) {
      EXPECT_EQ(response.body, c.body) << c.target;
    }
  }
}

TEST_F(ServerTest, TellsWhatThePolicyAuditFound) {
  const auto publish = [&](std::shared_ptr<const audit::Report> policy, const std::string& fault) {
    collect::Round round{.policy = std::move(policy)};
    round.snapshot.runs.push_back(
        {.collector = "policy", .success = fault.empty(), .error = fault});
    latest_.Publish(std::make_shared<const collect::Round>(std::move(round)));
  };
  const auto found = [&](const std::string& target) {
    const std::string body = Ask(target).body;
    return std::pair(body.find("\"name\":\"a\"") != std::string::npos,
                     body.find("\"name\":\"b\"") != std::string::npos);
  };
  EXPECT_EQ(Ask("/api/v1/policy").status, 503);
  publish(nullptr, "");
  EXPECT_EQ(Ask("/api/v1/policy").status, 404);
  audit::Report report{.objects = 3};
  const auto& error =
      *std::ranges::find(audit::Checks(), audit::Severity::kError, &audit::Check::severity);
  const auto& info =
      *std::ranges::find(audit::Checks(), audit::Severity::kInfo, &audit::Check::severity);
  report.findings = {{.check = &error, .kind = "Deployment", .ns = "x", .name = "a"},
                     {.check = &info, .kind = "Deployment", .ns = "y", .name = "b"}};
  publish(std::make_shared<const audit::Report>(report), "");
  const std::string json = audit::ToJson(report);
  EXPECT_EQ(Ask("/api/v1/policy").body,
            R"({"status":"success","data":)" + json.substr(0, json.size() - 1) + "}");
  EXPECT_EQ(found("/api/v1/policy"), std::pair(true, true));
  EXPECT_EQ(found("/api/v1/policy?severity=warning"), std::pair(true, false));
  EXPECT_EQ(found("/api/v1/policy?namespace=y"), std::pair(false, true));
  EXPECT_EQ(found("/api/v1/policy?check=" + std::string(info.name)), std::pair(false, true));
  EXPECT_EQ(Ask("/api/v1/policy?severity=bad").status, 400);
  publish(std::make_shared<const audit::Report>(report), "403 Forbidden");
  EXPECT_NE(Ask("/api/v1/policy").body.find(R"("faults":["403 Forbidden"])"), std::string::npos);
}

TEST_F(ServerTest, NamesTheAlertmanagers) {
  server_.reset();
  auto server = Server::Listen(
      {.listen_address = "127.0.0.1:0"},
      {latest_, store_, engine_, rules_, clock_, base::Logger::Silent(), {}, [] {
         return AlertmanagersView{.active = {"http://a/api/v2/alerts", "https://b/x/api/v2/alerts"},
                                  .dropped = {"http://c/api/v2/alerts"}};
       }});
  ASSERT_TRUE(server) << server.error().message();
  server_ = std::move(*server);
  server_->Start();
  EXPECT_EQ(Ask("/api/v1/alertmanagers").body,
            R"({"status":"success","data":{"activeAlertmanagers":[)"
            R"({"url":"http://a/api/v2/alerts"},{"url":"https://b/x/api/v2/alerts"}],)"
            R"("droppedAlertmanagers":[{"url":"http://c/api/v2/alerts"}]}})");
}

TEST_F(ServerTest, TheLinkOfAnAlertLeadsToItsExpression) {
  struct LinkCase {
    const char* target;
    const char* location;
  };
  const LinkCase cases[] = {
      {"/graph?g0.expr=up+%3D%3D+0.5&g0.tab=1", "api/v1/query?query=up%20%3D%3D%200.5"},
      {"/graph?g0.expr=a%0d%0aSet-Cookie%3a+x", "api/v1/query?query=a%0D%0ASet-Cookie%3A%20x"},
      {"/graph", "./"},
  };
  for (const LinkCase& c : cases) {
    const auto response = Ask(c.target);
    EXPECT_EQ(response.status, 302) << c.target;
    EXPECT_EQ(response.Header("location"), c.location) << c.target;
  }
  EXPECT_NE(Ask("/api/v1/query?query=up%20%3D%3D%200.5").body.find(R"("zone":"a")"),
            std::string::npos);
}

TEST_F(ServerTest, TakesQueriesByPostToo) {
  const auto response = Ask("/api/v1/query", "POST", "query=count(up)&time=1800000000");
  EXPECT_EQ(response.body,
            R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{},)"
            R"("value":[1800000000,"2"]}]}})");
}

TEST_F(ServerTest, RulesTellStateHealthAndTimes) {
  const std::string body = Ask("/api/v1/rules").body;
  for (const char* part :
       {R"("name":"g","file":"rules.yaml")", R"("state":"firing","name":"Half")",
        R"("query":"up == 0.5","duration":0)", R"("health":"ok")", R"("type":"alerting")",
        R"("interval":15)", R"("lastEvaluation":"2027-01-15T08:00:00Z")"}) {
    EXPECT_NE(body.find(part), std::string::npos) << part << "\nin " << body;
  }
}

TEST_F(ServerTest, MetricsWaitForARoundAndAreCompressedOnRequest) {
  EXPECT_EQ(Ask("/metrics").status, 503);
  EXPECT_EQ(Ask("/-/ready").status, 503);
  EXPECT_EQ(Ask("/-/healthy").status, 200);
  PublishRound();
  const auto plain = Ask("/metrics");
  EXPECT_EQ(plain.body, "# HELP up Up.\n# TYPE up gauge\nup 1\n");
  EXPECT_EQ(plain.Header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(plain.Header("content-encoding"), "");
  const auto packed = Ask("/metrics", "GET", "", /*gzip=*/true);
  EXPECT_EQ(packed.Header("content-encoding"), "gzip");
  EXPECT_EQ(packed.body, plain.body);
  EXPECT_EQ(Ask("/metrics?name[]=other").body, "");
  const auto protobuf = Send({.url = "/metrics",
                              .headers = {{"Accept",
                                           "application/vnd.google.protobuf;proto=io.prometheus."
                                           "client.MetricFamily;encoding=delimited,*/*;q=0.1"}},
                              .accept_gzip = true});
  EXPECT_EQ(protobuf.Header("content-type"),
            "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; "
            "encoding=delimited");
  EXPECT_EQ(protobuf.Header("content-encoding"), "gzip");
  EXPECT_EQ(protobuf.body, std::string("\x18\n\x02up\x12\x03Up.\x18\x01\"\x0b\x12\x09\x09\0\0\0\0"
                                       "\0\0\xf0\x3f",
                                       25))
      << "name, help, type; metric, gauge, value";
  EXPECT_EQ(Ask("/-/ready").status, 200);
}

TEST_F(ServerTest, StatusPageEscapesWhatItShows) {
  PublishRound();
  const auto page = Ask("/");
  EXPECT_EQ(page.Header("content-type"), "text/html; charset=utf-8");
  EXPECT_NE(page.body.find("&lt;a&gt;"), std::string::npos);
  EXPECT_EQ(page.body.find("<a>"), std::string::npos);
  EXPECT_NE(page.body.find("full disruption"), std::string::npos);
  EXPECT_EQ(page.body.find("0 of 0"), std::string::npos) << "nodes and pods are not known";
  EXPECT_NE(page.body.find("zone a at 0.5"), std::string::npos);
}

TEST_F(ServerTest, StatusPageBeginsWithTheVerdict) {
  EXPECT_NE(Ask("/").body.find("The first round is not finished yet."), std::string::npos);
  struct VerdictCase {
    zones::ZoneState state;
    int primaries;
    std::string_view line;
  };
  const VerdictCase cases[] = {
      {zones::ZoneState::kNormal, 1, "<p class=\"verdict bad\">1 zone normal. 1 alert firing.</p>"},
      {zones::ZoneState::kMissing, 1,
       "<p class=\"verdict bad\">1 of 1 zone not normal: a missing. 1 alert firing.</p>"},
      {zones::ZoneState::kNormal, 2,
       "<p class=\"verdict bad\">1 zone normal. orders is split: 2 instances are writable. 1 alert "
       "firing.</p>"},
  };
  for (const VerdictCase& c : cases) {
    auto round = std::make_shared<collect::Round>();
    round->report.timestamp_ms = kNow;
    for (zones::SourceStatus* source :
         {&round->report.nodes, &round->report.pods, &round->report.expectations,
          &round->report.workloads, &round->report.budgets, &round->report.services,
          &round->report.volumes}) {
      source->known = true;
    }
    round->report.zones.push_back({.zone = "a", .state = c.state});
    round->report.primaries["orders"] = c.primaries;
    latest_.Publish(std::move(round));
    const std::string page = Ask("/").body;
    EXPECT_NE(page.find(c.line), std::string::npos) << c.line << "\n" << page;
  }
}

TEST_F(ServerTest, ReloadIsOffUnlessEnabledAndTellsWhy) {
  EXPECT_EQ(Ask("/-/reload", "POST").status, 403);
  base::Result<void> outcome;
  Listen([&outcome] { return outcome; });
  EXPECT_EQ(Ask("/-/reload", "POST").status, 200);
  EXPECT_EQ(Ask("/-/reload").status, 404);
  outcome = base::BadData("c.yaml:1:1: unknown key");
  const auto refused = Ask("/-/reload", "POST");
  EXPECT_EQ(refused.status, 500);
  EXPECT_EQ(refused.body, "failed to reload config: c.yaml:1:1: unknown key\n");
}

TEST_F(ServerTest, APortInUseIsAnError) {
  const std::string address = server_->url().substr(std::string("http://").size());
  const auto second =
      Server::Listen({.listen_address = address},
                     {latest_, store_, engine_, rules_, clock_, base::Logger::Silent(), {}});
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().message().find("cannot listen on " + address), std::string::npos);
  for (const char* bad : {"", "localhost", "localhost:", "localhost:x", ":70000", ":-1"}) {
    EXPECT_FALSE(
        Server::Listen({.listen_address = bad},
                       {latest_, store_, engine_, rules_, clock_, base::Logger::Silent(), {}}))
        << bad;
  }
}

}  // namespace
}  // namespace azexporter::web
