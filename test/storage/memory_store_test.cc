#include "azexporter/storage/memory_store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <thread>

namespace azexporter::storage {
namespace {

using model::FPoint;
using model::Labels;
using model::Matcher;
using model::MatchType;

constexpr std::int64_t kAlways = std::int64_t{1} << 60;

void Put(MemoryStore& store, const Labels& labels, std::vector<FPoint> points) {
  auto appender = store.NewAppender();
  for (const FPoint& point : points) {
    ASSERT_EQ(appender->Append(labels, point.t, point.f), AppendOutcome::kAppended);
  }
  ASSERT_TRUE(appender->Commit());
}

Matcher Match(MatchType type, std::string name, std::string value) {
  return *Matcher::Create(type, std::move(name), std::move(value));
}

std::vector<FPoint> ReadAll(const Series& series) {
  std::vector<FPoint> points;
  series.Read(-kAlways, kAlways, points);
  return points;
}

std::vector<std::string> Names(Querier& querier, const std::vector<Matcher>& matchers) {
  std::vector<std::string> names;
  auto selected = querier.Select(matchers);
  if (!selected) return {"error: " + selected.error().message()};
  for (const Series* series : *selected) names.push_back(series->labels().ToString());
  std::ranges::sort(names);
  return names;
}

std::unique_ptr<Querier> Query(const MemoryStore& store, std::int64_t from = -kAlways,
                               std::int64_t to = kAlways) {
  return std::move(*store.NewQuerier(from, to));
}

const Labels kUpA = Labels::Of({{"__name__", "up"}, {"zone", "a"}});
const Labels kUpB = Labels::Of({{"__name__", "up"}, {"zone", "b"}, {"role", "worker"}});
const Labels kDown = Labels::Of({{"__name__", "down"}, {"zone", "a"}});

TEST(MemoryStoreTest, SelectsByEveryKindOfMatcher) {
  MemoryStore store;
  for (const Labels& labels : {kUpA, kUpB, kDown}) Put(store, labels, {{1000, 1}});
  struct Case {
    std::vector<Matcher> matchers;
    std::vector<std::string> want;
  };
  const std::string up_a = "up{zone=\"a\"}";
  const std::string up_b = "up{role=\"worker\", zone=\"b\"}";
  const std::string down = "down{zone=\"a\"}";
  const Case cases[] = {
      {{Match(MatchType::kEqual, "__name__", "up")}, {up_b, up_a}},
      {{Match(MatchType::kEqual, "zone", "a"), Match(MatchType::kEqual, "__name__", "up")}, {up_a}},
      {{Match(MatchType::kRegexp, "__name__", "u.|do.*")}, {down, up_b, up_a}},
      {{Match(MatchType::kNotEqual, "zone", "a")}, {up_b}},
      {{Match(MatchType::kNotRegexp, "zone", "a|c")}, {up_b}},
      {{Match(MatchType::kEqual, "role", "")}, {down, up_a}},
      {{Match(MatchType::kEqual, "__name__", "absent")}, {}},
      {{}, {down, up_b, up_a}},
  };
  const auto querier = Query(store);
  for (const Case& c : cases) {
    std::string text;
    for (const Matcher& matcher : c.matchers) text += matcher.ToString() + " ";
    EXPECT_EQ(Names(*querier, c.matchers), c.want) << text;
  }
}

TEST(MemoryStoreTest, LeavesOutSeriesWithoutPointsInTheTimeRange) {
  MemoryStore store;
  Put(store, kUpA, {{1000, 1}});
  Put(store, kUpB, {{5000, 1}});
  EXPECT_EQ(Names(*Query(store, 0, 1000), {}).size(), 1u);
  EXPECT_EQ(Names(*Query(store, 1001, 4999), {}).size(), 0u);
  EXPECT_EQ(Names(*Query(store, 1000, 5000), {}).size(), 2u);
}

TEST(MemoryStoreTest, ReadsRangesAcrossChunks) {
  MemoryStore store;
  std::vector<FPoint> points;
  for (int i = 0; i < 500; ++i) points.push_back({i * 10, static_cast<double>(i)});
  Put(store, kUpA, points);
  const auto querier = Query(store);
  const Series& series = *querier->Select({})->front();
  EXPECT_EQ(ReadAll(series), points);
  std::vector<FPoint> some;
  series.Read(1195, 1210, some);
  EXPECT_EQ(some, (std::vector<FPoint>{{1200, 120}, {1210, 121}}));
  EXPECT_EQ(series.Latest(0, 1209), (FPoint{1200, 120}));
  EXPECT_EQ(series.Latest(0, kAlways), (FPoint{4990, 499}));
  EXPECT_EQ(series.Latest(1201, 1209), std::nullopt);
}

TEST(MemoryStoreTest, RefusesWhatDoesNotFollow) {
  MemoryStore store;
  Put(store, kUpA, {{1000, 1}});
  auto appender = store.NewAppender();
  EXPECT_EQ(appender->Append(kUpA, 1000, 1), AppendOutcome::kAppended)
      << "the same sample again is no error";
  EXPECT_EQ(appender->Append(kUpA, 999, 1), AppendOutcome::kOutOfOrder);
  EXPECT_EQ(appender->Append(kUpA, 1000, 2), AppendOutcome::kDuplicate);
  EXPECT_EQ(appender->Append(kUpA, 2000, 2), AppendOutcome::kAppended);
  EXPECT_EQ(appender->Append(kUpA, 1500, 2), AppendOutcome::kOutOfOrder)
      << "older than one in the same batch";
  ASSERT_TRUE(appender->Commit());
  EXPECT_EQ(ReadAll(*Query(store)->Select({})->front()).size(), 2u);
}

TEST(MemoryStoreTest, KeepsStalenessMarkersBitByBit) {
  MemoryStore store;
  Put(store, kUpA, {{1000, model::StaleNaN()}});
  auto appender = store.NewAppender();
  EXPECT_EQ(appender->Append(kUpA, 1000, model::StaleNaN()), AppendOutcome::kAppended);
  EXPECT_EQ(appender->Append(kUpA, 1000, std::nan("")), AppendOutcome::kDuplicate);
  const auto querier = Query(store);
  EXPECT_TRUE(model::IsStaleNaN(querier->Select({})->front()->Latest(0, kAlways)->f));
}

TEST(MemoryStoreTest, PublishesABatchAsAWholeOrNotAtAll) {
  MemoryStore store;
  auto slow = store.NewAppender();
  ASSERT_EQ(slow->Append(kUpA, 1000, 1), AppendOutcome::kAppended);
  ASSERT_EQ(slow->Append(kUpB, 1000, 1), AppendOutcome::kAppended);
  EXPECT_EQ(store.series_count(), 0u);
  Put(store, kUpB, {{2000, 1}});
  EXPECT_FALSE(slow->Commit()) << "another appender was faster";
  EXPECT_EQ(Names(*Query(store), {}).size(), 1u);
  ASSERT_EQ(store.NewAppender()->Append(kDown, 1000, 1), AppendOutcome::kAppended);
  EXPECT_EQ(store.series_count(), 1u) << "a batch that was not committed changes nothing";
}

TEST(MemoryStoreTest, ShowsAQuerierTheStateItWasMadeIn) {
  MemoryStore store;
  Put(store, kUpA, {{1000, 1}});
  const auto before = Query(store);
  Put(store, kUpA, {{2000, 2}});
  const auto between = Query(store);
  Put(store, kUpA, {{3000, 3}});
  Put(store, kUpB, {{3000, 3}});
  EXPECT_EQ(ReadAll(*before->Select({})->front()), (std::vector<FPoint>{{1000, 1}}));
  EXPECT_EQ(ReadAll(*between->Select({})->front()), (std::vector<FPoint>{{1000, 1}, {2000, 2}}));
  EXPECT_EQ(Names(*before, {}).size(), 1u);
  EXPECT_EQ(Names(*Query(store), {}).size(), 2u);
}

TEST(MemoryStoreTest, LetsGoOfOldChunksAndEmptySeries) {
  MemoryStore store({.retention_ms = 1000});
  std::vector<FPoint> points;
  for (int i = 0; i < 300; ++i) points.push_back({i * 10, 1});
  Put(store, kUpA, points);
  Put(store, kDown, {{10, 1}});
  const auto reader = Query(store);
  const Series* old = reader->Select({}).value().front();
  store.Truncate(3000);  // keeps what is not before 2000
  EXPECT_EQ(store.series_count(), 1u);
  const auto querier = Query(store);
  const auto kept = ReadAll(*querier->Select({})->front());
  EXPECT_EQ(kept.front().t, 1200) << "a chunk goes as a whole";
  EXPECT_EQ(kept.back().t, 2990);
  EXPECT_EQ(ReadAll(*old).size(), 300u) << "who reads it may go on";
  EXPECT_EQ(*querier->LabelValues("__name__", {}), (std::vector<std::string>{"up"}));

  store.Truncate(100'000);
  EXPECT_EQ(store.series_count(), 0u);
  Put(store, kUpA, {{5000, 1}});
  EXPECT_EQ(Names(*Query(store), {}).size(), 1u) << "a series may come back";
}

TEST(MemoryStoreTest, ListsLabelNamesAndValues) {
  MemoryStore store;
  for (const Labels& labels : {kUpA, kUpB, kDown}) Put(store, labels, {{1000, 1}});
  const auto querier = Query(store);
  EXPECT_EQ(*querier->LabelNames({}), (std::vector<std::string>{"__name__", "role", "zone"}));
  EXPECT_EQ(*querier->LabelValues("zone", {}), (std::vector<std::string>{"a", "b"}));
  const std::vector<Matcher> down = {Match(MatchType::kEqual, "__name__", "down")};
  EXPECT_EQ(*querier->LabelNames(down), (std::vector<std::string>{"__name__", "zone"}));
  EXPECT_EQ(*querier->LabelValues("role", down), std::vector<std::string>{});
}

// For ThreadSanitizer, and for the promise that both series of a batch are seen or neither.
TEST(MemoryStoreTest, ReadsWhileOthersAppend) {
  MemoryStore store;
  std::jthread writer([&](const std::stop_token&) {
    for (int i = 1; i <= 2000; ++i) {
      auto appender = store.NewAppender();
      for (const Labels& labels : {kUpA, kUpB})
        ASSERT_EQ(appender->Append(labels, i, i), AppendOutcome::kAppended);
      ASSERT_TRUE(appender->Commit());
    }
  });
  for (int i = 0; i < 300; ++i) {
    const auto querier = Query(store);
    const auto first = querier->Select({});
    const auto second = querier->Select({});
    if (first->empty()) continue;
    ASSERT_EQ(first->size(), 2u);
    ASSERT_EQ(second->size(), 2u);
    const auto newest = (*first)[0]->Latest(0, kAlways);
    EXPECT_EQ(newest, (*first)[1]->Latest(0, kAlways));
    EXPECT_EQ(newest, (*second)[0]->Latest(0, kAlways));
  }
}

// Expiry shows through: what a querier found may grow shorter, but it never comes to harm.
TEST(MemoryStoreTest, ReadsWhileOthersExpire) {
  MemoryStore store({.retention_ms = 100});
  std::jthread writer([&](const std::stop_token&) {
    for (int i = 1; i <= 2000; ++i) {
      auto appender = store.NewAppender();
      ASSERT_EQ(appender->Append(kUpA, i, i), AppendOutcome::kAppended);
      ASSERT_TRUE(appender->Commit());
      store.Truncate(i + (i % 50 == 0 ? 1000 : 0));
    }
  });
  for (int i = 0; i < 300; ++i) {
    const auto querier = Query(store);
    const auto selected = querier->Select({});
    ASSERT_LE(selected->size(), 1u);
    for (const Series* series : *selected) {
      std::vector<FPoint> points;
      series->Read(0, kAlways, points);
      for (const FPoint& point : points) EXPECT_EQ(point.f, static_cast<double>(point.t));
    }
  }
}

}  // namespace
}  // namespace azexporter::storage
