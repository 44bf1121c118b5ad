#pragma once

// What a check of the cluster and a check through a daemon share. Private to `app`.

#include "azexporter/app/check.h"

namespace azexporter::app {

// Adds the findings that follow from result.report and result.alerts.
void JudgeReport(CheckResult& result, const CheckOptions& options);

void SortByBadness(CheckResult& result);

// The values of the labels that are not the rule's own: which zone, which instance.
std::string SubjectOf(const model::Labels& labels, const rules::TemplateMap& rule_labels);

}  // namespace azexporter::app
