#pragma once

// What ties the rules to the sender of notifications, and the sender to the metrics: neither knows
// the other. Private to `app`.

#include <string>
#include <vector>

#include "azexporter/collect/self_metrics.h"
#include "azexporter/config/config.h"
#include "azexporter/notify/sender.h"
#include "azexporter/rules/alert.h"

namespace azexporter::app {

// Alerts of `rule` as they go out; their link asks for the rule's expression below `external_url`.
std::vector<notify::Alert> ToSend(const rules::Rule& rule, const std::vector<rules::Alert>& alerts,
                                  const std::string& external_url);

collect::NotificationCounts CountsOf(const notify::SenderStats& stats);
// Of a program that sends nothing, as a check is: all zero.
collect::NotificationCounts NothingSent(const config::Config& config);

}  // namespace azexporter::app
