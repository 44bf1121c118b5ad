#pragma once

// azexporter_*: what azexporter says about itself. Counters live in a prometheus-cpp registry;
// everything that can be read off elsewhere (collector runs, watch health) is added at each round.
//
// Thread safety: thread-safe.

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/collect/snapshot.h"
#include "azexporter/kube/cluster_state.h"
#include "azexporter/model/metric_family.h"

namespace prometheus {
class Registry;
}

namespace azexporter::collect {

// What was told to Alertmanagers since the start.
struct NotificationCounts {
  struct PerAlertmanager {
    std::string url;
    std::uint64_t sent = 0;
    std::uint64_t errors = 0;
    // Exchanges by how long they took: one for each bound, then those beyond the last. Empty: not
    // told.
    std::vector<std::uint64_t> latency_counts = {};
    double latency_sum_seconds = 0;
  };
  std::vector<PerAlertmanager> alertmanagers;
  std::uint64_t dropped = 0;
  std::size_t queue_length = 0;
  std::size_t queue_capacity = 0;
  std::vector<double> latency_bounds_seconds = {};  // of every Alertmanager alike
};

// Why a remote write request, or a sample of one, was not stored.
enum class RemoteWriteReason {
  kNone,
  kEncoding,         // a Content-Type or Content-Encoding that is not taken
  kMalformed,        // no snappy, no protobuf, or labels that are not allowed
  kOutOfOrder,       // the series has a newer sample
  kDuplicate,        // the series has another value at that time
  kTooOld,           // older than what the store keeps
  kTooFarAhead,      // later than the clock by more than ten minutes
  kNativeHistogram,  // that is none: negative counts, buckets that do not fit
  kStore,            // the store failed
};
inline constexpr std::size_t kRemoteWriteReasons = 9;
std::string_view RemoteWriteReasonName(RemoteWriteReason reason);

// What came in by remote write since the start.
struct RemoteWriteCounts {
  std::uint64_t requests = 0;
  std::uint64_t samples = 0;                                    // stored
  std::array<std::uint64_t, kRemoteWriteReasons> refused = {};  // requests, by reason
  std::array<std::uint64_t, kRemoteWriteReasons> dropped = {};  // samples of others, by reason
};

// What was sent on to one server by remote write since the start.
struct RemoteStorageCounts {
  std::string name;
  std::string url;
  std::uint64_t samples = 0;
  std::uint64_t samples_failed = 0;
  std::uint64_t samples_retried = 0;
  std::uint64_t dropped_queue_full = 0;
  std::uint64_t dropped_too_old = 0;
  std::uint64_t dropped_relabel = 0;
  std::uint64_t dropped_shutdown = 0;
  std::uint64_t dropped_native_histogram = 0;
  std::uint64_t metadata = 0;
  std::uint64_t metadata_failed = 0;
  std::uint64_t bytes = 0;
  std::size_t pending = 0;
  std::size_t capacity = 0;
  std::int64_t highest_ms = 0;
  std::int64_t highest_sent_ms = 0;
};

// How what is to outlive a restart was written to disk since the start.
struct StateCounts {
  std::uint64_t writes = 0;
  std::uint64_t failures = 0;
  std::int64_t last_write_ms = 0;  // wall time; 0: never
};

class SelfMetrics {
 public:
  SelfMetrics(std::string_view version, std::string_view revision);
  ~SelfMetrics();

  // Other modules' counters live here too.
  prometheus::Registry& registry();

  // Notes the outcome of a round: its collectors, and how current each watched resource is.
  void Record(const Snapshot& snapshot, const kube::ClusterState& cluster);
  // How many PrometheusRule objects of the cluster are refused, where such are asked for.
  void RecordRefusedRules(std::size_t objects);
  // A whole configuration was loaded, or refused.
  void RecordReload(bool success, std::int64_t now_ms);
  // Every Alertmanager has its series from the start; those of one that is gone end. Where there is
  // none the counters have one series without a label, so that rules about them find something to
  // judge, and judge it to be well.
  void RecordNotifications(const NotificationCounts& counts);
  // Only where replicas elect a leader: without, there is no such series.
  void RecordLeader(bool leading);
  // Only where the receiver is on: without it there are no such series.
  void RecordRemoteWrite(const RemoteWriteCounts& counts);

  // Every server has its series from the start; those of one that is gone end.
  void RecordRemoteStorage(std::vector<RemoteStorageCounts> servers);

  // Only where there is a place for it: without one there are no such series.
  void RecordState(const StateCounts& counts);

  // Everything as a block of the snapshot.
  std::shared_ptr<const Block> ToBlock() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Every family that SelfMetrics can have, sorted by name.
std::span<const model::MetricDesc> SelfFamilies();

}  // namespace azexporter::collect
