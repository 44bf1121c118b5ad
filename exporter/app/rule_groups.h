#pragma once

// The rules of a configuration, and what they say as metrics. Private to `app`, which alone knows
// both rules and collectors.

#include <memory>
#include <vector>

#include "azexporter/base/result.h"
#include "azexporter/collect/snapshot.h"
#include "azexporter/config/config.h"
#include "azexporter/rules/alert.h"
#include "azexporter/rules/catalogue.h"
#include "azexporter/rules/rule_file.h"

namespace azexporter::app {

// Every metric that azexporter can have.
rules::Catalogue MetricCatalogue();

// The files that the configuration names, or the recommended pack where it names none.
base::Result<std::vector<rules::RuleGroup>> LoadRuleGroups(const config::Config& config,
                                                           const promql::ParserOptions& parser);

// az_alerts: how many alerts are in which state.
std::shared_ptr<const collect::Block> AlertCounts(const rules::GroupViews& groups);
// azexporter_rule_*: how the rules fare.
std::shared_ptr<const collect::Block> RuleCounts(const rules::GroupViews& groups);

}  // namespace azexporter::app
