#include "azexporter/zones/postgres.h"

#include <gtest/gtest.h>

namespace azexporter::zones {
namespace {

using db::PostgresFacts;

PostgresFacts Instance(const std::string& name, const std::string& zone, bool standby,
                       bool streaming = true) {
  PostgresFacts facts;
  facts.cluster = "orders";
  facts.instance = name;
  facts.zone = zone;
  facts.up = true;
  facts.system_identifier = "7";
  facts.timeline = 1;
  facts.in_recovery = standby;
  facts.receiver_streaming = standby && streaming;
  if (standby) {
    facts.receive_lsn = facts.replay_lsn = 900;
  } else {
    facts.current_lsn = 1000;
  }
  return facts;
}

// A primary with this setting, whose streams go to standbys "NAME:SYNC_STATE".
PostgresFacts Primary(const std::string& zone, const std::string& setting,
                      const std::vector<std::string>& streams) {
  PostgresFacts facts = Instance("1", zone, false);
  facts.synchronous_standby_names = setting;
  for (const std::string& stream : streams) {
    const std::size_t colon = stream.find(':');
    facts.senders.push_back({.application_name = stream.substr(0, colon),
                             .state = "streaming",
                             .sync_state = stream.substr(colon + 1)});
  }
  return facts;
}

std::string Told(const std::vector<PostgresFacts>& all) {
  std::string text;
  for (const LossFinding& finding : PostgresFindings(all, "a")) {
    text += (finding.blocker ? "blocker " : "note ") + finding.text;
  }
  return text;
}

TEST(DatabaseFindingsTest, APrimaryNeedsAStandbyElsewhereAndItsCommitsThere) {
  EXPECT_EQ(Told({Instance("1", "a", false), Instance("2", "a", true)}),
            "blocker its primary is there, and no standby elsewhere");
  EXPECT_EQ(Told({Instance("1", "a", false), Instance("2", "b", true, false)}),
            "blocker its primary is there, and no standby elsewhere is streaming");
  EXPECT_EQ(Told({Instance("1", "a", false), Instance("2", "b", true)}),
            "note its primary is there; 2 in b could take over, without the last commits, since "
            "replication is asynchronous (100 bytes now)");
  EXPECT_EQ(Told({Primary("a", "2", {"2:sync"}), Instance("2", "b", true)}),
            "note its primary is there; 2 in b could take over without losing a commit");
  EXPECT_EQ(Told({Primary("a", "*", {"2:async", "3:sync"}), Instance("2", "b", true),
                  Instance("3", "a", true)}),
            "blocker its primary is there, and no standby elsewhere is sure to have all that was "
            "confirmed");
  EXPECT_EQ(Told({Primary("a", "*", {}), Instance("2", "b", false), Instance("3", "c", true)}),
            "note is split: another primary would be left");
  EXPECT_EQ(Told({Instance("1", "b", false), Instance("2", "a", true)}),
            "note would be left without a standby");
  EXPECT_EQ(Told({Instance("1", "b", false), Instance("2", "c", true)}), "");
  EXPECT_EQ(Told({}), "");
}

TEST(DatabaseFindingsTest, WhatIsNotShownIsNotCalledMissing) {
  PostgresFacts primary = Primary("a", "ANY 1 (*)", {});
  primary.rights_missing = true;
  PostgresFacts standby = Instance("2", "b", true, false);
  standby.rights_missing = true;
  EXPECT_EQ(Told({primary, standby}),
            "note its primary is there; 2 in b could take over; whether without losing a commit is "
            "not shown to azexporter");
  EXPECT_FALSE(JudgePostgres(std::vector{primary, standby}, {}).at(0).sync_other_zone);
}

TEST(DatabaseFindingsTest, TheStandbyThatReceivedMostTakesOver) {
  PostgresFacts ahead = Instance("3", "c", true);
  ahead.receive_lsn = 990;
  EXPECT_EQ(Told({Instance("1", "a", false), Instance("2", "b", true), ahead}),
            "note its primary is there; 3 in c could take over, without the last commits, since "
            "replication is asynchronous (10 bytes now)");
}

TEST(JudgePostgresTest, TellsWhetherCommitsAreInAnotherZone) {
  const struct {
    const char* name;
    const char* setting;
    std::vector<std::string> streams;  // 2 in a, 3 in b, 4 in c
    bool want;
  } cases[] = {
      {"asynchronous", "", {"2:async", "3:async", "4:async"}, false},
      {"the first is elsewhere", "FIRST 1 (3, 2)", {"2:potential", "3:sync"}, true},
      {"the first is here", "FIRST 1 (2, 3)", {"2:sync", "3:potential"}, false},
      {"any one of two elsewhere", "ANY 1 (3, 4)", {"3:quorum", "4:quorum"}, true},
      {"any one, which may be here", "ANY 1 (*)", {"2:quorum", "3:quorum"}, false},
      {"any two, one of which may be here",
       "any 2 (*)",
       {"2:quorum", "3:quorum", "4:quorum"},
       true},
      {"one that is not known", "ANY 1 (*)", {"3:quorum", "other:quorum"}, false},
  };
  for (const auto& c : cases) {
    const std::vector<PostgresFacts> all = {Primary("a", c.setting, c.streams),
                                            Instance("2", "a", true), Instance("3", "b", true),
                                            Instance("4", "c", true)};
    const PostgresStatus status = JudgePostgres(all, {}).at(0);
    EXPECT_EQ(status.sync_other_zone, c.want) << c.name;
    EXPECT_EQ(status.standbys_streaming, 3) << c.name;
    EXPECT_EQ(status.standbys_expected, 3) << c.name;
    EXPECT_EQ(status.loss_bytes, 100.0) << c.name;
    EXPECT_EQ(status.primary_zone, "a") << c.name;
  }
}

TEST(JudgePostgresTest, WithoutExactlyOnePrimaryNothingIsToldOfZones) {
  const std::vector<PostgresFacts> two = {Instance("1", "a", false), Instance("2", "b", false)};
  const PostgresStatus split = JudgePostgres(two, {{"orders", {.count = 1}}}).at(0);
  EXPECT_EQ(split.primaries, 2);
  EXPECT_FALSE(split.sync_other_zone || split.sync_required || split.loss_bytes);
  EXPECT_EQ(split.failovers.count, 1);
  PostgresFacts silent = Instance("1", "a", false);
  silent.up = false;
  EXPECT_EQ(JudgePostgres({&silent, 1}, {}).at(0).primaries, 0);
}

TEST(SyncRequiredTest, ReadsTheSetting) {
  const std::pair<const char*, int> cases[] = {
      {"", 0},
      {" ", 0},
      {"a, b", 1},
      {"*", 1},
      {"2 (a, b, c)", 2},
      {"FIRST 2(*)", 2},
      {"ANY 3 (a, b)", 3},
      {"any 1 (\"x y\")", 1},
      {"1a", 1},
  };
  for (const auto& [setting, want] : cases) EXPECT_EQ(SyncRequired(setting), want) << setting;
}

TEST(JudgeInstancesTest, AStandbyOnAnotherTimelineOrOfAnotherSystemHasDiverged) {
  std::vector<PostgresFacts> all = {Primary("a", "", {"2:async"}), Instance("2", "b", true),
                                    Instance("3", "c", true), Instance("4", "c", true)};
  all[0].timeline = 2;
  all[1].timeline = 2;
  all[3].timeline = 2;
  all[3].system_identifier = "8";
  const auto statuses = JudgeInstances(all);
  EXPECT_FALSE(statuses[0].diverged);
  EXPECT_FALSE(statuses[1].diverged);
  EXPECT_EQ(statuses[1].sync_state, "async");
  EXPECT_TRUE(statuses[2].diverged);
  EXPECT_TRUE(statuses[3].diverged);
}

}  // namespace
}  // namespace azexporter::zones
