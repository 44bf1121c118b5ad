#include "azexporter/zones/replication.h"

#include <algorithm>

namespace azexporter::zones {
namespace {

// A live stream: the receiver runs, and its upstream was heard of lately.
bool IsStreaming(const db::PostgresFacts& standby) {
  return standby.receiver_streaming && standby.message_age_seconds &&
         *standby.message_age_seconds <= standby.receiver_timeout_seconds / 2;
}

// Clocks of two zones may disagree by a little: an age never goes below zero.
std::optional<double> AtLeastZero(std::optional<double> seconds) {
  return seconds ? std::optional(std::max(*seconds, 0.0)) : std::nullopt;
}

std::optional<double> Larger(std::optional<double> a, std::optional<double> b) {
  if (a && b) return std::max(*a, *b);
  return a ? a : b;
}

// How old what the standby shows is, when it is behind.
std::optional<double> AgeOf(const db::PostgresFacts& standby) {
  std::optional<double> age = AtLeastZero(standby.replay_age_seconds);
  const auto& most = standby.behind_at_most_seconds;
  if (!age || (most && *age > *most)) age = most;
  return Larger(age, standby.behind_at_least_seconds);
}

}  // namespace

Lag ReplicationLag(const db::PostgresFacts& standby, const db::PostgresFacts* primary) {
  Lag lag;
  if (!standby.up) {
    lag.stale = true;
    return lag;
  }
  bool caught_up = false;
  if (primary != nullptr && primary->current_lsn && standby.replay_lsn) {
    const bool behind = *standby.replay_lsn < *primary->current_lsn;
    lag.bytes = behind ? static_cast<double>(*primary->current_lsn - *standby.replay_lsn) : 0;
    caught_up = !behind;
  } else if (IsStreaming(standby) && standby.receive_lsn && standby.replay_lsn) {
    caught_up = *standby.receive_lsn <= *standby.replay_lsn;
  }
  if (caught_up) {
    lag.seconds = 0;
  } else if (IsStreaming(standby)) {
    lag.seconds = AgeOf(standby);
  } else {
    lag.stale = true;
    lag.seconds = Larger(AgeOf(standby), AtLeastZero(standby.message_age_seconds));
  }
  return lag;
}

}  // namespace azexporter::zones
