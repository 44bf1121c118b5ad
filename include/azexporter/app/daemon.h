#pragma once

// The daemon: everything started in order, kept running, and stopped in the reverse order.

#include <functional>
#include <memory>
#include <stop_token>

#include "azexporter/app/flags.h"
#include "azexporter/app/observer.h"
#include "azexporter/base/clock.h"
#include "azexporter/base/logger.h"
#include "azexporter/base/result.h"

namespace azexporter::app {

struct DaemonDeps {
  const base::Clock& clock;  // must outlive the daemon
  base::Logger log;
  Surroundings surroundings;
};

// Thread safety: Create and Run on one thread; Reload and url from any.
class Daemon {
 public:
  // Loads the configuration and the rules, finds the cluster, binds the port. Errors are what the
  // user has to mend before it can start.
  static base::Result<std::unique_ptr<Daemon>> Create(const Flags& flags, DaemonDeps deps);
  ~Daemon();

  // Runs until `stop` is requested.
  void Run(std::stop_token stop);
  // Loads configuration and rules again. On an error the old ones stay.
  base::Result<void> Reload();

  std::string url() const;

 private:
  struct Impl;
  explicit Daemon(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace azexporter::app
