// What a whole Kubernetes client costs at the start: a process that reads 5,000 nodes' worth of
// pods over HTTP from another process, until all of them are held; its processor time, and its
// memory at the peak and afterwards. Not a test; run by hand:
//
//   build/ci/test/kube_scale_bench [PODS]      (150000 unless said otherwise; twice 1 GB for the
//   server)

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "azexporter/base/check.h"
#include "azexporter/base/clock.h"
#include "azexporter/base/wait.h"
#include "azexporter/kube/reflector.h"
#include "grown_pod.h"
#include "simulator/api_server.h"
#include "simulator/http_server.h"
#include "simulator/scale.h"
#include "simulator/wire_answer.h"

namespace azexporter::kube {
namespace {

using simulator::Json;

// VmRSS or VmHWM of this process, in MB.
long MemoryMb(std::string_view name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name)) return std::stol(line.substr(name.size() + 1)) / 1024;
  }
  return 0;
}

struct Way {
  const char* name;
  bool protobuf;
  bool streamed;
};
constexpr Way kWays[] = {{"protobuf, streamed", true, true},
                         {"protobuf, in pages", true, false},
                         {"JSON, streamed", false, true},
                         {"JSON, in pages", false, false}};

// The client: reads everything, says what that took, and ends.
void RunClient(const std::string& url, const Way& way, std::size_t pods) {
  const base::SystemClock clock;
  ClusterAccess access;
  access.server = url;
  ApiClient client(access);
  ObjectCache<Pod> cache;
  {
    Reflector<Pod> reflector(
        {.path = "/api/v1/pods", .protobuf = way.protobuf, .streamed_lists = way.streamed}, client,
        cache, clock, base::Logger::Silent());
    std::jthread thread([&](std::stop_token stop) { reflector.Run(stop); });
    while (cache.size() < pods) base::WaitFor({}, 20);
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  std::printf(
      "%-20s %7zu pods  %5.0f MB read  %6.2f s of a processor  peak %4ld MB  after %4ld MB\n",
      way.name, pods, static_cast<double>(cache.health().bytes_read) / (1 << 20),
      seconds(usage.ru_utime) + seconds(usage.ru_stime), MemoryMb("VmHWM"), MemoryMb("VmRSS"));
  std::fflush(stdout);
}

std::string Framed(const Json& event, bool protobuf) {
  return protobuf ? simulator::EncodeWireEvent(event) : simulator::Dump(event) + "\n";
}

// Events of a stream and items of a list, made once, so that the server costs the machine little.
struct Bodies {
  std::vector<std::string> events;
  std::vector<std::string> pages;  // of 500
};

Bodies MakeBodies(const simulator::ObjectList& list, bool protobuf, bool streamed) {
  Bodies bodies;
  constexpr std::size_t kPage = 500;
  Json page;
  for (std::size_t i = 0; i < list.items.size(); ++i) {
    Json pod = bench::Grown(simulator::ParseJson(list.items[i].text()).value());
    if (streamed) {
      const Json event = {{"type", "ADDED"}, {"object", std::move(pod)}};
      bodies.events.push_back(Framed(event, protobuf));
      continue;
    }
    if (i % kPage == 0) {
      page = {{"kind", "PodList"}, {"apiVersion", "v1"}, {"metadata", {{"resourceVersion", "1"}}}};
      page["items"] = Json::array();
    }
    page["items"].push_back(std::move(pod));
    if (page["items"].size() < kPage && i + 1 < list.items.size()) continue;
    if (i + 1 < list.items.size())
      page["metadata"]["continue"] = std::to_string(bodies.pages.size() + 1);
    bodies.pages.push_back(protobuf ? simulator::EncodeWireBody(page) : simulator::Dump(page));
  }
  return bodies;
}

simulator::HttpResponse Answer(const simulator::HttpRequest& request, const Bodies& bodies,
                               const Way& way) {
  simulator::HttpResponse response;
  if (way.protobuf) response.content_type = kWireContentType;
  if (!request.HasQuery("watch")) {
    const std::string token = request.Query("continue");
    response.body = bodies.pages.at(token.empty() ? 0 : std::stoul(token));
    return response;
  }
  const bool initial = request.HasQuery("sendInitialEvents");
  response.stream = [initial, &bodies, &way](simulator::BodyStream& body) {
    if (initial) {
      for (const std::string& event : bodies.events) {
        if (!body.Write(event)) return simulator::StreamEnd::kCut;
      }
      const Json end = {{"type", "BOOKMARK"},
                        {"object",
                         {{"kind", "Pod"},
                          {"apiVersion", "v1"},
                          {"metadata",
                           {{"resourceVersion", "1"},
                            {"annotations", {{"k8s.io/initial-events-end", "true"}}}}}}}};
      body.Write(Framed(end, way.protobuf));
    }
    while (body.Alive()) base::WaitFor(body.stop(), 50);
    return simulator::StreamEnd::kComplete;
  };
  return response;
}

void Measure(const simulator::ObjectList& list, const Way& way) {
  const Bodies bodies = MakeBodies(list, way.protobuf, way.streamed);
  int to_client[2];
  AZX_CHECK(::pipe(to_client) == 0, "a pipe");
  // Before the server has threads.
  const pid_t child = ::fork();
  AZX_CHECK(child >= 0, "a process");
  if (child == 0) {
    // What the parent made is not the client's.
    char url[100] = "";
    const ssize_t size = ::read(to_client[0], url, sizeof(url) - 1);
    AZX_CHECK(size > 0, "the server's address");
    const std::string pods = std::to_string(list.items.size());
    ::execl("/proc/self/exe", "kube_scale_bench", "--client", url, way.name, pods.c_str(), nullptr);
    ::_exit(1);
  }
  auto server = simulator::HttpServer::Start(
      {}, [&](const simulator::HttpRequest& request) { return Answer(request, bodies, way); });
  AZX_CHECK(server.has_value(), "a server");
  const std::string url = (*server)->url();
  AZX_CHECK(::write(to_client[1], url.data(), url.size()) > 0, "the client listens");
  int status = 0;
  ::waitpid(child, &status, 0);
  ::close(to_client[0]);
  ::close(to_client[1]);
}

void Run(int pods) {
  const base::SystemClock clock;
  simulator::Store store({.clock = clock});
  const simulator::ScaleOptions options{.nodes = std::max(15, pods / 30), .pods = pods};
  AZX_CHECK(simulator::FillStore(store, options).has_value(), "the store can be filled");
  const auto list = store.List(*simulator::FindKind("v1", "Pod"), "");
  for (const Way& way : kWays) Measure(list, way);
}

int Serve(int pods, const std::string& kubeconfig) {
  const base::SystemClock clock;
  simulator::Store store({.clock = clock});
  const simulator::ScaleOptions options{.nodes = std::max(15, pods / 30), .pods = pods};
  AZX_CHECK(simulator::FillStore(store, options).has_value(), "the store can be filled");
  auto server = simulator::ApiServer::Start({}, store, clock);
  AZX_CHECK(server.has_value(), "a server");
  std::ofstream(kubeconfig) << (*server)->Kubeconfig();
  std::printf("serving %d pods at %s\n", pods, (*server)->url().c_str());
  std::fflush(stdout);
  ::pause();
  return 0;
}

}  // namespace
}  // namespace azexporter::kube

int main(int argc, char** argv) {
  using namespace azexporter::kube;
  const auto number = [](std::string_view text) {
    int value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  };
  if (argc == 5 && std::string_view(argv[1]) == "--client") {
    for (const Way& way : kWays) {
      if (std::string_view(argv[3]) == way.name) {
        RunClient(argv[2], way, static_cast<std::size_t>(number(argv[4])));
      }
    }
    return 0;
  }
  if (argc == 4 && std::string_view(argv[1]) == "--serve") return Serve(number(argv[2]), argv[3]);
  Run(argc > 1 ? number(argv[1]) : 150'000);
  return 0;
}
