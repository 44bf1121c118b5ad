// Writes the same samples to azexporter and to a Prometheus by remote write, asks both the same
// queries over HTTP, in turns, and prints the times and their ratio. compare_prometheus.sh starts
// the two and runs this.
//
//   compare_prometheus AZEXPORTER_URL PID PROMETHEUS_URL PID [ROUNDS [PODS [NODES]]]

#include <httplib.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "azexporter/base/check.h"
#include "azexporter/base/clock.h"
#include "azexporter/model/histogram_message.h"
#include "support/write_body.h"
#include "zone_data.h"

namespace azexporter::bench {
namespace {

using nlohmann::json;

constexpr int kSamples = 120;
constexpr std::int64_t kIntervalMs = 30'000;
constexpr int kSamplesARequest = 10;
constexpr std::size_t kSeriesARequest = 2000;

struct Peer {
  const char* name;
  std::string pid;
  httplib::Client client;
  double write_seconds = 0;
};

double Seconds(std::chrono::steady_clock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

// "VmRSS" or "VmHWM" of a process, in MB.
double MemoryMb(const std::string& pid, const std::string& field) {
  std::ifstream status("/proc/" + pid + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(field + ":")) return std::atof(line.c_str() + field.size() + 1) / 1024;
  }
  return 0;
}

void Write(Peer& peer, const std::string& body) {
  const httplib::Headers headers = {{"Content-Encoding", "snappy"},
                                    {"X-Prometheus-Remote-Write-Version", "0.1.0"}};
  const auto before = std::chrono::steady_clock::now();
  const auto answer = peer.client.Post("/api/v1/write", headers, body, "application/x-protobuf");
  peer.write_seconds += Seconds(std::chrono::steady_clock::now() - before);
  const bool taken = answer && (answer->status == 204 || answer->status == 200);
  if (!taken) {
    std::fprintf(stderr, "%s refused samples: %s\n", peer.name,
                 answer ? answer->body.c_str() : "no answer");
    std::exit(1);
  }
}

// In order of time, as scrapes would bring them: ten samples of each series, then the next ten.
void WriteAll(std::vector<Peer>& peers, const ZoneDataSize& size, std::int64_t start_ms) {
  std::vector<BenchSeries> all;
  ForEachSeries(size, [&](const BenchSeries& series) { all.push_back(series); });
  for (int first = 0; first < kSamples; first += kSamplesARequest) {
    for (std::size_t from = 0; from < all.size(); from += kSeriesARequest) {
      std::string message;
      for (std::size_t s = from; s < std::min(all.size(), from + kSeriesARequest); ++s) {
        test::LabelPairs labels;
        for (const model::Label label : all[s].labels) labels.emplace_back(label.name, label.value);
        std::vector<model::FPoint> points;
        std::string histograms;
        for (int i = first; i < first + kSamplesARequest; ++i) {
          const std::int64_t t = start_ms + i * kIntervalMs;
          if (all[s].histogram) {
            const model::HPoint point = {t, all[s].histogram(i)};
            histograms += test::BytesField(4, model::EncodeHistogram(point));
          } else {
            points.push_back({t, all[s].value(i)});
          }
        }
        message += test::SeriesField(labels, points, histograms);
      }
      const std::string body = test::Snappy(message);
      for (Peer& peer : peers) Write(peer, body);
    }
  }
  std::printf("%zu series x %d samples written", all.size(), kSamples);
  for (const Peer& peer : peers) std::printf(", %s in %.1f s", peer.name, peer.write_seconds);
  std::printf("\n");
}

std::string Path(const BenchQuery& query, std::int64_t start_ms) {
  const std::int64_t end_ms = start_ms + (kSamples - 1) * kIntervalMs;
  const auto text = [](std::int64_t ms) { return std::to_string(ms / 1000) + ".500"; };
  const std::string asked = "query=" + httplib::detail::encode_query_param(query.query);
  if (!query.range) return "/api/v1/query?" + asked + "&time=" + text(end_ms);
  return "/api/v1/query_range?" + asked + "&start=" + text(start_ms) +
         "&end=" + text(end_ms + kIntervalMs) + "&step=30";
}

struct Answer {
  double milliseconds = 0;
  std::string body;
};

Answer Ask(Peer& peer, const std::string& path) {
  const auto before = std::chrono::steady_clock::now();
  const auto answer = peer.client.Get(path);
  const double took = Seconds(std::chrono::steady_clock::now() - before);
  if (!answer || answer->status != 200) {
    std::fprintf(stderr, "%s did not answer %s: %s\n", peer.name, path.c_str(),
                 answer ? answer->body.c_str() : "no answer");
    std::exit(1);
  }
  return {took * 1000, answer->body};
}

// The last value of every series, by its labels.
std::map<std::string, double> ValuesOf(const std::string& body) {
  std::map<std::string, double> values;
  for (const json& series : json::parse(body)["data"]["result"]) {
    const json& point = series.contains("value") ? series["value"] : series["values"].back();
    values[series["metric"].dump()] = std::stod(point[1].get<std::string>());
  }
  return values;
}

// Whether both say the same, but for the last bits of a sum, or as far as `tolerance` allows.
bool Agree(const std::string& a, const std::string& b, double tolerance) {
  const auto left = ValuesOf(a);
  const auto right = ValuesOf(b);
  if (left.size() != right.size()) return false;
  for (const auto& [labels, value] : left) {
    const auto found = right.find(labels);
    if (found == right.end()) return false;
    const bool same = value == found->second ||
                      std::abs(value - found->second) <= tolerance * std::abs(value) ||
                      (std::isnan(value) && std::isnan(found->second));
    if (!same) return false;
  }
  return true;
}

// Returns whether all answers agreed.
bool Compare(std::vector<Peer>& peers, int rounds, std::int64_t start_ms) {
  bool agree = true;
  std::printf("\n%-34s %10s %10s %10s %10s %8s %8s\n", "query", "az min", "az med", "prom min",
              "prom med", "min x", "med x");
  for (const BenchQuery& query : Queries()) {
    const std::string path = Path(query, start_ms);
    std::vector<double> times[2];
    std::string bodies[2];
    for (int round = 0; round <= rounds; ++round) {
      for (std::size_t p = 0; p < peers.size(); ++p) {
        Answer answer = Ask(peers[p], path);
        if (round > 0) times[p].push_back(answer.milliseconds);  // the first warms up
        bodies[p] = std::move(answer.body);
      }
    }
    for (auto& t : times) std::ranges::sort(t);
    const auto median = [](const std::vector<double>& t) { return t[t.size() / 2]; };
    const bool same = Agree(bodies[0], bodies[1], query.tolerance);
    agree = agree && same;
    std::printf("%-34s %10.2f %10.2f %10.2f %10.2f %8.1f %8.1f%s\n", query.name, times[0][0],
                median(times[0]), times[1][0], median(times[1]), times[1][0] / times[0][0],
                median(times[1]) / median(times[0]), same ? "" : "  ANSWERS DIFFER");
  }
  return agree;
}

}  // namespace
}  // namespace azexporter::bench

int main(int argc, char** argv) {
  using namespace azexporter;         // NOLINT
  using namespace azexporter::bench;  // NOLINT
  if (argc < 5) {
    std::fprintf(stderr,
                 "usage: %s AZEXPORTER_URL PID PROMETHEUS_URL PID [ROUNDS [PODS [NODES]]]\n",
                 argv[0]);
    return 2;
  }
  const int rounds = argc > 5 ? std::max(1, std::atoi(argv[5])) : 10;
  ZoneDataSize size;
  if (argc > 6) size.pods = std::max(1, std::atoi(argv[6]));
  if (argc > 7) size.nodes = std::max(1, std::atoi(argv[7]));
  std::vector<Peer> peers;
  peers.push_back({"azexporter", argv[2], httplib::Client(argv[1])});
  peers.push_back({"Prometheus", argv[4], httplib::Client(argv[3])});
  std::vector<double> before;
  for (Peer& peer : peers) {
    peer.client.set_keep_alive(true);
    peer.client.set_tcp_nodelay(true);
    peer.client.set_read_timeout(120);
    before.push_back(MemoryMb(peer.pid, "VmRSS"));
  }
  const std::int64_t now_ms = base::SystemClock().NowMs();
  const std::int64_t start_ms = now_ms / 1000 * 1000 - kSamples * kIntervalMs;
  WriteAll(peers, size, start_ms);
  double grown[2];
  for (std::size_t p = 0; p < peers.size(); ++p) {
    grown[p] = MemoryMb(peers[p].pid, "VmRSS") - before[p];
  }
  const bool agree = Compare(peers, rounds, start_ms);
  std::printf("\nmemory, MB                 azexporter Prometheus    ratio\n");
  std::printf("%-26s %10.0f %10.0f %8.3f\n", "resident, for the samples", grown[0], grown[1],
              grown[0] / grown[1]);
  const double peak[2] = {MemoryMb(peers[0].pid, "VmHWM"), MemoryMb(peers[1].pid, "VmHWM")};
  std::printf("%-26s %10.0f %10.0f %8.3f\n", "peak, all in all", peak[0], peak[1],
              peak[0] / peak[1]);
  return agree ? 0 : 1;
}
