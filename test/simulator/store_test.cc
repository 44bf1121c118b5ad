#include "simulator/store.h"

#include <gtest/gtest.h>

#include <thread>

#include "simulator/selectors.h"
#include "simulator/table.h"

namespace azexporter::simulator {
namespace {

Json ConfigMap(const std::string& name, const std::string& value) {
  return {{"kind", "ConfigMap"},
          {"apiVersion", "v1"},
          {"metadata", {{"name", name}, {"namespace", "default"}}},
          {"data", {{"key", value}}}};
}

class StoreTest : public ::testing::Test {
 protected:
  const ResourceType& type_ = *FindKind("v1", "ConfigMap");
  base::FakeClock clock_{1'795'330'278'000};  // 2026-11-22T06:51:18Z
  Store store_{{.clock = clock_}};
};

TEST_F(StoreTest, StampsNewObjectsAndKeepsTheirIdentity) {
  const ObjectPtr first = *store_.Apply(ConfigMap("a", "1"));
  EXPECT_EQ(StringAt(*first, {"metadata", "creationTimestamp"}), "2026-11-22T06:51:18Z");
  clock_.Advance(60'000);
  const ObjectPtr second = *store_.Apply(ConfigMap("a", "2"));
  EXPECT_EQ(StringAt(*second, {"metadata", "uid"}), StringAt(*first, {"metadata", "uid"}));
  EXPECT_EQ(StringAt(*second, {"metadata", "creationTimestamp"}), "2026-11-22T06:51:18Z");
  EXPECT_NE(StringAt(*second, {"metadata", "resourceVersion"}),
            StringAt(*first, {"metadata", "resourceVersion"}));
}

TEST_F(StoreTest, AWriteThatChangesNothingIsNoEvent) {
  const ObjectPtr first = *store_.Apply(ConfigMap("a", "1"));
  const auto same = store_.Modify({&type_, "default", "a"}, [](Json&) {});
  EXPECT_EQ(*same, first);
  EXPECT_EQ(store_.resource_version(), 2);
}

TEST_F(StoreTest, RefusesWritesOnTopOfAnOlderVersion) {
  const ObjectPtr first = *store_.Apply(ConfigMap("a", "1"));
  ASSERT_TRUE(store_.Apply(ConfigMap("a", "2")));
  const auto late =
      store_.Replace(ConfigMap("a", "3"), StringAt(*first, {"metadata", "resourceVersion"}));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code(), base::ErrorCode::kExecution);
}

TEST_F(StoreTest, ListsThePast) {
  ASSERT_TRUE(store_.Apply(ConfigMap("a", "1")));
  ASSERT_TRUE(store_.Apply(ConfigMap("b", "1")));
  const std::int64_t then = store_.resource_version();
  ASSERT_TRUE(store_.Apply(ConfigMap("a", "2")));
  ASSERT_TRUE(store_.Delete({&type_, "default", "b"}));
  ASSERT_TRUE(store_.Apply(ConfigMap("c", "1")));
  const auto past = store_.At(type_, then);
  ASSERT_TRUE(past);
  ASSERT_EQ(past->objects.size(), 2u);
  EXPECT_EQ(StringAt(*past->objects.Find("default/a"), {"data", "key"}), "1");
  EXPECT_NE(past->objects.Find("default/b"), nullptr);
  EXPECT_EQ(store_.At(type_, then - 1)->objects.size(), 1u);
  EXPECT_EQ(store_.Now(type_).objects.size(), 2u);
  store_.Compact();
  EXPECT_FALSE(store_.At(type_, then));
  EXPECT_EQ(past->objects.size(), 2u) << "a snapshot outlives its version";
}

TEST_F(StoreTest, ForgetsTheOldestEvents) {
  Store small({.clock = clock_, .event_log_size = 2});
  for (const char* value : {"1", "2", "3"}) ASSERT_TRUE(small.Apply(ConfigMap("a", value)));
  EXPECT_TRUE(small.WaitForEvents(type_, 1, 0, {}).too_old);
  const EventBatch kept = small.WaitForEvents(type_, 2, 0, {});
  ASSERT_EQ(kept.events.size(), 2u);
  EXPECT_EQ(kept.resource_version, 4);
}

TEST_F(StoreTest, WaitingEndsWithAnEventOrAStop) {
  std::jthread writer([&] { (void)store_.Apply(ConfigMap("a", "1")); });
  const EventBatch batch = store_.WaitForEvents(type_, 1, 30'000, {});
  ASSERT_EQ(batch.events.size(), 1u);
  EXPECT_EQ(batch.events[0].type, EventType::kAdded);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_TRUE(store_.WaitForEvents(type_, 2, 30'000, stop.get_token()).events.empty());
}

TEST_F(StoreTest, NamesWhatIsMissing) {
  const Json unknown = {{"kind", "Widget"}, {"apiVersion", "v1"}};
  EXPECT_EQ(store_.Apply(unknown).error().message(), "no kind \"Widget\" in \"v1\" is served");
  Json homeless = ConfigMap("a", "1");
  homeless["metadata"].erase("namespace");
  EXPECT_EQ(store_.Apply(homeless).error().message(), "ConfigMap \"a\" without metadata.namespace");
}

TEST(LabelSelectorTest, SelectsAsKubernetesDoes) {
  const Json labels = {{"app", "web"}, {"zone", "a"}};
  struct Case {
    std::string_view selector;
    bool matches;
  };
  const Case cases[] = {
      {"", true},
      {"app=web", true},
      {"app==web,zone=a", true},
      {"app!=web", false},
      {"tier!=db", true},
      {"app in (web, db)", true},
      {"zone in (b)", false},
      {"zone notin (b,c)", true},
      {"app", true},
      {"!app", false},
      {"!tier", true},
      {"tier", false},
  };
  for (const Case& c : cases) {
    const auto selector = LabelSelector::Parse(c.selector);
    ASSERT_TRUE(selector) << c.selector;
    EXPECT_EQ(selector->Matches(&labels), c.matches) << c.selector;
  }
  for (std::string_view bad : {"a b", "app of (x)", "app in (x", "=x"}) {
    EXPECT_FALSE(LabelSelector::Parse(bad)) << bad;
  }
}

TEST(HumanDurationTest, ReadsLikeKubectl) {
  struct Case {
    std::int64_t seconds;
    std::string_view text;
  };
  const Case cases[] = {{0, "0s"},         {119, "119s"},    {120, "2m"},       {150, "2m30s"},
                        {660, "11m"},      {10'740, "179m"}, {10'800, "3h"},    {18'060, "5h1m"},
                        {86'400, "24h"},   {259'200, "3d"},  {270'000, "3d3h"}, {3'024'000, "35d"},
                        {94'608'000, "3y"}};
  for (const Case& c : cases) EXPECT_EQ(HumanDuration(c.seconds * 1000), c.text) << c.seconds;
}

}  // namespace
}  // namespace azexporter::simulator
