#pragma once

// How far a PostgreSQL standby is behind, without the two lies of the usual formula
// (CASE WHEN received = replayed THEN 0 ELSE now() - last replayed commit END): it reads 0 while
// the stream is cut, and it grows while the primary is merely idle.
//
//   standby    primary answered     what the standby sees         lag                        stale
//   --------   ------------------   ---------------------------   ------------------------   -----
//   down       any                  -                             none                       yes
//   up         yes, replay >= its   any                           0                          no
//              position
//   up         yes, replay behind   streaming                     age                        no
//   up         yes, replay behind   not streaming, or silent      the larger of age and      yes
//                                                                 silence
//   up         no                   streaming and heard from,     0                          no
//                                   all received is replayed
//   up         no                   streaming and heard from,     age                        no
//                                   replay behind received
//   up         no                   not streaming, or silent      the larger of age and      yes
//                                                                 silence
//
// "Age": since the last replayed commit was made, but kept between the bounds that earlier rounds
// give (db::PrimaryHistory): without them an idle primary's first new write would count its whole
// idle time. A standby that replayed no commit since its start has no such age; then the upper
// bound stands for it. Where nothing is known at all there is no lag, never 0.
//
// "Silent": longer than half of wal_receiver_timeout, after which a live receiver would have asked
// the primary for a reply. A stale lag is a lower bound.
//
// Sources: postgresql.org/docs/15/monitoring-stats.html, /runtime-config-replication.html.

#include <optional>
#include <span>

#include "azexporter/db/postgres.h"

namespace azexporter::zones {

struct Lag {
  std::optional<double> seconds;
  std::optional<double> bytes;
  bool stale = false;
};

// `standby` is in recovery; `primary` is the writable instance of its cluster as asked in the same
// round and before it, nullptr where none answered.
Lag ReplicationLag(const db::PostgresFacts& standby, const db::PostgresFacts* primary);

}  // namespace azexporter::zones
