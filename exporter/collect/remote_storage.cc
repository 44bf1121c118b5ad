#include "remote_storage.h"

namespace azexporter::collect {
namespace {

struct Count {
  std::string_view name;  // behind the prefix that all have
  double (*of)(const RemoteStorageCounts& counts);
};

constexpr Count kCounts[] = {
    {"bytes_total", [](const RemoteStorageCounts& c) { return static_cast<double>(c.bytes); }},
    {"metadata_failed_total",
     [](const RemoteStorageCounts& c) { return static_cast<double>(c.metadata_failed); }},
    {"metadata_total",
     [](const RemoteStorageCounts& c) { return static_cast<double>(c.metadata); }},
    {"queue_highest_sent_timestamp_seconds",
     [](const RemoteStorageCounts& c) { return static_cast<double>(c.highest_sent_ms) / 1000; }},
    {"queue_highest_timestamp_seconds",
     [](const RemoteStorageCounts& c) { return static_cast<double>(c.highest_ms) / 1000; }},
    {"samples_failed_total",
     [](const RemoteStorageCounts& c) { return static_cast<double>(c.samples_failed); }},
    {"samples_pending",
     [](const RemoteStorageCounts& c) { return static_cast<double>(c.pending); }},
    {"samples_retried_total",
     [](const RemoteStorageCounts& c) { return static_cast<double>(c.samples_retried); }},
    {"samples_total", [](const RemoteStorageCounts& c) { return static_cast<double>(c.samples); }},
    {"shard_capacity",
     [](const RemoteStorageCounts& c) { return static_cast<double>(c.capacity); }},
};

}  // namespace

std::vector<model::MetricFamily> RemoteStorageFamilies(
    const std::vector<RemoteStorageCounts>& servers, const DescOf& desc_of) {
  const std::string prefix = "azexporter_remote_storage_";
  std::vector<model::MetricFamily> families;
  for (const Count& count : kCounts) {
    model::MetricFamily& family = families.emplace_back(
        model::MetricFamily{desc_of(prefix + std::string(count.name)), {}, {}});
    for (const RemoteStorageCounts& one : servers) {
      family.metrics.push_back(
          {model::Labels::Of({{"remote_name", one.name}, {"url", one.url}}), count.of(one)});
    }
  }
  model::MetricFamily& dropped =
      families.emplace_back(model::MetricFamily{desc_of(prefix + "samples_dropped_total"), {}, {}});
  for (const RemoteStorageCounts& one : servers) {
    for (const auto& [reason, samples] :
         {std::pair{"dropped_series", one.dropped_relabel},
          std::pair{"native_histogram", one.dropped_native_histogram},
          std::pair{"queue_full", one.dropped_queue_full},
          std::pair{"shutdown", one.dropped_shutdown}, std::pair{"too_old", one.dropped_too_old}}) {
      dropped.metrics.push_back(
          {model::Labels::Of({{"remote_name", one.name}, {"url", one.url}, {"reason", reason}}),
           static_cast<double>(samples)});
    }
  }
  return families;
}

}  // namespace azexporter::collect
