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

// The nodes of one configured cluster, by the address under which they are asked.
using Nodes = std::map<std::string, Known>;

// Which address of a node is shown where it has several: one that answers, then the announced one.
bool Better(const RedisFacts& a, const RedisFacts& b) {
  if (a.up != b.up) return a.up;
  const auto announced = [](const RedisFacts& facts) {
    const RedisPeer* self = facts.view ? facts.view->Myself() : nullptr;
    return self != nullptr && self->address == facts.address;
  };
  return announced(a) && !announced(b);
}

}  // namespace

struct RedisPoller::Impl {
  // constant after construction
  std::vector<RedisCluster> clusters;
  std::int64_t timeout_ms = 0;
  const base::Clock* clock = nullptr;
  std::optional<base::Logger> log;
  // guarded by mu
  mutable base::Mutex mu;
  std::vector<Nodes> nodes AZX_GUARDED_BY(mu);  // by cluster, in their order
  // own synchronisation; their threads use all of the above
  Askers askers;
  std::optional<RoundLoop> loop;  // set by the constructor

  // Asks what is to be asked in this round and was not yet; whether there was any.
  bool AskMore(std::set<std::pair<std::size_t, std::string>>& asked);
  void Begin(std::size_t cluster, const std::string& address, Known& known) AZX_REQUIRES(mu);
  void Round(std::int64_t most_ms, const std::stop_token& stop);
  void AskNode(std::size_t cluster, const std::string& address, const std::shared_ptr<Node>& node,
               const std::stop_token& stop);
  void Keep(std::size_t cluster, RedisFacts facts);
  std::set<std::string> AddressesLocked(std::size_t cluster) const AZX_REQUIRES(mu);
  void ForgetGone();
};

// Its configured addresses and what the nodes that answer announce. A configured address of a node
// that answers under its announced one is left alone.
std::set<std::string> RedisPoller::Impl::AddressesLocked(std::size_t cluster) const {
  std::set<std::string> all;
  std::map<std::string, std::string> by_id;
  for (const auto& [address, known] : nodes[cluster]) {
    if (!known.facts.view) continue;
    for (const RedisPeer& peer : known.facts.view->peers) {
      if (peer.address.empty() || peer.joining) continue;
      all.insert(peer.address);
      by_id[peer.id] = peer.address;
    }
  }
  for (const std::string& address : clusters[cluster].addresses) {
    const auto known = nodes[cluster].find(address);
    const auto announced =
        known == nodes[cluster].end() ? by_id.end() : by_id.find(known->second.facts.id);
    if (announced != by_id.end() && announced->second != address) {
      const auto twin = nodes[cluster].find(announced->second);
      if (twin != nodes[cluster].end() && twin->second.facts.up) continue;
    }
    all.insert(address);
  }
  return all;
}

bool RedisPoller::Impl::AskMore(std::set<std::pair<std::size_t, std::string>>& asked) {
  bool any = false;
  base::MutexLock lock(mu);
  for (std::size_t i = 0; i < clusters.size(); ++i) {
    for (const std::string& address : AddressesLocked(i)) {
      if (!asked.insert({i, address}).second) continue;
      Begin(i, address, nodes[i][address]);
      any = true;
    }
  }
  return any;
}

void RedisPoller::Impl::Begin(std::size_t cluster, const std::string& address, Known& known) {
  const std::int64_t now_ns = clock->SteadyNs();
  const bool begun = askers.Ask(std::to_string(cluster) + "/" + address,
                                [this, cluster, address, node = known.node](const auto& stop) {
                                  AskNode(cluster, address, node, stop);
                                });
  if (begun) {
    known.begun_ns = now_ns;
  } else if (now_ns - known.begun_ns > timeout_ms * 1'000'000) {
    // It hangs where no deadline reaches: what was known of it is old.
    known.facts = {.cluster = clusters[cluster].name,
                   .address = address,
                   .id = known.facts.id,
                   .asked_at_ms = clock->NowMs(),
                   .error = "no answer in time"};
  }
}

void RedisPoller::Impl::AskNode(std::size_t cluster, const std::string& address,
                                const std::shared_ptr<Node>& node, const std::stop_token& stop) {
  RedisFacts facts;
  facts.cluster = clusters[cluster].name;
  facts.address = address;
  facts.asked_at_ms = clock->NowMs();
  const auto asked = node->Ask(clusters[cluster], Deadline(*clock, timeout_ms, stop), facts);
  if (!asked) {
    // Half an answer is none.
    facts = {.cluster = facts.cluster, .address = address, .asked_at_ms = facts.asked_at_ms};
    facts.error = asked.error().message();
  }
  facts.up = asked.has_value();
  if (!stop.stop_requested()) Keep(cluster, std::move(facts));
}

void RedisPoller::Impl::Keep(std::size_t cluster, RedisFacts facts) {
  const std::string address = facts.address;
  const std::string error = facts.error;
  RedisFacts before;
  {
    base::MutexLock lock(mu);
    const auto found = nodes[cluster].find(address);
    if (found == nodes[cluster].end()) return;
    if (facts.id.empty()) facts.id = found->second.facts.id;
    before = std::exchange(found->second.facts, std::move(facts));
  }
  const std::string& name = clusters[cluster].name;
  if (!error.empty() && (before.asked_at_ms == 0 || before.up)) {
    log->Warn("Redis does not answer", {{"cluster", name}, {"address", address}, {"error", error}});
  } else if (error.empty() && before.asked_at_ms != 0 && !before.up) {
    log->Info("Redis answers again", {{"cluster", name}, {"address", address}});
  }
}

// Nodes that left their cluster.
void RedisPoller::Impl::ForgetGone() {
  std::set<std::string> kept;
  {
    base::MutexLock lock(mu);
    for (std::size_t i = 0; i < clusters.size(); ++i) {
      const auto& configured = clusters[i].addresses;
      const bool any = std::any_of(nodes[i].begin(), nodes[i].end(),
                                   [](const auto& entry) { return entry.second.facts.up; });
      std::set<std::string> there = AddressesLocked(i);
      // Where none answers, none is known to be gone.
      if (any) {
        there.insert(configured.begin(), configured.end());
        std::erase_if(nodes[i], [&](const auto& entry) { return !there.contains(entry.first); });
      }
      for (const auto& [address, known] : nodes[i]) kept.insert(std::to_string(i) + "/" + address);
    }
  }
  askers.KeepOnly(kept);
}

RedisPoller::RedisPoller(RedisPollerOptions options, const base::Clock& clock, base::Logger log)
    : impl_(std::make_unique<Impl>()) {
  impl_->clusters = std::move(options.clusters);
  impl_->timeout_ms = options.timeout_ms;
  impl_->clock = &clock;
  impl_->log = std::move(log);
  impl_->loop.emplace(options.interval_ms, options.timeout_ms, clock,
                      [impl = impl_.get()](std::int64_t most_ms, const std::stop_token& stop) {
                        impl->Round(most_ms, stop);
                      });
  base::MutexLock lock(impl_->mu);
  impl_->nodes.resize(impl_->clusters.size());
}

RedisPoller::~RedisPoller() { Stop(); }

// Asks all nodes, and those that are found by it, and waits for them, but no longer than this.
void RedisPoller::Impl::Round(std::int64_t most_ms, const std::stop_token& stop) {
  // How soon nodes that are found in this round are asked, where another one is slow.
  constexpr std::int64_t kLookMs = 50;
  const Deadline deadline(*clock, most_ms, stop);
  std::set<std::pair<std::size_t, std::string>> asked;
  for (;;) {
    const bool more = AskMore(asked);
    const bool idle = askers.WaitIdle(std::min(kLookMs, deadline.remaining_ms()));
    if ((idle && !more) || deadline.passed()) break;
  }
  ForgetGone();
}

void RedisPoller::PollNow() { impl_->loop->Now(); }

void RedisPoller::Start() { impl_->loop->Start(); }

void RedisPoller::Stop() { impl_->loop->Stop(); }

std::vector<RedisFacts> RedisPoller::Facts() const {
  std::vector<RedisFacts> all;
  base::MutexLock lock(impl_->mu);
  for (const Nodes& nodes : impl_->nodes) {
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

const std::vector<RedisCluster>& RedisPoller::clusters() const { return impl_->clusters; }

bool RedisPoller::asked_all() const {
  base::MutexLock lock(impl_->mu);
  for (std::size_t i = 0; i < impl_->clusters.size(); ++i) {
    for (const std::string& address : impl_->clusters[i].addresses) {
      const auto found = impl_->nodes[i].find(address);
      if (found == impl_->nodes[i].end() || found->second.facts.asked_at_ms == 0) return false;
    }
  }
  return true;
}

}  // namespace azexporter::db
