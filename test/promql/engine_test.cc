#include "azexporter/promql/engine.h"

#include <gtest/gtest.h>

#include "azexporter/promql/parser.h"
#include "azexporter/storage/memory_store.h"

namespace azexporter::promql {
namespace {

using base::ErrorCode;
using model::Labels;

constexpr std::int64_t kMinute = 60'000;

class EngineTest : public testing::Test {
 protected:
  void Put(std::string_view name, std::string_view zone,
           std::initializer_list<model::FPoint> points) {
    auto appender = store_.NewAppender();
    for (const model::FPoint& point : points) {
      ASSERT_EQ(
          appender->Append(Labels::Of({{"__name__", name}, {"zone", zone}}), point.t, point.f),
          storage::AppendOutcome::kAppended);
    }
    ASSERT_TRUE(appender->Commit());
  }

  base::Result<QueryResult> Instant(std::string_view query, model::TimestampMs t = kMinute,
                                    EngineOptions options = {}, std::stop_token stop = {}) {
    AZX_ASSIGN_OR_RETURN(const auto expr, ParseExpr(query));
    return Engine(options, clock_).Instant(store_, *expr, t, std::move(stop));
  }

  base::Result<QueryResult> Range(std::string_view query, model::TimestampMs start,
                                  model::TimestampMs end, std::int64_t step,
                                  EngineOptions options = {}) {
    AZX_ASSIGN_OR_RETURN(const auto expr, ParseExpr(query));
    return Engine(options, clock_).Range(store_, *expr, {start, end, step});
  }

  storage::MemoryStore store_;
  base::FakeClock clock_;
};

TEST_F(EngineTest, AnswersInTheTypeOfTheExpression) {
  Put("up", "a", {{kMinute, 1}});
  EXPECT_EQ(std::get<Scalar>(Instant("1 + 1")->value).f, 2);
  EXPECT_EQ(std::get<String>(Instant("(\"text\")")->value).text, "text");
  const auto vector = Instant("up", kMinute + 1);
  ASSERT_EQ(std::get<Vector>(vector->value).size(), 1u);
  EXPECT_EQ(std::get<Vector>(vector->value)[0].t, kMinute + 1) << "the time of the query";
  const auto matrix = Instant("up[5m]", kMinute + 1);
  EXPECT_EQ(std::get<Matrix>(matrix->value)[0].points[0].t, kMinute) << "the time of the sample";
  EXPECT_EQ(std::get<Matrix>(Range("1", 0, 10, 5)->value)[0].points.size(), 3u);
}

TEST_F(EngineTest, RefusesRangesItCannotStepThrough) {
  EXPECT_EQ(Range("up", 0, 10, 0).error().code(), ErrorCode::kBadData);
  EXPECT_EQ(Range("up", 10, 0, 1).error().code(), ErrorCode::kBadData);
  EXPECT_EQ(Range("up[5m]", 0, 10, 1).error().code(), ErrorCode::kBadData);
  EXPECT_EQ(Instant("up", INT64_MAX).error().code(), ErrorCode::kBadData);
  EXPECT_EQ(Instant("up", INT64_MIN).error().code(), ErrorCode::kBadData);
}

TEST_F(EngineTest, HoldsNoMoreSamplesThanItMay) {
  Put("up", "a", {{0, 1}, {kMinute, 1}, {2 * kMinute, 1}});
  Put("up", "b", {{kMinute, 1}});
  const EngineOptions two{.max_samples = 2};
  EXPECT_TRUE(Instant("up", kMinute, two));
  const EngineOptions one{.max_samples = 1};
  const auto refused = Instant("up", kMinute, one);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::kExecution);
  EXPECT_EQ(refused.error().message(),
            "query processing would load too many samples into memory in query execution");
  EXPECT_FALSE(Range("1", 0, 100'000'000'000, 1)) << "more steps than samples are allowed";
  EXPECT_FALSE(Instant("sum_over_time(vector(1)[100y:1ms])"));
  EXPECT_FALSE(Instant("last_over_time(up[5m])", 2 * kMinute, two));
  // What a query no longer holds is free for the rest of it.
  EXPECT_TRUE(Instant("sum(up) + sum(up) + sum(up) + sum(up)", kMinute, {.max_samples = 8}));
}

TEST_F(EngineTest, TellsManyGroupsApart) {
  constexpr int kSeries = 2000;
  auto appender = store_.NewAppender();
  for (int i = 0; i < kSeries; ++i) {
    const std::string pod = std::to_string(i);
    const std::string zone = std::to_string(i % 3);
    ASSERT_EQ(appender->Append(Labels::Of({{"__name__", "pod_info"}, {"pod", pod}, {"zone", zone}}),
                               kMinute, i),
              storage::AppendOutcome::kAppended);
  }
  ASSERT_TRUE(appender->Commit());
  const auto size = [&](std::string_view query) {
    const auto result = Instant(query);
    EXPECT_TRUE(result) << query;
    return result ? std::get<Vector>(result->value).size() : 0;
  };
  EXPECT_EQ(size("count by (pod) (pod_info)"), 2000u);
  EXPECT_EQ(size("count without (pod) (pod_info)"), 3u);
  EXPECT_EQ(size("pod_info - on (pod) group_left pod_info == 0"), 2000u);
  EXPECT_EQ(size("pod_info unless on (pod) (pod_info > 10)"), 11u);
  EXPECT_EQ(size("topk by (zone) (5, pod_info)"), 15u);
  EXPECT_EQ(std::get<Vector>(Instant("sum(pod_info)")->value)[0].f, kSeries * (kSeries - 1) / 2);
}

// A store that counts how often it is asked.
class CountingStore final : public storage::Queryable {
 public:
  explicit CountingStore(const storage::Queryable& store) : store_(store) {}

  base::Result<std::unique_ptr<storage::Querier>> NewQuerier(
      model::TimestampMs min_t, model::TimestampMs max_t) const override {
    AZX_ASSIGN_OR_RETURN(auto querier, store_.NewQuerier(min_t, max_t));
    return std::make_unique<CountingQuerier>(std::move(querier), selections_);
  }
  int selections() const { return selections_; }

 private:
  class CountingQuerier final : public storage::Querier {
   public:
    CountingQuerier(std::unique_ptr<storage::Querier> querier, int& selections)
        : querier_(std::move(querier)), selections_(selections) {}
    base::Result<const storage::SeriesSet*> Select(
        std::span<const model::Matcher> matchers) override {
      ++selections_;
      return querier_->Select(matchers);
    }
    model::Symbol Intern(std::string_view text) override { return querier_->Intern(text); }
    base::Result<std::vector<std::string>> LabelNames(
        std::span<const model::Matcher> matchers) override {
      return querier_->LabelNames(matchers);
    }
    base::Result<std::vector<std::string>> LabelValues(
        const std::string& name, std::span<const model::Matcher> matchers) override {
      return querier_->LabelValues(name, matchers);
    }

   private:
    std::unique_ptr<storage::Querier> querier_;
    int& selections_;
  };

  const storage::Queryable& store_;
  mutable int selections_ = 0;
};

TEST_F(EngineTest, EvaluatesEqualPartsOnce) {
  Put("up", "a", {{0, 1}, {kMinute, 3}});
  Put("up", "b", {{0, 1}, {kMinute, 5}});
  const struct {
    std::string_view query;
    double value;
    int selections;
  } cases[] = {
      {"max(sum by (zone) (up)) - min(sum by (zone) (up))", 2, 1},
      {"sum(up) + sum(up) + sum(up) - sum(up)", 16, 1},
      {"sum(up) + sum(up offset 1m)", 10, 2},
      {"sum(up) + max_over_time(sum(up)[1m:1m])", 16, 2},  // at other times
      {"sum(up{zone=\"a\"}) + sum(up{zone='a'})", 6, 1},   // the same, though written otherwise
      // Each place has an annotation of its own.
      {"sum(increase(up[2m])) + sum(increase(up[2m]))", 16, 2},
  };
  for (const auto& c : cases) {
    const CountingStore counting(store_);
    const auto result = Engine({}, clock_).Instant(counting, **ParseExpr(c.query), kMinute);
    ASSERT_TRUE(result) << c.query << ": " << result.error().message();
    EXPECT_DOUBLE_EQ(std::get<Vector>(result->value).at(0).f, c.value) << c.query;
    EXPECT_EQ(counting.selections(), c.selections) << c.query;
  }
}

TEST_F(EngineTest, EvaluatesTheDeepestExpressionThatParses) {
  Put("up", "a", {{kMinute, 1}});
  std::string chain = "up";
  for (int i = 0; i < 498; ++i) chain += " + up";
  EXPECT_EQ(std::get<Vector>(Instant(chain)->value).at(0).f, 499);
  std::string nest = "up";
  for (int i = 0; i < 65; ++i) nest = "sum(-last_over_time(" + nest + "[5m:1m]))";
  EXPECT_EQ(std::get<Vector>(Instant(nest)->value).at(0).f, -1);
}

TEST_F(EngineTest, StopsWhenAskedTo) {
  std::stop_source source;
  source.request_stop();
  const auto canceled = Instant("up", 0, {}, source.get_token());
  ASSERT_FALSE(canceled);
  EXPECT_EQ(canceled.error().code(), ErrorCode::kCanceled);
  EXPECT_EQ(canceled.error().message(), "query was canceled in expression evaluation");
}

// A clock on which every look takes a second.
class SlowClock final : public base::Clock {
 public:
  std::int64_t NowMs() const override { return 0; }
  std::int64_t SteadyNs() const override { return now_ += 1'000'000'000; }

 private:
  mutable std::int64_t now_ = 0;
};

TEST_F(EngineTest, GivesUpAfterTheTimeout) {
  const SlowClock slow;
  const auto expr = ParseExpr("1 + 1 + 1 + 1 + 1 + 1 + 1 + 1");
  const auto late = Engine({.timeout_ms = 3000}, slow).Instant(store_, **expr, 0);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code(), ErrorCode::kTimeout);
  EXPECT_EQ(late.error().message(), "query timed out in expression evaluation");
}

TEST_F(EngineTest, TellsWhatIsOddThoughThereIsAnAnswer) {
  Put("up", "a", {{0, 1}, {kMinute, 2}});
  const auto rate = Instant("rate(up[5m])");
  EXPECT_EQ(rate->infos, (std::vector<std::string>{
                             "PromQL info: metric might not be a counter, name does not end in "
                             "_total/_sum/_count/_bucket: \"up\" (1:6)"}));
  EXPECT_TRUE(rate->warnings.empty());
  const auto quantile = Instant("quantile(2, up)");
  EXPECT_EQ(quantile->warnings,
            (std::vector<std::string>{
                "PromQL warning: quantile value should be between 0 and 1, got 2 (1:10)"}));
}

TEST_F(EngineTest, PassesOnWhatTheStoreSays) {
  class Broken final : public storage::Queryable {
   public:
    base::Result<std::unique_ptr<storage::Querier>> NewQuerier(model::TimestampMs,
                                                               model::TimestampMs) const override {
      return base::Fail(ErrorCode::kUnavailable, "no store");
    }
  };
  const auto expr = ParseExpr("up");
  const auto result = Engine({}, clock_).Instant(Broken(), **expr, 0);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), ErrorCode::kUnavailable);
}

// What an expression needs is what it is given: no more of the store than its windows.
TEST_F(EngineTest, AsksForTheTimesItNeeds) {
  class Recorder final : public storage::Queryable {
   public:
    explicit Recorder(const storage::Queryable& store) : store_(store) {}
    base::Result<std::unique_ptr<storage::Querier>> NewQuerier(
        model::TimestampMs min_t, model::TimestampMs max_t) const override {
      asked = {min_t, max_t};
      return store_.NewQuerier(min_t, max_t);
    }
    mutable std::pair<model::TimestampMs, model::TimestampMs> asked;

   private:
    const storage::Queryable& store_;
  };
  struct Case {
    std::string_view query;
    std::int64_t from_minute, to_minute;
  };
  const Case cases[] = {
      {"up", 95, 100},
      {"up offset 10m", 85, 90},
      {"rate(up[7m])", 93, 100},
      {"rate(up[7m] offset -3m)", 96, 103},
      {"sum_over_time(up[30m:1m])", 65, 100},
      {"up @ 600 + up", 5, 100},
      {"sum_over_time(rate(up[5m])[30m:] @ end() offset 10m)", 55, 90},
  };
  for (const Case& c : cases) {
    const Recorder recorder(store_);
    const auto expr = ParseExpr(c.query);
    ASSERT_TRUE(expr) << c.query;
    ASSERT_TRUE(Engine({}, clock_).Instant(recorder, **expr, 100 * kMinute));
    EXPECT_EQ(recorder.asked, std::pair(c.from_minute * kMinute, c.to_minute * kMinute)) << c.query;
  }
}

}  // namespace
}  // namespace azexporter::promql
