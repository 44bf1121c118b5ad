// What the pods of a large cluster cost the Kubernetes client, in both encodings: bytes on the wire
// and held, nanoseconds a pod to decode a list and to store it, and one event of a watch; beside a
// bare simdjson pass over the same JSON. Not a test; run by hand:
//
//   build/ci/test/kube_client_bench [PODS]      (1500, 15000 and 150000 unless said otherwise)
//
// At the end what the Leases of 5,000 nodes cost, each of which is renewed every 10 s.

#include <malloc.h>
#include <simdjson.h>
#include <time.h>

#include <charconv>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/base/check.h"
#include "azexporter/base/clock.h"
#include "azexporter/kube/object_cache.h"
#include "grown_pod.h"
#include "kube/decode.h"
#include "simulator/scale.h"
#include "simulator/wire_answer.h"

namespace azexporter::kube {
namespace {

using bench::Grown;
using simulator::Json;

// What malloc has handed out and not got back. REQUIRES: a single thread.
std::size_t HeldBytes() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

// Of processor time, since these machines are shared.
class Stopwatch {
 public:
  void Start() { start_ = Now(); }
  void Stop() { seconds_ += Now() - start_; }
  double NanosecondsEach(std::size_t count) const {
    return seconds_ * 1e9 / static_cast<double>(count);
  }

 private:
  static double Now() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
  }

  double start_ = 0;
  double seconds_ = 0;
};

// All that is measured of one encoding.
struct Cost {
  std::size_t wire_bytes = 0;
  std::size_t held_bytes = 0;
  Stopwatch bare;
  Stopwatch decode;
  Stopwatch store;
  Stopwatch event;
};

void BarePass(simdjson::ondemand::parser& parser, std::string& body) {
  body.reserve(body.size() + simdjson::SIMDJSON_PADDING);
  auto document =
      parser.iterate(simdjson::padded_string_view(body.data(), body.size(), body.capacity()));
  simdjson::ondemand::object object;
  AZX_CHECK(document.get_object().get(object) == simdjson::SUCCESS, "JSON");
  std::string_view whole;
  AZX_CHECK(object.raw_json().get(whole) == simdjson::SUCCESS, "JSON");
}

std::string ListBody(const simulator::ObjectList& list, std::size_t begin, std::size_t end,
                     Encoding encoding) {
  Json body = {{"kind", "PodList"},
               {"apiVersion", "v1"},
               {"metadata", {{"resourceVersion", "1"}}},
               {"items", Json::array()}};
  for (std::size_t i = begin; i < end; ++i)
    body["items"].push_back(Grown(simulator::ParseJson(list.items[i].text()).value()));
  return encoding == Encoding::kJson ? simulator::Dump(body) : simulator::EncodeWireBody(body);
}

std::string EventBody(const Json& pod, int turn, Encoding encoding) {
  Json event = {{"type", "MODIFIED"}, {"object", pod}};
  event["object"]["status"]["podIP"] = "10.0.0." + std::to_string(turn % 250);
  return encoding == Encoding::kJson ? simulator::Dump(event)
                                     : simulator::EncodeWire(event, wire::kWatchEvent);
}

Cost Measure(const simulator::ObjectList& list, Encoding encoding) {
  constexpr std::size_t kPageSize = 500;
  Cost cost;
  // All of them first: what makes them leaves the allocator with much to tidy up.
  std::vector<std::string> bodies;
  for (std::size_t begin = 0; begin < list.items.size(); begin += kPageSize) {
    bodies.push_back(
        ListBody(list, begin, std::min(begin + kPageSize, list.items.size()), encoding));
    bodies.back().reserve(bodies.back().size() + simdjson::SIMDJSON_PADDING);
    cost.wire_bytes += bodies.back().size();
  }
  malloc_trim(0);
  ObjectCache<Pod> cache;
  const std::size_t before = HeldBytes();
  {
    Decoder decoder;
    simdjson::ondemand::parser parser;
    Objects<Pod> objects;
    for (std::string& body : bodies) {
      if (encoding == Encoding::kJson) {
        cost.bare.Start();
        BarePass(parser, body);
        cost.bare.Stop();
      }
      cost.decode.Start();
      auto page = decoder.List<Pod>(body, encoding);
      AZX_CHECK(page && page->item_errors.empty(), "the pods can be read");
      std::move(page->items.begin(), page->items.end(), std::back_inserter(objects));
      cost.decode.Stop();
    }
    cost.store.Start();
    cache.Replace(std::move(objects));
    cost.store.Stop();
  }
  cost.held_bytes = HeldBytes() - before;
  constexpr int kEvents = 2'000;
  Decoder decoder;
  const Json pod = Grown(simulator::ParseJson(list.items[list.items.size() / 2].text()).value());
  for (int i = 0; i < kEvents; ++i) {
    std::string body = EventBody(pod, i, encoding);
    cost.event.Start();
    auto event = decoder.Event<Pod>(body, encoding);
    AZX_CHECK(event.has_value(), "the event can be read");
    cache.Upsert(std::move(event->object));
    const auto next = cache.List();  // as if each event were looked at on its own
    cost.event.Stop();
  }
  const std::size_t pods = list.items.size();
  std::printf("%8zu pods  %-8s  %5zu B/pod  ", pods,
              encoding == Encoding::kJson ? "JSON" : "protobuf", cost.wire_bytes / pods);
  if (encoding == Encoding::kJson) {
    std::printf("bare %5.0f ns  ", cost.bare.NanosecondsEach(pods));
  } else {
    std::printf("               ");
  }
  std::printf("list %5.0f ns  store %4.0f ns  event %5.0f ns  held %4zu B/pod\n",
              cost.decode.NanosecondsEach(pods), cost.store.NanosecondsEach(pods),
              cost.event.NanosecondsEach(kEvents), cost.held_bytes / pods);
  return cost;
}

std::string LeaseEvent(int node, int turn, Encoding encoding) {
  const std::string name = "node-" + std::to_string(10'000 + node);
  const Json event = {
      {"type", "MODIFIED"},
      {"object",
       {{"kind", "Lease"},
        {"apiVersion", "coordination.k8s.io/v1"},
        {"metadata",
         {{"name", name},
          {"namespace", "kube-node-lease"},
          {"uid", "00000000-0000-4000-8000-0000000" + std::to_string(10'000 + node)},
          {"resourceVersion", std::to_string(turn)},
          {"creationTimestamp", "2026-11-01T00:00:00Z"},
          {"ownerReferences",
           {{{"apiVersion", "v1"}, {"kind", "Node"}, {"name", name}, {"uid", name}}}}}},
        {"spec",
         {{"holderIdentity", name},
          {"leaseDurationSeconds", 40},
          {"renewTime", "2026-11-26T11:00:" + std::to_string(10 + turn % 50) + ".000000Z"}}}}}};
  return encoding == Encoding::kJson ? simulator::Dump(event)
                                     : simulator::EncodeWire(event, wire::kWatchEvent);
}

// Rounds of 15 s: the renewals of each, and the list that the round reads.
void MeasureLeases(Encoding encoding) {
  constexpr int kNodes = 5'000;
  constexpr int kRounds = 4;
  constexpr int kEvents = kNodes * 15 / 10;
  ObjectCache<NodeLease> cache;
  Decoder decoder;
  Stopwatch renewals;
  std::size_t wire_bytes = 0;
  for (int i = 0; i < (kRounds + 1) * kEvents; ++i) {
    std::string body = LeaseEvent(i * 7 % kNodes, i, encoding);
    body.reserve(body.size() + simdjson::SIMDJSON_PADDING);
    const bool counts = i >= kEvents;  // the first round fills the cache
    if (counts) wire_bytes += body.size();
    if (counts) renewals.Start();
    auto event = decoder.Event<NodeLease>(body, encoding);
    AZX_CHECK(event.has_value(), "the event can be read");
    cache.Upsert(std::move(event->object));
    if (i % kEvents == 0) static_cast<void>(cache.List());
    if (counts) renewals.Stop();
  }
  std::printf("%8d Leases %-8s %5zu B/renewal  renewal %5.0f ns\n", kNodes,
              encoding == Encoding::kJson ? "JSON" : "protobuf", wire_bytes / (kRounds * kEvents),
              renewals.NanosecondsEach(kRounds * kEvents));
}

void Run(int pods) {
  const base::SystemClock clock;
  simulator::Store store({.clock = clock});
  const simulator::ScaleOptions options{.nodes = std::max(15, pods / 30), .pods = pods};
  AZX_CHECK(simulator::FillStore(store, options).has_value(), "the store can be filled");
  const auto list = store.List(*simulator::FindKind("v1", "Pod"), "");
  Measure(list, Encoding::kJson);
  Measure(list, Encoding::kProtobuf);
}

}  // namespace
}  // namespace azexporter::kube

int main(int argc, char** argv) {
  if (argc > 1) {
    int pods = 150'000;
    const std::string_view text = argv[1];
    std::from_chars(text.data(), text.data() + text.size(), pods);
    azexporter::kube::Run(pods);
    return 0;
  }
  for (const int pods : {1'500, 15'000, 150'000}) azexporter::kube::Run(pods);
  azexporter::kube::MeasureLeases(azexporter::kube::Encoding::kJson);
  azexporter::kube::MeasureLeases(azexporter::kube::Encoding::kProtobuf);
  return 0;
}
