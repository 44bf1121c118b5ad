#pragma once

// azexporter_*: what azexporter says about itself. Counters live in a prometheus-cpp registry;
// everything that can be read off elsewhere (collector runs, watch health) is added at each round.
//
// Thread safety: thread-safe.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/collect/snapshot.h"
#include "azexporter/kube/cluster_state.h"

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
  };
  std::vector<PerAlertmanager> alertmanagers;
  std::uint64_t dropped = 0;
  std::size_t queue_length = 0;
  std::size_t queue_capacity = 0;
};

class SelfMetrics {
 public:
  SelfMetrics(std::string_view version, std::string_view revision);
  ~SelfMetrics();

  // Other modules' counters live here too.
  prometheus::Registry& registry();

  // Notes the outcome of a round: its collectors, and how current each watched resource is.
  void Record(const Snapshot& snapshot, const kube::ClusterState& cluster);
  // A whole configuration was loaded, or refused.
  void RecordReload(bool success, std::int64_t now_ms);
  // Every Alertmanager has its series from the start; those of one that is gone end. Where there is
  // none the counters have one series without a label, so that rules about them find something to
  // judge, and judge it to be well.
  void RecordNotifications(const NotificationCounts& counts);

  // Everything as a block of the snapshot.
  std::shared_ptr<const Block> ToBlock() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace azexporter::collect
