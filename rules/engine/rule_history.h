#pragma once

// What a rule's history says of an evaluation. Private to `rules`.
//
// Thread safety: pure functions.

#include <cstddef>

#include "alerting.h"
#include "azexporter/promql/value.h"
#include "azexporter/rules/alert.h"

namespace azexporter::rules {

// Of a vector its size; a scalar is one.
std::size_t SampleCount(const promql::QueryResult& result);

// How the evaluation ended that `status` tells of, with the alerts as `changes` left them.
PastEvaluation Summary(const RuleStatus& status, const AlertChanges& changes);

}  // namespace azexporter::rules
