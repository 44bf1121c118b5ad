#include "azexporter/zones/replication.h"

#include <gtest/gtest.h>

namespace azexporter::zones {
namespace {

// One row of the table in replication.h.
struct Case {
  const char* name;
  bool up;
  bool primary_answers;
  std::optional<db::Lsn> receive, replay;
  std::optional<double> replay_age;
  bool streaming;
  std::optional<double> message_age;
  std::optional<double> want_seconds;
  std::optional<double> want_bytes;
  bool want_stale;
  std::optional<double> at_least{};
  std::optional<double> at_most{};
};

constexpr db::Lsn kPrimaryAt = 1000;
constexpr auto kNone = std::nullopt;

const Case kCases[] = {
    {"idle and caught up", true, true, 1000, 1000, 3600.0, true, 1.0, 0.0, 0.0, false},
    {"busy, a little behind", true, true, 990, 980, 0.2, true, 0.1, 0.2, 20.0, false},
    {"replay paused", true, true, 1000, 400, 95.0, true, 1.0, 95.0, 600.0, false},
    {"stream cut, primary writes", true, true, 400, 400, 40.0, true, 45.0, 45.0, 600.0, true},
    {"stream cut, receiver row gone", true, true, 400, 400, 90.0, false, kNone, 90.0, 600.0, true},
    {"cut, but the primary wrote nothing", true, true, 1000, 1000, 90.0, false, kNone, 0.0, 0.0,
     false},
    {"primary silent, stream alive", true, false, 500, 500, 90.0, true, 5.0, 0.0, kNone, false},
    {"primary silent, replay behind", true, false, 500, 400, 12.0, true, 5.0, 12.0, kNone, false},
    {"whole partition, just cut", true, false, 400, 400, 20.0, true, 31.0, 31.0, kNone, true},
    {"whole partition, row gone", true, false, 400, 400, 75.0, false, kNone, 75.0, kNone, true},
    {"no commit replayed since its start", true, false, 400, 400, kNone, false, kNone, kNone, kNone,
     true},
    {"clocks of the zones disagree", true, true, 990, 980, -3.0, true, -1.0, 0.0, 20.0, false},
    {"first write after an idle hour", true, true, 990, 980, 3600.0, true, 0.1, 14.0, 20.0, false,
     0.0, 14.0},
    {"replays old commits only", true, true, 990, 400, 0.1, true, 0.1, 60.0, 600.0, false, 60.0,
     75.0},
    {"restarted, replay paused", true, true, 1000, 400, kNone, true, 1.0, 14.0, 600.0, false, 0.0,
     14.0},
    {"restarted and paused, first look", true, true, 1000, 400, kNone, true, 1.0, kNone, 600.0,
     false},
    {"cut for long after an idle hour", true, true, 400, 400, 9000.0, false, kNone, 5415.0, 600.0,
     true, 5400.0, 5415.0},
    {"standby down", false, true, kNone, kNone, kNone, false, kNone, kNone, kNone, true},
};

TEST(ReplicationLagTest, FollowsItsTable) {
  for (const Case& c : kCases) {
    db::PostgresFacts primary;
    primary.up = true;
    primary.current_lsn = kPrimaryAt;
    db::PostgresFacts standby;
    standby.up = c.up;
    standby.in_recovery = true;
    standby.receive_lsn = c.receive;
    standby.replay_lsn = c.replay;
    standby.replay_age_seconds = c.replay_age;
    standby.receiver_streaming = c.streaming;
    standby.message_age_seconds = c.message_age;
    standby.behind_at_least_seconds = c.at_least;
    standby.behind_at_most_seconds = c.at_most;
    const Lag lag = ReplicationLag(standby, c.primary_answers ? &primary : nullptr);
    EXPECT_EQ(lag.seconds, c.want_seconds) << c.name;
    EXPECT_EQ(lag.bytes, c.want_bytes) << c.name;
    EXPECT_EQ(lag.stale, c.want_stale) << c.name;
  }
}

TEST(PrimaryHistoryTest, BoundsHowLongAPositionWasCurrent) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  db::PrimaryHistory history;
  const auto bounds = [&](std::int64_t now_s, db::Lsn replayed) {
    db::PostgresFacts standby;
    history.Bound(now_s * kSecond, replayed, standby);
    return std::pair(standby.behind_at_least_seconds, standby.behind_at_most_seconds);
  };
  using Bounds = std::pair<std::optional<double>, std::optional<double>>;
  EXPECT_EQ(bounds(0, 100), Bounds());
  history.Add(0, 100);
  history.Add(15 * kSecond, 100);
  history.Add(30 * kSecond, 200);
  history.Add(45 * kSecond, 300);
  EXPECT_EQ(bounds(45, 100), Bounds(15.0, 30.0));
  EXPECT_EQ(bounds(45, 250), Bounds(0.0, 15.0));
  EXPECT_EQ(bounds(45, 300), Bounds(std::nullopt, 0.0));
  EXPECT_EQ(bounds(45, 50), Bounds(45.0, std::nullopt));
  history.Add(60 * kSecond, 10);  // another server: what was known of the old one does not hold
  EXPECT_EQ(bounds(60, 5), Bounds(0.0, std::nullopt));
}

}  // namespace
}  // namespace azexporter::zones
