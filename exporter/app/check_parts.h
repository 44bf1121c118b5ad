#pragma once

// What a check of the cluster and a check through a daemon share. Private to `app`.

#include "azexporter/app/check.h"

namespace azexporter::app {

// What alerts and thresholds add to the findings of the report; their order; the verdict.
void Conclude(const CheckOptions& options, CheckResult& result);

// The values of the labels that are not the rule's own: which zone, which instance.
std::string SubjectOf(const model::Labels& labels, const rules::TemplateMap& rule_labels);
// The zone an alert is about, "" where its labels name none.
std::string ZoneOf(const model::Labels& labels);

}  // namespace azexporter::app
