#pragma once

// The platform's PostgreSQL cluster, for real: one server a zone, the first one the primary, the
// others streaming from it. Between the servers, and between them and whoever asks them, lies a
// network that can fail by zone or for one stream.
//
// Who is primary is decided by commands, as an operator would give them: nothing fails over by
// itself. A small writer keeps the primary busy, so that a standby that is cut off falls behind.
//
// Thread safety: thread-safe; one command at a time.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/base/result.h"

namespace azexporter::platform {

struct DatabaseView {
  std::string name;  // "postgres-cluster-1"
  std::string zone;
  std::string dsn;  // through the network that can fail
  bool running = false;
  bool primary = false;  // the one that was last made primary
};

class Databases {
 public:
  // Whether PostgreSQL is installed here.
  static bool Installed();

  // One instance a zone, named CLUSTER-1, CLUSTER-2 ... Takes some seconds. kUnavailable when a
  // server does not come up.
  static base::Result<std::unique_ptr<Databases>> Start(const std::string& cluster,
                                                        const std::vector<std::string>& zones);
  ~Databases();
  Databases(const Databases&) = delete;
  Databases& operator=(const Databases&) = delete;

  std::vector<DatabaseView> View() const;

  // What each word of the scenario language does. kNotFound for an unknown instance, kExecution
  // when the server refuses.
  base::Result<void> StopServer(std::string_view instance);
  base::Result<void> StartServer(std::string_view instance);
  // Makes a standby the primary; the other running standbys follow it, copied anew where they had
  // received more. A primary that still runs stays one: that is what a split brain is. To hand over
  // without one, stop it first.
  base::Result<void> Promote(std::string_view instance);
  // Makes an instance a fresh standby of the present primary.
  base::Result<void> Rejoin(std::string_view instance);
  base::Result<void> PauseReplay(std::string_view instance);
  base::Result<void> ResumeReplay(std::string_view instance);
  // The stream from the primary carries nothing any more, as in a partition; and again.
  base::Result<void> CutStream(std::string_view instance);
  base::Result<void> JoinStream(std::string_view instance);

  // Everything to and from the instances of the zone is swallowed; and again delivered.
  void LoseZone(std::string_view zone);
  void RestoreZone(std::string_view zone);

 private:
  struct Impl;
  explicit Databases(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace azexporter::platform
