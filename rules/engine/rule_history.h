#pragma once

// The ring of a rule's last evaluations. Private to `rules`.
//
// Thread safety: pure functions.

#include <cstddef>
#include <memory>

#include "alerting.h"
#include "azexporter/promql/value.h"
#include "azexporter/rules/alert.h"

namespace azexporter::rules {

// Of a vector its size; a scalar is one.
std::size_t SampleCount(const promql::QueryResult& result);

// How the evaluation ended that `status` tells of, with the alerts as `changes` left them.
PastEvaluation Summary(const RuleStatus& status, const AlertChanges& changes);

// `history` (null: none) with one more at its end, and the oldest gone where there are too many.
std::shared_ptr<const RuleHistory> WithEvaluation(const std::shared_ptr<const RuleHistory>& history,
                                                  PastEvaluation evaluation);

}  // namespace azexporter::rules
