#include "askers.h"

#include <chrono>
#include <thread>
#include <utility>
#include <vector>

namespace azexporter::db {

// `job` is guarded by the mutex of its Askers.
struct Askers::Asker {
  Job job;  // empty: none is to be done, and none runs
  base::CondVar wake;
  std::jthread thread;  // last: it uses all of the above
};

Askers::Askers() = default;

Askers::~Askers() {
  std::map<std::string, std::unique_ptr<Asker>> askers;
  {
    base::MutexLock lock(mu_);
    askers.swap(askers_);
  }
  for (const auto& [server, asker] : askers) asker->thread.request_stop();
}

bool Askers::Ask(const std::string& server, Job job) {
  base::MutexLock lock(mu_);
  std::unique_ptr<Asker>& asker = askers_[server];
  if (asker == nullptr) {
    asker = std::make_unique<Asker>();
    asker->thread = std::jthread([this, self = asker.get()](const std::stop_token& stop) {
      for (;;) {
        Job mine;
        {
          base::MutexLock waiting(mu_);
          if (!self->wake.wait(mu_, stop, [self] { return static_cast<bool>(self->job); })) return;
          mine = self->job;
        }
        mine(stop);
        base::MutexLock done(mu_);
        self->job = nullptr;
        if (--running_ == 0) idle_.notify_all();
      }
    });
  }
  if (asker->job) return false;
  asker->job = std::move(job);
  ++running_;
  asker->wake.notify_one();
  return true;
}

bool Askers::WaitIdle(std::int64_t ms) {
  base::MutexLock lock(mu_);
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(ms);
  return idle_.wait_until(mu_, end, [this]() AZX_REQUIRES(mu_) { return running_ == 0; });
}

void Askers::KeepOnly(const std::set<std::string>& servers) {
  std::vector<std::unique_ptr<Asker>> ended;  // outlives the lock, which their threads take
  base::MutexLock lock(mu_);
  for (auto it = askers_.begin(); it != askers_.end();) {
    if (servers.contains(it->first) || it->second->job) {
      ++it;
      continue;
    }
    it->second->thread.request_stop();
    ended.push_back(std::move(it->second));
    it = askers_.erase(it);
  }
}

}  // namespace azexporter::db
