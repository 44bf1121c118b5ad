#include "rule_groups.h"

#include <array>
#include <map>
#include <tuple>

namespace azexporter::app {
namespace {

using model::Labels;

constexpr model::MetricDesc kAlerts = {
    "az_alerts",
    "Alerts of azexporter's own evaluation by name, severity and state.",
    model::MetricType::kGauge,
    {}};
constexpr model::MetricDesc kRuleHealth = {"azexporter_rule_healthy",
                                           "Whether the last evaluation of the rule succeeded.",
                                           model::MetricType::kGauge,
                                           {}};
constexpr model::MetricDesc kGroupDuration = {
    "azexporter_rule_group_last_duration_seconds",
    "How long the last evaluation of the rule group took.",
    model::MetricType::kGauge,
    {}};
constexpr model::MetricDesc kGroupTime = {"azexporter_rule_group_last_evaluation_timestamp_seconds",
                                          "When the rule group was last evaluated.",
                                          model::MetricType::kGauge,
                                          {}};

}  // namespace

base::Result<std::vector<rules::RuleGroup>> LoadRuleGroups(const config::Config& config) {
  if (!config.rule_files.empty()) return rules::LoadRuleFiles(config.rule_files);
  return rules::ParseRuleFile(rules::RecommendedPack(), "recommended.yaml");
}

std::shared_ptr<const collect::Block> AlertCounts(const std::vector<rules::GroupView>& groups) {
  model::MetricFamily alerts{&kAlerts, {}, {}};
  // Every alerting rule has its two series, with 0 while nothing is active. Rules of one name add
  // up: several thresholds may share it.
  std::map<std::tuple<std::string, std::string, std::string>, double> counts;
  for (const rules::GroupView& group : groups) {
    for (const rules::RuleView& rule : group.rules) {
      if (rule.rule->kind != rules::RuleKind::kAlerting) continue;
      std::string severity;
      for (const auto& [name, text] : rule.rule->labels) {
        if (name == "severity") severity = text;
      }
      for (const char* state : {"pending", "firing"}) {
        counts.try_emplace({rule.rule->name, severity, state}, 0);
      }
      for (const rules::Alert& alert : rule.alerts) {
        ++counts[{rule.rule->name, std::string(alert.labels.Get("severity")),
                  std::string(rules::AlertStateName(alert.state))}];
      }
    }
  }
  for (const auto& [key, count] : counts) {
    const auto& [name, severity, state] = key;
    alerts.metrics.push_back(
        {Labels::Of({{"alertname", name}, {"severity", severity}, {"alertstate", state}}), count});
  }
  return collect::Block::Make("alerts", {alerts});
}

std::shared_ptr<const collect::Block> RuleCounts(const std::vector<rules::GroupView>& groups) {
  model::MetricFamily healthy{&kRuleHealth, {}, {}};
  model::MetricFamily duration{&kGroupDuration, {}, {}};
  model::MetricFamily time{&kGroupTime, {}, {}};
  std::map<std::string, bool> health;
  for (const rules::GroupView& group : groups) {
    const Labels of_group = Labels::Of({{"rule_group", group.group->name}});
    duration.metrics.push_back({of_group, group.evaluation_seconds});
    time.metrics.push_back({of_group, static_cast<double>(group.last_evaluation) / 1000});
    for (const rules::RuleView& rule : group.rules) {
      const bool ok = rule.status.health != rules::RuleHealth::kError;
      const auto [seen, fresh] = health.emplace(rule.rule->name, ok);
      if (!fresh) seen->second = seen->second && ok;
    }
  }
  for (const auto& [name, ok] : health) {
    healthy.metrics.push_back({Labels::Of({{"rule", name}}), ok ? 1.0 : 0.0});
  }
  return collect::Block::Make("rules", {healthy, duration, time});
}

}  // namespace azexporter::app
