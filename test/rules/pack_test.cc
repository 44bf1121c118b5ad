// The shipped packs hold together: every recommended alert is told in the runbook and tried in both
// ways by the promtool tests, and no rule asks for a metric that azexporter does not have.

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <set>

#include "azexporter/base/file.h"
#include "azexporter/base/text.h"
#include "azexporter/base/yaml.h"
#include "azexporter/collect/collector.h"
#include "azexporter/collect/self_metrics.h"
#include "azexporter/collect/snapshot.h"
#include "azexporter/promql/engine.h"
#include "azexporter/rules/manager.h"
#include "azexporter/rules/rule_file.h"
#include "azexporter/rules/template.h"
#include "azexporter/storage/memory_store.h"
#include "rule_groups.h"

namespace azexporter::rules {
namespace {

namespace fs = std::filesystem;
using base::YamlNode;

const std::string kAlerts = std::string(AZX_SOURCE_DIR) + "/rules/alerts/";

std::string Text(const std::string& path) {
  const auto text = base::ReadFile(path);
  EXPECT_TRUE(text.has_value()) << text.error().message();
  return text.value_or("");
}

std::vector<RuleGroup> Pack(std::string_view text) {
  auto groups = ParseRuleFile(text, "pack.yaml");
  EXPECT_TRUE(groups.has_value()) << groups.error().message();
  return groups ? std::move(*groups) : std::vector<RuleGroup>();
}

std::string Find(const TemplateMap& map, std::string_view name) {
  for (const auto& [key, text] : map) {
    if (key == name) return text;
  }
  return "";
}

const YamlNode& At(const YamlNode& map, std::string_view key) {
  static const YamlNode kNone;
  for (const auto& [name, value] : map.entries()) {
    if (name.scalar() == key) return value;
  }
  return kNone;
}

// What the unit tests of a pack try of each alert.
struct Tried {
  bool firing = false;
  bool quiet = false;
};

std::map<std::string, Tried> TriedFor(const std::string& pack) {
  std::map<std::string, Tried> tried;
  for (const auto& entry : fs::directory_iterator(kAlerts + "tests")) {
    const std::string path = entry.path().string();
    if (!path.ends_with("_test.yaml")) continue;
    const auto root = YamlNode::Parse(Text(path), path);
    EXPECT_TRUE(root.has_value()) << root.error().message();
    if (!root || At(*root, "rule_files").items().at(0).scalar() != "../" + pack) continue;
    for (const YamlNode& test : At(*root, "tests").items()) {
      for (const YamlNode& check : At(test, "alert_rule_test").items()) {
        Tried& alert = tried[At(check, "alertname").scalar()];
        (At(check, "exp_alerts").items().empty() ? alert.quiet : alert.firing) = true;
      }
    }
  }
  return tried;
}

// Names of families that azexporter exposes, with the labels of those a collector declares.
std::map<std::string, std::set<std::string>> KnownFamilies() {
  std::map<std::string, std::set<std::string>> known;
  for (const collect::Collector& collector : collect::Collectors()) {
    for (const model::MetricDesc& desc : collector.families) {
      std::set<std::string> labels(desc.label_names.begin(), desc.label_names.end());
      if (desc.type == model::MetricType::kHistogram) {
        labels.insert("le");
        for (const char* suffix : {"_bucket", "_sum", "_count"}) {
          known[std::string(desc.name) + suffix] = labels;
        }
      } else {
        known[std::string(desc.name)] = labels;
      }
    }
  }
  collect::SelfMetrics self("1", "2");
  self.RecordReload(true, 1);
  self.RecordNotifications({});
  self.RecordState({});
  kube::ClusterState::Parts parts;
  parts.health.push_back({.resource = "nodes"});
  self.Record({.timestamp_ms = 1, .blocks = {}, .runs = {{.collector = "zones", .success = true}}},
              kube::ClusterState(std::move(parts)));
  const GroupViews groups = NotEvaluated(Pack(DocumentedPack()));
  for (const auto& block : {self.ToBlock(), app::AlertCounts(groups), app::RuleCounts(groups)}) {
    for (const auto& family : block->families) known[family.name];
    for (const auto& sample : block->samples) {
      std::set<std::string>& labels = known[std::string(sample.labels.metric_name())];
      for (const model::Label label : sample.labels) labels.insert(std::string(label.name));
    }
  }
  return known;
}

TEST(PackTest, ThePacksAreBuiltIn) {
  EXPECT_EQ(RecommendedPack(), Text(kAlerts + "recommended.yaml"));
  EXPECT_EQ(DocumentedPack(), Text(kAlerts + "documented.yaml"));
  EXPECT_EQ(Pack(DocumentedPack()).at(0).rules.size(), 4U);
}

TEST(PackTest, EveryRecommendedAlertIsWhole) {
  const std::string runbook = Text(kAlerts + "RUNBOOK.md");
  const auto tried = TriedFor("recommended.yaml");
  std::set<std::string> names;
  for (const RuleGroup& group : Pack(RecommendedPack())) {
    for (const Rule& rule : group.rules) {
      SCOPED_TRACE(rule.name);
      ASSERT_EQ(rule.kind, RuleKind::kAlerting);
      EXPECT_TRUE(names.insert(rule.name).second) << "two alerts of one name";
      EXPECT_NE(runbook.find("\n## " + rule.name + "\n"), std::string::npos);
      const std::set<std::string> severities = {"critical", "warning", "none"};
      EXPECT_TRUE(severities.contains(Find(rule.labels, "severity")));
      EXPECT_NE(Find(rule.annotations, "summary"), "");
      EXPECT_NE(Find(rule.annotations, "description"), "");
      EXPECT_EQ(Find(rule.annotations, "runbook_url"),
                "https://github.com/azexporter/azexporter/blob/main/rules/alerts/RUNBOOK.md#" +
                    base::Lower(rule.name));
      ASSERT_TRUE(tried.contains(rule.name)) << "no unit test";
      EXPECT_TRUE(tried.at(rule.name).firing);
      // What has no selector is always true: a Watchdog.
      const bool always = promql::Selections(*rule.expr).empty();
      EXPECT_TRUE(tried.at(rule.name).quiet || always);
      EXPECT_EQ(always, Find(rule.labels, "severity") == "none");
      // What compares a time has waited already.
      const bool waited = rule.name == "NodeLeasesNotRenewed";
      EXPECT_EQ(always || waited, rule.for_ms == 0);
    }
  }
  EXPECT_GE(names.size(), 28U);
  for (const auto& [name, unused] : tried) EXPECT_TRUE(names.contains(name)) << name;
}

TEST(PackTest, TheRunbookTellsOfNoOtherAlert) {
  std::set<std::string> names = {"The documented pack"};
  for (const RuleGroup& group : Pack(RecommendedPack())) {
    for (const Rule& rule : group.rules) names.insert(rule.name);
  }
  const std::string runbook = Text(kAlerts + "RUNBOOK.md");
  for (std::size_t at = runbook.find("\n## "); at != std::string::npos;
       at = runbook.find("\n## ", at + 1)) {
    const std::string title = runbook.substr(at + 4, runbook.find('\n', at + 4) - at - 4);
    EXPECT_TRUE(names.contains(title)) << title;
  }
}

TEST(PackTest, EveryDocumentedAlertIsTried) {
  const auto tried = TriedFor("documented.yaml");
  const std::vector<RuleGroup> groups = Pack(DocumentedPack());
  for (const Rule& rule : groups.at(0).rules) {
    SCOPED_TRACE(rule.name);
    ASSERT_TRUE(tried.contains(rule.name));
    EXPECT_TRUE(tried.at(rule.name).quiet);
    EXPECT_EQ(tried.at(rule.name).firing, rule.name != "PodDistributionImbalanced");
  }
}

TEST(PackTest, RulesAskOnlyForMetricsThatAreThere) {
  const auto known = KnownFamilies();
  ASSERT_TRUE(known.contains("azexporter_rule_healthy"));
  for (std::string_view pack : {RecommendedPack(), DocumentedPack()}) {
    for (const RuleGroup& group : Pack(pack)) {
      for (const Rule& rule : group.rules) {
        for (const promql::Selection& selection : promql::Selections(*rule.expr)) {
          SCOPED_TRACE(rule.name);
          std::string name;
          for (const model::Matcher& matcher : selection.matchers) {
            if (matcher.name() == model::kMetricName) name = matcher.value();
          }
          ASSERT_TRUE(known.contains(name)) << name;
          for (const model::Matcher& matcher : selection.matchers) {
            if (matcher.name() == model::kMetricName) continue;
            EXPECT_TRUE(known.at(name).contains(matcher.name())) << name << " " << matcher.name();
          }
        }
      }
    }
  }
}

// A snapshot file has no API server behind it that could fall silent: AzexporterKubernetesSilent
// has nothing to judge.
TEST(PackTest, ASnapshotIsNotSilent) {
  collect::SelfMetrics self("1", "2");
  kube::ClusterState::Parts parts;
  parts.health.push_back({.resource = "nodes", .synced = true, .from_file = true});
  self.Record({}, kube::ClusterState(std::move(parts)));
  const auto block = self.ToBlock();
  for (const auto& family : block->families) {
    EXPECT_NE(family.name, "azexporter_kube_last_contact_timestamp_seconds");
  }
}

// A one-shot check notifies nobody: that is judged to be well, not left unjudged.
TEST(PackTest, NobodyToNotifyIsWell) {
  constexpr model::TimestampMs kStart = 1'700'000'000'000;
  storage::MemoryStore store;
  collect::SnapshotAppender appender(store);
  collect::SelfMetrics self("1", "2");
  self.RecordNotifications({});
  model::TimestampMs t = kStart;
  for (int round = 0; round < 3; ++round, t += 500) {
    collect::Snapshot snapshot{.timestamp_ms = t};
    snapshot.blocks.push_back(self.ToBlock());
    ASSERT_TRUE(appender.Append(snapshot).has_value());
  }
  const base::FakeClock clock(t);
  const promql::Engine engine(promql::EngineOptions{}, clock);
  int judged = 0;
  for (const Judgement& judgement :
       JudgeNow(Pack(RecommendedPack()), {}, engine, LocalEvaluator(engine, store), t - 500)) {
    if (!judgement.rule->name.starts_with("AzexporterNotifications")) continue;
    EXPECT_EQ(judgement.verdict, Verdict::kFalse) << judgement.rule->name << judgement.detail;
    ++judged;
  }
  EXPECT_EQ(judged, 2);
}

// No template of a pack fails, whatever it is given.
TEST(PackTest, TemplatesExpand) {
  for (std::string_view pack : {RecommendedPack(), DocumentedPack()}) {
    for (const RuleGroup& group : Pack(pack)) {
      for (const Rule& rule : group.rules) {
        for (const double value : {0.0, 1.5, 1e12}) {
          for (const auto& [name, text] : rule.annotations) {
            const auto expanded = ExpandTemplate(text, {.alert = rule.name,
                                                        .labels = {},
                                                        .external_labels = {},
                                                        .external_url = "",
                                                        .value = value});
            EXPECT_TRUE(expanded.has_value()) << rule.name << " " << name;
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace azexporter::rules
