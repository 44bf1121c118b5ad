#pragma once

// How far a PostgreSQL standby is behind, without the two lies of the usual formula
// (CASE WHEN received = replayed THEN 0 ELSE now() - last replayed commit END): it reads 0 while
// the stream is cut, and it grows while the primary is merely idle.
//
//   standby   primary answered     what is known of the stream     seconds             stale
//   -------   ------------------   -----------------------------   -----------------   -----
//   down      any                  -                               none                yes
//   up        yes, replay >= its   any                             0                   no
//             position
//   up        yes, replay behind   alive, or none by intent        age                 no
//   up        yes, replay behind   cut                             the larger of age   yes
//                                                                  and silence
//   up        no                   alive, all received is          silence             no
//                                  replayed
//   up        no                   alive, replay behind received   age                 no
//   up        no                   cut, or none                    the larger of age   yes
//                                                                  and silence
//
// "Age": since the last replayed commit was made, but kept between the bounds that earlier rounds
// give (db::PrimaryHistory): without them an idle primary's first new write would count its whole
// idle time. So it grows from the round in which the primary was last known to be where the standby
// is. A standby that replayed no commit since its start has no such age; then the upper bound
// stands for it, else the primary's replay_lag. Where nothing is known at all there is none, never
// 0.
//
// "Alive" takes both clocks, with the thresholds of the servers' own settings:
//   - the standby runs a receiver, and heard from its upstream no longer ago than half of
//     wal_receiver_timeout and a second: after that half it asks an idle upstream for a reply
//     ("silence" is that age);
//   - the upstream, where it answers and its row for the standby is found, got a reply no longer
//     ago than two wal_receiver_status_intervals and a second. It is the faster one: 21 s against
//     31 s by default.
// Either row is gone after the time-outs of the servers: then the stream is cut, too.
//
// "None by intent": no primary_conninfo; the standby restores an archive. A standby that does not
// show its receiver, since the user lacks pg_monitor, is judged in the same way: by positions.
//
// Bytes are the primary's position minus what is replayed: exact where both answered in the same
// round, whatever the stream; a lower bound from the primary's last known position for two minutes
// after it was last seen, where the standby is behind even that; absent then. Seconds outlive them:
// they last while the standby answers. A stale lag is a lower bound.
//
// Of two primaries that one counts which sends to the standby; none where that cannot be told.
//
// Sources: postgresql.org/docs/18/monitoring-stats.html, /runtime-config-replication.html.

#include <optional>
#include <span>

#include "azexporter/db/postgres_facts.h"

namespace azexporter::zones {

struct Lag {
  std::optional<double> seconds;
  std::optional<double> bytes;
  bool stale = false;
};

// `standby` is in recovery; `primary` is the writable instance of its cluster as asked in the same
// round and before it, nullptr where none answered.
Lag ReplicationLag(const db::PostgresFacts& standby, const db::PostgresFacts* primary);

// The writable instance that the standby follows, as far as can be told; nullptr otherwise.
const db::PostgresFacts* PrimaryOf(const db::PostgresFacts& standby,
                                   std::span<const db::PostgresFacts> all);

}  // namespace azexporter::zones
