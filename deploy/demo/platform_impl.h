#pragma once

// The inside of Platform, shared by the files that make it up: platform.cc starts and stops it,
// platform_commands.cc carries out commands, platform_control.cc speaks HTTP.

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "azexporter/base/mutex.h"
#include "commands.h"
#include "controllers/controllers.h"
#include "databases.h"
#include "platform.h"
#include "redis.h"
#include "simulator/api_server.h"
#include "zone_endpoint.h"

namespace azexporter::platform {

struct Platform::Impl {
  explicit Impl(const base::Clock& platform_clock)
      : clock(platform_clock), store({.clock = clock}), world{.store = store, .clock = clock} {}

  // --- platform.cc
  base::Result<void> StartEndpoints(const PlatformOptions& options);
  base::Result<void> Build(const PlatformOptions& options);
  void RunControllers(const std::stop_token& stop);
  void SettleLocked() AZX_REQUIRES(mu);
  // Database servers end with their pods, and are back with them.
  void FollowPodsLocked() AZX_REQUIRES(mu);
  void FollowRedisPodsLocked() AZX_REQUIRES(mu);
  // Labels, readiness and the Cluster's status tell what the servers are.
  void ShowDatabasesLocked() AZX_REQUIRES(mu);

  // --- platform_commands.cc
  base::Result<void> Do(std::string_view line);
  base::Result<void> CarryOutLocked(const Command& command) AZX_REQUIRES(mu);
  base::Result<void> ZoneCommandLocked(const Command& command) AZX_REQUIRES(mu);
  base::Result<void> NodeCommandLocked(const Command& command) AZX_REQUIRES(mu);
  base::Result<void> DatabaseCommandLocked(const Command& command) AZX_REQUIRES(mu);
  base::Result<void> ApiCommandLocked(const Command& command) AZX_REQUIRES(mu);
  base::Result<void> ScaleLocked(const Command& command) AZX_REQUIRES(mu);
  base::Result<void> PodCommandLocked(const Command& command) AZX_REQUIRES(mu);
  base::Result<ZoneEndpoint*> Endpoint(std::string_view zone);
  void RemoveNodesLocked(std::string_view zone) AZX_REQUIRES(mu);
  void RestoreNodesLocked(std::string_view zone) AZX_REQUIRES(mu);

  // --- platform_control.cc
  simulator::HttpResponse Control(const simulator::HttpRequest& request);
  simulator::Json Describe();

  // Constant after construction and Start.
  const base::Clock& clock;
  std::map<std::string, std::unique_ptr<ZoneEndpoint>, std::less<>> endpoints;
  std::unique_ptr<Databases> databases;
  std::unique_ptr<Redis> redis;  // there with the databases
  bool documented = true;        // the documented region, and not a large one
  bool node_leases = false;      // its nodes renew Leases

  // Own synchronisation.
  simulator::Store store;

  // Guarded by mu: one command, or one look of the controllers, at a time.
  base::Mutex mu;
  World world AZX_GUARDED_BY(mu);
  std::set<std::string, std::less<>> lost_zones AZX_GUARDED_BY(mu);
  std::map<std::string, std::vector<simulator::Json>, std::less<>> removed_nodes AZX_GUARDED_BY(mu);
  std::set<std::string> ended_with_pod AZX_GUARDED_BY(mu);  // database instances, Redis nodes
  std::optional<simulator::Store::Checkpoint> checkpoint AZX_GUARDED_BY(mu);

  // Last, in the order of their start: their threads use all of the above.
  std::unique_ptr<simulator::ApiServer> api;
  std::unique_ptr<simulator::HttpServer> control;
  std::jthread controllers;
};

}  // namespace azexporter::platform
