#pragma once

// What a report comes to, in sentences: what is broken, what is at risk, what is worth knowing.
// --check, the status page and /api/v1/zones show these, and none of them judges for itself.
//
//   critical   a zone in full disruption or missing; a database that is split or has no writable
//              instance; Redis slots that nobody serves; what could not be asked
//   warning    a zone in partial disruption; ready nodes that do not renew their Leases; a zone
//              whose loss would not be survived; a violated hard spread constraint or
//              anti-affinity; a broken disruption budget; pods that only a dead zone keeps from
//              being placed; a zone that a load balancer took out of DNS; a claim that lost its
//              volume; a health endpoint that is down or no URL; a lag that is only a lower bound;
//              a standby that cannot follow; a slot that loses log; a Redis node that its peers
//              call failed, or nodes that see different clusters; a namespace that is watched and
//              has nothing in it
//   unknown    what is needed for a verdict and could not be read; a namespace that is asked for
//              and not watched
//   note       all else: lost redundancy, soft constraints, missing ones, evacuations
//
// What is found about a zone under maintenance is a note.
//
// Thread safety: values; the functions are pure.

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/zones/zone_report.h"

namespace azexporter::zones {

// In order of badness.
enum class Severity { kNote, kUnknown, kWarning, kCritical };
std::string_view SeverityName(Severity severity);  // "note"

// What a finding is about: what --only takes.
enum class Topic {
  kSources,
  kZones,
  kHealth,
  kLoss,
  kSpread,
  kBudgets,
  kPending,
  kServices,
  kVolumes,
  kDatabases,
  kAlerts,
};
std::string_view TopicName(Topic topic);  // "sources"
std::optional<Topic> TopicOf(std::string_view name);
// In order.
std::span<const Topic> AllTopics();

struct Finding {
  Severity severity = Severity::kNote;
  Topic topic = Topic::kZones;
  std::string zone;          // empty: of none, or of all
  std::string ns;            // empty: of the cluster
  std::string object;        // "Deployment web"; may be empty
  std::string text;          // a sentence without a full stop, complete by itself
  bool unreachable = false;  // it is that something could not be asked

  bool operator==(const Finding&) const = default;
};

// What somebody wants to hear of. Of sources everybody hears: what could not be asked may be
// anything.
struct Scope {
  std::set<Topic> only;  // empty: all
  std::string zone;      // empty: all; else only what is of that zone
  std::string ns;  // empty: all; else only what is of that namespace, losses of zones included

  bool Covers(const Finding& finding) const;
  bool operator==(const Scope&) const = default;
};

// Worst first; of the same severity by topic, then zone, namespace and object.
std::vector<Finding> FindingsOf(const ZoneReport& report, const Scope& scope = {});
void SortFindings(std::vector<Finding>& findings);

// The largest skew over zones of any workload, against the zones there should be where they are
// known; of the namespace of the scope. Absent where nothing is to be spread over zones.
std::optional<std::int64_t> LargestZoneSkew(const ZoneReport& report, const Scope& scope = {});

// The findings about a zone under maintenance become notes. For findings that are added to those of
// FindingsOf, where it is done already.
void HeedMaintenance(const ZoneReport& report, std::vector<Finding>& findings);

}  // namespace azexporter::zones
