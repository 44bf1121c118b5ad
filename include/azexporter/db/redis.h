#pragma once

// Redis and Valkey, asked for what their replication and their cluster look like from where each
// node stands: INFO, CLUSTER INFO and CLUSTER NODES, never a command that changes anything. The
// nodes of a cluster are found from the configured ones; each is asked, so that the views of all
// zones can be held against each other. One connection a node, kept open.
//
// Needs of an ACL user: +info +cluster|info +cluster|nodes.
// Sources: redis.io/docs/latest/commands/{info,cluster-info,cluster-nodes}.
//
// Thread safety: RedisPoller is thread-safe; Facts() never waits for a server, nor does
// SetClusters().

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "azexporter/base/clock.h"
#include "azexporter/base/logger.h"
#include "azexporter/db/login.h"

namespace azexporter::db {

// Files are read anew for each connection.
struct RedisTls {
  std::string ca_file;    // empty: the system's authorities
  std::string cert_file;  // the client's own; both or neither
  std::string key_file;
  std::string server_name;  // empty: the host that is connected to
  bool insecure_skip_verify = false;

  friend bool operator==(const RedisTls&, const RedisTls&) = default;
};

struct RedisCluster {
  std::string name;  // "sessions"
  // HOST:PORT of some nodes of a cluster, or of every server where there is none.
  std::vector<std::string> addresses;
  std::string username;                     // empty: Redis's "default"
  std::string password_file;                // empty: no authentication
  std::shared_ptr<LoginSource> login = {};  // wins over these; null: they count
  std::optional<RedisTls> tls;

  // What cannot be found out about a node otherwise, by its address as the cluster announces it.
  struct Place {
    std::string instance;  // empty: the name of its pod, else the address
    std::string zone;      // empty: that of its pod's node
    friend bool operator==(const Place&, const Place&) = default;
  };
  std::map<std::string, Place> places;
  // Nodes that cannot be asked, and why: each is down, and this is the error. By their address, or
  // by a name where they never had any.
  std::map<std::string, std::string> unreachable = {};

  friend bool operator==(const RedisCluster&, const RedisCluster&) = default;
};

// Hash slots, both ends included.
struct SlotRange {
  int first = 0;
  int last = 0;
  int size() const { return last - first + 1; }
  friend bool operator==(const SlotRange&, const SlotRange&) = default;
};
inline constexpr int kRedisSlots = 16384;

// A node of the cluster as another one, or it itself, sees it: a line of CLUSTER NODES.
struct RedisPeer {
  std::string id;
  std::string address;  // "10.0.0.7:6379"; empty: not known
  bool myself = false;
  bool master = false;     // else a replica
  bool suspected = false;  // fail?: this node does not reach it
  bool failed = false;     // fail: a majority of the masters does not
  bool joining = false;    // handshake: not a member yet
  bool connected = false;  // the link to it, of the cluster bus
  std::string master_id;   // of a replica; empty: not known
  std::vector<SlotRange> slots;

  int slot_count() const;
};

// What one node says of the cluster.
struct RedisView {
  bool ok = false;  // cluster_state
  std::int64_t slots_assigned = 0;
  std::int64_t slots_ok = 0;
  std::int64_t slots_pfail = 0;
  std::int64_t slots_fail = 0;
  std::int64_t known_nodes = 0;
  std::int64_t size = 0;  // masters with slots
  std::int64_t current_epoch = 0;
  std::int64_t my_epoch = 0;
  std::int64_t messages_sent = 0;
  std::int64_t messages_received = 0;
  std::vector<RedisPeer> peers;  // itself among them

  const RedisPeer* Myself() const;
};

// What one node said when it was last asked.
struct RedisFacts {
  std::string cluster;           // the configured name
  std::string address;           // by which it is asked
  std::string id;                // of a cluster's node, as last told; empty: never
  std::int64_t asked_at_ms = 0;  // wall time; 0: not asked yet
  bool up = false;
  std::string error;  // why not; never holds a password

  std::string version;
  bool cluster_enabled = false;
  bool master = false;
  std::string replid;       // offsets of one replication history can be compared
  std::int64_t offset = 0;  // of a replica: what it has processed
  std::int64_t connected_replicas = 0;
  // Of a replica.
  std::string master_host;
  int master_port = 0;
  bool link_up = false;
  bool syncing = false;                         // copies the whole data set
  std::optional<std::int64_t> last_io_seconds;  // since its master was last heard of

  std::optional<RedisView> view;  // absent where cluster_enabled is false
};

struct RedisPollerOptions {
  std::vector<RedisCluster> clusters;
  std::int64_t interval_ms = 15'000;
  // For all that one node is asked in a round, connecting included.
  std::int64_t timeout_ms = 3'000;
};

class RedisPoller {
 public:
  // `clock` must outlive this.
  RedisPoller(RedisPollerOptions options, const base::Clock& clock, base::Logger log);
  ~RedisPoller();
  RedisPoller(const RedisPoller&) = delete;
  RedisPoller& operator=(const RedisPoller&) = delete;

  // Asks every node once, those that are found by it, too. Returns when all answered or their time
  // is over; one that hangs longer, in the resolver of names, is left to itself.
  void PollNow();
  // Takes these in the place of the clusters there were. Of one that keeps its name what is known
  // of its nodes stays, and their connections unless the way to log in changed. What is new is
  // asked at once where it polls. REQUIRES: no two have the same name.
  void SetClusters(std::vector<RedisCluster> clusters);
  // Polls at the interval until Stop or destruction.
  void Start();
  void Stop();

  // By cluster in their order, then by address. A node that is asked under two
  // addresses is there once.
  std::vector<RedisFacts> Facts() const;
  std::vector<RedisCluster> clusters() const;
  // Every address of the clusters was asked.
  bool asked_all() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace azexporter::db
