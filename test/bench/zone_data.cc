#include "zone_data.h"

#include <array>

namespace azexporter::bench {
namespace {

using model::Label;
using model::Labels;

constexpr std::array kZones = {"us-east-1a", "us-east-1b", "us-east-1c"};
constexpr std::array kConditions = {"Ready", "MemoryPressure", "DiskPressure", "PIDPressure",
                                    "NetworkUnavailable"};
constexpr std::array kBuckets = {"0.005", "0.01", "0.025", "0.05", "0.1", "0.25",
                                 "0.5",   "1",    "2.5",   "5",    "10",  "+Inf"};
constexpr int kServices = 20;

std::string Node(int i) { return "node-" + std::to_string(i) + ".us-east-1.compute.internal"; }
const char* ZoneOf(int node) { return kZones[static_cast<std::size_t>(node) % kZones.size()]; }

void Conditions(int nodes, const std::function<void(const BenchSeries&)>& visit) {
  for (int i = 0; i < nodes; ++i) {
    const std::string node = Node(i);
    for (const char* condition : kConditions) {
      const bool is_ready = condition == kConditions[0];
      // A node in fifty is not ready.
      const bool holds = is_ready == (i % 50 != 0 || !is_ready) && is_ready;
      for (const bool status : {true, false}) {
        const double value = (status == holds) ? 1 : 0;
        visit({Labels::Of({{"__name__", "kube_node_status_condition"},
                           {"condition", condition},
                           {"instance", "azexporter:10126"},
                           {"job", "azexporter"},
                           {"node", node},
                           {"status", status ? "true" : "false"},
                           {"topology_kubernetes_io_zone", ZoneOf(i)}}),
               [value](int) { return value; }});
      }
    }
  }
}

void Pods(const ZoneDataSize& size, const std::function<void(const BenchSeries&)>& visit) {
  for (int i = 0; i < size.pods; ++i) {
    const int node = static_cast<int>(static_cast<std::int64_t>(i) * 7919 % size.nodes);
    const std::string number = std::to_string(i);
    const std::string replicas = "app-" + std::to_string(i / 50) + "-5d4f8c7b9";
    const std::string pod = replicas + "-" + number;
    const std::string uid =
        "3f1c2b9e-0d4a-4c55-9b7e-" + std::string(12 - number.size(), '0') + number;
    const std::string ip = "10." + std::to_string(i / 65536) + "." + std::to_string(i / 256 % 256) +
                           "." + std::to_string(i % 256);
    visit({Labels::Of({{"__name__", "kube_pod_info"},
                       {"created_by_kind", "ReplicaSet"},
                       {"created_by_name", replicas},
                       {"instance", "azexporter:10126"},
                       {"job", "azexporter"},
                       {"namespace", "team-" + std::to_string(i / 3000)},
                       {"node", Node(node)},
                       {"pod", pod},
                       {"pod_ip", ip},
                       {"topology_kubernetes_io_zone", ZoneOf(node)},
                       {"uid", uid}}),
           [](int) { return 1.0; }});
  }
}

// 40 buckets around a tenth of a second, which grow as the classic ones do.
model::HistogramPtr NativeLatency(int i, int jitter) {
  constexpr std::uint32_t kBucketCount = 40;
  model::FloatHistogram histogram;
  histogram.schema = 3;
  histogram.zero_threshold = 0x1p-128;
  histogram.sum = 41.7 * i;
  histogram.positive.spans = {{-50, kBucketCount}};
  for (std::uint32_t b = 0; b < kBucketCount; ++b) {
    const double count = (b % 7 + 1.0) * (30 * i + (i * 7 + jitter) % 11);
    histogram.positive.counts.push_back(count);
    histogram.count += count;
  }
  return std::make_shared<const model::FloatHistogram>(std::move(histogram));
}

void Latencies(const std::function<void(const BenchSeries&)>& visit) {
  for (int service = 0; service < kServices; ++service) {
    for (std::size_t from = 0; from < kZones.size(); ++from) {
      for (std::size_t to = 0; to < kZones.size(); ++to) {
        const std::string name = "service-" + std::to_string(service);
        const auto labels = [&](const char* metric, const char* le) {
          return Labels::Of({{"__name__", metric},
                             {"cross_zone", from == to ? "false" : "true"},
                             {"destination_zone", kZones[to]},
                             {"instance", "azexporter:10126"},
                             {"job", "azexporter"},
                             {"le", le},
                             {"source_zone", kZones[from]},
                             {"target", name}});
        };
        // Requests of each bucket at each time: not quite the same from one to the next.
        for (std::size_t b = 0; b < kBuckets.size(); ++b) {
          const int rate = static_cast<int>(b) + 1;
          const int jitter = service + static_cast<int>(from * 3 + to);
          visit(
              {labels("http_request_duration_seconds_bucket", kBuckets[b]),
               [rate, jitter](int i) { return 30.0 * rate * i + rate * ((i * 7 + jitter) % 11); }});
        }
        visit({labels("http_request_duration_seconds_count", ""),
               [](int i) { return 360.0 * i + 12 * (i * 7 % 11); }});
        visit({labels("http_request_duration_seconds_sum", ""), [](int i) { return 41.7 * i; }});
        const int jitter = service + static_cast<int>(from * 3 + to);
        visit({labels("http_request_duration_seconds", ""), nullptr,
               [jitter](int i) { return NativeLatency(i, jitter); }});
      }
    }
  }
}

}  // namespace

void ForEachSeries(const ZoneDataSize& size, const std::function<void(const BenchSeries&)>& visit) {
  Conditions(size.nodes, visit);
  Pods(size, visit);
  Latencies(visit);
}

const std::vector<BenchQuery>& Queries() {
  static const std::vector<BenchQuery> kQueries = {
      {"NotReady nodes by zone (documented)",
       "count(kube_node_status_condition{condition=\"Ready\",status=\"true\"} == 0) by "
       "(topology_kubernetes_io_zone) > 0"},
      {"pod imbalance (documented)",
       "max by (topology_kubernetes_io_zone) (count(kube_pod_info) by "
       "(topology_kubernetes_io_zone)) - min by (topology_kubernetes_io_zone) "
       "(count(kube_pod_info) by (topology_kubernetes_io_zone))"},
      {"pod imbalance, corrected",
       "max(count(kube_pod_info) by (topology_kubernetes_io_zone)) - min(count(kube_pod_info) by "
       "(topology_kubernetes_io_zone))"},
      {"p95 by series (documented)",
       "histogram_quantile(0.95, "
       "rate(http_request_duration_seconds_bucket{cross_zone=\"true\"}[5m])) > 0.001"},
      {"p95 by zone",
       "histogram_quantile(0.95, sum by (le, destination_zone) "
       "(rate(http_request_duration_seconds_bucket[5m])))"},
      {"p95 by zone, native",
       "histogram_quantile(0.95, sum by (destination_zone) "
       "(rate(http_request_duration_seconds[5m])))",
       false, 0.05},
      {"requests by zone, native",
       "sum by (destination_zone) (histogram_count(rate(http_request_duration_seconds[5m])))"},
      {"topk of pods by node", "topk(10, count by (node) (kube_pod_info))"},
      {"count by node", "count by (node) (kube_pod_info)"},
      {"count", "count(kube_pod_info)"},
      {"pods joined with their nodes",
       "sum by (topology_kubernetes_io_zone) (kube_pod_info * on (node) group_left () "
       "kube_node_status_condition{condition=\"Ready\",status=\"true\"})"},
      {"labels taken over in a join",
       "count by (status) (kube_pod_info * on (node) group_left (status) "
       "kube_node_status_condition{condition=\"Ready\",status=\"true\"})"},
      {"regular expression on node",
       "count(kube_pod_info{node=~\"node-[0-9]*7\\\\.us-east-1.*\"})"},
      {"one pod", "kube_pod_info{pod=\"app-2000-5d4f8c7b9-100007\"}"},
      {"quantile_over_time of 60 m",
       "max(quantile_over_time(0.9, "
       "kube_node_status_condition{condition=\"Ready\",status=\"true\"}[60m]))"},
      {"subquery",
       "max_over_time(count by (topology_kubernetes_io_zone) "
       "(kube_node_status_condition{condition=\"Ready\",status=\"true\"} == 1)[30m:1m])"},
      {"raw selector, 5,000 series",
       "kube_node_status_condition{condition=\"Ready\",status=\"true\"}"},
      {"range: NotReady nodes by zone",
       "count(kube_node_status_condition{condition=\"Ready\",status=\"true\"} == 0) by "
       "(topology_kubernetes_io_zone) > 0",
       true},
      {"range: p95 by zone",
       "histogram_quantile(0.95, sum by (le, destination_zone) "
       "(rate(http_request_duration_seconds_bucket[5m])))",
       true},
      {"range: p95 by zone, native",
       "histogram_quantile(0.95, sum by (destination_zone) "
       "(rate(http_request_duration_seconds[5m])))",
       true, 0.05},
  };
  return kQueries;
}

}  // namespace azexporter::bench
