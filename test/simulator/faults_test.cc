// Faults as text, and what a client sees of each of them.

#include "simulator/faults.h"

#include <httplib.h>

#include <chrono>
#include <thread>

#include "simulator/simulator_fixture.h"
#include "support/eventually.h"

namespace azexporter::simulator {
namespace {

using test::Eventually;

TEST(ParseFaultTest, TextGoesThereAndBack) {
  const std::string_view texts[] = {
      "list pods status 429 times 3",
      "watch nodes cut after 5000 bytes",
      "any any hang",
      "get deployments.apps in platform-03 cut",
      "list pods delay 800ms",
      "watch pods silent",
      "list pods in shop expire skip 1 times 2",
      "any nodes garbage text",
      "list nodes garbage truncated",
      "write pods garbage shape",
      "list nodes replay nodes.list.pb times 1",
  };
  for (std::string_view text : texts) {
    const auto fault = ParseFault(text);
    ASSERT_TRUE(fault) << text << ": " << fault.error().message();
    EXPECT_EQ(ToString(*fault), text);
    EXPECT_EQ(*ParseFault(ToString(*fault)), *fault) << text;
  }
}

TEST(ParseFaultTest, SaysWhatItDoesNotUnderstand) {
  struct Case {
    std::string_view text, message;
  };
  const Case cases[] = {
      {"", "\"\" is no verb of a fault: any, get, list, watch or write"},
      {"push pods hang", "\"push\" is no verb of a fault: any, get, list, watch or write"},
      {"list", "a fault without a resource"},
      {"list pods",
       "\"\" is no effect: status, cut, hang, delay, silent, expire, garbage or "
       "replay"},
      {"list pods in", "\"in\" must be followed by a namespace"},
      {"list pods status many", "\"many\" is no number of an HTTP status"},
      {"list pods status 200", "status 200 is no error: 400 to 599"},
      {"list pods cut after 5", "cut after N must be followed by \"bytes\""},
      {"list pods garbage heap", "\"heap\" is no garbage: text, truncated or shape"},
      {"list pods replay", "replay must be followed by a recording's name"},
      {"list pods silent", "only a watch can be silent"},
      {"list pods hang times 0", "a fault must hit at least once"},
      {"list pods hang forever", "\"forever\" is not understood after \"list pods hang\""},
  };
  for (const Case& c : cases) {
    const auto fault = ParseFault(c.text);
    ASSERT_FALSE(fault) << c.text;
    EXPECT_EQ(fault.error().message(), c.message);
  }
}

class FaultsTest : public SimulatorTest {
 protected:
  void SetUp() override {
    for (const char* name : {"a", "b", "c"}) ASSERT_TRUE(store_.Apply(Pod("shop", name)));
    ASSERT_TRUE(store_.Apply(Node("n1")));
    Start();
  }

  Faults::Id Add(std::string_view text) {
    const auto id = server_->faults().Add(text);
    EXPECT_TRUE(id) << id.error().message();
    return id.value_or(0);
  }
  std::int64_t Hits(Faults::Id id) const { return server_->faults().Hits(id); }
  int Status(const std::string& target) const { return Get(*server_, target).status; }
  std::string Version() const { return std::to_string(store_.resource_version()); }

  static constexpr const char* kPods = "/api/v1/pods";
};

TEST_F(FaultsTest, HitsWhatItIsAimedAtAndNothingElse) {
  struct Case {
    std::string_view fault;
    std::vector<std::string> hit, missed;
  };
  const Case cases[] = {
      {"list pods status 500",
       {kPods, "/api/v1/namespaces/shop/pods"},
       {"/api/v1/nodes", "/api/v1/namespaces/shop/pods/a", "/version",
        "/api/v1/pods?watch=1&timeoutSeconds=1"}},
      {"any pods in shop status 500",
       {"/api/v1/namespaces/shop/pods", "/api/v1/namespaces/shop/pods/a"},
       {kPods, "/api/v1/namespaces/other/pods"}},
      {"get any status 500", {"/api/v1/nodes/n1", "/version", "/apis"}, {"/api/v1/nodes"}},
      {"watch any status 500", {"/api/v1/pods?watch=1", "/api/v1/nodes?watch=true"}, {kPods}},
      {"any any status 500", {kPods, "/readyz", "/api/v1/nodes/n1"}, {}},
      {"any deployments.apps status 500",
       {"/apis/apps/v1/deployments"},
       {"/apis/apps/v1/replicasets", kPods}},
  };
  for (const Case& c : cases) {
    const Faults::Id id = Add(c.fault);
    for (const std::string& target : c.hit) EXPECT_EQ(Status(target), 500) << c.fault << target;
    EXPECT_EQ(Hits(id), static_cast<std::int64_t>(c.hit.size()));
    for (const std::string& target : c.missed) EXPECT_EQ(Status(target), 200) << c.fault << target;
    server_->faults().Clear(id);
  }
  Add("write any status 503");
  EXPECT_EQ(Fetch(*server_, "DELETE", "/api/v1/nodes/n1").status, 503);
  EXPECT_EQ(Status("/api/v1/nodes/n1"), 200);
}

TEST_F(FaultsTest, CountsWhatItSkipsAndWhatItHits) {
  const Faults::Id first = Add("list pods status 503 skip 1 times 2");
  Add("list pods status 500 times 1");
  std::vector<int> seen;
  for (int i = 0; i < 5; ++i) seen.push_back(Status(kPods));
  EXPECT_EQ(seen, (std::vector<int>{500, 503, 503, 200, 200}));
  EXPECT_EQ(Hits(first), 2);
  ASSERT_EQ(server_->faults().List().size(), 2u);
  server_->faults().ClearAll();
  EXPECT_TRUE(server_->faults().List().empty());
  EXPECT_EQ(Hits(first), 0);
}

TEST_F(FaultsTest, StatusesLookLikeARealServers) {
  struct Case {
    int status;
    std::string_view content_type, body;
  };
  const std::string_view json = "application/json";
  const std::string_view text = "text/plain; charset=utf-8";
  const Case cases[] = {
      {401, json, "\"message\":\"Unauthorized\",\"reason\":\"Unauthorized\",\"code\":401"},
      {403, json, "\"message\":\"pods is forbidden: User \\\"azexporter-platform\\\" cannot list"},
      {404, text, "404 page not found\n"},
      {410, json, "\"reason\":\"Expired\",\"code\":410"},
      {429, text, "Too many requests, please try again later.\n"},
      {500, json, "\"message\":\"etcdserver: request timed out\",\"code\":500"},
      {503, json, "\"reason\":\"ServiceUnavailable\""},
      {504, json, "\"reason\":\"Timeout\""},
      {502, json, "\"code\":502"},
  };
  for (const Case& c : cases) {
    Add("list pods status " + std::to_string(c.status) + " times 1");
    const Answer answer = Get(*server_, kPods);
    EXPECT_EQ(answer.status, c.status);
    EXPECT_EQ(answer.content_type, c.content_type) << c.status;
    EXPECT_NE(answer.body.find(c.body), std::string::npos) << answer.body;
  }
  Add("list pods status 429 times 1");
  httplib::Client client("127.0.0.1", server_->port());
  const auto slow_down = client.Get(kPods);
  ASSERT_TRUE(slow_down);
  EXPECT_EQ(slow_down->get_header_value("Retry-After"), "1");
}

TEST_F(FaultsTest, CutsBeforeTheFirstByte) {
  const Faults::Id id = Add("any any cut times 2");
  EXPECT_EQ(Status(kPods), 0);
  EXPECT_EQ(Status("/readyz"), 0);
  EXPECT_EQ(Status(kPods), 200);
  EXPECT_EQ(Hits(id), 2);
}

TEST_F(FaultsTest, CutsInTheMiddleOfABody) {
  const std::string whole = Get(*server_, kPods).body;
  Add("list pods cut after 100 bytes");
  const Answer list = Get(*server_, kPods);
  EXPECT_EQ(list.status, 200);
  EXPECT_FALSE(list.ended_properly);
  EXPECT_EQ(list.body, whole.substr(0, 100));

  const std::string watched = Get(*server_, "/api/v1/pods?watch=1&timeoutSeconds=1").body;
  ASSERT_EQ(Answer{.body = watched}.events().size(), 3u);
  const std::size_t bytes = watched.find('\n') + 20;
  Add("watch pods cut after " + std::to_string(bytes) + " bytes");
  const Answer watch = Get(*server_, "/api/v1/pods?watch=1");
  EXPECT_FALSE(watch.ended_properly);
  EXPECT_EQ(watch.body, watched.substr(0, bytes));
  EXPECT_TRUE(Eventually([&] { return server_->open_watches() == 0; }));
}

TEST_F(FaultsTest, HangsUntilTheFaultIsCleared) {
  const Faults::Id id = Add("list pods hang");
  int status = -1;
  std::jthread asking([&] { status = Status(kPods); });
  ASSERT_TRUE(Eventually([&] { return Hits(id) == 1; }));
  EXPECT_EQ(Status("/api/v1/nodes"), 200) << "others are answered";
  server_->faults().Clear(id);
  asking.join();
  EXPECT_EQ(status, 200);
}

TEST_F(FaultsTest, AHangEndsWithTheClientOrTheServer) {
  const Faults::Id id = Add("any any hang");
  httplib::Client client("127.0.0.1", server_->port());
  client.set_read_timeout(0, 50'000);
  EXPECT_FALSE(client.Get(kPods));
  int status = -1;
  std::jthread asking([&] { status = Status(kPods); });
  ASSERT_TRUE(Eventually([&] { return Hits(id) == 2; }));
  const auto start = std::chrono::steady_clock::now();
  server_->Stop();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(1));
  asking.join();
  EXPECT_EQ(status, 0);
}

TEST_F(FaultsTest, DelaysByTheServersClock) {
  base::FakeClock clock;
  auto server = ApiServer::Start({}, store_, clock);
  ASSERT_TRUE(server);
  const auto id = (*server)->faults().Add("list pods delay 800ms");
  ASSERT_TRUE(id);
  std::atomic<int> status = -1;
  std::jthread asking([&] { status = Get(**server, kPods).status; });
  ASSERT_TRUE(Eventually([&] { return (*server)->faults().Hits(*id) == 1; }));
  clock.Advance(799);
  EXPECT_EQ(Get(**server, "/readyz").status, 200);
  EXPECT_EQ(status, -1);
  clock.Advance(800);
  asking.join();
  EXPECT_EQ(status, 200);
}

TEST_F(FaultsTest, SilencesOpenWatchesAndNewOnesUntilCleared) {
  const std::string target =
      "/api/v1/pods?watch=1&allowWatchBookmarks=true&resourceVersion=" + Version();
  std::atomic<int> ended = 0;
  Answer open, late;
  std::jthread first([&] { open = Get(*server_, target), ++ended; });
  ASSERT_TRUE(Eventually([&] { return server_->open_watches() == 1; }));
  const Faults::Id id = Add("watch pods silent");
  std::jthread second([&] { late = Get(*server_, target), ++ended; });
  ASSERT_TRUE(Eventually([&] { return server_->open_watches() == 2; }));
  ASSERT_TRUE(store_.Apply(Pod("shop", "d")));
  server_->CloseWatches();
  EXPECT_EQ(Status("/readyz"), 200);
  EXPECT_EQ(ended, 0) << "a silent watch does not even end";
  server_->faults().Clear(id);
  first.join();
  second.join();
  EXPECT_EQ(server_->open_watches(), 0u);
}

TEST_F(FaultsTest, SilencesOneWatchOfMany) {
  const Faults::Id id = Add("watch pods silent times 1");
  const std::string target = "/api/v1/pods?watch=1&timeoutSeconds=1";
  Answer silent;
  std::jthread first([&] { silent = Get(*server_, target); });
  ASSERT_TRUE(Eventually([&] { return Hits(id) == 1; }));
  EXPECT_EQ(Get(*server_, target).events().size(), 3u);
  EXPECT_EQ(server_->open_watches(), 1u);
  server_->faults().Clear(id);
  first.join();
  EXPECT_EQ(silent.events().size(), 3u) << "what was held back is told in the end";
}

TEST_F(FaultsTest, ExpiresWhatNamesAVersion) {
  const Faults::Id id = Add("any pods expire");
  const auto page = Get(*server_, "/api/v1/pods?limit=1").json();
  EXPECT_EQ(Hits(id), 0) << "the first page names no version";
  const std::string token = page["metadata"]["continue"];
  const Answer expired = Get(*server_, "/api/v1/pods?limit=1&continue=" + token);
  EXPECT_EQ(expired.status, 410);
  const std::string rest = expired.json()["metadata"]["continue"];
  EXPECT_EQ(
      Get(*server_, "/api/v1/pods?resourceVersionMatch=Exact&resourceVersion=" + Version()).status,
      410);
  const auto events = Get(*server_, "/api/v1/pods?watch=1&resourceVersion=" + Version()).events();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0]["type"], "ERROR");
  EXPECT_EQ(events[0]["object"]["code"], 410);
  EXPECT_EQ(Hits(id), 3);
  server_->faults().Clear(id);
  EXPECT_EQ(Get(*server_, "/api/v1/pods?continue=" + rest).json()["items"].size(), 2u);
}

TEST_F(FaultsTest, GarbageIsAnsweredAsIfAllWereWell) {
  const std::string whole = Get(*server_, kPods).body;
  Add("any pods garbage text times 1");
  Answer answer = Get(*server_, kPods);
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(answer.json().is_discarded());
  Add("list pods garbage truncated times 1");
  answer = Get(*server_, kPods);
  EXPECT_TRUE(answer.ended_properly);
  EXPECT_EQ(answer.body, whole.substr(0, whole.size() / 2));
  Add("list pods garbage shape times 1");
  EXPECT_TRUE(Get(*server_, kPods).json()["items"].is_object());

  const std::string watch = "/api/v1/pods?watch=1&timeoutSeconds=5";
  Add("watch pods garbage truncated times 1");
  answer = Get(*server_, watch);
  EXPECT_TRUE(answer.ended_properly);
  ASSERT_EQ(answer.events().size(), 1u);
  EXPECT_TRUE(answer.events()[0].is_discarded());
  Add("watch pods garbage shape times 1");
  EXPECT_TRUE(Get(*server_, watch).events().at(0)["object"].is_array());
}

}  // namespace
}  // namespace azexporter::simulator
