#include "azexporter/collect/self_metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "azexporter/base/check.h"
#include "azexporter/base/mutex.h"
#include "azexporter/model/metric_family.h"
#include "remote_storage.h"

namespace azexporter::collect {
namespace {

using GaugeFamily = prometheus::Family<prometheus::Gauge>;
using CounterFamily = prometheus::Family<prometheus::Counter>;
using HistogramFamily = prometheus::Family<prometheus::Histogram>;

constexpr std::string_view kBuild[] = {"version", "revision"};
constexpr std::string_view kCollector[] = {"collector"};
constexpr std::string_view kResource[] = {"resource"};
constexpr std::string_view kResourceReason[] = {"resource", "reason"};
constexpr std::string_view kAlertmanager[] = {"alertmanager"};
constexpr std::string_view kReason[] = {"reason"};
constexpr std::string_view kRemote[] = {"remote_name", "url"};
constexpr std::string_view kRemoteReason[] = {"remote_name", "url", "reason"};

constexpr model::MetricDesc kFamilies[] = {
    {"azexporter_build_info", "Version and revision of this azexporter; always 1.",
     model::MetricType::kGauge, kBuild, model::kAlwaysOne},
    {"azexporter_collector_duration_seconds", "How long the collector took in the last round.",
     model::MetricType::kGauge, kCollector, model::kAmount},
    {"azexporter_collector_last_success_timestamp_seconds", "When the collector last had no fault.",
     model::MetricType::kGauge, kCollector, model::kAmount},
    {"azexporter_collector_success", "Whether the collector had no fault in the last round.",
     model::MetricType::kGauge, kCollector, model::kFlag},
    {"azexporter_config_last_reload_success_timestamp_seconds",
     "When a configuration was last accepted.",
     model::MetricType::kGauge,
     {},
     model::kAmount},
    {"azexporter_config_last_reload_successful",
     "Whether the last configuration was accepted.",
     model::MetricType::kGauge,
     {},
     model::kFlag},
    {"azexporter_kube_decode_errors_total", "Objects that were not understood and left out.",
     model::MetricType::kCounter, kResource, model::kNumber},
    {"azexporter_kube_event_lag_seconds",
     "How old the newest object was when a watch first told of it.", model::MetricType::kGauge,
     kResource, model::kAmount},
    {"azexporter_kube_last_contact_timestamp_seconds",
     "When the API server last answered for the resource.", model::MetricType::kGauge, kResource,
     model::kAmount},
    {"azexporter_kube_last_event_timestamp_seconds",
     "When a watch last told of a change of the resource.", model::MetricType::kGauge, kResource,
     model::kAmount},
    {"azexporter_kube_last_list_duration_seconds", "How long the newest whole list took.",
     model::MetricType::kGauge, kResource, model::kAmount},
    {"azexporter_kube_lists_total",
     "Whole lists read from the API server, by what made them necessary.",
     model::MetricType::kCounter, kResourceReason, model::kNumber},
    {"azexporter_kube_objects", "Objects of the resource that are held.", model::MetricType::kGauge,
     kResource, model::kNumber},
    {"azexporter_kube_received_bytes_total", "Bytes of lists and watches, after decompression.",
     model::MetricType::kCounter, kResource, model::kNumber},
    {"azexporter_kube_synced", "Whether a whole list of the resource was read.",
     model::MetricType::kGauge, kResource, model::kFlag},
    {"azexporter_kube_watch_restarts_total",
     "Watches that ended and were taken up again, by how they ended.", model::MetricType::kCounter,
     kResourceReason, model::kNumber},
    {"azexporter_leader",
     "Whether this replica is the leader, who tells Alertmanagers.",
     model::MetricType::kGauge,
     {},
     model::kFlag},
    {"azexporter_notifications_alertmanagers_discovered",
     "Alertmanagers that alerts are sent to.",
     model::MetricType::kGauge,
     {},
     model::kNumber},
    {"azexporter_notifications_dropped_total",
     "Alerts thrown out unsent because a notification queue was full.",
     model::MetricType::kCounter,
     {},
     model::kNumber},
    {"azexporter_notifications_errors_total", "Alerts that could not be sent because of an error.",
     model::MetricType::kCounter, kAlertmanager, model::kNumber},
    {"azexporter_notifications_latency_histogram_seconds",
     "How long exchanges with the Alertmanager took, whatever came of them.",
     model::MetricType::kHistogram, kAlertmanager, model::kAmount},
    {"azexporter_notifications_queue_capacity",
     "Alerts that each notification queue can hold.",
     model::MetricType::kGauge,
     {},
     model::kNumber},
    {"azexporter_notifications_queue_length",
     "Alerts in the fullest notification queue.",
     model::MetricType::kGauge,
     {},
     model::kNumber},
    {"azexporter_notifications_sent_total", "Alerts that the Alertmanager took.",
     model::MetricType::kCounter, kAlertmanager, model::kNumber},
    {"azexporter_prometheusrules_refused",
     "PrometheusRule objects of the cluster whose present text is not in force.",
     model::MetricType::kGauge,
     {},
     model::kNumber},
    {"azexporter_remote_storage_bytes_total", "Bytes of requests with samples, compressed.",
     model::MetricType::kCounter, kRemote, model::kNumber},
    {"azexporter_remote_storage_metadata_failed_total",
     "Descriptions of metrics that the server did not take.", model::MetricType::kCounter, kRemote,
     model::kNumber},
    {"azexporter_remote_storage_metadata_total", "Descriptions of metrics sent.",
     model::MetricType::kCounter, kRemote, model::kNumber},
    {"azexporter_remote_storage_queue_highest_sent_timestamp_seconds",
     "Newest time of a sample that the server took or refused; 0 while there is none.",
     model::MetricType::kGauge, kRemote, model::kAmount},
    {"azexporter_remote_storage_queue_highest_timestamp_seconds",
     "Newest time of a sample that was queued; 0 while there is none.", model::MetricType::kGauge,
     kRemote, model::kAmount},
    {"azexporter_remote_storage_samples_dropped_total", "Samples thrown away unsent, by reason.",
     model::MetricType::kCounter, kRemoteReason, model::kNumber},
    {"azexporter_remote_storage_samples_failed_total",
     "Samples that the server refused, or did not say to have written.",
     model::MetricType::kCounter, kRemote, model::kNumber},
    {"azexporter_remote_storage_samples_pending", "Samples that wait to be sent, or for an answer.",
     model::MetricType::kGauge, kRemote, model::kNumber},
    {"azexporter_remote_storage_samples_retried_total",
     "Samples of attempts that failed and were made again.", model::MetricType::kCounter, kRemote,
     model::kNumber},
    {"azexporter_remote_storage_samples_total",
     "Samples sent; those of an attempt made again count again.", model::MetricType::kCounter,
     kRemote, model::kNumber},
    {"azexporter_remote_storage_shard_capacity", "Samples that may wait to be sent.",
     model::MetricType::kGauge, kRemote, model::kNumber},
    {"azexporter_remote_write_requests_refused_total",
     "Remote write requests answered with an error, by reason.", model::MetricType::kCounter,
     kReason, model::kNumber},
    {"azexporter_remote_write_requests_total",
     "Remote write requests that came in.",
     model::MetricType::kCounter,
     {},
     model::kNumber},
    {"azexporter_remote_write_samples_dropped_total",
     "Samples left out of remote write requests, by reason.", model::MetricType::kCounter, kReason,
     model::kNumber},
    {"azexporter_remote_write_samples_total",
     "Samples stored from remote write.",
     model::MetricType::kCounter,
     {},
     model::kNumber},
    {"azexporter_state_last_write_timestamp_seconds",
     "When alerts or samples were last written to disk; 0 where they never were.",
     model::MetricType::kGauge,
     {},
     model::kAmount},
    {"azexporter_state_write_failures_total",
     "Times that alerts or samples could not be written to disk.",
     model::MetricType::kCounter,
     {},
     model::kNumber},
    {"azexporter_state_writes_total",
     "Times that alerts or samples were written to disk, to outlive a restart.",
     model::MetricType::kCounter,
     {},
     model::kNumber},
};

// REQUIRES: `name` is in the table.
const model::MetricDesc* DescOfFamily(std::string_view name) {
  for (const model::MetricDesc& desc : kFamilies) {
    if (desc.name == name) return &desc;
  }
  AZX_CHECK(false, "a self-metric without a row in the table");
  return nullptr;
}
std::string HelpOf(std::string_view name) { return std::string(DescOfFamily(name)->help); }

GaugeFamily& AddGauge(prometheus::Registry& registry, const char* name) {
  return prometheus::BuildGauge().Name(name).Help(HelpOf(name)).Register(registry);
}

HistogramFamily& AddHistogram(prometheus::Registry& registry, const char* name) {
  return prometheus::BuildHistogram().Name(name).Help(HelpOf(name)).Register(registry);
}

CounterFamily& AddCounter(prometheus::Registry& registry, const char* name) {
  return prometheus::BuildCounter().Name(name).Help(HelpOf(name)).Register(registry);
}

// Brings a counter to what was counted elsewhere.
void Follow(prometheus::Counter& counter, std::uint64_t value) {
  counter.Increment(static_cast<double>(value) - counter.Value());
}

// How far a histogram has followed what is counted elsewhere.
struct FollowedHistogram {
  prometheus::Histogram* histogram = nullptr;
  std::vector<std::uint64_t> counts = {};
  double sum = 0;
};

void Follow(FollowedHistogram& followed, const std::vector<std::uint64_t>& counts, double sum) {
  followed.counts.resize(counts.size());
  std::vector<double> more;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    more.push_back(static_cast<double>(counts[i]) - static_cast<double>(followed.counts[i]));
  }
  followed.histogram->ObserveMultiple(more, sum - followed.sum);
  followed.counts = counts;
  followed.sum = sum;
}

model::MetricType TypeOf(prometheus::MetricType type) {
  switch (type) {
    case prometheus::MetricType::Counter:
      return model::MetricType::kCounter;
    case prometheus::MetricType::Gauge:
      return model::MetricType::kGauge;
    case prometheus::MetricType::Histogram:
      return model::MetricType::kHistogram;
    case prometheus::MetricType::Summary:
    case prometheus::MetricType::Untyped:
      return model::MetricType::kUnknown;
  }
  return model::MetricType::kUnknown;
}

model::Labels LabelsOf(const prometheus::ClientMetric& metric) {
  std::vector<model::Label> labels;
  for (const auto& label : metric.label) labels.push_back({label.name, label.value});
  return model::Labels::Of(std::move(labels));
}

void AddMetric(const prometheus::ClientMetric& metric, model::MetricFamily& family) {
  const model::MetricType type = family.desc->type;
  if (type == model::MetricType::kCounter) {
    family.metrics.push_back({LabelsOf(metric), metric.counter.value});
  } else if (type == model::MetricType::kGauge) {
    family.metrics.push_back({LabelsOf(metric), metric.gauge.value});
  } else if (type == model::MetricType::kHistogram) {
    model::HistogramMetric& histogram = family.histograms.emplace_back();
    histogram.labels = LabelsOf(metric);
    histogram.value.sum = metric.histogram.sample_sum;
    for (const auto& bucket : metric.histogram.bucket) {
      histogram.value.buckets.push_back({bucket.upper_bound, bucket.cumulative_count});
    }
  }
}

}  // namespace

struct SelfMetrics::Impl {
  void RecordRuns(const Snapshot& snapshot);

  prometheus::Registry registry;
  GaugeFamily& build_info = AddGauge(registry, "azexporter_build_info");
  GaugeFamily& success = AddGauge(registry, "azexporter_collector_success");
  GaugeFamily& duration = AddGauge(registry, "azexporter_collector_duration_seconds");
  GaugeFamily& last_success =
      AddGauge(registry, "azexporter_collector_last_success_timestamp_seconds");
  std::set<std::string> collectors;  // of the last round
  GaugeFamily& objects = AddGauge(registry, "azexporter_kube_synced");
  GaugeFamily& held = AddGauge(registry, "azexporter_kube_objects");
  GaugeFamily& list_seconds = AddGauge(registry, "azexporter_kube_last_list_duration_seconds");
  GaugeFamily& last_event = AddGauge(registry, "azexporter_kube_last_event_timestamp_seconds");
  GaugeFamily& event_lag = AddGauge(registry, "azexporter_kube_event_lag_seconds");
  CounterFamily& bytes = AddCounter(registry, "azexporter_kube_received_bytes_total");
  GaugeFamily& contact = AddGauge(registry, "azexporter_kube_last_contact_timestamp_seconds");
  GaugeFamily& reload_success = AddGauge(registry, "azexporter_config_last_reload_successful");
  GaugeFamily& reload_time =
      AddGauge(registry, "azexporter_config_last_reload_success_timestamp_seconds");
  // Counted in the caches; these follow them.
  CounterFamily& lists = AddCounter(registry, "azexporter_kube_lists_total");
  CounterFamily& restarts = AddCounter(registry, "azexporter_kube_watch_restarts_total");
  CounterFamily& decode_errors = AddCounter(registry, "azexporter_kube_decode_errors_total");
  // Counted in the sender of notifications; these follow it.
  CounterFamily& sent = AddCounter(registry, "azexporter_notifications_sent_total");
  CounterFamily& errors = AddCounter(registry, "azexporter_notifications_errors_total");
  HistogramFamily& latency =
      AddHistogram(registry, "azexporter_notifications_latency_histogram_seconds");
  CounterFamily& dropped = AddCounter(registry, "azexporter_notifications_dropped_total");
  GaugeFamily& queue_length = AddGauge(registry, "azexporter_notifications_queue_length");
  GaugeFamily& queue_capacity = AddGauge(registry, "azexporter_notifications_queue_capacity");
  GaugeFamily& discovered = AddGauge(registry, "azexporter_notifications_alertmanagers_discovered");
  GaugeFamily& leader = AddGauge(registry, "azexporter_leader");
  GaugeFamily& refused_rules = AddGauge(registry, "azexporter_prometheusrules_refused");
  // Counted where state is written; these follow it.
  CounterFamily& state_writes = AddCounter(registry, "azexporter_state_writes_total");
  CounterFamily& state_failures = AddCounter(registry, "azexporter_state_write_failures_total");
  GaugeFamily& state_time = AddGauge(registry, "azexporter_state_last_write_timestamp_seconds");
  // Counted in the receiver of remote write; these follow it.
  CounterFamily& write_requests = AddCounter(registry, "azexporter_remote_write_requests_total");
  CounterFamily& write_samples = AddCounter(registry, "azexporter_remote_write_samples_total");
  CounterFamily& write_refused =
      AddCounter(registry, "azexporter_remote_write_requests_refused_total");
  CounterFamily& write_dropped =
      AddCounter(registry, "azexporter_remote_write_samples_dropped_total");
  // The counters of each Alertmanager by its label, to end those of one that is gone.
  struct AlertmanagerCounters {
    prometheus::Counter* sent = nullptr;
    prometheus::Counter* errors = nullptr;
    FollowedHistogram latency = {};
  };
  base::Mutex mu;
  std::map<std::string, AlertmanagerCounters> alertmanagers AZX_GUARDED_BY(mu);
  // Counted in the sender of remote write.
  std::vector<RemoteStorageCounts> remote_storage AZX_GUARDED_BY(mu);
};

SelfMetrics::SelfMetrics(std::string_view version, std::string_view revision)
    : impl_(std::make_unique<Impl>()) {
  impl_->build_info.Add({{"version", std::string(version)}, {"revision", std::string(revision)}})
      .Set(1);
}

SelfMetrics::~SelfMetrics() = default;

prometheus::Registry& SelfMetrics::registry() { return impl_->registry; }

void SelfMetrics::Impl::RecordRuns(const Snapshot& snapshot) {
  // A reload may have switched one off.
  for (const std::string& collector : std::exchange(collectors, {})) {
    if (std::ranges::find(snapshot.runs, collector, &CollectorRun::collector) !=
        snapshot.runs.end()) {
      continue;
    }
    for (GaugeFamily* family : {&success, &duration, &last_success}) {
      family->Remove(&family->Add({{"collector", collector}}));
    }
  }
  for (const CollectorRun& run : snapshot.runs) {
    collectors.insert(run.collector);
    const prometheus::Labels labels = {{"collector", run.collector}};
    success.Add(labels).Set(run.success ? 1 : 0);
    duration.Add(labels).Set(run.duration_seconds);
    if (run.success) {
      last_success.Add(labels).Set(static_cast<double>(snapshot.timestamp_ms) / 1000);
    }
  }
}

void SelfMetrics::Record(const Snapshot& snapshot, const kube::ClusterState& cluster) {
  impl_->RecordRuns(snapshot);
  for (const kube::ResourceHealth& health : cluster.health()) {
    const prometheus::Labels labels = {{"resource", health.resource}};
    impl_->objects.Add(labels).Set(health.synced ? 1 : 0);
    // Of what was never allowed, or is not there, nothing grows old; azexporter_kube_synced is 0.
    if (!health.from_file && !(health.optional && health.last_contact_ms == 0)) {
      impl_->contact.Add(labels).Set(static_cast<double>(health.last_contact_ms) / 1000);
    }
    impl_->held.Add(labels).Set(static_cast<double>(health.objects));
    Follow(impl_->decode_errors.Add(labels), health.decode_errors);
    if (health.from_file) continue;
    impl_->list_seconds.Add(labels).Set(health.list_seconds);
    if (health.last_event_ms != 0) {
      impl_->last_event.Add(labels).Set(static_cast<double>(health.last_event_ms) / 1000);
    }
    if (health.event_lag_ms) {
      impl_->event_lag.Add(labels).Set(static_cast<double>(*health.event_lag_ms) / 1000);
    }
    Follow(impl_->bytes.Add(labels), health.bytes_read);
    for (std::size_t i = 0; i < kube::kListReasons; ++i) {
      const auto reason = kube::ListReasonName(static_cast<kube::ListReason>(i));
      Follow(impl_->lists.Add({{"resource", health.resource}, {"reason", std::string(reason)}}),
             health.lists[i]);
    }
    for (std::size_t i = 0; i < kube::kWatchEnds; ++i) {
      const auto reason = kube::WatchEndName(static_cast<kube::WatchEnd>(i));
      Follow(impl_->restarts.Add({{"resource", health.resource}, {"reason", std::string(reason)}}),
             health.watch_ends[i]);
    }
  }
}

void SelfMetrics::RecordRefusedRules(std::size_t objects) {
  impl_->refused_rules.Add({}).Set(static_cast<double>(objects));
}

void SelfMetrics::RecordReload(bool success, std::int64_t now_ms) {
  impl_->reload_success.Add({}).Set(success ? 1 : 0);
  if (success) impl_->reload_time.Add({}).Set(static_cast<double>(now_ms) / 1000);
}

void SelfMetrics::RecordNotifications(const NotificationCounts& counts) {
  base::MutexLock lock(impl_->mu);
  auto gone = std::exchange(impl_->alertmanagers, {});
  const auto record = [&](const NotificationCounts::PerAlertmanager& one) AZX_REQUIRES(impl_->mu) {
    const prometheus::Labels labels =
        one.url.empty() ? prometheus::Labels() : prometheus::Labels{{"alertmanager", one.url}};
    Impl::AlertmanagerCounters& counters = impl_->alertmanagers[one.url];
    if (auto known = gone.extract(one.url)) counters = std::move(known.mapped());
    counters.sent = &impl_->sent.Add(labels);
    counters.errors = &impl_->errors.Add(labels);
    Follow(*counters.sent, one.sent);
    Follow(*counters.errors, one.errors);
    if (one.latency_counts.empty()) return;
    counters.latency.histogram = &impl_->latency.Add(labels, counts.latency_bounds_seconds);
    Follow(counters.latency, one.latency_counts, one.latency_sum_seconds);
  };
  for (const auto& one : counts.alertmanagers) record(one);
  if (counts.alertmanagers.empty()) record({});
  for (const auto& [url, counters] : gone) {
    impl_->sent.Remove(counters.sent);
    impl_->errors.Remove(counters.errors);
    if (counters.latency.histogram != nullptr) impl_->latency.Remove(counters.latency.histogram);
  }
  Follow(impl_->dropped.Add({}), counts.dropped);
  impl_->queue_length.Add({}).Set(static_cast<double>(counts.queue_length));
  impl_->queue_capacity.Add({}).Set(static_cast<double>(counts.queue_capacity));
  impl_->discovered.Add({}).Set(static_cast<double>(counts.alertmanagers.size()));
}

void SelfMetrics::RecordLeader(bool leading) { impl_->leader.Add({}).Set(leading ? 1 : 0); }

std::string_view RemoteWriteReasonName(RemoteWriteReason reason) {
  switch (reason) {
    case RemoteWriteReason::kNone:
      return "none";
    case RemoteWriteReason::kEncoding:
      return "encoding";
    case RemoteWriteReason::kMalformed:
      return "malformed";
    case RemoteWriteReason::kOutOfOrder:
      return "out_of_order";
    case RemoteWriteReason::kDuplicate:
      return "duplicate";
    case RemoteWriteReason::kTooOld:
      return "too_old";
    case RemoteWriteReason::kTooFarAhead:
      return "too_far_ahead";
    case RemoteWriteReason::kNativeHistogram:
      return "native_histogram";
    case RemoteWriteReason::kStore:
      return "store";
  }
  return "";
}

void SelfMetrics::RecordRemoteWrite(const RemoteWriteCounts& counts) {
  Follow(impl_->write_requests.Add({}), counts.requests);
  Follow(impl_->write_samples.Add({}), counts.samples);
  for (std::size_t i = 1; i < kRemoteWriteReasons; ++i) {
    const auto reason = static_cast<RemoteWriteReason>(i);
    const prometheus::Labels labels = {{"reason", std::string(RemoteWriteReasonName(reason))}};
    Follow(impl_->write_refused.Add(labels), counts.refused[i]);
    const bool may_drop = reason != RemoteWriteReason::kEncoding;
    if (may_drop) Follow(impl_->write_dropped.Add(labels), counts.dropped[i]);
  }
}

void SelfMetrics::RecordRemoteStorage(std::vector<RemoteStorageCounts> servers) {
  base::MutexLock lock(impl_->mu);
  impl_->remote_storage = std::move(servers);
}

void SelfMetrics::RecordState(const StateCounts& counts) {
  Follow(impl_->state_writes.Add({}), counts.writes);
  Follow(impl_->state_failures.Add({}), counts.failures);
  impl_->state_time.Add({}).Set(static_cast<double>(counts.last_write_ms) / 1000);
}

std::shared_ptr<const Block> SelfMetrics::ToBlock() const {
  const std::vector<prometheus::MetricFamily> collected = impl_->registry.Collect();
  // Families point at their descriptions, which must not move while they are rendered.
  std::vector<model::MetricDesc> descs;
  descs.reserve(collected.size());
  std::vector<model::MetricFamily> families;
  for (const prometheus::MetricFamily& from : collected) {
    descs.push_back({from.name, from.help, TypeOf(from.type), {}});
    model::MetricFamily& family = families.emplace_back();
    family.desc = &descs.back();
    for (const prometheus::ClientMetric& metric : from.metric) AddMetric(metric, family);
  }
  base::MutexLock lock(impl_->mu);
  for (auto& family : RemoteStorageFamilies(impl_->remote_storage, &DescOfFamily)) {
    families.push_back(std::move(family));
  }
  return Block::Make("self", families);
}

std::span<const model::MetricDesc> SelfFamilies() { return kFamilies; }

}  // namespace azexporter::collect
