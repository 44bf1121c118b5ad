// SampleFile: what rules look back to is there after a restart.

#include "azexporter/storage/sample_file.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>

#include "azexporter/base/float_format.h"
#include "azexporter/model/histogram_message.h"
#include "azexporter/storage/memory_store.h"
#include "support/faulty_disk.h"
#include "support/temp_folder.h"
#include "support/test_database.h"

namespace azexporter::storage {
namespace {

constexpr model::TimestampMs kStart = 1'700'000'000'000;
constexpr std::int64_t kMinuteMs = 60'000;

class SampleFileTest : public testing::Test {
 protected:
  SampleFileTest() { Restart(); }

  // How many samples the new process took over.
  std::size_t Restart() {
    file_.reset();
    db_.reset();
    db_ = test::OpenDatabase((folder_ / "samples.db").string(), &CreateSampleTables, disk_.name());
    file_ = std::make_unique<SampleFile>(*db_);
    store_ = std::make_unique<MemoryStore>(MemoryStoreOptions{.retention_ms = 60 * kMinuteMs});
    const auto restored = file_->Restore(*store_);
    EXPECT_TRUE(restored.has_value()) << restored.error().message();
    return restored.value_or(0);
  }

  void Put(const std::string& metric, std::int64_t minute, double value) {
    const auto appender = store_->NewAppender();
    EXPECT_EQ(appender->Append(Of(metric), kStart + minute * kMinuteMs, value),
              AppendOutcome::kAppended);
    EXPECT_TRUE(appender->Commit().has_value());
  }

  void PutHistogram(std::int64_t minute, model::FloatHistogram histogram) {
    const auto appender = store_->NewAppender();
    EXPECT_EQ(appender->AppendDetailed(
                  Of("wanted"), kStart + minute * kMinuteMs, 0,
                  {std::make_shared<const model::FloatHistogram>(std::move(histogram))}),
              AppendOutcome::kAppended);
    EXPECT_TRUE(appender->Commit().has_value());
  }

  base::Result<void> Save(std::int64_t minute, std::int64_t reach_minutes = 5) {
    std::vector<WantedSeries> wanted(1);
    wanted[0].matchers.push_back(
        *model::Matcher::Create(model::MatchType::kEqual, "__name__", "wanted"));
    wanted[0].reach_ms = reach_minutes * kMinuteMs;
    return file_->Save(*store_, wanted, kStart + minute * kMinuteMs);
  }

  // "1@0 2@1 {{count:3}}@2 stale@2": values and minutes.
  std::string Kept(const std::string& metric) const {
    const auto querier = store_->NewQuerier(0, kStart + 1'000 * kMinuteMs);
    const auto matcher = model::Matcher::Create(model::MatchType::kEqual, "__name__", metric);
    const std::vector<model::Matcher> matchers = {*matcher};
    const auto set = (*querier)->Select(matchers);
    std::string text;
    for (std::size_t i = 0; i < (*set)->size(); ++i) {
      std::vector<model::FPoint> points;
      std::vector<DetailPoint> details;
      (*set)->Read(i, 0, kStart + 1'000 * kMinuteMs, points);
      (*set)->ReadDetails(i, 0, kStart + 1'000 * kMinuteMs, details);
      auto detail = details.begin();
      for (const model::FPoint& point : points) {
        text += (text.empty() ? "" : " ") +
                (model::IsHistogramNaN(point.f) ? (detail++)->detail.histogram->ToNotation()
                 : model::IsStaleNaN(point.f)   ? "stale"
                                                : base::FormatFloatG(point.f)) +
                "@" + std::to_string((point.t - kStart) / kMinuteMs);
      }
    }
    return text;
  }

  static model::Labels Of(const std::string& metric) {
    return model::Labels::Of({{model::kMetricName, metric}, {"zone", "a"}});
  }

  const test::TempFolder folder_;
  test::FaultyDisk disk_;
  std::unique_ptr<base::Database> db_;
  std::unique_ptr<SampleFile> file_;
  std::unique_ptr<MemoryStore> store_;
};

TEST_F(SampleFileTest, GoesOnWhereItWas) {
  Put("wanted", 0, 1);
  Put("other", 0, 1);
  ASSERT_TRUE(Save(0));
  Put("wanted", 1, std::nan(""));
  Put("wanted", 2, -0.0);
  ASSERT_TRUE(Save(2));
  EXPECT_EQ(Restart(), 3U);
  EXPECT_EQ(Kept("wanted"), "1@0 NaN@1 -0@2 stale@2");
  EXPECT_EQ(Kept("other"), "");
  Put("wanted", 3, 4);
  ASSERT_TRUE(Save(3));
  EXPECT_EQ(Restart(), 5U);
  EXPECT_EQ(Kept("wanted"), "1@0 NaN@1 -0@2 stale@2 4@3 stale@3");
}

TEST_F(SampleFileTest, KeepsNativeHistograms) {
  model::FloatHistogram whole;
  whole.schema = 3;
  whole.zero_threshold = 0.5;
  for (const double value : {0.25, 3.0, 100.0}) whole.Observe(value);
  PutHistogram(0, whole);
  whole.Observe(3);
  PutHistogram(1, whole);
  model::FloatHistogram other;
  other.schema = model::FloatHistogram::kCustomSchema;
  other.custom_bounds = {0.1, 7};
  other.count = 0.75;
  other.sum = std::nan("");
  other.positive = {{{1, 2}}, {0.5, 0.25}};
  PutHistogram(2, other);
  Put("wanted", 3, 4);
  const std::string kept = Kept("wanted");
  EXPECT_EQ(kept.substr(0, 40), "{{schema:3 count:3 sum:103.25 z_bucket:1");
  ASSERT_TRUE(Save(3));
  EXPECT_EQ(Restart(), 4U);
  EXPECT_EQ(Kept("wanted"), kept + " stale@3");
  PutHistogram(4, whole);
  ASSERT_TRUE(Save(4));
  EXPECT_EQ(Restart(), 6U);
}

// Whatever a file holds where a histogram is meant to be is left out, not a crash.
TEST_F(SampleFileTest, LeavesOutWhatIsNoHistogram) {
  model::FloatHistogram whole;
  whole.Observe(3);
  PutHistogram(0, whole);
  Put("wanted", 1, 1);
  ASSERT_TRUE(Save(1));
  const std::string good = model::EncodeHistogram(
      {kStart, std::make_shared<const model::FloatHistogram>(std::move(whole))});
  std::vector<std::string> bad = {"", "x", std::string("\0\0", 2), good + "\x80"};
  for (std::size_t cut = 1; cut < good.size(); ++cut) bad.push_back(good.substr(0, cut));
  bad.push_back(good + std::string("\x32\x03\x08\x01\x10", 5));  // a span that is cut short
  std::size_t taken = 0;
  for (const std::string& bytes : bad) {
    ASSERT_TRUE(db_->Transact([&]() -> base::Result<void> {
      AZX_ASSIGN_OR_RETURN(base::Statement put,
                           db_->Prepare("UPDATE samples SET value = CAST(? AS BLOB) "
                                        "WHERE t = ?"));
      return put.Run(bytes, kStart);
    }));
    // A message that ends between two fields is one, too, where what is left is valid.
    const auto decoded = model::DecodeHistogram(bytes);
    const bool valid = decoded && decoded->point.h->Validate();
    taken += valid ? 1 : 0;
    EXPECT_EQ(Restart(), valid ? 2U : 1U);
    EXPECT_TRUE(Kept("wanted").ends_with("1@1 stale@1")) << Kept("wanted");
  }
  EXPECT_LT(taken, bad.size() / 2);
}

TEST_F(SampleFileTest, ForgetsWhatIsOutOfReach) {
  for (int minute = 0; minute < 20; ++minute) {
    Put("wanted", minute, minute);
    ASSERT_TRUE(Save(minute));
  }
  Restart();
  EXPECT_EQ(Kept("wanted"), "14@14 15@15 16@16 17@17 18@18 19@19 stale@19");
  // Another rule looks further back from now on.
  Put("wanted", 20, 20);
  ASSERT_TRUE(Save(20, 10));
  Put("wanted", 24, 24);
  ASSERT_TRUE(Save(24, 10));
  Restart();
  EXPECT_TRUE(Kept("wanted").starts_with("14@14 15@15")) << Kept("wanted");
}

TEST_F(SampleFileTest, WritesWhatAFullDiskDidNotTake) {
  Put("wanted", 0, 1);
  ASSERT_TRUE(Save(0));
  disk_.full = true;
  Put("wanted", 1, 2);
  EXPECT_FALSE(Save(1));
  Put("wanted", 3, 4);
  EXPECT_FALSE(Save(3));
  disk_.full = false;
  ASSERT_TRUE(Save(3));
  Restart();
  EXPECT_EQ(Kept("wanted"), "1@0 2@1 4@3 stale@3");
}

}  // namespace
}  // namespace azexporter::storage
