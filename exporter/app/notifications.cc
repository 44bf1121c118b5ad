#include "notifications.h"

#include "azexporter/promql/printer.h"

namespace azexporter::app {

std::vector<notify::Alert> ToSend(const rules::Rule& rule, const std::vector<rules::Alert>& alerts,
                                  const std::string& external_url) {
  const std::string link = external_url + notify::GraphPath(promql::Print(*rule.expr));
  std::vector<notify::Alert> out;
  for (const rules::Alert& alert : alerts) {
    out.push_back({.labels = alert.labels,
                   .annotations = alert.annotations,
                   .starts_at = alert.fired_at,
                   .ends_at = alert.resolved_at != 0 ? alert.resolved_at : alert.valid_until,
                   .generator_url = link});
  }
  return out;
}

collect::NotificationCounts CountsOf(const notify::SenderStats& stats) {
  collect::NotificationCounts counts{
      .alertmanagers = {},
      .dropped = stats.dropped,
      .queue_length = stats.queue_length,
      .queue_capacity = stats.queue_capacity,
      .latency_bounds_seconds = {notify::kLatencyBoundsSeconds.begin(),
                                 notify::kLatencyBoundsSeconds.end()}};
  for (const auto& one : stats.alertmanagers) {
    counts.alertmanagers.push_back({one.url,
                                    one.sent,
                                    one.errors,
                                    {one.latency_counts.begin(), one.latency_counts.end()},
                                    one.latency_sum_seconds});
  }
  return counts;
}

collect::NotificationCounts NothingSent(const config::Config& config) {
  notify::SenderStats stats{.queue_capacity = notify::SenderOptions().queue_capacity};
  notify::Targets targets;
  for (const notify::AlertmanagerGroup& group : config.alerting.groups) {
    notify::AddTargets(group, group.static_targets, targets);
  }
  for (const auto& one : targets.alertmanagers) stats.alertmanagers.push_back({.url = one.url});
  return CountsOf(stats);
}

}  // namespace azexporter::app
