#include "redis.h"

#include <fmt/format.h>

#include <thread>
#include <utility>

#include "azexporter/base/mutex.h"
#include "azexporter/base/wait.h"
#include "servers/redis_nodes.h"

namespace azexporter::platform {

using base::ErrorCode;
using base::Fail;
using base::Result;
using servers::RedisNodes;

namespace {

constexpr std::int64_t kLookMs = 1'000;

bool IsLeader(const RedisNodes::Node& node) {
  return node.name.find("-leader-") != std::string::npos;
}

}  // namespace

struct Redis::Impl {
  Result<RedisNodes::Node*> Find(std::string_view name) AZX_REQUIRES(mu);
  bool GiveBackLocked() AZX_REQUIRES(mu);
  void Run(const std::stop_token& stop);

  // guarded by mu
  mutable base::Mutex mu;
  std::unique_ptr<RedisNodes> servers AZX_GUARDED_BY(mu);
  bool unsettled AZX_GUARDED_BY(mu) = false;  // a leader may have to get its slots back
  // last: it uses all of the above
  std::jthread thread;
};

Result<RedisNodes::Node*> Redis::Impl::Find(std::string_view name) {
  RedisNodes::Node* node = servers->Find(name);
  if (node != nullptr) return node;
  return Fail(ErrorCode::kNotFound, fmt::format("no Redis node \"{}\"", name));
}

// A leader that follows its follower takes over again once it has all data. Whether every leader
// that runs is a master.
bool Redis::Impl::GiveBackLocked() {
  bool settled = true;
  for (const RedisNodes::Node& node : servers->nodes()) {
    if (!IsLeader(node) || !node.server->running()) continue;
    const auto info = node.server->Run({"INFO", "replication"});
    if (info && info->find("role:master") != std::string::npos) continue;
    settled = false;
    if (info && info->find("master_link_status:up") != std::string::npos) {
      node.server->Run({"CLUSTER", "FAILOVER"});
    }
  }
  return settled;
}

void Redis::Impl::Run(const std::stop_token& stop) {
  // A node that was away calls itself master until its peers tell it otherwise.
  constexpr int kSettledLooks = 15;
  int settled = 0;
  while (base::WaitFor(stop, kLookMs)) {
    base::MutexLock lock(mu);
    if (!unsettled) continue;
    settled = GiveBackLocked() ? settled + 1 : 0;
    if (settled < kSettledLooks) continue;
    settled = 0;
    unsettled = false;
  }
}

Redis::Redis(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Redis::~Redis() = default;

Result<std::unique_ptr<Redis>> Redis::Start(const std::string& cluster,
                                            const std::vector<std::string>& zones) {
  auto impl = std::make_unique<Impl>();
  {
    base::MutexLock lock(impl->mu);
    AZX_ASSIGN_OR_RETURN(impl->servers, RedisNodes::Start(cluster, zones));
  }
  impl->thread = std::jthread([raw = impl.get()](std::stop_token stop) { raw->Run(stop); });
  return std::unique_ptr<Redis>(new Redis(std::move(impl)));
}

std::vector<RedisView> Redis::View() const {
  base::MutexLock lock(impl_->mu);
  std::vector<RedisView> views;
  for (const RedisNodes::Node& node : impl_->servers->nodes()) {
    views.push_back({node.name, node.zone, node.address(), node.server->running()});
  }
  return views;
}

bool Redis::Has(std::string_view node) const {
  base::MutexLock lock(impl_->mu);
  return impl_->servers->Find(node) != nullptr;
}

Result<void> Redis::StopServer(std::string_view name) {
  base::MutexLock lock(impl_->mu);
  AZX_ASSIGN_OR_RETURN(const RedisNodes::Node* node, impl_->Find(name));
  node->server->Kill();
  return {};
}

Result<void> Redis::StartServer(std::string_view name) {
  base::MutexLock lock(impl_->mu);
  AZX_ASSIGN_OR_RETURN(const RedisNodes::Node* node, impl_->Find(name));
  impl_->unsettled = true;
  if (node->server->Start()) return {};
  return Fail(ErrorCode::kExecution, fmt::format("{} did not start", name));
}

void Redis::LoseZone(const std::string& zone) {
  base::MutexLock lock(impl_->mu);
  impl_->servers->LoseZone(zone);
}

void Redis::RestoreZone(const std::string& zone) {
  base::MutexLock lock(impl_->mu);
  impl_->servers->RestoreZone(zone);
  impl_->unsettled = true;
}

}  // namespace azexporter::platform
