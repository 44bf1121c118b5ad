#include "azexporter/db/primary_history.h"

#include <algorithm>
#include <iterator>

namespace azexporter::db {

void PrimaryHistory::Add(std::int64_t time_ns, Lsn position) {
  if (!entries_.empty() && position < entries_.back().position) entries_.clear();
  if (!entries_.empty() && position == entries_.back().position) {
    entries_.back().last_ns = time_ns;
    return;
  }
  // A day at the default interval. The oldest half goes at once, so that this stays cheap.
  constexpr std::size_t kMostEntries = 6'000;
  if (entries_.size() >= kMostEntries) {
    entries_.erase(entries_.begin(), entries_.begin() + kMostEntries / 2);
  }
  entries_.push_back({time_ns, time_ns, position});
}

void PrimaryHistory::Bound(std::int64_t now_ns, Lsn replayed, PostgresFacts& standby) const {
  const auto seconds_since = [now_ns](std::int64_t then_ns) {
    return static_cast<double>(now_ns - then_ns) / 1e9;
  };
  const auto beyond =
      std::upper_bound(entries_.begin(), entries_.end(), replayed,
                       [](Lsn position, const Entry& entry) { return position < entry.position; });
  if (beyond != entries_.end()) standby.behind_at_least_seconds = seconds_since(beyond->first_ns);
  if (beyond != entries_.begin()) {
    standby.behind_at_most_seconds = seconds_since(std::prev(beyond)->last_ns);
  }
  if (entries_.empty()) return;
  standby.last_primary_lsn = entries_.back().position;
  standby.last_primary_age_seconds = seconds_since(entries_.back().last_ns);
}

void FailoverWatch::See(std::int64_t time_ns, const std::string& primary) {
  if (!primary_.empty() && primary != primary_) {
    ++failovers_.count;
    failovers_.last_seconds = static_cast<double>(time_ns - seen_ns_) / 1e9;
  }
  primary_ = primary;
  seen_ns_ = time_ns;
}

}  // namespace azexporter::db
