// What azexporter says about its notifications and about remote write.

#include "azexporter/collect/self_metrics.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace azexporter::collect {
namespace {

// The samples of the families whose names begin so, without that beginning, sorted.
std::string Told(const SelfMetrics& self, std::string_view prefix = "azexporter_notifications_") {
  std::vector<std::string> lines;
  const auto block = self.ToBlock();
  for (const auto& family : block->families) {
    std::string samples;
    family.text.AppendTo(samples);
    std::string_view rest = samples;
    while (!rest.empty()) {
      const std::string_view line = rest.substr(0, rest.find('\n') + 1);
      if (line.starts_with(prefix)) lines.emplace_back(line.substr(prefix.size()));
      rest.remove_prefix(line.size());
    }
  }
  std::sort(lines.begin(), lines.end());
  std::string text;
  for (const std::string& line : lines) text += line;
  return text;
}

TEST(SelfMetricsTest, NotificationsAreToldFromTheStart) {
  SelfMetrics self("1", "2");
  EXPECT_EQ(Told(self), "");
  self.RecordNotifications({.queue_capacity = 10});
  EXPECT_EQ(Told(self),
            "alertmanagers_discovered 0\ndropped_total 0\nerrors_total 0\nqueue_capacity 10\n"
            "queue_length 0\nsent_total 0\n");
}

TEST(SelfMetricsTest, TheSeriesOfAnAlertmanagerThatIsGoneEnd) {
  SelfMetrics self("1", "2");
  self.RecordNotifications({});
  self.RecordNotifications({.alertmanagers = {{"http://a", 5, 1}, {"http://b", 0, 0}},
                            .dropped = 3,
                            .queue_length = 2,
                            .queue_capacity = 10});
  EXPECT_EQ(Told(self),
            "alertmanagers_discovered 2\ndropped_total 3\n"
            "errors_total{alertmanager=\"http://a\"} 1\nerrors_total{alertmanager=\"http://b\"} 0\n"
            "queue_capacity 10\nqueue_length 2\n"
            "sent_total{alertmanager=\"http://a\"} 5\nsent_total{alertmanager=\"http://b\"} 0\n");
  self.RecordNotifications({.alertmanagers = {{"http://b", 7, 2}}, .dropped = 3});
  EXPECT_EQ(Told(self),
            "alertmanagers_discovered 1\ndropped_total 3\n"
            "errors_total{alertmanager=\"http://b\"} 2\nqueue_capacity 0\nqueue_length 0\n"
            "sent_total{alertmanager=\"http://b\"} 7\n");
}

TEST(SelfMetricsTest, TheSeriesOfACollectorThatIsSwitchedOffEnd) {
  SelfMetrics self("1", "2");
  const kube::ClusterState cluster;
  self.Record({.runs = {{.collector = "policy"}, {.collector = "nodes", .success = true}}},
              cluster);
  EXPECT_EQ(Told(self, "azexporter_collector_success"),
            "{collector=\"nodes\"} 1\n{collector=\"policy\"} 0\n");
  self.Record({.runs = {{.collector = "nodes", .success = true}}}, cluster);
  EXPECT_EQ(Told(self, "azexporter_collector_success"), "{collector=\"nodes\"} 1\n");
}

TEST(SelfMetricsTest, TellsHowLongExchangesTook) {
  constexpr std::string_view kFamily = "azexporter_notifications_latency_histogram_seconds";
  SelfMetrics self("1", "2");
  NotificationCounts counts{.alertmanagers = {{.url = "http://a",
                                               .latency_counts = {1, 0, 2},
                                               .latency_sum_seconds = 2.5}},
                            .latency_bounds_seconds = {0.1, 1}};
  self.RecordNotifications(counts);
  self.RecordNotifications(counts);
  counts.alertmanagers[0].latency_counts[1] = 4;
  counts.alertmanagers[0].latency_sum_seconds = 4.5;
  self.RecordNotifications(counts);
  EXPECT_EQ(Told(self, kFamily),
            "_bucket{alertmanager=\"http://a\",le=\"+Inf\"} 7\n"
            "_bucket{alertmanager=\"http://a\",le=\"0.1\"} 1\n"
            "_bucket{alertmanager=\"http://a\",le=\"1\"} 5\n"
            "_count{alertmanager=\"http://a\"} 7\n"
            "_sum{alertmanager=\"http://a\"} 4.5\n");
  self.RecordNotifications({});
  EXPECT_EQ(Told(self, kFamily), "");
}

TEST(SelfMetricsTest, RemoteWriteIsToldByReasonWhereItIsOn) {
  constexpr std::string_view kFamilies = "azexporter_remote_write_";
  SelfMetrics self("1", "2");
  EXPECT_EQ(Told(self, kFamilies), "");
  RemoteWriteCounts counts{.requests = 4, .samples = 9};
  counts.refused[static_cast<std::size_t>(RemoteWriteReason::kMalformed)] = 2;
  counts.dropped[static_cast<std::size_t>(RemoteWriteReason::kOutOfOrder)] = 3;
  self.RecordRemoteWrite(counts);
  EXPECT_EQ(Told(self, kFamilies),
            "requests_refused_total{reason=\"duplicate\"} 0\n"
            "requests_refused_total{reason=\"encoding\"} 0\n"
            "requests_refused_total{reason=\"malformed\"} 2\n"
            "requests_refused_total{reason=\"native_histogram\"} 0\n"
            "requests_refused_total{reason=\"out_of_order\"} 0\n"
            "requests_refused_total{reason=\"store\"} 0\n"
            "requests_refused_total{reason=\"too_far_ahead\"} 0\n"
            "requests_refused_total{reason=\"too_old\"} 0\n"
            "requests_total 4\n"
            "samples_dropped_total{reason=\"duplicate\"} 0\n"
            "samples_dropped_total{reason=\"malformed\"} 0\n"
            "samples_dropped_total{reason=\"native_histogram\"} 0\n"
            "samples_dropped_total{reason=\"out_of_order\"} 3\n"
            "samples_dropped_total{reason=\"store\"} 0\n"
            "samples_dropped_total{reason=\"too_far_ahead\"} 0\n"
            "samples_dropped_total{reason=\"too_old\"} 0\n"
            "samples_total 9\n");
}

TEST(SelfMetricsTest, TheSeriesOfAServerOfRemoteWriteThatIsGoneEnd) {
  constexpr std::string_view kDropped = "azexporter_remote_storage_samples_dropped_total";
  SelfMetrics self("1", "2");
  EXPECT_EQ(Told(self, "azexporter_remote_storage_"), "");
  self.RecordRemoteStorage({{.name = "a", .url = "http://a", .dropped_queue_full = 4},
                            {.name = "b", .url = "http://b", .dropped_too_old = 5}});
  EXPECT_EQ(Told(self, kDropped),
            "{reason=\"dropped_series\",remote_name=\"a\",url=\"http://a\"} 0\n"
            "{reason=\"dropped_series\",remote_name=\"b\",url=\"http://b\"} 0\n"
            "{reason=\"native_histogram\",remote_name=\"a\",url=\"http://a\"} 0\n"
            "{reason=\"native_histogram\",remote_name=\"b\",url=\"http://b\"} 0\n"
            "{reason=\"queue_full\",remote_name=\"a\",url=\"http://a\"} 4\n"
            "{reason=\"queue_full\",remote_name=\"b\",url=\"http://b\"} 0\n"
            "{reason=\"shutdown\",remote_name=\"a\",url=\"http://a\"} 0\n"
            "{reason=\"shutdown\",remote_name=\"b\",url=\"http://b\"} 0\n"
            "{reason=\"too_old\",remote_name=\"a\",url=\"http://a\"} 0\n"
            "{reason=\"too_old\",remote_name=\"b\",url=\"http://b\"} 5\n");
  self.RecordRemoteStorage({});
  EXPECT_EQ(Told(self, kDropped), "");
}

TEST(SelfMetricsTest, EveryFamilyIsInTheTableWithItsLabels) {
  SelfMetrics self("1", "2");
  self.RecordReload(true, 1);
  self.RecordNotifications({.alertmanagers = {{.url = "http://a",
                                               .sent = 5,
                                               .errors = 1,
                                               .latency_counts = {1, 0},
                                               .latency_sum_seconds = 0.1}},
                            .latency_bounds_seconds = {1}});
  self.RecordRemoteWrite({});
  self.RecordLeader(true);
  self.RecordRefusedRules(0);
  self.RecordState({});
  self.RecordRemoteStorage({{.name = "r", .url = "http://r"}});
  kube::ClusterState::Parts parts;
  parts.health.push_back({.resource = "nodes", .last_event_ms = 1, .event_lag_ms = 0});
  self.Record({.timestamp_ms = 1, .blocks = {}, .runs = {{.collector = "zones", .success = true}}},
              kube::ClusterState(std::move(parts)));
  std::map<std::string, std::set<std::string>> seen;
  const auto block = self.ToBlock();
  for (const auto& sample : block->samples) {
    std::set<std::string>& labels = seen[std::string(sample.labels.metric_name())];
    for (const model::Label label : sample.labels) {
      if (label.name != model::kMetricName) labels.insert(std::string(label.name));
    }
  }
  std::map<std::string, std::set<std::string>> table;
  for (const model::MetricDesc& desc : SelfFamilies()) {
    const std::set<std::string> labels(desc.label_names.begin(), desc.label_names.end());
    if (desc.type != model::MetricType::kHistogram) {
      table[std::string(desc.name)] = labels;
      continue;
    }
    for (const char* suffix : {"_bucket", "_count", "_sum"}) {
      table[std::string(desc.name) + suffix] = labels;
    }
    table[std::string(desc.name) + "_bucket"].insert("le");
  }
  EXPECT_EQ(seen, table);
  EXPECT_TRUE(std::ranges::is_sorted(SelfFamilies(), {}, &model::MetricDesc::name));
}

}  // namespace
}  // namespace azexporter::collect
