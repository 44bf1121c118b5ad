// The documented platform at its largest: 5,000 nodes and 150,000 pods, read in pages and watched
// while they change. What it costs is told by scale_bench.cc.

#include "simulator/scale.h"

#include <httplib.h>

#include <atomic>
#include <thread>

#include "simulator/json_text.h"
#include "simulator/simulator_fixture.h"
#include "support/eventually.h"

namespace azexporter::simulator {
namespace {

// Instrumented and unoptimised builds prove the same with less.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(NDEBUG)
constexpr ScaleOptions kScale{.nodes = 100, .pods = 6'000, .namespaces = 10};
#else
constexpr ScaleOptions kScale{};
#endif
constexpr int kPageSize = 500;
constexpr int kWritesDuringWalk = 3'000;

class ScaleTest : public SimulatorTest {
 protected:
  void SetUp() override {
    const auto filled = FillStore(store_, kScale);
    ASSERT_TRUE(filled) << filled.error().message();
    Start();
  }

  static std::string Text(const ObjectPtr& object, std::initializer_list<std::string_view> path) {
    return TextAt(object.text(), path);
  }

  // Changes one pod after the other, deletes every tenth and makes a new one.
  void ChangePods(int writes) {
    for (int i = 0; i < writes; ++i) {
      const int n = static_cast<int>(std::int64_t{i} * 7'919 % kScale.pods);
      const ObjectKey key = ScalePodKey(kScale, n);
      if (i % 10 == 0) {
        (void)store_.Delete(key);
        ASSERT_TRUE(store_.Apply(Pod(key.ns, "new-" + std::to_string(i))));
      } else {
        (void)store_.Modify(key, [&](Json& pod) { pod["status"]["phase"] = "Failed"; });
      }
    }
  }
};

// "namespace/name" of each item of a page, found by how an item begins.
void CollectPaths(std::string_view page, std::vector<std::string>& paths) {
  constexpr std::string_view kItem = "{\"metadata\":{\"name\":\"";
  for (std::size_t at = page.find(kItem); at != std::string_view::npos;
       at = page.find(kItem, at + 1)) {
    const std::string_view item = page.substr(at);
    paths.push_back(TextAt(item, {"metadata", "namespace"}) + "/" +
                    TextAt(item, {"metadata", "name"}));
  }
}

TEST_F(ScaleTest, IsTheClusterThatWasAskedFor) {
  EXPECT_EQ(store_.Now(*FindKind("v1", "Node")).objects.size(),
            static_cast<std::size_t>(kScale.nodes));
  EXPECT_EQ(store_.Now(*FindKind("v1", "Pod")).objects.size(),
            static_cast<std::size_t>(kScale.pods));
  const ObjectPtr pod = store_.Get(ScalePodKey(kScale, kScale.pods - 1));
  ASSERT_NE(pod, nullptr);
  EXPECT_GT(pod.text().size(), 3'500u);
  EXPECT_LT(pod.text().size(), 5'000u);
  EXPECT_EQ(Dump(*pod), pod.text()) << "compact, as stored objects are";
  const ObjectPtr node = store_.Get({FindKind("v1", "Node"), "", Text(pod, {"spec", "nodeName"})});
  ASSERT_NE(node, nullptr);
  EXPECT_NE(node->at("metadata").at("labels").value("topology.kubernetes.io/zone", ""), "");
  const Json& owner = pod->at("metadata").at("ownerReferences").at(0);
  const ObjectPtr set = store_.Get({FindKind("apps/v1", "ReplicaSet"), std::string(pod.ns()),
                                    owner.at("name").get<std::string>()});
  ASSERT_NE(set, nullptr);
  EXPECT_EQ(Text(set, {"metadata", "uid"}), owner.at("uid").get<std::string>());
}

TEST_F(ScaleTest, PagesAreOneMomentWhilePodsChange) {
  // Pods change from the first page on, which so tells of a known moment: between the deletion of a
  // pod and the making of the next there is one less.
  std::jthread writer;
  std::vector<std::string> paths;
  std::string token, version;
  do {
    const Answer page = Get(*server_, "/api/v1/pods?limit=" + std::to_string(kPageSize) +
                                          (token.empty() ? "" : "&continue=" + token));
    ASSERT_EQ(page.status, 200) << page.body;
    const std::size_t before = paths.size();
    CollectPaths(page.body, paths);
    token = TextAt(page.body, {"metadata", "continue"});
    const std::string page_version = TextAt(page.body, {"metadata", "resourceVersion"});
    if (version.empty()) {
      version = page_version;
      const std::string_view left = RawAt(page.body, {"metadata", "remainingItemCount"});
      EXPECT_EQ(left, std::to_string(kScale.pods - kPageSize));
      writer = std::jthread([&] { ChangePods(kWritesDuringWalk); });
    }
    ASSERT_EQ(page_version, version);
    ASSERT_TRUE(token.empty() || paths.size() - before == kPageSize) << paths.size();
  } while (!token.empty());
  writer.join();
  EXPECT_EQ(paths.size(), static_cast<std::size_t>(kScale.pods));
  // Strictly rising: in order, and none twice.
  const auto disorder = std::adjacent_find(paths.begin(), paths.end(), std::greater_equal<>());
  EXPECT_EQ(disorder, paths.end()) << *disorder;
  EXPECT_GT(store_.resource_version(), std::stoll(version));
}

TEST_F(ScaleTest, AWatchSeesEveryChange) {
  const std::int64_t from = store_.resource_version();
  std::atomic<std::int64_t> lines = 0;
  std::atomic<std::int64_t> wanted = std::numeric_limits<std::int64_t>::max();
  std::jthread watcher([&] {
    httplib::Client client("127.0.0.1", server_->port());
    client.set_read_timeout(30);
    (void)client.Get("/api/v1/pods?watch=1&resourceVersion=" + std::to_string(from),
                     [&](const char* data, std::size_t size) {
                       lines += std::count(data, data + size, '\n');
                       return lines < wanted;
                     });
  });
  ASSERT_TRUE(test::Eventually([&] { return server_->open_watches() == 1; }));
  ChangePods(kWritesDuringWalk);
  // Each version from here on is one event of a pod.
  wanted = store_.resource_version() - from;
  EXPECT_TRUE(test::Eventually([&] { return lines >= wanted; })) << lines << " of " << wanted;
  server_->CloseWatches();
}

}  // namespace
}  // namespace azexporter::simulator
