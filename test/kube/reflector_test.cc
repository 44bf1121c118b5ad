// Reflectors against a simulated API server: what they hold must be what the server holds, whatever
// happens in between.

#include "azexporter/kube/reflector.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "azexporter/kube/cluster.h"
#include "simulator/api_server.h"
#include "support/eventually.h"

namespace azexporter::kube {
namespace {

using simulator::Json;
using test::Eventually;

Json MakePod(const std::string& name, const std::string& node = "n1") {
  return {{"kind", "Pod"},
          {"apiVersion", "v1"},
          {"metadata", {{"name", name}, {"namespace", "default"}}},
          {"spec", {{"nodeName", node}}},
          {"status", {{"phase", "Running"}}}};
}

simulator::ObjectKey PodKey(const std::string& name) {
  return {simulator::FindKind("v1", "Pod"), "default", name};
}

class ReflectorTest : public ::testing::Test {
 protected:
  ReflectorTest() : store_({.clock = clock_, .event_log_size = 1000}) {
    for (const char* name : {"a", "b", "c"}) EXPECT_TRUE(store_.Create(MakePod(name)));
    auto server = simulator::ApiServer::Start({.token = "secret", .bookmark_interval_ms = 200},
                                              store_, clock_);
    EXPECT_TRUE(server);
    server_ = std::move(*server);
    ClusterAccess access;
    access.server = server_->url();
    access.bearer_token = "secret";
    client_ = std::make_unique<ApiClient>(std::move(access));
  }

  ~ReflectorTest() override {
    thread_ = std::jthread();  // before the server it talks to
  }

  void Run(ReflectorOptions options = {}) {
    if (options.path.empty()) options.path = "/api/v1/pods";
    options.min_backoff_ms = 10;
    options.max_backoff_ms = 50;
    reflector_ =
        std::make_unique<Reflector<Pod>>(options, *client_, cache_, clock_, base::Logger::Silent());
    thread_ = std::jthread([this](std::stop_token stop) { reflector_->Run(stop); });
  }

  std::string Names() const {
    std::string names;
    const auto pods = cache_.List();
    for (const auto& pod : *pods) names += pod->meta.name;
    return names;
  }
  bool Becomes(const std::string& names) {
    return Eventually([&] { return Names() == names; });
  }

  base::SystemClock clock_;
  simulator::Store store_;
  std::unique_ptr<simulator::ApiServer> server_;
  std::unique_ptr<ApiClient> client_;
  ObjectCache<Pod> cache_;
  std::unique_ptr<Reflector<Pod>> reflector_;
  std::jthread thread_;
};

class ReflectorWaysTest : public ReflectorTest,
                          public ::testing::WithParamInterface<std::tuple<bool, bool>> {};

TEST_P(ReflectorWaysTest, ReadsAllThenFollows) {
  const auto [protobuf, streamed] = GetParam();
  Run({.protobuf = protobuf, .streamed_lists = streamed, .page_size = 2});
  ASSERT_TRUE(Becomes("abc"));
  ASSERT_TRUE(store_.Create(MakePod("d")));
  EXPECT_TRUE(Becomes("abcd"));
  ASSERT_TRUE(store_.Delete(PodKey("b")));
  EXPECT_TRUE(Becomes("acd"));
  ASSERT_TRUE(store_.Modify(PodKey("a"), [](Json& pod) { pod["spec"]["nodeName"] = "n9"; }));
  EXPECT_TRUE(Eventually([&] { return cache_.List()->front()->node_name == "n9"; }));
  const ResourceHealth health = cache_.health();
  EXPECT_EQ(health.list_count(), 1u);
  EXPECT_EQ(health.objects, 3u);
  EXPECT_GT(health.bytes_read, 0u);
  EXPECT_GT(health.last_event_ms, 0);
}
INSTANTIATE_TEST_SUITE_P(All, ReflectorWaysTest,
                         ::testing::Combine(::testing::Bool(), ::testing::Bool()));

TEST_F(ReflectorTest, AServerWithoutStreamedListsIsAskedForPages) {
  server_->SetInterceptor(
      [&](const simulator::HttpRequest& request) -> std::optional<simulator::HttpResponse> {
        if (!request.HasQuery("sendInitialEvents")) return std::nullopt;
        simulator::HttpResponse response;
        response.status = 422;
        response.body =
            R"({"kind":"Status","message":"sendInitialEvents is forbidden","code":422})";
        return response;
      });
  Run({.page_size = 2});
  ASSERT_TRUE(Becomes("abc"));
  ASSERT_TRUE(store_.Create(MakePod("d")));
  EXPECT_TRUE(Becomes("abcd"));
  EXPECT_EQ(cache_.health().last_error, "");
  server_->SetInterceptor(nullptr);
}

TEST_F(ReflectorTest, AnEqualObjectStaysTheSameOverAList) {
  Run();
  ASSERT_TRUE(Becomes("abc"));
  const auto before = cache_.List();
  ASSERT_TRUE(Eventually([&] { return server_->open_watches() == 1; }));
  server_->Stop();
  ASSERT_TRUE(store_.Modify(PodKey("b"), [](Json& pod) { pod["spec"]["nodeName"] = "n9"; }));
  store_.Compact();
  ASSERT_TRUE(server_->Restart());
  ASSERT_TRUE(Eventually([&] { return cache_.health().list_count() == 2; }));
  const auto after = cache_.List();
  EXPECT_EQ((*before)[0], (*after)[0]);
  EXPECT_NE((*before)[1], (*after)[1]);
  EXPECT_EQ((*before)[2], (*after)[2]);
  EXPECT_EQ(cache_.health().lists[static_cast<std::size_t>(ListReason::kExpired)], 1u);
}

TEST_F(ReflectorTest, ResumesAWatchThatEndsWithoutListingAgain) {
  Run();
  ASSERT_TRUE(Becomes("abc"));
  ASSERT_TRUE(Eventually([&] { return server_->open_watches() == 1; }));
  server_->CloseWatches();
  // The old watch may yet tell of what is created before it ends.
  ASSERT_TRUE(Eventually([&] {
    return cache_.health().watch_ends[static_cast<std::size_t>(WatchEnd::kClosed)] >= 1;
  }));
  ASSERT_TRUE(store_.Create(MakePod("d")));
  EXPECT_TRUE(Becomes("abcd"));
  EXPECT_EQ(cache_.health().list_count(), 1u);
}

TEST_F(ReflectorTest, ListsAgainWhenItsVersionIsTooOld) {
  Run();
  ASSERT_TRUE(Becomes("abc"));
  ASSERT_TRUE(Eventually([&] { return server_->open_watches() == 1; }));
  // The watch is held off while the world moves on and forgets.
  std::atomic<bool> hold = true;
  server_->SetInterceptor(
      [&](const simulator::HttpRequest& request) -> std::optional<simulator::HttpResponse> {
        if (!hold || !request.HasQuery("watch")) return std::nullopt;
        simulator::HttpResponse response;
        response.status = 503;
        return response;
      });
  server_->CloseWatches();
  ASSERT_TRUE(Eventually([&] { return server_->open_watches() == 0; }));
  ASSERT_TRUE(store_.Delete(PodKey("a")));
  ASSERT_TRUE(store_.Create(MakePod("z")));
  store_.Compact();
  hold = false;
  EXPECT_TRUE(Becomes("bcz"));
  EXPECT_GE(cache_.health().list_count(), 2u);
  server_->SetInterceptor(nullptr);
}

TEST_F(ReflectorTest, SurvivesAConnectionCutInTheMiddleOfAnObject) {
  Run();
  ASSERT_TRUE(Becomes("abc"));
  ASSERT_TRUE(Eventually([&] { return server_->open_watches() == 1; }));
  std::atomic<int> cuts = 0;
  server_->SetInterceptor(
      [&](const simulator::HttpRequest& request) -> std::optional<simulator::HttpResponse> {
        if (!request.HasQuery("watch") || cuts.fetch_add(1) > 2) return std::nullopt;
        simulator::HttpResponse response;
        response.stream = [](simulator::BodyStream& body) {
          body.Write(R"({"type":"ADDED","object":{"kind":"Pod","metadata":{"name":"half")");
          return simulator::StreamEnd::kCut;
        };
        return response;
      });
  server_->CloseWatches();
  EXPECT_TRUE(Eventually([&] { return cuts.load() >= 3; }));
  ASSERT_TRUE(store_.Create(MakePod("d")));
  EXPECT_TRUE(Becomes("abcd"));
  EXPECT_EQ(cache_.health().list_count(), 1u);
  server_->SetInterceptor(nullptr);
}

TEST_F(ReflectorTest, TakesASilentWatchForDead) {
  std::atomic<int> silent = 0;
  server_->SetInterceptor(
      [&](const simulator::HttpRequest& request) -> std::optional<simulator::HttpResponse> {
        if (!request.HasQuery("watch") || silent.fetch_add(1) > 0) return std::nullopt;
        simulator::HttpResponse response;
        response.stream = [](simulator::BodyStream& body) {
          while (body.Alive()) base::WaitFor(body.stop(), 20);
          return simulator::StreamEnd::kCut;
        };
        return response;
      });
  Run({.idle_timeout_ms = 1000});
  ASSERT_TRUE(Becomes("abc"));
  ASSERT_TRUE(store_.Create(MakePod("d")));
  EXPECT_TRUE(Becomes("abcd"));
  server_->SetInterceptor(nullptr);
}

TEST_F(ReflectorTest, StartsTheListAgainWhenAContinueTokenExpires) {
  std::atomic<int> pages = 0;
  server_->SetInterceptor(
      [&](const simulator::HttpRequest& request) -> std::optional<simulator::HttpResponse> {
        if (!request.HasQuery("continue") || pages.fetch_add(1) > 0) return std::nullopt;
        simulator::HttpResponse response;
        response.status = 410;
        response.body = R"({"kind":"Status","reason":"Expired","message":"too old","code":410})";
        return response;
      });
  Run({.streamed_lists = false, .page_size = 2});
  EXPECT_TRUE(Becomes("abc"));
  EXPECT_GE(pages.load(), 2);
  server_->SetInterceptor(nullptr);
}

TEST_F(ReflectorTest, WaitsAsLongAsTheServerAsks) {
  std::atomic<int> asked = 0;
  std::atomic<std::int64_t> first_ns = 0;
  std::atomic<std::int64_t> second_ns = 0;
  server_->SetInterceptor(
      [&](const simulator::HttpRequest&) -> std::optional<simulator::HttpResponse> {
        const int count = asked.fetch_add(1);
        if (count == 1) second_ns = clock_.SteadyNs();
        if (count > 0) return std::nullopt;
        first_ns = clock_.SteadyNs();
        simulator::HttpResponse response;
        response.status = 429;
        response.content_type = "text/plain; charset=utf-8";
        response.headers = {{"Retry-After", "1"}};
        response.body = "Too many requests, please try again later.\n";
        return response;
      });
  Run();
  EXPECT_TRUE(Becomes("abc"));
  EXPECT_GE(second_ns - first_ns, 1'000'000'000);
  server_->SetInterceptor(nullptr);
}

TEST_F(ReflectorTest, SaysWhatWasForbiddenAndRecovers) {
  ASSERT_TRUE(server_->faults().Add("any pods status 403"));
  Run();
  ASSERT_TRUE(Eventually([&] { return !cache_.health().last_error.empty(); }));
  const std::string error = cache_.health().last_error;
  EXPECT_NE(error.find("list pods: GET http://127.0.0.1:"), std::string::npos) << error;
  EXPECT_NE(error.find("403 Forbidden: pods is forbidden: User"), std::string::npos) << error;
  EXPECT_FALSE(cache_.health().synced);
  server_->faults().ClearAll();
  EXPECT_TRUE(Becomes("abc"));
  EXPECT_TRUE(Eventually([&] { return cache_.health().last_error.empty(); }));
}

TEST_F(ReflectorTest, KeepsItsObjectsWhileTheServerIsGone) {
  Run();
  ASSERT_TRUE(Becomes("abc"));
  server_->Stop();
  ASSERT_TRUE(Eventually([&] { return !cache_.health().last_error.empty(); }));
  EXPECT_EQ(Names(), "abc");
  EXPECT_TRUE(cache_.health().synced);
}

TEST_F(ReflectorTest, AnOptionalResourceThatTheServerLacksIsNoFailure) {
  ASSERT_TRUE(server_->faults().Add("any pods status 404"));
  Run({.optional = true, .absent_retry_ms = 10});
  ASSERT_TRUE(Eventually([&] { return cache_.health().absent; }));
  EXPECT_TRUE(cache_.health().optional);
  EXPECT_FALSE(cache_.health().synced);
  EXPECT_EQ(cache_.health().last_error, "");
  EXPECT_EQ(cache_.health().last_contact_ms, 0);
  server_->faults().ClearAll();
  EXPECT_TRUE(Becomes("abc")) << "it is asked for again";
  EXPECT_TRUE(cache_.health().synced);
  EXPECT_FALSE(cache_.health().absent);
}

TEST_F(ReflectorTest, AnOlderPathIsAskedWhereTheServerKnowsNoNewerOne) {
  for (const bool streamed : {true, false}) {
    Run({.path = "/apis/example.com/v2/pods",
         .older_paths = {"/apis/example.com/v1/pods", "/api/v1/pods"},
         .optional = true,
         .streamed_lists = streamed});
    ASSERT_TRUE(Becomes("abc"));
    ASSERT_TRUE(store_.Create(MakePod("d")));
    EXPECT_TRUE(Becomes("abcd"));
    EXPECT_TRUE(cache_.health().synced);
    EXPECT_FALSE(cache_.health().absent);
    EXPECT_EQ(cache_.health().last_error, "");
    thread_ = std::jthread();
    ASSERT_TRUE(store_.Delete(PodKey("d")));
  }
}

TEST_F(ReflectorTest, OfAResourceThatNoPathHasAllAreAskedAgain) {
  ASSERT_TRUE(server_->faults().Add("any pods status 404"));
  Run({.path = "/apis/example.com/v2/pods",
       .older_paths = {"/api/v1/pods"},
       .optional = true,
       .absent_retry_ms = 10});
  ASSERT_TRUE(Eventually([&] { return cache_.health().absent; }));
  server_->faults().ClearAll();
  EXPECT_TRUE(Becomes("abc"));
  EXPECT_FALSE(cache_.health().absent);
}

TEST_F(ReflectorTest, ARequiredResourceThatTheServerLacksIsAFailure) {
  ASSERT_TRUE(server_->faults().Add("any pods status 404"));
  Run();
  ASSERT_TRUE(Eventually([&] { return !cache_.health().last_error.empty(); }));
  EXPECT_FALSE(cache_.health().absent);
}

TEST(ClusterTest, OneForbiddenResourceDoesNotStopTheOthers) {
  const base::SystemClock clock;
  simulator::Store store({.clock = clock, .event_log_size = 100});
  ASSERT_TRUE(store.Create(MakePod("a")));
  auto server = simulator::ApiServer::Start({}, store, clock);
  ASSERT_TRUE(server);
  ASSERT_TRUE((*server)->faults().Add("any nodes status 403"));
  ClusterAccess access;
  access.server = (*server)->url();
  Cluster cluster(access, {.config_map_namespace = "x", .config_map_name = "y"}, clock,
                  base::Logger::Silent());
  cluster.ListOnce({});
  const auto state = cluster.State();
  EXPECT_EQ(state->pods().size(), 1u);
  EXPECT_FALSE(state->HealthOf("nodes")->synced);
  EXPECT_TRUE(state->HealthOf("pods")->synced);
  EXPECT_TRUE(state->HealthOf("configmaps")->synced);
}

TEST(ClusterTest, HoldsWhatZoneLossAnalysisReads) {
  const base::SystemClock clock;
  simulator::Store store({.clock = clock, .event_log_size = 100});
  const std::pair<const char*, const char*> kKinds[] = {{"v1", "Node"},
                                                        {"v1", "Pod"},
                                                        {"v1", "PersistentVolume"},
                                                        {"v1", "PersistentVolumeClaim"},
                                                        {"v1", "Service"},
                                                        {"apps/v1", "Deployment"},
                                                        {"apps/v1", "ReplicaSet"},
                                                        {"apps/v1", "StatefulSet"},
                                                        {"apps/v1", "DaemonSet"},
                                                        {"batch/v1", "Job"},
                                                        {"policy/v1", "PodDisruptionBudget"},
                                                        {"storage.k8s.io/v1", "StorageClass"},
                                                        {"discovery.k8s.io/v1", "EndpointSlice"}};
  for (const auto& [api, kind] : kKinds) {
    Json object = {{"apiVersion", api}, {"kind", kind}, {"metadata", {{"name", "a"}}}};
    if (simulator::FindKind(api, kind)->namespaced) object["metadata"]["namespace"] = "n";
    ASSERT_TRUE(store.Create(object)) << kind;
  }
  auto server = simulator::ApiServer::Start({}, store, clock);
  ASSERT_TRUE(server);
  ASSERT_TRUE((*server)->faults().Add("any jobs.batch status 403"));
  ASSERT_TRUE((*server)->faults().Add("any endpointslices.discovery.k8s.io status 404"));
  ClusterAccess access;
  access.server = (*server)->url();
  Cluster cluster(access, {}, clock, base::Logger::Silent());
  cluster.ListOnce({});
  const auto state = cluster.State();
  EXPECT_EQ(state->nodes().size(), 1u);
  EXPECT_EQ(state->pods().size(), 1u);
  EXPECT_EQ(state->deployments().size(), 1u);
  EXPECT_EQ(state->replica_sets().size(), 1u);
  EXPECT_EQ(state->stateful_sets().size(), 1u);
  EXPECT_EQ(state->daemon_sets().size(), 1u);
  EXPECT_EQ(state->budgets().size(), 1u);
  EXPECT_EQ(state->volumes().size(), 1u);
  EXPECT_EQ(state->claims().size(), 1u);
  EXPECT_EQ(state->storage_classes().size(), 1u);
  EXPECT_EQ(state->services().size(), 1u);
  EXPECT_TRUE(state->jobs().empty());
  const ResourceHealth* jobs = state->HealthOf("jobs");
  ASSERT_NE(jobs, nullptr);
  EXPECT_TRUE(jobs->optional);
  EXPECT_FALSE(jobs->synced);
  EXPECT_NE(jobs->last_error.find("403 Forbidden"), std::string::npos) << jobs->last_error;
  EXPECT_TRUE(state->HealthOf("endpointslices")->absent);
  EXPECT_FALSE(state->HealthOf("nodes")->optional);
  EXPECT_EQ(state->HealthOf("configmaps"), nullptr) << "none was named";
  EXPECT_EQ(state->health().size(), std::size(kKinds));
}

}  // namespace
}  // namespace azexporter::kube
