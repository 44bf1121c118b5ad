// What a replica that does not lead exposes, and what it takes to take part in an election.

#include "leadership.h"

#include <gtest/gtest.h>

#include "support/temp_folder.h"

namespace azexporter::app {
namespace {

std::shared_ptr<const collect::Block> Block(std::string_view collector, double value) {
  static constexpr model::MetricDesc kDesc = {"m", "A metric.", model::MetricType::kGauge, {}};
  model::MetricFamily family{&kDesc, {}, {}};
  family.metrics.push_back({model::Labels(), value});
  return collect::Block::Make(collector, {family});
}

std::string Collectors(const collect::Round& round) {
  std::string text;
  for (const auto& block : round.snapshot.blocks) {
    text += (text.empty() ? "" : " ") + block->collector;
  }
  return text;
}

TEST(LeadershipTest, OthersExposeTheirProbesAndThemselves) {
  collect::Round round;
  round.snapshot.timestamp_ms = 7;
  for (const char* name :
       {"nodes", "pods", "postgres", "probes", "zones", "self", "alerts", "rules"}) {
    round.snapshot.blocks.push_back(Block(name, 1));
  }
  const auto shown = WithoutCluster(round);
  EXPECT_EQ(Collectors(*shown), "probes self rules");
  EXPECT_EQ(shown->snapshot.timestamp_ms, 7);
  EXPECT_EQ(round.snapshot.blocks.size(), 8U);
  const auto changed = WithBlock(*shown, Block("self", 2));
  EXPECT_EQ(Collectors(*changed), "probes self rules");
  EXPECT_EQ(changed->snapshot.blocks[1]->samples.at(0).value, 2);
  EXPECT_EQ(shown->snapshot.blocks[1]->samples.at(0).value, 1);
}

class LeadershipCreateTest : public ::testing::Test {
 protected:
  std::string ErrorOf(const kube::LeaderElectionOptions& options,
                      const kube::ClusterAccess* access) {
    DaemonDeps deps{clock_, base::Logger::Silent(), {}};
    deps.surroundings.service_account_folder = folder_.path().string();
    const auto made = Leadership::Create(options, access, deps, {});
    return made ? "" : made.error().message();
  }

  base::SystemClock clock_;
  const test::TempFolder folder_;
  const kube::ClusterAccess access_{.server = "http://127.0.0.1:1"};
};

TEST_F(LeadershipCreateTest, TakesTheNamespaceOfThePod) {
  EXPECT_EQ(ErrorOf({}, &access_),
            "kubernetes.leader_election: namespace is missing, and this is no pod");
  EXPECT_EQ(ErrorOf({.ns = "n"}, &access_), "");
  folder_.Write("namespace", "monitoring\n");
  EXPECT_EQ(ErrorOf({}, &access_), "");
}

TEST_F(LeadershipCreateTest, NeedsAnApiServer) {
  EXPECT_EQ(ErrorOf({.ns = "n"}, nullptr), "kubernetes.leader_election: a snapshot has no leader");
}

}  // namespace
}  // namespace azexporter::app
