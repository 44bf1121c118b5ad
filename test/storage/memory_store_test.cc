#include "azexporter/storage/memory_store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
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

std::vector<FPoint> Read(const SeriesSet& set, std::size_t i, std::int64_t from, std::int64_t to) {
  std::vector<FPoint> points;
  set.Read(i, from, to, points);
  return points;
}

std::optional<FPoint> Latest(const SeriesSet& set, std::size_t i, std::int64_t from,
                             std::int64_t to) {
  SeriesSet::Latest latest;
  set.ReadLatest(i, from, to, {&latest, 1});
  EXPECT_EQ(latest.labels, set.labels(i));
  return model::IsStaleNaN(latest.point.f) ? std::nullopt : std::optional(latest.point);
}

// Of the only series.
std::vector<FPoint> ReadAll(Querier& querier) {
  const SeriesSet& set = **querier.Select({});
  EXPECT_EQ(set.size(), 1u);
  return Read(set, 0, -kAlways, kAlways);
}

std::vector<std::string> Names(Querier& querier, const std::vector<Matcher>& matchers) {
  std::vector<std::string> names;
  auto selected = querier.Select(matchers);
  if (!selected) return {"error: " + selected.error().message()};
  for (std::size_t i = 0; i < (*selected)->size(); ++i) {
    names.push_back((*selected)->labels(i).ToLabels().ToString());
  }
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
  EXPECT_EQ(ReadAll(*querier), points);
  const SeriesSet& set = **querier->Select({});
  EXPECT_EQ(Read(set, 0, 1195, 1210), (std::vector<FPoint>{{1200, 120}, {1210, 121}}));
  EXPECT_EQ(Latest(set, 0, 0, 1209), (FPoint{1200, 120}));
  EXPECT_EQ(Latest(set, 0, 0, kAlways), (FPoint{4990, 499}));
  EXPECT_EQ(Latest(set, 0, 1201, 1209), std::nullopt);
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
  EXPECT_EQ(ReadAll(*Query(store)).size(), 2u);
}

TEST(MemoryStoreTest, KeepsStalenessMarkersBitByBit) {
  MemoryStore store;
  Put(store, kUpA, {{1000, model::StaleNaN()}});
  auto appender = store.NewAppender();
  EXPECT_EQ(appender->Append(kUpA, 1000, model::StaleNaN()), AppendOutcome::kAppended);
  EXPECT_EQ(appender->Append(kUpA, 1000, std::nan("")), AppendOutcome::kDuplicate);
  EXPECT_TRUE(model::IsStaleNaN(ReadAll(*Query(store)).front().f));
}

TEST(MemoryStoreTest, PublishesABatchAtOnce) {
  MemoryStore store;
  auto slow = store.NewAppender();
  ASSERT_EQ(slow->Append(kUpA, 1000, 1), AppendOutcome::kAppended);
  ASSERT_EQ(slow->Append(kUpB, 1000, 1), AppendOutcome::kAppended);
  EXPECT_EQ(store.series_count(), 0u);
  Put(store, kUpB, {{2000, 1}});
  const auto left_out = AsResult(*slow->Commit());
  ASSERT_FALSE(left_out) << "another appender was faster";
  EXPECT_EQ(left_out.error().message(),
            "1 samples not committed, the first: out of order sample at 1000: "
            "up{role=\"worker\", zone=\"b\"}");
  EXPECT_EQ(Names(*Query(store), {}).size(), 2u) << "but the others are there";
  ASSERT_EQ(store.NewAppender()->Append(kDown, 1000, 1), AppendOutcome::kAppended);
  EXPECT_EQ(store.series_count(), 2u) << "a batch that was not committed changes nothing";
}

TEST(MemoryStoreTest, ShowsAQuerierTheStateItWasMadeIn) {
  MemoryStore store;
  Put(store, kUpA, {{1000, 1}});
  const auto before = Query(store);
  Put(store, kUpA, {{2000, 2}});
  const auto between = Query(store);
  Put(store, kUpA, {{3000, 3}});
  Put(store, kUpB, {{3000, 3}});
  EXPECT_EQ(ReadAll(*before), (std::vector<FPoint>{{1000, 1}}));
  EXPECT_EQ(ReadAll(*between), (std::vector<FPoint>{{1000, 1}, {2000, 2}}));
  EXPECT_EQ(Names(*before, {}).size(), 1u);
  EXPECT_EQ(Names(*Query(store), {}).size(), 2u);
}

TEST(MemoryStoreTest, LetsGoOfOldChunksAndEmptySeries) {
  MemoryStore store({.retention_ms = 1000});
  std::vector<FPoint> points;
  for (int i = 0; i < 300; ++i) points.push_back({i * 10, static_cast<double>(i % 7)});
  Put(store, kUpA, points);
  Put(store, kDown, {{10, 1}});
  const auto reader = Query(store);
  ASSERT_EQ(Names(*reader, {}).size(), 2u);
  store.Truncate(3000);  // keeps what is not before 2000
  EXPECT_EQ(store.series_count(), 1u);
  const auto querier = Query(store);
  const auto kept = ReadAll(*querier);
  EXPECT_LE(kept.front().t, 2000);
  EXPECT_GT(kept.front().t, 1600) << "a chunk goes as a whole";
  EXPECT_EQ(kept.back().t, 2990);
  EXPECT_EQ(*querier->LabelValues("__name__", {}), (std::vector<std::string>{"up"}));

  store.Truncate(100'000);
  EXPECT_EQ(store.series_count(), 0u);
  Put(store, kUpA, {{100'000, 1}});
  EXPECT_EQ(Names(*Query(store), {}).size(), 1u) << "a series may come back";
}

TEST(MemoryStoreTest, CutsOldPointsOffASteadySeries) {
  MemoryStore store({.retention_ms = 1000});
  std::vector<FPoint> points;
  for (int i = 0; i < 300; ++i) points.push_back({i * 10, 1});
  Put(store, kUpA, points);
  store.Truncate(3000);
  const auto kept = ReadAll(*Query(store));
  EXPECT_EQ(kept.size(), 100u);
  EXPECT_EQ(kept.front(), (FPoint{2000, 1}));
}

TEST(MemoryStoreTest, RefusesWhatIsTooOld) {
  MemoryStore store({.retention_ms = 1000});
  store.Truncate(3000);
  auto appender = store.NewAppender();
  EXPECT_EQ(appender->Append(kUpA, 1999, 1), AppendOutcome::kTooOld);
  EXPECT_EQ(appender->Append(kUpA, std::numeric_limits<std::int64_t>::max(), 1),
            AppendOutcome::kTooOld)
      << "no time that could be reckoned with";
  EXPECT_EQ(appender->Append(kUpA, 2000, 1), AppendOutcome::kAppended);
}

TEST(MemoryStoreTest, KeepsEachSeriesAsLongAsItIsAskedTo) {
  MemoryStore store({.retention_ms = 10'000});
  for (const Labels& labels : {kUpA, kUpB}) Put(store, labels, {{1000, 1}, {5000, 1}});
  store.SetRetention(
      [](const Labels& labels) {
        return labels.Get("zone") == "a" ? std::int64_t{1000} : std::int64_t{10'000};
      },
      10'000);
  store.Truncate(6001);
  EXPECT_EQ(Names(*Query(store), {}), (std::vector<std::string>{kUpB.ToString()}));
  Put(store, kUpA, {{6000, 1}});
  store.Truncate(6500);
  EXPECT_EQ(store.series_count(), 2u);
  store.Truncate(7001);
  EXPECT_EQ(store.series_count(), 1u) << "of new series too";
}

TEST(MemoryStoreTest, StaysWithinItsMemory) {
  constexpr std::size_t kMost = 150'000;
  MemoryStore store({.retention_ms = 0, .max_bytes = kMost});
  const auto label = [](int i) {
    const std::string pod = "pod-" + std::to_string(i);
    return Labels::Of({{"__name__", "up"}, {"pod", pod}});
  };
  for (int t = 0; t < 2000; ++t) {
    auto appender = store.NewAppender();
    for (int i = 0; i < 20; ++i) {
      ASSERT_EQ(appender->Append(label(i), t, t * 0.1 * i), AppendOutcome::kAppended);
    }
    ASSERT_TRUE(appender->Commit());
    if (t % 100 == 0) {
      store.Truncate(t);
      ASSERT_LE(store.stats().bytes, kMost);
    }
  }
  const auto querier = Query(store);
  const SeriesSet& set = **querier->Select({});
  EXPECT_EQ(set.size(), 20u);
  EXPECT_EQ(Latest(set, 5, 0, kAlways)->t, 1999) << "the oldest points went";
  EXPECT_GT(Read(set, 5, 0, kAlways).front().t, 100);

  auto appender = store.NewAppender();
  for (int i = 0; i < 10'000; ++i) static_cast<void>(appender->Append(label(i), 3000, 1));
  ASSERT_TRUE(appender->Commit());
  store.Truncate(3000);
  EXPECT_EQ(appender->Append(label(20'000), 3001, 1), AppendOutcome::kFull);
  EXPECT_EQ(appender->Append(label(1), 3001, 1), AppendOutcome::kAppended) << "known series go on";
}

// Pods come and go for months: neither rows nor texts may pile up.
TEST(MemoryStoreTest, UsesTheRoomOfSeriesThatWent) {
  MemoryStore store({.retention_ms = 1000});
  std::size_t early = 0;
  for (int round = 0; round < 200; ++round) {
    const std::int64_t t = round * 2000;
    auto appender = store.NewAppender();
    for (int i = 0; i < 100; ++i) {
      const std::string pod = std::to_string(round) + "-" + std::to_string(i);
      const std::string name = "metric_" + std::to_string(round % 50);
      ASSERT_EQ(appender->Append(Labels::Of({{"__name__", name}, {"pod", pod}}), t, 1),
                AppendOutcome::kAppended);
    }
    ASSERT_TRUE(appender->Commit());
    appender.reset();
    store.Truncate(t);
    ASSERT_EQ(store.series_count(), 100u);
    if (round == 3) early = store.stats().bytes;
  }
  EXPECT_LT(store.stats().bytes, 2 * early);
  EXPECT_LT(store.stats().symbols, 200u);
}

// Looking up by postings and going through all rows come to the same, while series come and go.
TEST(MemoryStoreTest, FindsSeriesOfALargeMetricByAnyLabel) {
  MemoryStore store({.retention_ms = 1000});
  const auto labels = [](int i) {
    const std::string pod = std::to_string(i);
    const std::string node = std::to_string(i % 300);
    const std::string zone = std::to_string(i % 3);
    return Labels::Of({{"__name__", "pod"}, {"node", node}, {"pod", pod}, {"zone", zone}});
  };
  const Matcher name = Match(MatchType::kEqual, "__name__", "pod");
  for (int round = 0; round < 20; ++round) {
    const std::int64_t t = round * 600;  // each round a half of the pods is replaced
    const int first = round * 1500;
    auto appender = store.NewAppender();
    for (int i = first; i < first + 3000; ++i) {
      ASSERT_EQ(appender->Append(labels(i), t, i), AppendOutcome::kAppended);
    }
    ASSERT_TRUE(appender->Commit());
    appender.reset();
    store.Truncate(t);
    const auto querier = Query(store, t, t);
    for (int i : {first, first + 7, first + 2999}) {
      const std::string pod = std::to_string(i);
      ASSERT_EQ(Names(*querier, {name, Match(MatchType::kEqual, "pod", pod)}),
                (std::vector<std::string>{labels(i).ToString()}));
    }
    ASSERT_EQ(Names(*querier, {name, Match(MatchType::kEqual, "pod", "no such")}).size(), 0u);
    ASSERT_EQ(Names(*querier, {name, Match(MatchType::kEqual, "zone", "1")}).size(), 1000u);
    const std::string node = std::to_string((first + 5) % 300);
    ASSERT_EQ(Names(*querier, {name, Match(MatchType::kEqual, "node", node)}).size(), 10u);
    ASSERT_EQ(Names(*querier, {Match(MatchType::kEqual, "zone", "1"), name,
                               Match(MatchType::kEqual, "node", node)})
                  .size(),
              (first + 5) % 3 == 1 ? 10u : 0u);
  }
}

// What readers need to know of later commits is forgotten with them, though there always are some.
TEST(MemoryStoreTest, DoesNotGrowWithReadersThatFollowEachOther) {
  MemoryStore store({.retention_ms = 0});
  const auto commit = [&](std::int64_t t) {
    auto appender = store.NewAppender();
    for (int i = 0; i < 100; ++i) {
      const std::string pod = std::to_string(i);
      ASSERT_EQ(appender->Append(Labels::Of({{"__name__", "up"}, {"pod", pod}}), t, 1),
                AppendOutcome::kAppended);
    }
    ASSERT_TRUE(appender->Commit());
  };
  commit(0);
  std::unique_ptr<Querier> reader = Query(store);
  std::size_t early = 0;
  for (int t = 1; t <= 1000; ++t) {
    commit(t);
    std::unique_ptr<Querier> next = Query(store);  // while the one before is still there
    const SeriesSet& seen = **reader->Select({});
    ASSERT_EQ(Latest(seen, 0, 0, kAlways)->t, t - 1);
    reader = std::move(next);
    if (t == 10) early = store.stats().bytes;
  }
  EXPECT_LT(store.stats().bytes, 2 * early);
}

TEST(MemoryStoreTest, InternsTextsForItsQueriers) {
  MemoryStore store;
  Put(store, kUpA, {{1000, 1}});
  const auto querier = Query(store);
  const SeriesSet& set = **querier->Select({});
  const model::LabelView labels = set.labels(0);
  EXPECT_EQ(labels.Get(querier->Intern("zone")), querier->Intern("a"));
  const model::Symbol own = querier->Intern("nowhere else");
  Put(store, Labels::Of({{"__name__", "up"}, {"zone", "nowhere else"}}), {{1000, 1}});
  EXPECT_EQ(querier->Intern("nowhere else"), own) << "though the store has one by now";
  EXPECT_EQ(own.text(), "nowhere else");
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
    if ((*first)->empty()) continue;
    ASSERT_EQ((*first)->size(), 2u);
    ASSERT_EQ((*second)->size(), 2u);
    const auto newest = Latest(**first, 0, 0, kAlways);
    EXPECT_EQ(newest, Latest(**first, 1, 0, kAlways));
    EXPECT_EQ(newest, Latest(**second, 0, 0, kAlways));
    EXPECT_EQ(newest, Read(**second, 1, 0, kAlways).back());
  }
}

// Expiry shows through: what a querier found may grow shorter, but it never comes to harm.
TEST(MemoryStoreTest, ReadsWhileOthersExpire) {
  MemoryStore store({.retention_ms = 100});
  std::jthread writer([&](const std::stop_token&) {
    for (int i = 1; i <= 2000; ++i) {
      const std::int64_t t = i * 10 + i / 50 * 1000;  // now and then all that was is too old
      auto appender = store.NewAppender();
      const std::string pod = std::to_string(i / 20);
      ASSERT_EQ(appender->Append(Labels::Of({{"__name__", "up"}, {"pod", pod}}), t,
                                 static_cast<double>(t)),
                AppendOutcome::kAppended);
      ASSERT_TRUE(appender->Commit());
      appender.reset();
      store.Truncate(t);
    }
  });
  for (int i = 0; i < 300; ++i) {
    const auto querier = Query(store);
    const SeriesSet& set = **querier->Select({});
    for (std::size_t k = 0; k < set.size(); ++k) {
      EXPECT_EQ(set.labels(k).Get("__name__"), "up");
      for (const FPoint& point : Read(set, k, 0, kAlways)) {
        EXPECT_EQ(point.f, static_cast<double>(point.t));
      }
    }
    EXPECT_LE(querier->LabelValues("pod", {})->size(), 20u);
  }
}

model::HistogramPtr HistogramOf(double count) {
  model::FloatHistogram histogram;
  histogram.count = count;
  histogram.positive = {{{0, 1}}, {count}};
  return std::make_shared<const model::FloatHistogram>(histogram);
}

TEST(MemoryStoreTest, KeepsHistogramsAndStartTimesBesideFloats) {
  MemoryStore store({.retention_ms = 100});
  const auto labels = model::Labels::Of({{"__name__", "h"}});
  const auto append = [&](model::TimestampMs t, double value, SampleDetail detail) {
    const auto appender = store.NewAppender();
    const AppendOutcome outcome = appender->AppendDetailed(labels, t, value, std::move(detail));
    EXPECT_TRUE(appender->Commit());
    return outcome;
  };
  EXPECT_EQ(append(10, 1.5, {nullptr, 5}), AppendOutcome::kAppended);
  EXPECT_EQ(append(20, 0, {HistogramOf(3)}), AppendOutcome::kAppended);
  EXPECT_EQ(append(30, 0, {HistogramOf(4), 25}), AppendOutcome::kAppended);
  EXPECT_EQ(append(30, 0, {HistogramOf(4)}), AppendOutcome::kAppended) << "the same again";
  EXPECT_EQ(append(30, 0, {HistogramOf(5)}), AppendOutcome::kDuplicate);
  EXPECT_EQ(append(30, 2, {}), AppendOutcome::kDuplicate);
  EXPECT_EQ(append(25, 0, {HistogramOf(4)}), AppendOutcome::kOutOfOrder);

  const auto details = [&] {
    const auto querier = *store.NewQuerier(0, 1000);
    const SeriesSet& set = **querier->Select({});
    std::vector<FPoint> points;
    EXPECT_TRUE(set.Read(0, 0, 1000, points));
    std::vector<std::string> told;
    std::vector<DetailPoint> all;
    set.ReadDetails(0, 0, 1000, all);
    for (const DetailPoint& point : all) {
      told.push_back(std::to_string(point.t) + " since " + std::to_string(point.detail.start_t));
      if (point.detail.histogram != nullptr)
        told.back() += " " + point.detail.histogram->ToNotation();
    }
    return told;
  };
  EXPECT_EQ(details(), (std::vector<std::string>{
                           "10 since 5", "20 since 0 {{count:3 buckets:[3]}}",
                           "30 since 25 {{count:4 counter_reset_hint:not_reset buckets:[4]}}"}));
  // They go with the points they belong to.
  EXPECT_EQ(append(125, 7, {}), AppendOutcome::kAppended);
  store.Truncate(1'000);
  EXPECT_EQ(store.series_count(), 0u);
}

// Readers see each histogram with its point, whatever chunk it lies in, and none without one.
TEST(MemoryStoreTest, HistogramsFollowTheirPointsThroughChunksAndExpiry) {
  constexpr int kPoints = 1'000;
  MemoryStore store({.retention_ms = 300});
  const auto labels = model::Labels::Of({{"__name__", "h"}});
  const auto expect_same = [&](model::TimestampMs from, model::TimestampMs to) {
    const auto querier = *store.NewQuerier(from, to);
    const SeriesSet& set = **querier->Select({});
    ASSERT_EQ(set.size(), 1u);
    std::vector<FPoint> points;
    std::vector<DetailPoint> details;
    set.Read(0, from, to, points);
    set.ReadDetails(0, from, to, details);
    auto detail = details.begin();
    for (const FPoint& point : points) {
      if (!model::IsHistogramNaN(point.f)) continue;
      ASSERT_NE(detail, details.end());
      ASSERT_EQ(detail->t, point.t);
      ASSERT_EQ(detail->detail.histogram->count, static_cast<double>(point.t));
      ++detail;
    }
    EXPECT_EQ(detail, details.end()) << "from " << from << " to " << to;
  };
  for (int t = 1; t <= kPoints; ++t) {
    const auto appender = store.NewAppender();
    // A float now and then, and a layout that changes.
    const auto value = HistogramOf(t);
    auto wider = *value;
    wider.zero_threshold = t / 150;
    SampleDetail detail;
    if (t % 7 != 0) detail.histogram = std::make_shared<const model::FloatHistogram>(wider);
    ASSERT_EQ(appender->AppendDetailed(labels, t, 1, detail), AppendOutcome::kAppended);
    ASSERT_TRUE(appender->Commit());
    if (t % 50 == 0) store.Truncate(t);
    if (t % 20 != 0) continue;
    expect_same(0, t);
    if (t > 100) expect_same(t - 90, t - 30);
    expect_same(t, t);
    expect_same(t - 10, t);
  }
}

TEST(MemoryStoreTest, TakesItsOwnMarkForAPlainNaN) {
  MemoryStore store;
  const auto appender = store.NewAppender();
  EXPECT_EQ(appender->Append(model::Labels::Of({{"__name__", "x"}}), 1, model::HistogramNaN()),
            AppendOutcome::kAppended);
  ASSERT_TRUE(appender->Commit());
  const auto querier = *store.NewQuerier(0, 10);
  std::vector<FPoint> points;
  EXPECT_FALSE((**querier->Select({})).Read(0, 0, 10, points));
  ASSERT_EQ(points.size(), 1u);
  EXPECT_TRUE(std::isnan(points[0].f));
  EXPECT_FALSE(model::IsHistogramNaN(points[0].f));
}

}  // namespace
}  // namespace azexporter::storage
