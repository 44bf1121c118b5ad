#pragma once

// What was seen of the primaries of a database cluster over the rounds: where they wrote, and when
// another one took over.
//
// Thread safety: thread-compatible.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "azexporter/db/postgres_facts.h"

namespace azexporter::db {

// Where the primary of one database cluster wrote at which time. Gives the times between which a
// replayed position was current, whatever the commits were: an idle primary adds no lag.
class PrimaryHistory {
 public:
  // REQUIRES: time_ns does not run backwards. A position behind the last one (another server, a
  // restored one) starts the history anew.
  void Add(std::int64_t time_ns, Lsn position);
  // Sets what is known of a standby that replayed up to `replayed`, as of `now_ns`: both bounds,
  // and where the primary was last seen.
  void Bound(std::int64_t now_ns, Lsn replayed, PostgresFacts& standby) const;

 private:
  struct Entry {
    std::int64_t first_ns;  // the position was seen from here
    std::int64_t last_ns;   // to here
    Lsn position;
  };
  std::vector<Entry> entries_;  // positions rise
};

// Counts failovers by who is writable, without writing anything.
class FailoverWatch {
 public:
  // The one writable instance of a round. Rounds in which there is none, or more than one, tell
  // nothing of a failover yet.
  void See(std::int64_t time_ns, const std::string& primary);

  const PostgresFailovers& failovers() const { return failovers_; }

 private:
  std::string primary_;  // empty: none was seen
  std::int64_t seen_ns_ = 0;
  PostgresFailovers failovers_;
};

}  // namespace azexporter::db
