// What a former version left is taken over.

#include "azexporter/app/state.h"

#include <gtest/gtest.h>

#include <bit>
#include <filesystem>

#include "azexporter/base/database.h"
#include "azexporter/model/label_codec.h"
#include "azexporter/storage/memory_store.h"
#include "support/temp_folder.h"

namespace azexporter::app {
namespace {

constexpr model::TimestampMs kNow = 1'800'000'000'000;

// A file as the version before native histograms made it, with one sample.
void MakeFormat1(const std::string& path, const model::Labels& labels) {
  std::string set_aside;
  const auto create = [&](base::Database& db, int from) -> base::Result<void> {
    EXPECT_EQ(from, 0);
    AZX_RETURN_IF_ERROR(rules::CreateAlertTables(db));
    AZX_RETURN_IF_ERROR(storage::CreateSampleTables(db));
    AZX_RETURN_IF_ERROR(db.Execute("CREATE TABLE zones (name TEXT PRIMARY KEY) WITHOUT ROWID"));
    AZX_ASSIGN_OR_RETURN(base::Statement series,
                         db.Prepare("INSERT INTO series (labels, reach) VALUES (?, 300000)"));
    AZX_RETURN_IF_ERROR(series.Run(model::EncodeLabels(labels)));
    AZX_ASSIGN_OR_RETURN(base::Statement sample,
                         db.Prepare("INSERT INTO samples VALUES (1, ?, ?)"));
    return sample.Run(kNow - 1'000, std::bit_cast<std::int64_t>(2.5));
  };
  const auto made = base::Database::Open(
      path, {.application = 0x415a5853, .format = 1, .upgrade = create}, kNow, set_aside);
  ASSERT_TRUE(made) << made.error().message();
}

TEST(StateTest, TakesOverAFileOfTheFormatBeforeNativeHistograms) {
  const test::TempFolder folder;
  const auto labels = model::Labels::Of({{"__name__", "x"}});
  const std::string path = (folder / "azexporter.db").string();
  MakeFormat1(path, labels);
  const base::FakeClock clock(kNow);
  storage::MemoryStore store;
  {
    const auto state = State::Open(folder.path(), clock, base::Logger::Silent());
    ASSERT_TRUE(state) << state.error().message();
    const auto restored = (*state)->RestoreSamples(store);
    ASSERT_TRUE(restored) << restored.error().message();
    EXPECT_EQ(*restored, 1U);
    // A histogram goes into the same tables.
    model::FloatHistogram histogram;
    histogram.Observe(3);
    const auto appender = store.NewAppender();
    ASSERT_EQ(appender->AppendDetailed(labels, kNow, 0,
                                       {std::make_shared<const model::FloatHistogram>(histogram)}),
              storage::AppendOutcome::kAppended);
    ASSERT_TRUE(appender->Commit());
    std::vector<storage::WantedSeries> wanted(1);
    wanted[0].reach_ms = 300'000;
    ASSERT_TRUE((*state)->SaveSamples(store, wanted, kNow));
  }
  storage::MemoryStore next;
  const auto state = State::Open(folder.path(), clock, base::Logger::Silent());
  ASSERT_TRUE(state);
  EXPECT_EQ(*(*state)->RestoreSamples(next), 3U) << "the end of the series before, too";
  for (const auto& file : std::filesystem::directory_iterator(folder.path())) {
    EXPECT_EQ(file.path().string().find("set-aside"), std::string::npos) << file.path();
  }
}

}  // namespace
}  // namespace azexporter::app
