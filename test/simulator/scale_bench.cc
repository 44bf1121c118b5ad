// What a large cluster costs the API simulator: wall time and peak memory of filling it, of one
// paged walk and of one unpaged list, over HTTP. Not a test; run by hand:
//
//   build/ci/test/simulator_scale_bench [PODS [NODES]]      (150000 and 5000 unless said otherwise)

#include <fmt/format.h>
#include <httplib.h>

#include <charconv>
#include <chrono>
#include <fstream>
#include <string>

#include "simulator/api_server.h"
#include "simulator/scale.h"

namespace azexporter::simulator {
namespace {

// VmRSS or VmHWM of this process, in MB.
long MemoryMb(std::string_view name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name)) return std::stol(line.substr(name.size() + 1)) / 1024;
  }
  return 0;
}

class Stopwatch {
 public:
  void Report(std::string_view what, std::string_view detail) {
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start_;
    fmt::print("{:<28} {:7.2f} s   VmRSS {:5} MB   VmHWM {:5} MB   {}\n", what, took.count(),
               MemoryMb("VmRSS"), MemoryMb("VmHWM"), detail);
    start_ = std::chrono::steady_clock::now();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// The bytes and the continue token of one page, without a JSON parser in the way of the clock.
std::size_t Page(httplib::Client& client, const std::string& target, std::string& token) {
  std::string head;
  std::size_t bytes = 0;
  (void)client.Get(target, [&](const char* data, std::size_t size) {
    if (head.size() < 1000) head.append(data, std::min<std::size_t>(size, 1000));
    bytes += size;
    return true;
  });
  constexpr std::string_view kContinue = "\"continue\":\"";
  const std::size_t at = head.find(kContinue);
  token = at == std::string::npos
              ? std::string()
              : head.substr(at + kContinue.size(),
                            head.find('"', at + kContinue.size()) - at - kContinue.size());
  return bytes;
}

int Run(const ScaleOptions& options) {
  Stopwatch stopwatch;
  const base::SystemClock clock;
  Store store({.clock = clock});
  if (const auto filled = FillStore(store, options); !filled) {
    fmt::print(stderr, "{}\n", filled.error().message());
    return 1;
  }
  stopwatch.Report("fill", fmt::format("{} nodes, {} pods", options.nodes, options.pods));
  auto server = ApiServer::Start({}, store, clock);
  if (!server) return 1;
  httplib::Client client("127.0.0.1", (*server)->port());
  client.set_keep_alive(true);
  client.set_read_timeout(600);
  std::string token;
  std::size_t bytes = 0;
  int pages = 0;
  do {
    const std::string more = token.empty() ? std::string() : "&continue=" + token;
    bytes += Page(client, "/api/v1/pods?limit=500" + more, token);
    ++pages;
  } while (!token.empty());
  stopwatch.Report("paged walk", fmt::format("{} pages, {} MB", pages, bytes >> 20));
  bytes = Page(client, "/api/v1/pods", token);
  stopwatch.Report("unpaged list", fmt::format("{} MB", bytes >> 20));
  bytes = Page(client, "/api/v1/pods?labelSelector=app%3Dservice-00007", token);
  stopwatch.Report("list by label", fmt::format("{} KB", bytes >> 10));
  const ObjectKey key = ScalePodKey(options, options.pods / 2);
  constexpr int kWrites = 1000;
  for (int i = 0; i < kWrites; ++i) {
    (void)store.Modify(key,
                       [&](Json& pod) { pod["metadata"]["labels"]["turn"] = std::to_string(i); });
  }
  stopwatch.Report("1000 writes", "");
  return 0;
}

int Number(const char* text, int fallback) {
  int value = fallback;
  std::from_chars(text, text + std::string_view(text).size(), value);
  return value;
}

}  // namespace
}  // namespace azexporter::simulator

int main(int argc, char** argv) {
  using namespace azexporter::simulator;
  ScaleOptions options;
  if (argc > 1) options.pods = Number(argv[1], options.pods);
  if (argc > 2) options.nodes = Number(argv[2], options.nodes);
  return Run(options);
}
