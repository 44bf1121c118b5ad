#include "db/askers.h"

#include <gtest/gtest.h>

#include <atomic>

#include "azexporter/base/wait.h"

namespace azexporter::db {
namespace {

constexpr std::int64_t kSoonMs = 10'000;

// Runs until it is stopped.
void Hang(const std::stop_token& stop) { base::WaitUntilStopped(stop); }

TEST(AskersTest, RunsEachJobAndWaitsForAll) {
  Askers askers;
  std::atomic<int> done = 0;
  for (int round = 0; round < 3; ++round) {
    for (const char* server : {"a", "b", "c"}) {
      EXPECT_TRUE(askers.Ask(server, [&done](const auto&) { ++done; }));
    }
    EXPECT_TRUE(askers.WaitIdle(kSoonMs));
  }
  EXPECT_EQ(done, 9);
}

TEST(AskersTest, AServerThatHangsIsNotAskedAgainAndHoldsUpNoOther) {
  Askers askers;
  std::atomic<int> done = 0;
  EXPECT_TRUE(askers.Ask("hangs", Hang));
  EXPECT_FALSE(askers.Ask("hangs", [&done](const auto&) { ++done; }));
  EXPECT_TRUE(askers.Ask("answers", [&done](const auto&) { ++done; }));
  while (done == 0) {
    EXPECT_FALSE(askers.WaitIdle(1));
  }
  EXPECT_TRUE(askers.Ask("answers", [&done](const auto&) { ++done; }));
  // Its thread is not ended while it has a job; that of the other is, and can begin anew.
  askers.KeepOnly({});
  EXPECT_FALSE(askers.Ask("hangs", Hang));
  EXPECT_TRUE(askers.Ask("another", [&done](const auto&) { ++done; }));
}  // which stops what hangs

TEST(AskersTest, OthersAreForgotten) {
  Askers askers;
  std::atomic<int> done = 0;
  for (const char* server : {"kept", "gone"}) {
    EXPECT_TRUE(askers.Ask(server, [&done](const auto&) { ++done; }));
  }
  EXPECT_TRUE(askers.WaitIdle(kSoonMs));
  askers.KeepOnly({"kept"});
  for (const char* server : {"kept", "gone"}) {
    EXPECT_TRUE(askers.Ask(server, [&done](const auto&) { ++done; }));
  }
  EXPECT_TRUE(askers.WaitIdle(kSoonMs));
  EXPECT_EQ(done, 4);
}

}  // namespace
}  // namespace azexporter::db
