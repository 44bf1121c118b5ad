#include "azexporter/db/redis.h"

#include <algorithm>
#include <set>
#include <utility>

#include "askers.h"
#include "azexporter/base/mutex.h"
#include "redis_connection.h"
#include "redis_text.h"
#include "round_loop.h"

namespace azexporter::db {
namespace {

using base::ErrorCode;
using base::Fail;
using base::Result;

// One at a time, since a Redis before 7 takes a single section.
const std::vector<std::vector<std::string>> kQuestions = {
    {"INFO", "server"},  {"INFO", "replication"}, {"INFO", "cluster"},
    {"CLUSTER", "INFO"}, {"CLUSTER", "NODES"},
};
constexpr std::size_t kInfoSections = 3;

Result<void> Understand(const std::vector<RedisReply>& replies, RedisFacts& facts) {
  for (std::size_t i = 0; i < kInfoSections; ++i) {
    if (replies[i].error) return Fail(ErrorCode::kUnavailable, "INFO: " + replies[i].text);
    ReadInfo(replies[i].text, facts);
  }
  if (!facts.cluster_enabled) return {};
  const RedisReply& info = replies[kInfoSections];
  const RedisReply& nodes = replies[kInfoSections + 1];
  if (info.error) return Fail(ErrorCode::kUnavailable, "CLUSTER INFO: " + info.text);
  if (nodes.error) return Fail(ErrorCode::kUnavailable, "CLUSTER NODES: " + nodes.text);
  RedisView view;
  ReadClusterInfo(info.text, view);
  AZX_ASSIGN_OR_RETURN(view.peers, ReadClusterNodes(nodes.text, facts.address));
  facts.view = std::move(view);
  if (const RedisPeer* self = facts.view->Myself()) facts.id = self->id;
  return {};
}

// One node with its connection. Asked by its own thread.
struct Node {
  Result<void> Ask(const RedisCluster& cluster, const Deadline& deadline, RedisFacts& facts) {
    const bool kept = connection != nullptr;
    Result<void> asked = Try(cluster, deadline, facts);
    // It may have restarted since the last round; one new connection tells.
    if (!asked && kept && connection == nullptr && !deadline.passed()) {
      asked = Try(cluster, deadline, facts);
    }
    return asked;
  }

  // A failed exchange leaves the connection in the middle of a reply: it is closed.
  Result<void> Try(const RedisCluster& cluster, const Deadline& deadline, RedisFacts& facts) {
    if (connection == nullptr) {
      AZX_ASSIGN_OR_RETURN(connection, RedisConnection::Open(cluster, facts.address, deadline));
    }
    const auto replies = connection->Ask(kQuestions, deadline);
    if (!replies) {
      connection.reset();
      return Fail(replies.error());
    }
    return Understand(*replies, facts);
  }

  std::unique_ptr<RedisConnection> connection;
};

struct Known {
  std::shared_ptr<Node> node = std::make_shared<Node>();
  std::int64_t begun_ns = 0;  // when it was last begun to be asked
  RedisFacts facts;
};

// The nodes of one cluster, by the address under which they are asked.
using Nodes = std::map<std::string, Known>;

struct Watched {
  std::shared_ptr<const RedisCluster> config;
  Nodes nodes;

  // The thread that asks there.
  std::string Asker(const std::string& address) const { return config->name + "/" + address; }
};

bool SameLogin(const RedisCluster& a, const RedisCluster& b) {
  return a.username == b.username && a.password_file == b.password_file && a.login == b.login &&
         a.tls == b.tls;
}

// Which address of a node is shown where it has several: one that answers, then the announced one.
bool Better(const RedisFacts& a, const RedisFacts& b) {
  if (a.up != b.up) return a.up;
  const auto announced = [](const RedisFacts& facts) {
    const RedisPeer* self = facts.view ? facts.view->Myself() : nullptr;
    return self != nullptr && self->address == facts.address;
  };
  return announced(a) && !announced(b);
}

// Its configured addresses and what the nodes that answer announce. A configured address of a node
// that answers under its announced one is left alone.
std::set<std::string> AddressesOf(const Watched& cluster) {
  std::set<std::string> all;
  std::map<std::string, std::string> by_id;
  for (const auto& [address, known] : cluster.nodes) {
    if (!known.facts.view) continue;
    for (const RedisPeer& peer : known.facts.view->peers) {
      if (peer.address.empty() || peer.joining) continue;
      all.insert(peer.address);
      by_id[peer.id] = peer.address;
    }
  }
  for (const std::string& address : cluster.config->addresses) {
    const auto known = cluster.nodes.find(address);
    const auto announced =
        known == cluster.nodes.end() ? by_id.end() : by_id.find(known->second.facts.id);
    if (announced != by_id.end() && announced->second != address) {
      const auto twin = cluster.nodes.find(announced->second);
      if (twin != cluster.nodes.end() && twin->second.facts.up) continue;
    }
    all.insert(address);
  }
  for (const auto& [address, why] : cluster.config->unreachable) all.insert(address);
  return all;
}

// What is said of a node that has not answered.
RedisFacts DownFacts(const std::string& cluster, const std::string& address, const std::string& id,
                     std::int64_t now_ms, std::string error) {
  RedisFacts down = {.cluster = cluster, .address = address, .id = id, .asked_at_ms = now_ms};
  down.error = std::move(error);
  return down;
}

}  // namespace

struct RedisPoller::Impl {
  // constant after construction
  std::int64_t timeout_ms = 0;
  const base::Clock* clock = nullptr;
  std::optional<base::Logger> log;
  // guarded by mu
  mutable base::Mutex mu;
  std::vector<Watched> clusters AZX_GUARDED_BY(mu);
  // own synchronisation; their threads use all of the above
  Askers askers;
  std::optional<RoundLoop> loop;  // set by the constructor

  // Asks what is to be asked in this round and was not yet; whether there was any.
  bool AskMore(std::set<std::string>& asked);
  void BeginLocked(const Watched& cluster, const std::string& address, Known& known)
      AZX_REQUIRES(mu);
  void Round(std::int64_t most_ms, const std::stop_token& stop);
  void AskNode(const RedisCluster& cluster, const std::string& address,
               const std::shared_ptr<Node>& node, const std::stop_token& stop);
  void Keep(const std::shared_ptr<Node>& node, RedisFacts facts);
  void Log(const RedisFacts& before, const RedisFacts& now) const;
  void TakeUnreachableLocked(Watched& cluster) AZX_REQUIRES(mu);
  Known* FindLocked(const RedisFacts& facts) AZX_REQUIRES(mu);
  void ForgetGone();
  bool SetClusters(std::vector<RedisCluster> configs);
};

bool RedisPoller::Impl::AskMore(std::set<std::string>& asked) {
  bool any = false;
  base::MutexLock lock(mu);
  for (Watched& cluster : clusters) {
    for (const std::string& address : AddressesOf(cluster)) {
      if (!asked.insert(cluster.Asker(address)).second) continue;
      BeginLocked(cluster, address, cluster.nodes[address]);
      any = true;
    }
  }
  return any;
}

void RedisPoller::Impl::BeginLocked(const Watched& cluster, const std::string& address,
                                    Known& known) {
  if (cluster.config->unreachable.contains(address)) return;
  const std::int64_t now_ns = clock->SteadyNs();
  const bool begun = askers.Ask(cluster.Asker(address),
                                [this, config = cluster.config, address, node = known.node](
                                    const auto& stop) { AskNode(*config, address, node, stop); });
  if (begun) {
    known.begun_ns = now_ns;
  } else if (now_ns - known.begun_ns > timeout_ms * 1'000'000) {
    // It hangs where no deadline reaches: what was known of it is old.
    known.facts = DownFacts(cluster.config->name, address, known.facts.id, clock->NowMs(),
                            "no answer in time");
  }
}

void RedisPoller::Impl::AskNode(const RedisCluster& cluster, const std::string& address,
                                const std::shared_ptr<Node>& node, const std::stop_token& stop) {
  RedisFacts facts;
  facts.cluster = cluster.name;
  facts.address = address;
  facts.asked_at_ms = clock->NowMs();
  const auto asked = node->Ask(cluster, Deadline(*clock, timeout_ms, stop), facts);
  if (!asked) {
    // Half an answer is none.
    facts = DownFacts(cluster.name, address, "", facts.asked_at_ms, asked.error().message());
  }
  facts.up = asked.has_value();
  if (!stop.stop_requested()) Keep(node, std::move(facts));
}

// What is known of the node that the facts are of; nullptr where it is no longer one.
Known* RedisPoller::Impl::FindLocked(const RedisFacts& facts) {
  for (Watched& cluster : clusters) {
    if (cluster.config->name != facts.cluster) continue;
    const auto found = cluster.nodes.find(facts.address);
    return found == cluster.nodes.end() ? nullptr : &found->second;
  }
  return nullptr;
}

void RedisPoller::Impl::Keep(const std::shared_ptr<Node>& node, RedisFacts facts) {
  RedisFacts before;
  {
    base::MutexLock lock(mu);
    Known* known = FindLocked(facts);
    if (known == nullptr || known->node != node) return;
    if (facts.id.empty()) facts.id = known->facts.id;
    before = std::exchange(known->facts, facts);
  }
  Log(before, facts);
}

// What changed.
void RedisPoller::Impl::Log(const RedisFacts& before, const RedisFacts& now) const {
  const bool first = before.asked_at_ms == 0;
  if (!now.up && (first || before.up)) {
    log->Warn("Redis does not answer",
              {{"cluster", now.cluster}, {"address", now.address}, {"error", now.error}});
  } else if (now.up && !first && !before.up) {
    log->Info("Redis answers again", {{"cluster", now.cluster}, {"address", now.address}});
  }
}

// Nobody has to be asked for that. What is asked there now counts no more.
void RedisPoller::Impl::TakeUnreachableLocked(Watched& cluster) {
  for (const auto& [address, why] : cluster.config->unreachable) {
    Known& known = cluster.nodes[address];
    known.node = std::make_shared<Node>();
    const RedisFacts before = known.facts;
    known.facts = DownFacts(cluster.config->name, address, before.id, clock->NowMs(), why);
    Log(before, known.facts);
  }
}

// Nodes that left their cluster.
void RedisPoller::Impl::ForgetGone() {
  std::set<std::string> kept;
  {
    base::MutexLock lock(mu);
    for (Watched& cluster : clusters) {
      Nodes& nodes = cluster.nodes;
      const auto& configured = cluster.config->addresses;
      const bool any = std::any_of(nodes.begin(), nodes.end(),
                                   [](const auto& entry) { return entry.second.facts.up; });
      std::set<std::string> there = AddressesOf(cluster);
      there.insert(configured.begin(), configured.end());
      // Where none answers, no member of a cluster is known to be gone.
      std::erase_if(nodes, [&](const auto& entry) {
        return !there.contains(entry.first) && (any || entry.second.facts.id.empty());
      });
      for (const auto& [address, known] : nodes) kept.insert(cluster.Asker(address));
    }
  }
  askers.KeepOnly(kept);
}

// Whether there are addresses that were not asked yet.
bool RedisPoller::Impl::SetClusters(std::vector<RedisCluster> configs) {
  base::MutexLock lock(mu);
  std::map<std::string, Watched> before;
  for (Watched& cluster : clusters) before[cluster.config->name] = std::move(cluster);
  bool any_new = false;
  clusters.clear();
  for (RedisCluster& config : configs) {
    Watched& cluster = clusters.emplace_back(std::move(before[config.name]));
    if (cluster.config != nullptr && !SameLogin(*cluster.config, config)) {
      for (auto& [address, known] : cluster.nodes) known.node = std::make_shared<Node>();
    }
    if (cluster.config == nullptr || *cluster.config != config) {
      cluster.config = std::make_shared<const RedisCluster>(std::move(config));
      TakeUnreachableLocked(cluster);
    }
    for (const std::string& address : cluster.config->addresses) {
      any_new = any_new || !cluster.nodes.contains(address);
    }
  }
  return any_new;
}

RedisPoller::RedisPoller(RedisPollerOptions options, const base::Clock& clock, base::Logger log)
    : impl_(std::make_unique<Impl>()) {
  impl_->timeout_ms = options.timeout_ms;
  impl_->clock = &clock;
  impl_->log = std::move(log);
  impl_->loop.emplace(options.interval_ms, options.timeout_ms, clock,
                      [impl = impl_.get()](std::int64_t most_ms, const std::stop_token& stop) {
                        impl->Round(most_ms, stop);
                      });
  impl_->SetClusters(std::move(options.clusters));
}

RedisPoller::~RedisPoller() { Stop(); }

// Asks all nodes, and those that are found by it, and waits for them, but no longer than this.
void RedisPoller::Impl::Round(std::int64_t most_ms, const std::stop_token& stop) {
  // How soon nodes that are found in this round are asked, where another one is slow.
  constexpr std::int64_t kLookMs = 50;
  const Deadline deadline(*clock, most_ms, stop);
  std::set<std::string> asked;
  for (;;) {
    const bool more = AskMore(asked);
    const bool idle = askers.WaitIdle(std::min(kLookMs, deadline.remaining_ms()));
    if ((idle && !more) || deadline.passed()) break;
  }
  ForgetGone();
}

void RedisPoller::PollNow() { impl_->loop->Now(); }

void RedisPoller::SetClusters(std::vector<RedisCluster> clusters) {
  if (impl_->SetClusters(std::move(clusters))) impl_->loop->Hurry();
}

void RedisPoller::Start() { impl_->loop->Start(); }

void RedisPoller::Stop() { impl_->loop->Stop(); }

std::vector<RedisFacts> RedisPoller::Facts() const {
  std::vector<RedisFacts> all;
  base::MutexLock lock(impl_->mu);
  for (const Watched& cluster : impl_->clusters) {
    const Nodes& nodes = cluster.nodes;
    std::map<std::string, const RedisFacts*> shown;  // by id
    for (const auto& [address, known] : nodes) {
      if (known.facts.id.empty()) continue;
      const RedisFacts*& best = shown[known.facts.id];
      if (best == nullptr || Better(known.facts, *best)) best = &known.facts;
    }
    for (const auto& [address, known] : nodes) {
      if (known.facts.asked_at_ms == 0) continue;
      if (known.facts.id.empty() || shown[known.facts.id] == &known.facts) {
        all.push_back(known.facts);
      }
    }
  }
  return all;
}

std::vector<RedisCluster> RedisPoller::clusters() const {
  std::vector<RedisCluster> all;
  base::MutexLock lock(impl_->mu);
  for (const Watched& cluster : impl_->clusters) all.push_back(*cluster.config);
  return all;
}

bool RedisPoller::asked_all() const {
  base::MutexLock lock(impl_->mu);
  for (const Watched& cluster : impl_->clusters) {
    for (const std::string& address : cluster.config->addresses) {
      const auto found = cluster.nodes.find(address);
      if (found == cluster.nodes.end() || found->second.facts.asked_at_ms == 0) return false;
    }
  }
  return true;
}

}  // namespace azexporter::db
