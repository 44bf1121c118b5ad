#include "azexporter/collect/snapshot.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "azexporter/collect/self_metrics.h"
#include "azexporter/exposition/metric_message.h"
#include "azexporter/kube/object_cache.h"
#include "azexporter/storage/memory_store.h"
#include "support/unzip.h"

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

TEST(RenderTextTest, PartsOfAFamilyHaveOneHead) {
  Snapshot snapshot = SnapshotOf(1, {{&kB, {{model::Labels::Of({{"x", "1"}}), 1}}, {}}});
  snapshot.blocks.push_back(Block::Make(
      "test", {{&kB, {{model::Labels::Of({{"x", "2"}}), 2}}, {}}, {&kA, {{{}, 3}}, {}}}));
  EXPECT_EQ(RenderText(snapshot),
            "# HELP a A.\n# TYPE a gauge\na 3\n"
            "# HELP b B.\n# TYPE b gauge\nb{x=\"1\"} 1\nb{x=\"2\"} 2\n");
}

TEST(RenderGzipTest, IsThePageInEitherFormat) {
  std::vector<model::Metric> many;  // enough that the family is packed by itself
  for (int i = 0; i < 2'000; ++i) {
    many.push_back({model::Labels::Of({{"number", std::to_string(i)}}), double{1} * i});
  }
  const Snapshot snapshot = SnapshotOf(1, {{&kB, many, {}}, {&kA, {{{}, 2}}, {}}});
  for (const auto format : {exposition::PageFormat::kText, exposition::PageFormat::kProtobuf}) {
    const std::string plain = Render(snapshot, format);
    const std::string packed = RenderGzip(snapshot, format);
    EXPECT_EQ(test::Unzip(packed), plain);
    EXPECT_EQ(test::Unzip(RenderGzip(snapshot, format)), plain) << "once more";
    EXPECT_EQ(Render(snapshot, format), plain) << "and as it was";
    EXPECT_LT(packed.size(), plain.size() / 2);
  }
}

TEST(BlockTest, ShowsWhatItWasMadeOf) {
  const auto labelled = [](const std::string& x) { return model::Labels::Of({{"x", x}}); };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<model::MetricFamily> families = {
      {&kB, {{labelled("1"), 1}, {labelled("2"), nan}}, {}}, {&kA, {}, {}}};
  const auto block = Block::Make("test", families);
  EXPECT_TRUE(block->Shows(families));
  EXPECT_TRUE(block->Shows({families[0]})) << "a family of nothing is not shown";
  const std::vector<model::MetricFamily> others[] = {
      {},
      {{&kB, {{labelled("1"), 1}}, {}}},
      {{&kB, {{labelled("1"), 2}, {labelled("2"), nan}}, {}}},
      {{&kB, {{labelled("1"), 1}, {labelled("3"), nan}}, {}}},
      {{&kB, {{labelled("1"), 1}, {{}, nan}}, {}}},
      {{&kA, {{labelled("1"), 1}, {labelled("2"), nan}}, {}}},
      {families[0], {&kA, {{{}, 1}}, {}}},
      {families[0], {&kA, {}, {{{}, {}}}}},
  };
  for (const auto& other : others) EXPECT_FALSE(block->Shows(other));
}

TEST(RenderProtobufTest, PartsOfAFamilyAreOneMessage) {
  Snapshot snapshot = SnapshotOf(1, {{&kB, {{model::Labels::Of({{"x", "1"}}), 1}}, {}}});
  snapshot.blocks.push_back(Block::Make(
      "test", {{&kB, {{model::Labels::Of({{"x", "2"}}), 2}}, {}}, {&kA, {{{}, 3}}, {}}}));
  using exposition::FamilyType;
  const auto metric = [](std::string_view x, double value) {
    exposition::MetricMessage made;
    if (!x.empty()) made.AddLabel({"x", x});
    made.SetValue(model::MetricType::kGauge, value);
    return made;
  };
  std::string a = exposition::FamilyHead("a", "A.", FamilyType::kGauge);
  metric("", 3).AppendTo(a);
  std::string b = exposition::FamilyHead("b", "B.", FamilyType::kGauge);
  metric("1", 1).AppendTo(b);
  metric("2", 2).AppendTo(b);
  std::string page;
  exposition::AppendDelimited(page, a);
  EXPECT_EQ(RenderProtobuf(snapshot, {"a"}), page);
  exposition::AppendDelimited(page, b);
  EXPECT_EQ(RenderProtobuf(snapshot), page);
}

TEST(GathererTest, PodsThatDidNotChangeKeepTheirBlocks) {
  const base::SystemClock clock;
  kube::ObjectCache<kube::Pod> pods;
  const auto pod = [](int number, const std::string& node) {
    kube::Pod made;
    made.meta.ns = "n";
    made.meta.name = "p" + std::to_string(1000 + number);
    made.node_name = node;
    return std::make_shared<const kube::Pod>(std::move(made));
  };
  for (int i = 0; i < 1'000; ++i) pods.Upsert(pod(i, i < 500 ? "n1" : "n2"));
  const auto nodes = [](const std::string& zone_of_n2) {
    kube::Objects<kube::Node> made;
    for (const auto& [name, zone] :
         {std::pair<std::string, std::string>("n1", "a"), {"n2", zone_of_n2}}) {
      kube::Node node;
      node.meta.name = name;
      node.meta.labels = {{"topology.kubernetes.io/zone", zone}};
      made.push_back(std::make_shared<const kube::Node>(std::move(node)));
    }
    return kube::MakeList(std::move(made));
  };
  Gatherer gatherer;
  zones::ZoneReport report;
  report.pods.known = report.nodes.known = true;
  const auto gather = [&](const std::string& zone_of_n2) {
    kube::ClusterState::Parts parts;
    parts.pods = pods.List();
    parts.nodes = nodes(zone_of_n2);
    const kube::ClusterState cluster(std::move(parts));
    return gatherer.Gather({.cluster = cluster, .report = report, .probes = {}, .options = {}}, {},
                           clock);
  };
  const auto of_pods = [](const Snapshot& snapshot) {
    std::set<const Block*> blocks;
    for (const auto& block : snapshot.blocks) {
      if (block->collector == "pods" && !block->samples.empty()) blocks.insert(block.get());
    }
    return blocks;
  };
  const auto shared = [&](const Snapshot& a, const Snapshot& b) {
    const auto in_a = of_pods(a);
    const auto in_b = of_pods(b);
    std::vector<const Block*> both;
    std::ranges::set_intersection(in_a, in_b, std::back_inserter(both));
    return both.size();
  };
  const Snapshot first = gather("b");
  const std::size_t blocks = of_pods(first).size();
  ASSERT_GT(blocks, 3u);
  const Snapshot second = gather("b");
  EXPECT_EQ(shared(first, second), blocks);
  pods.Upsert(pod(3, "n2"));
  const Snapshot third = gather("b");
  EXPECT_EQ(shared(second, third), blocks - 1) << "one pod moved";
  const Snapshot fourth = gather("c");
  EXPECT_LT(shared(third, fourth), blocks - 1) << "the pods of n2 are in another zone";
  EXPECT_GT(shared(third, fourth), 0u);
  // More is to be said of each pod.
  kube::ClusterState::Parts same;
  same.pods = pods.List();
  same.nodes = nodes("c");
  const kube::ClusterState detailed(std::move(same));
  const Snapshot fifth = gatherer.Gather(
      {.cluster = detailed, .report = report, .probes = {}, .options = {.pods_detail = true}}, {},
      clock);
  EXPECT_EQ(shared(fourth, fifth), 0u);
  EXPECT_NE(RenderText(fifth, {"kube_pod_status_phase"}), "");
  // What a collector says again is not said anew, either.
  const auto of = [](const Snapshot& snapshot, std::string_view collector) {
    return std::ranges::find(snapshot.blocks, collector, &Block::collector)->get();
  };
  EXPECT_EQ(of(first, "nodes"), of(second, "nodes"));
  EXPECT_NE(of(third, "nodes"), of(fourth, "nodes")) << "n2 is in another zone";
  // A page is the same as one made anew.
  kube::ClusterState::Parts parts;
  parts.pods = pods.List();
  parts.nodes = nodes("c");
  const kube::ClusterState cluster(std::move(parts));
  EXPECT_EQ(RenderText(fourth, {"kube_pod_info"}),
            RenderText(Gather({.cluster = cluster, .report = report, .probes = {}, .options = {}},
                              {}, clock),
                       {"kube_pod_info"}));
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

TEST(SnapshotAppenderTest, KeepsHistogramsAsClassicAndAsNativeSeries) {
  static constexpr model::MetricDesc kH = {"h", "H.", model::MetricType::kHistogram, {}};
  const auto family = [](double seconds) {
    model::FloatHistogram native;
    native.Observe(seconds);
    model::HistogramValue value{{{std::numeric_limits<double>::infinity(), 1}}, seconds};
    value.native = std::make_shared<const model::FloatHistogram>(std::move(native));
    return model::MetricFamily{&kH, {}, {{{}, value}}};
  };
  storage::MemoryStore store;
  SnapshotAppender appender(store);
  ASSERT_TRUE(appender.Append(SnapshotOf(1000, {family(0.5)})));
  ASSERT_TRUE(appender.Append(SnapshotOf(2000, {family(3)})));
  const Snapshot gone = SnapshotOf(3000, {});
  ASSERT_TRUE(appender.Append(gone));
  EXPECT_EQ(store.series_count(), 4u) << "h, h_bucket, h_sum, h_count";
  const auto querier = store.NewQuerier(0, 5000);
  ASSERT_TRUE(querier);
  const auto matcher = model::Matcher::Create(model::MatchType::kEqual, "__name__", "h");
  ASSERT_TRUE(matcher);
  const auto set = (*querier)->Select(std::span(&*matcher, 1));
  ASSERT_TRUE(set);
  ASSERT_EQ((*set)->size(), 1u);
  std::vector<model::FPoint> points;
  std::vector<storage::DetailPoint> details;
  EXPECT_TRUE((*set)->Read(0, 0, 5000, points));
  (*set)->ReadDetails(0, 0, 5000, details);
  ASSERT_EQ(points.size(), 3u);
  EXPECT_TRUE(model::IsStaleNaN(points[2].f)) << "the native series ends, too";
  ASSERT_EQ(details.size(), 2u);
  EXPECT_EQ(details[0].detail.histogram->ToString(), "{count:1, sum:0.5, (0.25,0.5]:1}");
  EXPECT_EQ(details[1].detail.histogram->ToString(), "{count:1, sum:3, (2,4]:1}");
  // The text format has no native histograms.
  EXPECT_EQ(RenderText(SnapshotOf(1000, {family(0.5)})),
            "# HELP h H.\n# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\nh_sum 0.5\nh_count 1\n");
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
