#include "azexporter/zones/postgres.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "azexporter/base/text.h"
#include "azexporter/zones/replication.h"

namespace azexporter::zones {
namespace {

using db::PostgresFacts;

// The instances of one database cluster that answer.
struct Members {
  std::vector<const PostgresFacts*> primaries;
  std::vector<const PostgresFacts*> standbys;
};

std::map<std::string, Members> Group(std::span<const PostgresFacts> all) {
  std::map<std::string, Members> clusters;
  for (const PostgresFacts& facts : all) {
    Members& members = clusters[facts.cluster];
    if (facts.up) (facts.in_recovery ? members.standbys : members.primaries).push_back(&facts);
  }
  return clusters;
}

bool Confirms(const db::PostgresSender& sender) {
  return sender.sync_state == "sync" || sender.sync_state == "quorum";
}

// Whether each confirmed commit is on a standby outside the zone of `primary`.
bool SafeElsewhere(const PostgresFacts& primary, const Members& members) {
  const auto confirming = std::count_if(primary.senders.begin(), primary.senders.end(), Confirms);
  std::ptrdiff_t elsewhere = 0;
  for (const PostgresFacts* standby : members.standbys) {
    const db::PostgresSender* sender = db::SenderTo(*standby, primary);
    const bool other = !standby->zone.empty() && standby->zone != primary.zone;
    if (sender != nullptr && Confirms(*sender) && other) ++elsewhere;
  }
  // A commit is confirmed by so many of them, perhaps by all that share the zone first.
  return SyncRequired(primary.synchronous_standby_names) > confirming - elsewhere && elsewhere > 0;
}

// The standby outside the zone that received most of those that still receive.
const PostgresFacts* Successor(const Members& members, std::string_view lost_zone) {
  const PostgresFacts* best = nullptr;
  for (const PostgresFacts* standby : members.standbys) {
    // One that does not show its receiver may have one.
    const bool streams = standby->receiver_streaming || standby->rights_missing;
    if (standby->zone == lost_zone || !streams) continue;
    if (best == nullptr || standby->receive_lsn > best->receive_lsn) best = standby;
  }
  return best;
}

std::optional<double> LossBytes(const PostgresFacts& primary, const PostgresFacts* successor) {
  if (successor == nullptr || !primary.current_lsn || !successor->receive_lsn) return std::nullopt;
  return *primary.current_lsn > *successor->receive_lsn
             ? static_cast<double>(*primary.current_lsn - *successor->receive_lsn)
             : 0;
}

LossFinding PrimaryFinding(const std::string& object, const PostgresFacts& primary,
                           const Members& members) {
  const PostgresFacts* successor = Successor(members, primary.zone);
  const auto finding = [&](bool blocker, std::string text) {
    return LossFinding{LossReason::kDatabase, blocker, "", object,
                       "its primary is there" + std::move(text)};
  };
  if (successor == nullptr) {
    const bool others = std::any_of(members.standbys.begin(), members.standbys.end(),
                                    [&](const auto* one) { return one->zone != primary.zone; });
    return finding(
        true, others ? ", and no standby elsewhere is streaming" : ", and no standby elsewhere");
  }
  const std::string who =
      fmt::format("; {} in {} could take over", successor->instance, successor->zone);
  if (SyncRequired(primary.synchronous_standby_names) == 0) {
    const auto bytes = LossBytes(primary, successor);
    return finding(false, who + ", without the last commits, since replication is asynchronous" +
                              (bytes ? fmt::format(" ({:.0f} bytes now)", *bytes) : ""));
  }
  if (primary.rights_missing) {
    return finding(false, who + "; whether without losing a commit is not shown to azexporter");
  }
  if (SafeElsewhere(primary, members)) return finding(false, who + " without losing a commit");
  return finding(true, ", and no standby elsewhere is sure to have all that was confirmed");
}

bool Diverged(const PostgresFacts& standby, const PostgresFacts& primary) {
  if (standby.system_identifier != primary.system_identifier) return true;
  return standby.timeline != 0 && primary.timeline != 0 && standby.timeline != primary.timeline;
}

DatabaseStatus JudgeInstance(const PostgresFacts& facts, std::span<const PostgresFacts> all) {
  DatabaseStatus status{.cluster = facts.cluster,
                        .instance = facts.instance,
                        .zone = facts.zone,
                        .up = facts.up,
                        .error = facts.error,
                        .facts = facts};
  if (!facts.up) return status;
  status.role = facts.in_recovery ? DatabaseRole::kStandby : DatabaseRole::kPrimary;
  if (status.role == DatabaseRole::kPrimary) return status;
  const PostgresFacts* primary = PrimaryOf(facts, all);
  const Lag lag = ReplicationLag(facts, primary);
  status.lag_seconds = lag.seconds;
  status.lag_bytes = lag.bytes;
  status.lag_stale = lag.stale;
  if (primary == nullptr) return status;
  status.diverged = Diverged(facts, *primary);
  if (const auto* sender = db::SenderTo(facts, *primary)) status.sync_state = sender->sync_state;
  return status;
}

}  // namespace

std::string_view DatabaseRoleName(DatabaseRole role) {
  switch (role) {
    case DatabaseRole::kPrimary:
      return "primary";
    case DatabaseRole::kStandby:
      return "standby";
    case DatabaseRole::kUnknown:
      return "unknown";
  }
  return "unknown";
}

int SyncRequired(std::string_view setting) {
  std::string text = base::Lower(std::string(base::Trim(setting)));
  if (text.empty()) return 0;
  for (const std::string_view method : {"first ", "any "}) {
    if (text.starts_with(method)) text.erase(0, method.size());
  }
  const std::string_view rest = base::Trim(text);
  int number = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  // A list of names without a number waits for one of them; a name may begin with a digit.
  const bool counted =
      error == std::errc() &&
      base::Trim(std::string_view(end, rest.data() + rest.size())).starts_with('(');
  return counted ? number : 1;
}

std::vector<DatabaseStatus> JudgeInstances(std::span<const PostgresFacts> all) {
  std::vector<DatabaseStatus> statuses;
  for (const PostgresFacts& facts : all) statuses.push_back(JudgeInstance(facts, all));
  return statuses;
}

std::vector<PostgresStatus> JudgePostgres(
    std::span<const PostgresFacts> all,
    const std::map<std::string, db::PostgresFailovers>& failovers) {
  std::vector<PostgresStatus> statuses;
  for (const auto& [name, members] : Group(all)) {
    PostgresStatus& status = statuses.emplace_back();
    status.cluster = name;
    status.primaries = static_cast<int>(members.primaries.size());
    const auto configured = std::count_if(all.begin(), all.end(), [&](const PostgresFacts& facts) {
      return facts.cluster == status.cluster;
    });
    status.standbys_expected = static_cast<int>(configured) - 1;
    status.standbys_streaming = static_cast<int>(
        std::count_if(members.standbys.begin(), members.standbys.end(),
                      [](const PostgresFacts* one) { return one->receiver_streaming; }));
    const auto counted = failovers.find(name);
    if (counted != failovers.end()) status.failovers = counted->second;
    if (members.primaries.size() != 1) continue;
    const PostgresFacts& primary = *members.primaries[0];
    status.sync_required = SyncRequired(primary.synchronous_standby_names);
    if (primary.zone.empty()) continue;
    status.primary_zone = primary.zone;
    if (!primary.rights_missing) status.sync_other_zone = SafeElsewhere(primary, members);
    status.loss_bytes = LossBytes(primary, Successor(members, primary.zone));
  }
  return statuses;
}

std::vector<LossFinding> PostgresFindings(std::span<const PostgresFacts> all,
                                          std::string_view zone) {
  std::vector<LossFinding> findings;
  for (const auto& [name, members] : Group(all)) {
    const std::string object = "database " + name;
    const auto there = [&](const PostgresFacts* one) { return one->zone == zone; };
    const auto primary = std::find_if(members.primaries.begin(), members.primaries.end(), there);
    if (primary != members.primaries.end() &&
        !std::all_of(members.primaries.begin(), members.primaries.end(), there)) {
      findings.push_back(
          {LossReason::kDatabase, false, "", object, "is split: another primary would be left"});
    } else if (primary != members.primaries.end()) {
      findings.push_back(PrimaryFinding(object, **primary, members));
    } else if (!members.standbys.empty() &&
               std::all_of(members.standbys.begin(), members.standbys.end(), there)) {
      findings.push_back(
          {LossReason::kDatabase, false, "", object, "would be left without a standby"});
    }
  }
  return findings;
}

}  // namespace azexporter::zones
