#include "azexporter/collect/snapshot.h"

#include <gtest/gtest.h>

#include "azexporter/collect/self_metrics.h"
#include "azexporter/storage/memory_store.h"

namespace azexporter::collect {
namespace {

constexpr model::MetricDesc kB = {"b", "B.", model::MetricType::kGauge, {}};
constexpr model::MetricDesc kA = {"a", "A.", model::MetricType::kGauge, {}};

Snapshot SnapshotOf(std::int64_t t, std::vector<model::MetricFamily> families) {
  Snapshot snapshot;
  snapshot.timestamp_ms = t;
  snapshot.blocks.push_back(Block::Make("test", families));
  return snapshot;
}

TEST(RenderTextTest, SortsFamiliesAndFiltersByName) {
  const Snapshot snapshot = SnapshotOf(1, {{&kB, {{{}, 1}}, {}}, {&kA, {{{}, 2}}, {}}});
  EXPECT_EQ(RenderText(snapshot),
            "# HELP a A.\n# TYPE a gauge\na 2\n# HELP b B.\n# TYPE b gauge\nb 1\n");
  EXPECT_EQ(RenderText(snapshot, {"b"}), "# HELP b B.\n# TYPE b gauge\nb 1\n");
}

TEST(SnapshotAppenderTest, MarksWhatIsGoneAsStale) {
  storage::MemoryStore store;
  SnapshotAppender appender(store);
  ASSERT_TRUE(appender.Append(SnapshotOf(1000, {{&kA, {{{}, 1}}, {}}, {&kB, {{{}, 1}}, {}}})));
  ASSERT_TRUE(appender.Append(SnapshotOf(2000, {{&kB, {{{}, 5}}, {}}})));
  ASSERT_TRUE(appender.Append(SnapshotOf(3000, {{&kB, {{{}, 6}}, {}}})));
  auto querier = store.NewQuerier(0, 5000);
  ASSERT_TRUE(querier);
  const auto selected = (*querier)->Select({});
  ASSERT_TRUE(selected);
  const storage::SeriesSet& set = **selected;
  ASSERT_EQ(set.size(), 2u);
  for (std::size_t i = 0; i < set.size(); ++i) {
    std::vector<model::FPoint> points;
    set.Read(i, 0, 5000, points);
    if (set.labels(i).Get(model::kMetricName) == "a") {
      ASSERT_EQ(points.size(), 2u);
      EXPECT_TRUE(model::IsStaleNaN(points[1].f));
    } else {
      EXPECT_EQ(points.size(), 3u);
    }
  }
}

TEST(SelfMetricsTest, FollowsRoundsAndResources) {
  SelfMetrics self("1.2.3", "abc");
  kube::ClusterState::Parts parts;
  parts.health.push_back(
      {.resource = "pods", .synced = true, .last_contact_ms = 5000, .lists = {2}});
  const kube::ClusterState cluster(parts);
  Snapshot snapshot;
  snapshot.timestamp_ms = 7000;
  snapshot.runs = {{"pods", true, "", 0.5}, {"nodes", false, "403", 0.25}};
  self.Record(snapshot, cluster);
  self.Record(snapshot, cluster);
  Snapshot page;
  page.blocks.push_back(self.ToBlock());
  const std::string text = RenderText(page);
  for (const char* line :
       {"azexporter_build_info{revision=\"abc\",version=\"1.2.3\"} 1\n",
        "azexporter_collector_success{collector=\"pods\"} 1\n",
        "azexporter_collector_success{collector=\"nodes\"} 0\n",
        "azexporter_collector_last_success_timestamp_seconds{collector=\"pods\"} 7\n",
        "azexporter_kube_last_contact_timestamp_seconds{resource=\"pods\"} 5\n",
        "azexporter_kube_lists_total{reason=\"start\",resource=\"pods\"} 2\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << "\nin\n" << text;
  }
  EXPECT_EQ(text.find("last_success_timestamp_seconds{collector=\"nodes\"}"), std::string::npos);
}

}  // namespace
}  // namespace azexporter::collect
