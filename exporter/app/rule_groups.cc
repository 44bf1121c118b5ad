#include "rule_groups.h"

#include <array>
#include <map>
#include <tuple>

#include "azexporter/collect/collector.h"
#include "azexporter/collect/self_metrics.h"

namespace azexporter::app {
namespace {

using model::Labels;

constexpr std::string_view kAlertLabels[] = {"alertname", "severity", "alertstate"};
constexpr std::string_view kAlertStates[] = {"pending", "firing"};
constexpr model::LabelValues kAlertValues[] = {{"alertstate", kAlertStates}};
constexpr std::string_view kRuleLabels[] = {"rule"};
constexpr std::string_view kGroupLabels[] = {"rule_group"};

constexpr model::MetricDesc kFamilies[] = {
    {"az_alerts", "Alerts of azexporter's own evaluation by name, severity and state.",
     model::MetricType::kGauge, kAlertLabels, model::kNumber, kAlertValues},
    {"azexporter_rule_healthy", "Whether the last evaluation of the rule succeeded.",
     model::MetricType::kGauge, kRuleLabels, model::kFlag},
    {"azexporter_rule_group_interval_seconds", "How often the rule group is evaluated.",
     model::MetricType::kGauge, kGroupLabels, model::kAmount},
    {"azexporter_rule_group_iterations_missed_total",
     "Evaluations of the rule group that fell out: earlier ones took too long, or the clock "
     "stepped.",
     model::MetricType::kCounter, kGroupLabels, model::kNumber},
    {"azexporter_rule_group_iterations_total",
     "Evaluations of the rule group since its rules were loaded.", model::MetricType::kCounter,
     kGroupLabels, model::kNumber},
    {"azexporter_rule_group_last_duration_seconds",
     "How long the last evaluation of the rule group took.", model::MetricType::kGauge,
     kGroupLabels, model::kAmount},
    {"azexporter_rule_group_last_evaluation_timestamp_seconds",
     "When the rule group was last evaluated.", model::MetricType::kGauge, kGroupLabels,
     model::kAmount},
};
// What --check --output prometheus writes for node_exporter's textfile collector.
constexpr std::string_view kFindingLabels[] = {"topic", "severity"};
constexpr model::MetricDesc kCheckFamilies[] = {
    {"azexporter_check_findings", "Findings of --check by topic and severity.",
     model::MetricType::kGauge, kFindingLabels, model::kNumber},
    {"azexporter_check_status",
     "Verdict of --check: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.",
     model::MetricType::kGauge,
     {},
     {0, 3, true}},
};
enum Family { kAlerts, kHealthy, kInterval, kMissed, kIterations, kDuration, kTime };

}  // namespace

rules::Catalogue MetricCatalogue() {
  rules::Catalogue catalogue;
  for (const collect::Collector& collector : collect::Collectors()) {
    catalogue.Add(collector.families);
  }
  catalogue.Add(collect::SelfFamilies());
  catalogue.Add(kFamilies);
  catalogue.Add(kCheckFamilies);
  return catalogue;
}

base::Result<std::vector<rules::RuleGroup>> LoadRuleGroups(const config::Config& config,
                                                           const promql::ParserOptions& parser) {
  if (!config.rule_files.empty()) {
    return rules::LoadRuleFiles(rules::FindRuleFiles(config.rule_files),
                                rules::UnknownKeys::kRefuse, parser);
  }
  return rules::ParseRuleFile(rules::RecommendedPack(), "recommended.yaml");
}

std::shared_ptr<const collect::Block> AlertCounts(const rules::GroupViews& groups) {
  model::MetricFamily alerts{&kFamilies[kAlerts], {}, {}};
  // Every alerting rule has its two series, with 0 while nothing is active. Rules of one name add
  // up: several thresholds may share it.
  std::map<std::tuple<std::string, std::string, std::string>, double> counts;
  for (const auto& group : groups) {
    for (const rules::RuleView& rule : group->rules) {
      if (rule.rule->kind != rules::RuleKind::kAlerting) continue;
      std::string severity;
      for (const auto& [name, text] : rule.rule->labels) {
        if (name == "severity") severity = text;
      }
      for (const std::string_view state : kAlertStates) {
        counts.try_emplace({rule.rule->name, severity, std::string(state)}, 0);
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

std::shared_ptr<const collect::Block> RuleCounts(const rules::GroupViews& groups) {
  model::MetricFamily healthy{&kFamilies[kHealthy], {}, {}};
  model::MetricFamily interval{&kFamilies[kInterval], {}, {}};
  model::MetricFamily missed{&kFamilies[kMissed], {}, {}};
  model::MetricFamily iterations{&kFamilies[kIterations], {}, {}};
  model::MetricFamily duration{&kFamilies[kDuration], {}, {}};
  model::MetricFamily time{&kFamilies[kTime], {}, {}};
  std::map<std::string, bool> health;
  for (const auto& group : groups) {
    const Labels of_group = Labels::Of({{"rule_group", group->group->name}});
    interval.metrics.push_back({of_group, static_cast<double>(group->interval_ms) / 1000});
    missed.metrics.push_back({of_group, static_cast<double>(group->missed)});
    iterations.metrics.push_back({of_group, static_cast<double>(group->iterations)});
    duration.metrics.push_back({of_group, group->evaluation_seconds});
    time.metrics.push_back({of_group, static_cast<double>(group->last_evaluation) / 1000});
    for (const rules::RuleView& rule : group->rules) {
      const bool ok = rule.last().health != rules::RuleHealth::kError;
      const auto [seen, fresh] = health.emplace(rule.rule->name, ok);
      if (!fresh) seen->second = seen->second && ok;
    }
  }
  for (const auto& [name, ok] : health) {
    healthy.metrics.push_back({Labels::Of({{"rule", name}}), ok ? 1.0 : 0.0});
  }
  return collect::Block::Make("rules", {healthy, interval, missed, iterations, duration, time});
}

}  // namespace azexporter::app
