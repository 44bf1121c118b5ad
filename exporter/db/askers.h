#pragma once

// A thread of its own for each server that is asked, so that one which hangs, be it in the resolver
// of names, costs itself and nothing else. Private to `db`.
//
// Thread safety: thread-safe.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <stop_token>
#include <string>

#include "azexporter/base/mutex.h"

namespace azexporter::db {

class Askers {
 public:
  // Its waits end when the token is stopped.
  using Job = std::function<void(const std::stop_token&)>;

  Askers();
  // Stops the jobs that run, and waits for them.
  ~Askers();
  Askers(const Askers&) = delete;
  Askers& operator=(const Askers&) = delete;

  // Runs the job in the thread of `server`. False, and nothing is done, while its last one runs.
  bool Ask(const std::string& server, Job job);
  // Waits until no job runs: true; or for `ms`: false.
  bool WaitIdle(std::int64_t ms);
  // Ends the threads of all other servers that have no job now.
  void KeepOnly(const std::set<std::string>& servers);

 private:
  struct Asker;

  // own synchronisation
  base::CondVar idle_;
  // guarded by mu_
  base::Mutex mu_;
  int running_ AZX_GUARDED_BY(mu_) = 0;
  std::map<std::string, std::unique_ptr<Asker>> askers_ AZX_GUARDED_BY(mu_);
};

}  // namespace azexporter::db
