#pragma once

// What is kept of the evaluations of a group. Private to `rules`.
//
// Thread safety: pure functions.

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "azexporter/promql/value.h"
#include "azexporter/rules/alert.h"

namespace azexporter::rules {

// Of a vector its size; a scalar is one.
std::size_t SampleCount(const promql::QueryResult& result);

// How rule `number` of a group with this history fared last.
const RuleEvaluation& LastOf(const GroupHistory& history, std::size_t number);

// `history` with one evaluation more, and without what is too old.
std::shared_ptr<const GroupHistory> Extended(const GroupHistory& history,
                                             std::vector<RuleEvaluation> evaluation);

// The history of a changed group: of each of its rules which it was before, if it was there.
std::shared_ptr<const GroupHistory> Rearranged(const GroupHistory& history,
                                               std::span<const std::optional<std::size_t>> before);

}  // namespace azexporter::rules
