// Hours of a cluster that changes while its server fails in every known way: what a Reflector holds
// is what the server holds.

#include <gtest/gtest.h>

#include <array>

#include "azexporter/kube/reflector.h"
#include "kube/fake_api.h"

namespace azexporter::kube {
namespace {

using Streams = FakeApi::Options::Streams;
using Places = std::map<std::string, std::string>;  // pod to node

Places Held(const ObjectCache<Pod>& cache) {
  Places pods;
  const auto list = cache.List();
  for (const auto& pod : *list) pods[pod->meta.name] = pod->node_name;
  return pods;
}

Places Served(const FakeApi& api) {
  Places pods;
  for (const auto& [name, pod] : api.pods()) pods[name] = pod["spec"]["nodeName"];
  return pods;
}

// What went wrong, and what was done about it.
struct Tally {
  std::map<std::string, int> faults;
  std::array<std::uint64_t, kListReasons> lists{};
  std::array<std::uint64_t, kWatchEnds> ends{};

  void Add(const FakeApi& api, const ResourceHealth& health) {
    for (const auto& [fault, count] : api.faults()) faults[fault] += count;
    for (std::size_t i = 0; i < lists.size(); ++i) lists[i] += health.lists[i];
    for (std::size_t i = 0; i < ends.size(); ++i) ends[i] += health.watch_ends[i];
  }
};

class ReflectorFaultsTest : public ::testing::TestWithParam<std::tuple<bool, Streams>> {
 protected:
  // Two hours in which everything goes wrong, then a quarter of an hour in which nothing does.
  static void RunTwoHours(std::uint32_t seed, bool protobuf, Streams streams, Tally& tally) {
    base::FakeClock clock(1'800'000'000'000);
    auto transport = std::make_unique<FakeApi>(
        FakeApi::Options{.seed = seed, .protobuf = protobuf, .streams = streams}, clock);
    FakeApi& api = *transport;
    ClusterAccess access;
    access.server = "https://api";
    ApiClient client(access, std::move(transport));
    ObjectCache<Pod> cache;
    std::stop_source stop;
    int compared = 0;
    api.OnSecond([&] {
      constexpr std::int64_t kSecondNs = 1'000'000'000;
      if (clock.SteadyNs() > 7'200 * kSecondNs) api.CalmDown();
      if (clock.SteadyNs() > 8'100 * kSecondNs) stop.request_stop();
      if (!api.all_told()) return;
      ++compared;
      if (Held(cache) == Served(api)) return;
      ADD_FAILURE() << "not what the server has, after " << clock.SteadyNs() / kSecondNs << " s";
      stop.request_stop();
    });
    Reflector<Pod> reflector({.path = "/api/v1/pods",
                              .page_size = 7,
                              .wait =
                                  [&](const std::stop_token& stopped, std::int64_t ms) {
                                    api.Pass(ms);
                                    return !stopped.stop_requested();
                                  }},
                             client, cache, clock, base::Logger::Silent());
    reflector.Run(stop.get_token());
    EXPECT_EQ(Held(cache), Served(api));
    EXPECT_GT(compared, 1'000);
    tally.Add(api, cache.health());
  }
};

TEST_P(ReflectorFaultsTest, HoldsWhatTheServerHolds) {
  const auto [protobuf, streams] = GetParam();
  Tally tally;
  for (std::uint32_t seed = 1; seed <= 3 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RunTwoHours(seed, protobuf, streams, tally);
  }
  for (const char* fault :
       {"429", "500", "cut in an event", "garbage", "refused connection", "closed", "silent",
        "expired watch", "restored", "version to come", "clock step"}) {
    EXPECT_GT(tally.faults[fault], 0) << fault << " never happened";
  }
  for (std::size_t i = 0; i < tally.lists.size(); ++i) {
    EXPECT_GT(tally.lists[i], 0u) << "no list because of "
                                  << ListReasonName(static_cast<ListReason>(i));
  }
  for (std::size_t i = 0; i < tally.ends.size(); ++i) {
    EXPECT_GT(tally.ends[i], 0u) << "no watch that was " << WatchEndName(static_cast<WatchEnd>(i));
  }
}
std::string NameOf(const ::testing::TestParamInfo<std::tuple<bool, Streams>>& tested) {
  constexpr const char* kNames[] = {"Streams", "StreamsRefused", "StreamsUnknown"};
  const auto [protobuf, streams] = tested.param;
  return std::string(protobuf ? "Protobuf" : "Json") + kNames[static_cast<std::size_t>(streams)];
}
INSTANTIATE_TEST_SUITE_P(All, ReflectorFaultsTest,
                         ::testing::Combine(::testing::Bool(),
                                            ::testing::Values(Streams::kServed, Streams::kRefused,
                                                              Streams::kUnknown)),
                         NameOf);

}  // namespace
}  // namespace azexporter::kube
