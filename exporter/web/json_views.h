#pragma once

// Our types in the JSON of Prometheus's HTTP API. Private to `web`.
// Source: prometheus.io/docs/prometheus/latest/querying/api/.

#include <string>
#include <vector>

#include "azexporter/base/json_writer.h"
#include "azexporter/model/labels.h"
#include "azexporter/promql/value.h"
#include "azexporter/rules/alert.h"
#include "azexporter/zones/zone_report.h"

namespace azexporter::web {

void WriteLabels(base::JsonWriter& json, const model::Labels& labels);

// {"resultType":"vector","result":[...]}
void WriteQueryData(base::JsonWriter& json, const promql::Value& value);

// {"groups":[...]}
void WriteRules(base::JsonWriter& json, const std::vector<rules::GroupView>& groups);
// {"alerts":[...]}
void WriteAlerts(base::JsonWriter& json, const std::vector<rules::GroupView>& groups);

// The whole ZoneReport.
void WriteZones(base::JsonWriter& json, const zones::ZoneReport& report);

}  // namespace azexporter::web
