// Redis's texts, decoded: what real servers print, shortened.

#include "db/redis_text.h"

#include <gtest/gtest.h>

namespace azexporter::db {
namespace {

TEST(RedisTextTest, ReadsWhatAReplicaSaysOfItself) {
  RedisFacts facts;
  ReadInfo(
      "# Server\r\nredis_version:7.0.15\r\nredis_mode:cluster\r\n\r\n# Replication\r\n"
      "role:slave\r\nmaster_host:10.0.0.7\r\nmaster_port:6379\r\nmaster_link_status:down\r\n"
      "master_last_io_seconds_ago:-1\r\nmaster_sync_in_progress:1\r\nslave_repl_offset:42\r\n"
      "connected_slaves:0\r\nmaster_replid:abc\r\nmaster_repl_offset:40\r\ncluster_enabled:1\r\n",
      facts);
  EXPECT_EQ(facts.version, "7.0.15");
  EXPECT_FALSE(facts.master);
  EXPECT_EQ(facts.master_host, "10.0.0.7");
  EXPECT_EQ(facts.master_port, 6379);
  EXPECT_FALSE(facts.link_up);
  EXPECT_FALSE(facts.last_io_seconds);
  EXPECT_TRUE(facts.syncing);
  EXPECT_EQ(facts.offset, 42);
  ReadInfo("# Cluster\r\ncluster_enabled:1\r\n", facts);
  EXPECT_EQ(facts.offset, 42) << "another section says nothing of it";
  EXPECT_EQ(facts.replid, "abc");
  EXPECT_TRUE(facts.cluster_enabled);
}

TEST(RedisTextTest, ReadsWhatAMasterSaysOfItself) {
  RedisFacts facts;
  ReadInfo(
      "redis_version:7.2.4\r\nvalkey_version:8.1.0\r\nrole:master\r\nconnected_slaves:2\r\n"
      "master_repl_offset:77\r\nsecond_repl_offset:-1\r\ncluster_enabled:0\r\n",
      facts);
  EXPECT_EQ(facts.version, "8.1.0");
  EXPECT_TRUE(facts.master);
  EXPECT_EQ(facts.offset, 77);
  EXPECT_EQ(facts.connected_replicas, 2);
  EXPECT_FALSE(facts.cluster_enabled);
}

TEST(RedisTextTest, ReadsTheNodesOfACluster) {
  const auto peers = ReadClusterNodes(
      "a1 10.0.0.1:6379@16379,redis-0 myself,master - 0 0 1 connected 0-5460 7 [93-<-b2]\n"
      "b2 10.0.0.2:6379@16379 master,fail - 1 2 2 disconnected 5461-10922\n"
      "c3 :0@0 master,noaddr - 1 2 3 disconnected\n"
      "d4 fd00::4:6379@16379 slave,fail? a1 0 2 1 connected\n"
      "e5 10.0.0.5:6379@16379 handshake - 0 0 0 connected\n",
      "elsewhere:1");
  ASSERT_TRUE(peers) << peers.error().message();
  ASSERT_EQ(peers->size(), 5U);
  const RedisPeer& self = (*peers)[0];
  EXPECT_TRUE(self.myself && self.master && self.connected);
  EXPECT_EQ(self.address, "10.0.0.1:6379");
  EXPECT_EQ(self.slot_count(), 5462);
  EXPECT_TRUE((*peers)[1].failed);
  EXPECT_FALSE((*peers)[1].connected);
  EXPECT_EQ((*peers)[2].address, "");
  EXPECT_EQ((*peers)[3].address, "[fd00::4]:6379");
  EXPECT_EQ((*peers)[3].master_id, "a1");
  EXPECT_TRUE((*peers)[3].suspected && !(*peers)[3].failed && !(*peers)[3].master);
  EXPECT_TRUE((*peers)[4].joining);
}

TEST(RedisTextTest, ANodeThatNeverMetAnotherHasTheAddressThatWasAsked) {
  const auto peers = ReadClusterNodes("a1 :6379@16379 myself,master - 0 0 0 connected\n", "r:6379");
  ASSERT_TRUE(peers);
  EXPECT_EQ((*peers)[0].address, "r:6379");
}

TEST(RedisTextTest, RefusesWhatIsNoNode) {
  const auto peers = ReadClusterNodes("a1 10.0.0.1:6379@16379 master\n", "r:6379");
  ASSERT_FALSE(peers);
  EXPECT_EQ(peers.error().message(),
            "CLUSTER NODES: not a node: \"a1 10.0.0.1:6379@16379 master\"");
}

TEST(RedisTextTest, ReadsTheStateOfACluster) {
  RedisView view;
  ReadClusterInfo(
      "cluster_state:fail\r\ncluster_slots_assigned:16384\r\ncluster_slots_ok:10923\r\n"
      "cluster_slots_pfail:1\r\ncluster_slots_fail:5460\r\ncluster_known_nodes:6\r\n"
      "cluster_size:3\r\ncluster_current_epoch:7\r\ncluster_my_epoch:2\r\n"
      "cluster_stats_messages_sent:11\r\ncluster_stats_messages_received:12\r\n",
      view);
  EXPECT_FALSE(view.ok);
  EXPECT_EQ(view.slots_assigned, 16384);
  EXPECT_EQ(view.slots_ok, 10923);
  EXPECT_EQ(view.slots_pfail, 1);
  EXPECT_EQ(view.slots_fail, 5460);
  EXPECT_EQ(view.known_nodes, 6);
  EXPECT_EQ(view.size, 3);
  EXPECT_EQ(view.current_epoch, 7);
  EXPECT_EQ(view.my_epoch, 2);
  EXPECT_EQ(view.messages_sent, 11);
  EXPECT_EQ(view.messages_received, 12);
}

}  // namespace
}  // namespace azexporter::db
