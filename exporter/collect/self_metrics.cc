#include "azexporter/collect/self_metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include <map>

#include "azexporter/model/metric_family.h"

namespace azexporter::collect {
namespace {

using GaugeFamily = prometheus::Family<prometheus::Gauge>;

GaugeFamily& AddGauge(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
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
  prometheus::Registry registry;
  GaugeFamily& build_info = AddGauge(registry, "azexporter_build_info",
                                     "Version and revision of this azexporter; always 1.");
  GaugeFamily& success = AddGauge(registry, "azexporter_collector_success",
                                  "Whether the collector had no fault in the last round.");
  GaugeFamily& duration = AddGauge(registry, "azexporter_collector_duration_seconds",
                                   "How long the collector took in the last round.");
  GaugeFamily& last_success =
      AddGauge(registry, "azexporter_collector_last_success_timestamp_seconds",
               "When the collector last had no fault.");
  GaugeFamily& objects = AddGauge(registry, "azexporter_kube_synced",
                                  "Whether a whole list of the resource was read.");
  GaugeFamily& contact = AddGauge(registry, "azexporter_kube_last_contact_timestamp_seconds",
                                  "When the API server last answered for the resource.");
  GaugeFamily& reload_success = AddGauge(registry, "azexporter_config_last_reload_successful",
                                         "Whether the last configuration was accepted.");
  GaugeFamily& reload_time =
      AddGauge(registry, "azexporter_config_last_reload_success_timestamp_seconds",
               "When a configuration was last accepted.");
  // Counted in the caches; these follow them.
  prometheus::Family<prometheus::Counter>& lists =
      prometheus::BuildCounter()
          .Name("azexporter_kube_lists_total")
          .Help("Whole lists read from the API server.")
          .Register(registry);
  prometheus::Family<prometheus::Counter>& restarts =
      prometheus::BuildCounter()
          .Name("azexporter_kube_watch_restarts_total")
          .Help("Watches that ended and were taken up again.")
          .Register(registry);
  prometheus::Family<prometheus::Counter>& decode_errors =
      prometheus::BuildCounter()
          .Name("azexporter_kube_decode_errors_total")
          .Help("Objects that were not understood and left out.")
          .Register(registry);
};

SelfMetrics::SelfMetrics(std::string_view version, std::string_view revision)
    : impl_(std::make_unique<Impl>()) {
  impl_->build_info.Add({{"version", std::string(version)}, {"revision", std::string(revision)}})
      .Set(1);
}

SelfMetrics::~SelfMetrics() = default;

prometheus::Registry& SelfMetrics::registry() { return impl_->registry; }

void SelfMetrics::Record(const Snapshot& snapshot, const kube::ClusterState& cluster) {
  for (const CollectorRun& run : snapshot.runs) {
    const prometheus::Labels labels = {{"collector", run.collector}};
    impl_->success.Add(labels).Set(run.success ? 1 : 0);
    impl_->duration.Add(labels).Set(run.duration_seconds);
    if (run.success) {
      impl_->last_success.Add(labels).Set(static_cast<double>(snapshot.timestamp_ms) / 1000);
    }
  }
  const auto follow = [](prometheus::Counter& counter, std::uint64_t value) {
    counter.Increment(static_cast<double>(value) - counter.Value());
  };
  for (const kube::ResourceHealth& health : cluster.health()) {
    const prometheus::Labels labels = {{"resource", health.resource}};
    impl_->objects.Add(labels).Set(health.synced ? 1 : 0);
    if (!health.from_file) {
      impl_->contact.Add(labels).Set(static_cast<double>(health.last_contact_ms) / 1000);
    }
    follow(impl_->lists.Add(labels), health.lists);
    follow(impl_->restarts.Add(labels), health.watch_restarts);
    follow(impl_->decode_errors.Add(labels), health.decode_errors);
  }
}

void SelfMetrics::RecordReload(bool success, std::int64_t now_ms) {
  impl_->reload_success.Add({}).Set(success ? 1 : 0);
  if (success) impl_->reload_time.Add({}).Set(static_cast<double>(now_ms) / 1000);
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
  return Block::Make("self", families);
}

}  // namespace azexporter::collect
