// What the recordings do not show: many watches at once, selections that change, writes, TLS, and
// the failures that the server can be told to produce.

#include "simulator/api_server.h"

#include <httplib.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "simulator/simulator_fixture.h"

namespace azexporter::simulator {
namespace {

constexpr const char* kPods = "/api/v1/namespaces/default/pods";

class ApiServerTest : public SimulatorTest {
 protected:
  void SetUp() override {
    ASSERT_TRUE(store_.Apply(
        {{"kind", "Namespace"}, {"apiVersion", "v1"}, {"metadata", {{"name", "default"}}}}));
  }

  // Bounded waiting on a condition.
  template <class Condition>
  static bool Eventually(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return true;
  }

  std::string Now() const { return std::to_string(store_.resource_version()); }
};

TEST_F(ApiServerTest, ServesManyWatchesAtOnce) {
  Start();
  constexpr int kWatches = 70;
  std::atomic<int> seen{0};
  const std::string target = "/api/v1/nodes?watch=1&timeoutSeconds=60&resourceVersion=" + Now();
  std::vector<std::jthread> watchers;
  for (int i = 0; i < kWatches; ++i) {
    watchers.emplace_back([&] {
      const Answer answer = Get(*server_, target);
      if (answer.body.find("\"ADDED\"") != std::string::npos) ++seen;
    });
  }
  ASSERT_TRUE(Eventually([&] { return server_->open_watches() == kWatches; }));
  ASSERT_TRUE(store_.Apply(Node("n1")));
  EXPECT_EQ(Get(*server_, "/api/v1/nodes/n1").status, 200);
  server_->CloseWatches();
  watchers.clear();
  EXPECT_EQ(seen, kWatches);
}

TEST_F(ApiServerTest, StopsAtOnceWithOpenWatchesAndIdleConnections) {
  Start();
  httplib::Client idle("127.0.0.1", server_->port());
  idle.set_keep_alive(true);
  ASSERT_TRUE(idle.Get("/version"));
  Answer answer;
  std::jthread watcher([&] { answer = Get(*server_, "/api/v1/pods?watch=1"); });
  ASSERT_TRUE(Eventually([&] { return server_->open_watches() == 1; }));
  const auto start = std::chrono::steady_clock::now();
  server_->Stop();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(1));
  watcher.join();
  EXPECT_FALSE(answer.ended_properly);
}

TEST_F(ApiServerTest, ObjectsThatEnterOrLeaveTheSelectionAreAddedOrDeleted) {
  Start();
  const std::string from = Now();
  ASSERT_TRUE(store_.Apply(Pod("default", "a")));
  const ObjectKey key{FindKind("v1", "Pod"), "default", "a"};
  ASSERT_TRUE(store_.Modify(key, [](Json& pod) { pod["metadata"]["labels"]["app"] = "other"; }));
  ASSERT_TRUE(store_.Modify(key, [](Json& pod) { pod["status"]["phase"] = "Failed"; }));
  ASSERT_TRUE(store_.Delete(key));
  const auto watch = [&](const std::string& selector) {
    std::string types;
    for (const auto& event : Get(*server_, std::string(kPods) + "?watch=true&timeoutSeconds=1" +
                                               "&resourceVersion=" + from + selector)
                                 .events()) {
      types += event["type"].get<std::string>() + " ";
    }
    return types;
  };
  EXPECT_EQ(watch(""), "ADDED MODIFIED MODIFIED DELETED ");
  EXPECT_EQ(watch("&labelSelector=app%3Da"), "ADDED DELETED ");
  EXPECT_EQ(watch("&labelSelector=app%3Dother"), "ADDED MODIFIED DELETED ");
  EXPECT_EQ(watch("&fieldSelector=status.phase%3DFailed"), "ADDED DELETED ");
}

TEST_F(ApiServerTest, BookmarksComeRegularlyAndNearTheEnd) {
  Start({.bookmark_interval_ms = 300});
  const auto events = Get(*server_,
                          "/api/v1/pods?watch=1&allowWatchBookmarks=true"
                          "&timeoutSeconds=3&resourceVersion=" +
                              Now())
                          .events();
  ASSERT_GE(events.size(), 3u);
  for (const auto& event : events) {
    EXPECT_EQ(event["type"], "BOOKMARK");
    EXPECT_EQ(event["object"]["metadata"]["resourceVersion"], Now());
  }
  EXPECT_TRUE(Get(*server_, "/api/v1/pods?watch=1&timeoutSeconds=1&resourceVersion=" + Now())
                  .events()
                  .empty());
}

TEST_F(ApiServerTest, AWatchThatFallsBehindTheLogIsTooOld) {
  Start();
  Answer answer;
  const std::string target = "/api/v1/pods?watch=1&resourceVersion=" + Now();
  store_.AdvanceTo(1000);
  store_.Compact();
  answer = Get(*server_, target);
  ASSERT_EQ(answer.events().size(), 1u);
  EXPECT_EQ(answer.events()[0]["type"], "ERROR");
  EXPECT_EQ(answer.events()[0]["object"]["code"], 410);
  EXPECT_TRUE(answer.ended_properly);
}

TEST_F(ApiServerTest, ProducesTheFailuresThatAClientMustSurvive) {
  Start();
  server_->SetInterceptor([](const HttpRequest& request) -> std::optional<HttpResponse> {
    if (request.path == "/api/v1/nodes") {
      return HttpResponse{.status = 429,
                          .content_type = "text/plain; charset=utf-8",
                          .headers = {{"Retry-After", "1"}},
                          .body = "Too many requests, please try again later.\n"};
    }
    if (request.path != "/api/v1/pods") return std::nullopt;
    HttpResponse cut;
    cut.stream = [](BodyStream& body) {
      body.Write("{\"type\":\"ADDED\",\"object\":{\"ki");
      return StreamEnd::kCut;
    };
    return cut;
  });
  EXPECT_EQ(Get(*server_, "/api/v1/nodes").status, 429);
  const Answer cut = Get(*server_, "/api/v1/pods?watch=1");
  EXPECT_FALSE(cut.ended_properly);
  EXPECT_EQ(cut.body, "{\"type\":\"ADDED\",\"object\":{\"ki");
  EXPECT_EQ(Get(*server_, "/api/v1/namespaces").status, 200);
  server_->SetInterceptor(nullptr);
  EXPECT_EQ(Get(*server_, "/api/v1/nodes").status, 200);
}

TEST_F(ApiServerTest, CreatesUpdatesPatchesAndDeletes) {
  Start();
  const std::string pod = Dump(Pod("default", "a"));
  EXPECT_EQ(Fetch(*server_, "POST", kPods, pod).status, 201);
  EXPECT_EQ(Fetch(*server_, "POST", kPods, pod).status, 409);
  EXPECT_EQ(
      Fetch(*server_, "POST", "/api/v1/namespaces/nowhere/pods", Dump(Pod("nowhere", "a"))).status,
      404);
  EXPECT_EQ(Fetch(*server_, "POST", kPods, "{").status, 400);

  const std::string target = std::string(kPods) + "/a";
  auto stored = Get(*server_, target).json();
  stored["metadata"]["labels"]["tier"] = "web";
  EXPECT_EQ(Fetch(*server_, "PUT", target, stored.dump()).status, 200);
  EXPECT_EQ(Fetch(*server_, "PUT", target, stored.dump()).status, 409) << "the version is old now";

  const Headers merge{.content_type = "application/merge-patch+json"};
  const Answer patched =
      Fetch(*server_, "PATCH", target, R"({"metadata":{"labels":{"tier":null,"app":"b"}}})", merge);
  EXPECT_EQ(patched.json()["metadata"]["labels"], nlohmann::json({{"app", "b"}}));

  const Answer deleted = Fetch(*server_, "DELETE", target);
  EXPECT_EQ(deleted.status, 200);
  EXPECT_EQ(deleted.json()["status"], "Success");
  EXPECT_EQ(Fetch(*server_, "DELETE", target).status, 404);
}

TEST_F(ApiServerTest, StatusIsASubresource) {
  Start();
  ASSERT_TRUE(store_.Apply(Pod("default", "a")));
  const std::string target = std::string(kPods) + "/a";
  const Headers merge{.content_type = "application/merge-patch+json"};
  const std::string patch = R"({"spec":{"nodeName":"n2"},"status":{"phase":"Failed"}})";
  const auto main = Fetch(*server_, "PATCH", target, patch, merge).json();
  EXPECT_EQ(main["spec"]["nodeName"], "n2");
  EXPECT_EQ(main["status"]["phase"], "Running");
  const auto status = Fetch(*server_, "PATCH", target + "/status",
                            R"({"spec":{"nodeName":"n3"},"status":{"phase":"Failed"}})", merge)
                          .json();
  EXPECT_EQ(status["spec"]["nodeName"], "n2");
  EXPECT_EQ(status["status"]["phase"], "Failed");
}

TEST_F(ApiServerTest, StrategicPatchesMergeListsByKey) {
  Start();
  ASSERT_TRUE(store_.Apply(Node("n1")));
  const Headers strategic{.content_type = "application/strategic-merge-patch+json"};
  const auto patch = [&](const std::string& body) {
    return Fetch(*server_, "PATCH", "/api/v1/nodes/n1", body, strategic).json()["spec"];
  };
  EXPECT_EQ(
      patch(R"({"spec":{"unschedulable":true,"taints":[{"key":"a","effect":"NoSchedule"}]}})"),
      nlohmann::json::parse(
          R"({"unschedulable":true,"taints":[{"key":"a","effect":"NoSchedule"}]})"));
  EXPECT_EQ(patch(R"({"spec":{"taints":[{"key":"b","effect":"NoExecute"}]}})")["taints"].size(),
            2u);
  EXPECT_EQ(patch(R"({"spec":{"unschedulable":null,
                      "$setElementOrder/taints":[{"key":"b"}],
                      "taints":[{"$patch":"delete","key":"a","effect":"NoSchedule"}]}})"),
            nlohmann::json::parse(R"({"taints":[{"key":"b","effect":"NoExecute"}]})"));
}

TEST_F(ApiServerTest, ABudgetWithBothLimitsIsRefused) {
  Start();
  const Answer refused =
      Fetch(*server_, "POST", "/apis/policy/v1/namespaces/default/poddisruptionbudgets",
            R"({"metadata":{"name":"both"},"spec":{"minAvailable":2,"maxUnavailable":1}})");
  EXPECT_EQ(refused.status, 422);
  EXPECT_EQ(refused.json()["details"]["causes"][0]["field"], "spec");
}

TEST_F(ApiServerTest, EvictionAsksTheBudget) {
  Start();
  ASSERT_TRUE(store_.Apply(Pod("default", "a")));
  ASSERT_TRUE(store_.Apply({{"kind", "PodDisruptionBudget"},
                            {"apiVersion", "policy/v1"},
                            {"metadata", {{"name", "budget"}, {"namespace", "default"}}},
                            {"spec", {{"selector", {{"matchLabels", {{"app", "a"}}}}}}},
                            {"status", {{"disruptionsAllowed", 0}, {"desiredHealthy", 1}}}}));
  const std::string target = std::string(kPods) + "/a/eviction";
  EXPECT_EQ(Fetch(*server_, "POST", target, "{}").status, 429);
  ASSERT_TRUE(store_.Modify({FindKind("policy/v1", "PodDisruptionBudget"), "default", "budget"},
                            [](Json& b) { b["status"]["disruptionsAllowed"] = 1; }));
  EXPECT_EQ(Fetch(*server_, "POST", target, "{}").status, 201);
  EXPECT_EQ(Get(*server_, std::string(kPods) + "/a").status, 404);
}

TEST_F(ApiServerTest, LargeBodiesAreCompressedForThoseWhoAccept) {
  Start();
  for (int i = 0; i < 100; ++i) {
    Json pod = Pod("default", "pod-" + std::to_string(i));
    pod["metadata"]["annotations"]["padding"] = std::string(2000, 'x');
    ASSERT_TRUE(store_.Apply(std::move(pod)));
  }
  httplib::Client client("127.0.0.1", server_->port());
  client.set_decompress(false);
  const auto compressed = client.Get(kPods, {{"Accept-Encoding", "gzip"}});
  ASSERT_TRUE(compressed);
  EXPECT_EQ(compressed->get_header_value("Content-Encoding"), "gzip");
  EXPECT_LT(compressed->body.size(), 20'000u);
  const auto plain = client.Get(kPods);
  EXPECT_FALSE(plain->has_header("Content-Encoding"));
  EXPECT_GT(plain->body.size(), 200'000u);
}

TEST_F(ApiServerTest, SpeaksTlsWithItsOwnAuthority) {
  Start({.tls = true, .token = "secret"});
  EXPECT_EQ(server_->url().substr(0, 18), "https://127.0.0.1:");
  const std::filesystem::path ca = std::filesystem::path(::testing::TempDir()) / "simulator-ca.pem";
  std::ofstream(ca) << server_->ca_certificate();
  httplib::SSLClient client("localhost", server_->port());
  client.set_ca_cert_path(ca.c_str());
  const auto refused = client.Get("/api/v1/nodes");
  ASSERT_TRUE(refused) << httplib::to_string(refused.error());
  EXPECT_EQ(refused->status, 401);
  EXPECT_EQ(client.Get("/readyz")->status, 200);
  EXPECT_EQ(client.Get("/api/v1/nodes", {{"Authorization", "Bearer secret"}})->status, 200);
  EXPECT_NE(server_->Kubeconfig().find("certificate-authority-data: "), std::string::npos);
}

TEST_F(ApiServerTest, ListensOnLoopbackOnly) {
  const auto refused = ApiServer::Start({.address = "0.0.0.0"}, store_, clock_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message(), "listen on 0.0.0.0: only 127.0.0.1 is served");
}

}  // namespace
}  // namespace azexporter::simulator
