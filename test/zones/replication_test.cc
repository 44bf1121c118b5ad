#include "azexporter/zones/replication.h"

#include <gtest/gtest.h>

#include "azexporter/db/primary_history.h"

namespace azexporter::zones {
namespace {

// What is known of a standby and its primary. A primary that answers stands at 1000.
struct Known {
  bool up = true;
  bool primary_answers = true;
  std::optional<db::Lsn> receive = 1000, replay = 1000;
  std::optional<double> replay_age{};
  bool streaming = true;
  std::optional<double> message_age = 1.0;
  std::optional<double> reply_age{};  // where the primary has a row for it
  std::optional<double> replay_lag{};
  std::optional<double> at_least{}, at_most{};
  std::optional<db::Lsn> last_primary{};
  std::optional<double> last_primary_age{};
  bool no_upstream = false;
  bool rights_missing = false;
  double status_interval = 10;
  double receiver_timeout = 60;
};

struct Want {
  std::optional<double> seconds, bytes;
  bool stale = false;
};

constexpr db::Lsn kPrimaryAt = 1000;
constexpr auto kNone = std::nullopt;

// Rows of the table in replication.h.
const struct {
  const char* name;
  Known known;
  Want want;
} kCases[] = {
    {"idle and caught up", {.replay_age = 3600.0}, {0.0, 0.0, false}},
    {"busy, a little behind",
     {.receive = 990, .replay = 980, .replay_age = 0.2, .message_age = 0.1},
     {0.2, 20.0, false}},
    {"replay paused", {.replay = 400, .replay_age = 95.0}, {95.0, 600.0, false}},
    {"stream cut, primary writes",
     {.receive = 400, .replay = 400, .replay_age = 40.0, .message_age = 45.0},
     {45.0, 600.0, true}},
    {"stream cut, the reply tells first",
     {.receive = 400, .replay = 400, .replay_age = 24.0, .message_age = 23.0, .reply_age = 22.0},
     {24.0, 600.0, true}},
    {"alive, a reply not long ago",
     {.receive = 400, .replay = 400, .replay_age = 24.0, .message_age = 23.0, .reply_age = 20.0},
     {24.0, 600.0, false}},
    {"shorter time-outs",
     {.replay = 400, .replay_age = 4.5, .message_age = 4.2, .receiver_timeout = 6},
     {4.5, 600.0, true}},
    {"idle upstream, asked for a reply a moment ago",
     {.replay = 400, .replay_age = 4.5, .message_age = 3.2, .receiver_timeout = 6},
     {4.5, 600.0, false}},
    {"no status messages, no time-out",
     {.replay = 400,
      .replay_age = 55.0,
      .message_age = 29.0,
      .reply_age = 55.0,
      .status_interval = 0,
      .receiver_timeout = 0},
     {55.0, 600.0, false}},
    {"stream cut, receiver row gone",
     {.receive = 400, .replay = 400, .replay_age = 90.0, .streaming = false, .message_age = kNone},
     {90.0, 600.0, true}},
    {"cut, but the primary wrote nothing",
     {.replay_age = 90.0, .streaming = false, .message_age = kNone},
     {0.0, 0.0, false}},
    {"primary silent, stream alive",
     {.primary_answers = false,
      .receive = 500,
      .replay = 500,
      .replay_age = 90.0,
      .message_age = 5.0},
     {5.0, kNone, false}},
    {"primary silent, replay behind",
     {.primary_answers = false, .receive = 500, .replay = 400, .replay_age = 12.0},
     {12.0, kNone, false}},
    {"whole partition, just cut",
     {.primary_answers = false,
      .receive = 400,
      .replay = 400,
      .replay_age = 20.0,
      .message_age = 32.0,
      .last_primary = 400,
      .last_primary_age = 32.0},
     {32.0, kNone, true}},
    {"whole partition, row gone",
     {.primary_answers = false,
      .receive = 400,
      .replay = 400,
      .replay_age = 75.0,
      .streaming = false,
      .message_age = kNone},
     {75.0, kNone, true}},
    {"primary stopped, behind what was last known of it",
     {.primary_answers = false,
      .receive = 400,
      .replay = 400,
      .replay_age = 9000.0,
      .streaming = false,
      .message_age = kNone,
      .at_least = 30.0,
      .at_most = 45.0,
      .last_primary = 900,
      .last_primary_age = 30.0},
     {45.0, 500.0, true}},
    {"primary stopped for long",
     {.primary_answers = false,
      .receive = 400,
      .replay = 400,
      .replay_age = 9000.0,
      .streaming = false,
      .message_age = kNone,
      .at_least = 130.0,
      .at_most = 145.0,
      .last_primary = 900,
      .last_primary_age = 130.0},
     {145.0, kNone, true}},
    {"no commit replayed since its start",
     {.primary_answers = false,
      .receive = 400,
      .replay = 400,
      .streaming = false,
      .message_age = kNone},
     {kNone, kNone, true}},
    {"clocks of the zones disagree",
     {.receive = 990, .replay = 980, .replay_age = -3.0, .message_age = -1.0},
     {0.0, 20.0, false}},
    {"first write after an idle hour",
     {.receive = 990, .replay = 980, .replay_age = 3600.0, .at_least = 0.0, .at_most = 14.0},
     {14.0, 20.0, false}},
    {"replays old commits only",
     {.receive = 990, .replay = 400, .replay_age = 0.1, .at_least = 60.0, .at_most = 75.0},
     {60.0, 600.0, false}},
    {"restarted, replay paused",
     {.replay = 400, .at_least = 0.0, .at_most = 14.0},
     {14.0, 600.0, false}},
    {"restarted and paused, the primary measured",
     {.replay = 400, .reply_age = 1.0, .replay_lag = 3.0},
     {3.0, 600.0, false}},
    {"restarted and paused, first look", {.replay = 400}, {kNone, 600.0, false}},
    {"cut for long after an idle hour",
     {.receive = 400,
      .replay = 400,
      .replay_age = 9000.0,
      .streaming = false,
      .message_age = kNone,
      .at_least = 5400.0,
      .at_most = 5415.0},
     {5415.0, 600.0, true}},
    {"archive recovery, behind",
     {.receive = kNone,
      .replay = 400,
      .replay_age = 50.0,
      .streaming = false,
      .message_age = kNone,
      .no_upstream = true},
     {50.0, 600.0, false}},
    {"archive recovery, nobody to compare with",
     {.primary_answers = false,
      .receive = kNone,
      .replay = 400,
      .replay_age = 50.0,
      .streaming = false,
      .message_age = kNone,
      .no_upstream = true},
     {50.0, kNone, true}},
    {"receiver not shown, positions are",
     {.receive = 400,
      .replay = 400,
      .replay_age = 5.0,
      .streaming = false,
      .message_age = kNone,
      .rights_missing = true},
     {5.0, 600.0, false}},
    {"receiver not shown, nobody to compare with",
     {.primary_answers = false,
      .receive = 400,
      .replay = 400,
      .replay_age = 5.0,
      .streaming = false,
      .message_age = kNone,
      .rights_missing = true},
     {5.0, kNone, true}},
    {"standby down",
     {.up = false, .receive = kNone, .replay = kNone, .streaming = false, .message_age = kNone},
     {kNone, kNone, true}},
};

TEST(ReplicationLagTest, FollowsItsTable) {
  for (const auto& [name, known, want] : kCases) {
    db::PostgresFacts primary;
    primary.up = true;
    primary.current_lsn = kPrimaryAt;
    if (known.reply_age) {
      primary.senders.push_back({.application_name = "two",
                                 .replay_lag_seconds = known.replay_lag,
                                 .reply_age_seconds = known.reply_age});
    }
    db::PostgresFacts standby;
    standby.instance = "two";
    standby.up = known.up;
    standby.in_recovery = true;
    standby.receive_lsn = known.receive;
    standby.replay_lsn = known.replay;
    standby.replay_age_seconds = known.replay_age;
    standby.receiver_streaming = known.streaming;
    standby.message_age_seconds = known.message_age;
    standby.behind_at_least_seconds = known.at_least;
    standby.behind_at_most_seconds = known.at_most;
    standby.last_primary_lsn = known.last_primary;
    standby.last_primary_age_seconds = known.last_primary_age;
    standby.no_upstream = known.no_upstream;
    standby.rights_missing = known.rights_missing;
    standby.status_interval_seconds = known.status_interval;
    standby.receiver_timeout_seconds = known.receiver_timeout;
    const Lag lag = ReplicationLag(standby, known.primary_answers ? &primary : nullptr);
    EXPECT_EQ(lag.seconds, want.seconds) << name;
    EXPECT_EQ(lag.bytes, want.bytes) << name;
    EXPECT_EQ(lag.stale, want.stale) << name;
  }
}

TEST(PrimaryOfTest, OfTwoItIsTheOneThatSends) {
  const auto instance = [](const char* name, bool standby, const char* sends_to = "") {
    db::PostgresFacts facts;
    facts.cluster = "orders";
    facts.instance = name;
    facts.up = true;
    facts.in_recovery = standby;
    if (*sends_to != '\0') facts.senders.push_back({.application_name = sends_to});
    return facts;
  };
  const db::PostgresFacts standby = instance("s", true);
  const std::vector<db::PostgresFacts> one = {instance("p", false), standby};
  EXPECT_EQ(PrimaryOf(standby, one), &one[0]);
  const std::vector<db::PostgresFacts> two = {instance("p", false), instance("q", false, "s")};
  EXPECT_EQ(PrimaryOf(standby, two), &two[1]);
  const std::vector<db::PostgresFacts> neither = {instance("p", false), instance("q", false)};
  EXPECT_EQ(PrimaryOf(standby, neither), nullptr);
  const std::vector<db::PostgresFacts> both = {instance("p", false, "s"),
                                               instance("q", false, "s")};
  EXPECT_EQ(PrimaryOf(standby, both), nullptr);
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

TEST(FailoverWatchTest, CountsAnotherPrimaryAndTheTimeWithoutOne) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  db::FailoverWatch watch;
  watch.See(0, "one");
  watch.See(15 * kSecond, "one");
  EXPECT_EQ(watch.failovers().count, 0);
  EXPECT_FALSE(watch.failovers().last_seconds);
  watch.See(60 * kSecond, "two");
  EXPECT_EQ(watch.failovers().count, 1);
  EXPECT_EQ(watch.failovers().last_seconds, 45.0);
  watch.See(75 * kSecond, "two");
  EXPECT_EQ(watch.failovers().count, 1);
}

}  // namespace
}  // namespace azexporter::zones
