#include "azexporter/zones/replication.h"

#include <algorithm>

namespace azexporter::zones {
namespace {

// How long the last known position of a primary that went silent stands for its present one.
constexpr double kPositionHoldsSeconds = 120;

// What a busy machine, and the time until an answer comes, may add to an interval.
constexpr double kSlackSeconds = 1;

// What the two clocks are held against where the server's own setting is "never".
constexpr double kDefaultReceiverTimeoutSeconds = 60;

// Both clocks of the stream, as the header says.
bool IsAlive(const db::PostgresFacts& standby, const db::PostgresSender* sender) {
  const double timeout = standby.receiver_timeout_seconds > 0 ? standby.receiver_timeout_seconds
                                                              : kDefaultReceiverTimeoutSeconds;
  if (!standby.receiver_streaming || !standby.message_age_seconds) return false;
  if (*standby.message_age_seconds > timeout / 2 + kSlackSeconds) return false;
  if (sender == nullptr || !sender->reply_age_seconds) return true;
  // Without status messages it replies when it is asked, which the upstream does at half its own
  // time-out.
  const double longest =
      standby.status_interval_seconds > 0 ? 2 * standby.status_interval_seconds : timeout;
  return *sender->reply_age_seconds <= longest + kSlackSeconds;
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
std::optional<double> AgeOf(const db::PostgresFacts& standby, const db::PostgresSender* sender) {
  std::optional<double> age = AtLeastZero(standby.replay_age_seconds);
  const auto& most = standby.behind_at_most_seconds;
  if (!age || (most && *age > *most)) age = most;
  if (!age && sender != nullptr) age = sender->replay_lag_seconds;
  return Larger(age, standby.behind_at_least_seconds);
}

std::optional<double> BytesOf(const db::PostgresFacts& standby, const db::PostgresFacts* primary) {
  if (!standby.replay_lsn) return std::nullopt;
  if (primary != nullptr && primary->current_lsn) {
    const bool behind = *standby.replay_lsn < *primary->current_lsn;
    return behind ? static_cast<double>(*primary->current_lsn - *standby.replay_lsn) : 0;
  }
  const bool holds = standby.last_primary_lsn && *standby.replay_lsn < *standby.last_primary_lsn &&
                     standby.last_primary_age_seconds.value_or(0) <= kPositionHoldsSeconds;
  if (!holds) return std::nullopt;
  return static_cast<double>(*standby.last_primary_lsn - *standby.replay_lsn);
}

}  // namespace

Lag ReplicationLag(const db::PostgresFacts& standby, const db::PostgresFacts* primary) {
  Lag lag;
  if (!standby.up) {
    lag.stale = true;
    return lag;
  }
  const bool compared = primary != nullptr && primary->current_lsn && standby.replay_lsn;
  const db::PostgresSender* sender = primary == nullptr ? nullptr : db::SenderTo(standby, *primary);
  const std::optional<double> silence = AtLeastZero(standby.message_age_seconds);
  lag.bytes = BytesOf(standby, primary);
  if (compared && lag.bytes == 0) {
    lag.seconds = 0;
  } else if (IsAlive(standby, sender)) {
    const bool replayed = !compared && standby.receive_lsn && standby.replay_lsn &&
                          *standby.receive_lsn <= *standby.replay_lsn;
    lag.seconds = replayed ? silence : AgeOf(standby, sender);
  } else {
    lag.stale = !(compared && (standby.no_upstream || standby.rights_missing));
    lag.seconds = Larger(AgeOf(standby, sender), silence);
  }
  return lag;
}

const db::PostgresFacts* PrimaryOf(const db::PostgresFacts& standby,
                                   std::span<const db::PostgresFacts> all) {
  const db::PostgresFacts* only = nullptr;
  const db::PostgresFacts* sending = nullptr;
  int writable = 0;
  int senders = 0;
  for (const db::PostgresFacts& one : all) {
    if (one.cluster != standby.cluster || !one.up || one.in_recovery) continue;
    only = &one;
    ++writable;
    if (db::SenderTo(standby, one) == nullptr) continue;
    sending = &one;
    ++senders;
  }
  if (writable == 1) return only;
  return senders == 1 ? sending : nullptr;
}

}  // namespace azexporter::zones
