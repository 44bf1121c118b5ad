#include "azexporter/remote/tee.h"

#include <gtest/gtest.h>

#include "azexporter/storage/memory_store.h"

namespace azexporter::remote {
namespace {

using model::Labels;
using storage::AppendOutcome;

class TeeTest : public testing::Test {
 protected:
  // To a port where nobody listens: what is sent stays pending.
  void AddTarget() {
    sender_.Configure({{.endpoint = {.url = "http://127.0.0.1:1/write"},
                        .name = "r",
                        .batch_send_deadline_ms = 600'000}},
                      {});
  }

  base::SystemClock clock_;
  storage::MemoryStore store_{{}};
  Sender sender_{{.drain_ms = 0}, {clock_, base::Logger::Silent()}};
  Tee tee_{store_, sender_};
  const Labels up_ = Labels::Of({{"__name__", "up"}});
};

TEST_F(TeeTest, SendsWhatTheStoreTookOnceItIsCommitted) {
  AddTarget();
  const auto appender = tee_.NewAppender();
  EXPECT_EQ(appender->Append(up_, 1'000, 1), AppendOutcome::kAppended);
  EXPECT_EQ(appender->Append(up_, 2'000, model::StaleNaN()), AppendOutcome::kAppended);
  EXPECT_EQ(appender->Append(up_, 1'500, 1), AppendOutcome::kOutOfOrder);
  EXPECT_EQ(sender_.Stats().at(0).pending, 0U);
  ASSERT_TRUE(appender->Commit());
  EXPECT_EQ(sender_.Stats().at(0).pending, 2U);
  EXPECT_EQ(sender_.Stats().at(0).highest, 2'000);
}

TEST_F(TeeTest, SendsNothingOfABatchThatIsGivenUp) {
  AddTarget();
  static_cast<void>(tee_.NewAppender()->Append(up_, 1'000, 1));
  EXPECT_EQ(sender_.Stats().at(0).pending, 0U);
}

TEST_F(TeeTest, IsTheStoreAloneWithoutATarget) {
  const auto appender = tee_.NewAppender();
  EXPECT_EQ(appender->Append(up_, 1'000, 1), AppendOutcome::kAppended);
  AddTarget();
  ASSERT_TRUE(appender->Commit());
  EXPECT_EQ(sender_.Stats().at(0).pending, 0U);
}

}  // namespace
}  // namespace azexporter::remote
