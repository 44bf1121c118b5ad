// What the pods of a large cluster cost the Kubernetes client: time to decode them, bytes held for
// each. Not a test; run by hand:
//
//   build/ci/test/pod_memory_bench [PODS]      (150000 unless said otherwise)

#include <malloc.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <set>
#include <string>
#include <string_view>

#include "azexporter/base/check.h"
#include "azexporter/base/clock.h"
#include "azexporter/kube/object_cache.h"
#include "kube/decode.h"
#include "simulator/scale.h"

namespace azexporter::kube {
namespace {

// What malloc has handed out and not got back. REQUIRES: a single thread.
std::size_t HeldBytes() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

void Run(int pods) {
  const base::SystemClock clock;
  simulator::Store store({.clock = clock});
  const simulator::ScaleOptions options{.pods = pods};
  AZX_CHECK(simulator::FillStore(store, options).has_value(), "the store can be filled");
  const auto list = store.List(*simulator::FindKind("v1", "Pod"), "");

  const std::size_t before = HeldBytes();
  const auto start = std::chrono::steady_clock::now();
  ObjectCache<Pod> cache;
  ValuePools pools;
  {
    constexpr std::size_t kPageSize = 500;
    std::vector<Pod> objects;
    for (std::size_t begin = 0; begin < list.items.size(); begin += kPageSize) {
      std::string body = "{\"items\":[";
      for (std::size_t i = begin; i < std::min(begin + kPageSize, list.items.size()); ++i) {
        body += (i == begin ? "" : ",") + list.items[i].text();
      }
      body += "]}";
      auto page = DecodeList<Pod>(body, pools);
      AZX_CHECK(page && page->item_errors.empty(), "the pods can be read");
      std::move(page->items.begin(), page->items.end(), std::back_inserter(objects));
    }
    cache.Replace(std::move(objects));
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  const std::size_t held = HeldBytes() - before;
  const auto held_pods = cache.List();
  std::set<const PodSpec*> distinct;
  for (const auto& pod : *held_pods) distinct.insert(pod->spec.get());
  std::printf("%zu pods: %.2f s, %zu MB, %zu bytes a pod (sizeof %zu), %zu pod specs\n",
              held_pods->size(), took.count(), held >> 20, held / held_pods->size(), sizeof(Pod),
              distinct.size());
}

}  // namespace
}  // namespace azexporter::kube

int main(int argc, char** argv) {
  int pods = 150'000;
  if (argc > 1) {
    const std::string_view text = argv[1];
    std::from_chars(text.data(), text.data() + text.size(), pods);
  }
  azexporter::kube::Run(pods);
  return 0;
}
