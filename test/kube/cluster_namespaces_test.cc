// A cluster of which some namespaces alone are watched, against a simulated API server.

#include <gtest/gtest.h>

#include <mutex>
#include <set>

#include "azexporter/kube/cluster.h"
#include "simulator/api_server.h"
#include "support/eventually.h"

namespace azexporter::kube {
namespace {

using simulator::Json;
using test::Eventually;

Json MakeObject(const std::string& api, const std::string& kind, const std::string& ns,
                const std::string& name) {
  Json object = {{"apiVersion", api}, {"kind", kind}, {"metadata", {{"name", name}}}};
  if (!ns.empty()) object["metadata"]["namespace"] = ns;
  return object;
}

class ClusterNamespacesTest : public ::testing::Test {
 protected:
  ClusterNamespacesTest() : store_({.clock = clock_, .event_log_size = 1000}) {
    EXPECT_TRUE(store_.Create(MakeObject("v1", "Node", "", "n1")));
    EXPECT_TRUE(store_.Create(MakeObject("v1", "ConfigMap", "platform", "zones")));
    for (const char* ns : {"bank", "shop", "shop-2"}) {
      EXPECT_TRUE(store_.Create(MakeObject("v1", "Pod", ns, std::string("pod-of-") + ns)));
      EXPECT_TRUE(store_.Create(MakeObject("apps/v1", "Deployment", ns, "web")));
    }
    auto server = simulator::ApiServer::Start({}, store_, clock_);
    EXPECT_TRUE(server);
    server_ = std::move(*server);
    server_->SetInterceptor(
        [this](const simulator::HttpRequest& request) -> std::optional<simulator::HttpResponse> {
          const std::lock_guard lock(mu_);
          asked_.insert(request.path);
          return std::nullopt;
        });
  }

  std::unique_ptr<Cluster> MakeCluster(std::set<std::string> namespaces) {
    ClusterAccess access;
    access.server = server_->url();
    return std::make_unique<Cluster>(access,
                                     ClusterOptions{.namespaces = std::move(namespaces),
                                                    .config_map_namespace = "platform",
                                                    .config_map_name = "zones",
                                                    .min_backoff_ms = 10},
                                     clock_, base::Logger::Silent());
  }
  std::set<std::string> asked() {
    const std::lock_guard lock(mu_);
    return asked_;
  }

  static std::string PodsOf(const ClusterState& state) {
    std::string names;
    for (const auto& pod : state.pods()) names += pod->meta.ns + "/" + pod->meta.name + " ";
    return names;
  }

  const base::SystemClock clock_;
  simulator::Store store_;
  std::mutex mu_;
  std::set<std::string> asked_;
  std::unique_ptr<simulator::ApiServer> server_;
};

TEST_F(ClusterNamespacesTest, NothingIsAskedOfOthers) {
  const auto cluster = MakeCluster({"shop", "bank", "nowhere"});
  cluster->ListOnce({});
  const auto state = cluster->State();
  EXPECT_EQ(PodsOf(*state), "bank/pod-of-bank shop/pod-of-shop ");
  EXPECT_EQ(state->deployments().size(), 2u);
  EXPECT_EQ(state->nodes().size(), 1u);
  EXPECT_EQ(state->config_maps().size(), 1u) << "in a namespace of its own";
  EXPECT_NE(state->FindPod("shop", "pod-of-shop"), nullptr);
  EXPECT_EQ(state->PodsIn("bank").size(), 1u);
  EXPECT_EQ(state->watched_namespaces(), (std::set<std::string>{"bank", "nowhere", "shop"}));
  const std::set<std::string> of_cluster = {"/api/v1/nodes", "/api/v1/persistentvolumes",
                                            "/apis/storage.k8s.io/v1/storageclasses",
                                            "/api/v1/namespaces/platform/configmaps"};
  std::size_t in_namespaces = 0;
  for (const std::string& path : asked()) {
    if (of_cluster.contains(path)) continue;
    ++in_namespaces;
    EXPECT_TRUE(path.find("/namespaces/shop/") != std::string::npos ||
                path.find("/namespaces/bank/") != std::string::npos ||
                path.find("/namespaces/nowhere/") != std::string::npos)
        << path;
  }
  EXPECT_EQ(in_namespaces, 3u * 10u);
}

TEST_F(ClusterNamespacesTest, AResourceIsOneWhereverItIsWatched) {
  const auto cluster = MakeCluster({"shop", "bank", "nowhere"});
  cluster->ListOnce({});
  const auto state = cluster->State();
  EXPECT_EQ(state->health().size(), 14u);
  const ResourceHealth* pods = state->HealthOf("pods");
  ASSERT_NE(pods, nullptr);
  EXPECT_TRUE(pods->synced) << "a namespace that does not exist has no objects";
  EXPECT_EQ(pods->objects, 2u);
  EXPECT_EQ(pods->list_count(), 3u);
  EXPECT_EQ(pods->last_error, "");
}

TEST_F(ClusterNamespacesTest, OneThatFailsIsNamedAndMakesTheResourceUnknown) {
  server_->SetInterceptor(
      [](const simulator::HttpRequest& request) -> std::optional<simulator::HttpResponse> {
        if (request.path != "/api/v1/namespaces/shop/pods") return std::nullopt;
        simulator::HttpResponse response;
        response.status = 403;
        response.body = R"({"kind":"Status","message":"pods is forbidden","code":403})";
        return response;
      });
  const auto cluster = MakeCluster({"bank", "shop"});
  cluster->ListOnce({});
  const ResourceHealth pods = *cluster->State()->HealthOf("pods");
  EXPECT_FALSE(pods.synced);
  EXPECT_EQ(pods.objects, 1u);
  EXPECT_EQ(pods.last_contact_ms, 0);
  EXPECT_NE(pods.last_error.find("/api/v1/namespaces/shop/pods"), std::string::npos)
      << pods.last_error;
  EXPECT_TRUE(cluster->State()->HealthOf("deployments")->synced);
}

TEST_F(ClusterNamespacesTest, EachIsFollowed) {
  const auto cluster = MakeCluster({"bank", "shop"});
  cluster->Start();
  ASSERT_TRUE(Eventually(
      [&] { return PodsOf(*cluster->State()) == "bank/pod-of-bank shop/pod-of-shop "; }));
  const auto before = cluster->State();
  ASSERT_TRUE(store_.Create(MakeObject("v1", "Pod", "bank", "second")));
  ASSERT_TRUE(store_.Create(MakeObject("v1", "Pod", "shop-2", "unseen")));
  ASSERT_TRUE(store_.Delete({simulator::FindKind("v1", "Pod"), "shop", "pod-of-shop"}));
  EXPECT_TRUE(
      Eventually([&] { return PodsOf(*cluster->State()) == "bank/pod-of-bank bank/second "; }));
  EXPECT_EQ(PodsOf(*before), "bank/pod-of-bank shop/pod-of-shop ") << "a view never changes";
  cluster->Stop();
}

// What changes elsewhere costs a list of pods nothing: it stays the same, down to its chunks.
TEST_F(ClusterNamespacesTest, WhatDidNotChangeIsGivenOutAgain) {
  const auto cluster = MakeCluster({"bank", "shop"});
  cluster->ListOnce({});
  const auto first = cluster->State();
  const auto second = cluster->State();
  EXPECT_EQ(&first->pods(), &second->pods());
  ASSERT_TRUE(store_.Create(MakeObject("v1", "Pod", "shop", "second")));
  cluster->ListOnce({});
  const auto third = cluster->State();
  ASSERT_EQ(third->pods().chunks().size(), 2u);
  int changes = 0;
  ForEachChange(first->pods(), third->pods(), [&](const Pod* was, const Pod* is) {
    ++changes;
    EXPECT_EQ(was, nullptr);
    EXPECT_EQ(is->meta.name, "second");
  });
  EXPECT_EQ(changes, 1);
}

TEST(HealthOfAllTest, AddsUpAndTellsTheWorst) {
  ResourceHealth one;
  one.resource = "pods";
  one.synced = true;
  one.last_contact_ms = 200;
  one.objects = 2;
  one.bytes_read = 10;
  one.list_seconds = 0.5;
  one.last_event_ms = 150;
  one.lists[0] = 1;
  one.watch_ends[1] = 2;
  ResourceHealth other = one;
  other.last_contact_ms = 100;
  other.list_seconds = 0.25;
  other.last_event_ms = 0;
  other.event_lag_ms = 7;
  other.last_error = "list pods: 503";
  other.decode_errors = 1;
  other.last_decode_error = "pods bank/x: spec";
  const ResourceHealth both = HealthOfAll({one, other});
  EXPECT_EQ(both.resource, "pods");
  EXPECT_TRUE(both.synced);
  EXPECT_EQ(both.last_contact_ms, 100);
  EXPECT_EQ(both.last_error, "list pods: 503");
  EXPECT_EQ(both.objects, 4u);
  EXPECT_EQ(both.bytes_read, 20u);
  EXPECT_EQ(both.list_seconds, 0.5);
  EXPECT_EQ(both.last_event_ms, 150);
  EXPECT_EQ(both.event_lag_ms, 7);
  EXPECT_EQ(both.list_count(), 2u);
  EXPECT_EQ(both.watch_ends[1], 4u);
  EXPECT_EQ(both.decode_errors, 1u);
  EXPECT_EQ(both.last_decode_error, "pods bank/x: spec");
  other.synced = false;
  EXPECT_FALSE(HealthOfAll({one, other}).synced);
  EXPECT_TRUE(HealthOfAll({one, other}).unread());
  other.absent = true;
  EXPECT_FALSE(HealthOfAll({one, other}).absent) << "one of them was listed";
  EXPECT_TRUE(HealthOfAll({other, other}).absent);
}

}  // namespace
}  // namespace azexporter::kube
