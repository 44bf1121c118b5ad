#pragma once

// Our types in the JSON of Prometheus's HTTP API. Private to `web`.
// Source: prometheus.io/docs/prometheus/latest/querying/api/.

#include <string>
#include <vector>

#include "azexporter/base/json_writer.h"
#include "azexporter/model/labels.h"
#include "azexporter/promql/value.h"
#include "azexporter/rules/alert.h"
#include "azexporter/zones/findings.h"
#include "azexporter/zones/zone_report.h"

namespace azexporter::web {

void WriteLabels(base::JsonWriter& json, const model::Labels& labels);

struct RulesShown {
  bool alerts = true;
  bool history = false;         // the last evaluations of each rule: azexporter's own
  std::string next_token = {};  // of the page that follows; empty: this is the last one
};
// {"groups":[...]}
void WriteRules(base::JsonWriter& json, const rules::GroupViews& groups, const RulesShown& shown);
// {"alerts":[...]}
void WriteAlerts(base::JsonWriter& json, const rules::GroupViews& groups);

// The ZoneReport, but for what it says of each namespace, and its findings.
void WriteZones(base::JsonWriter& json, const zones::ZoneReport& report, const zones::Scope& scope);

}  // namespace azexporter::web
