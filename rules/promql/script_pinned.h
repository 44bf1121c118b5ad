#pragma once

// Queries nailed to a time: with `@ t` at every selector they answer the same whenever they are
// asked, which puts the @ modifier to the test with every query of a script.
//
// Thread safety: may be called from any thread.
// Semantics: prometheus/promql/promqltest, atModifierTestCases.

#include <optional>
#include <string>

#include "azexporter/model/sample.h"
#include "azexporter/promql/parser.h"

namespace azexporter::promql {

// The query with `@ t` at each selector and subquery that is not nailed to a time yet, nor within a
// subquery that is. nullopt where the answer would still depend on when it is asked (time(),
// predict_linear() and the like).
// REQUIRES: query parses.
std::optional<std::string> PinnedAt(const std::string& query, model::TimestampMs t,
                                    const ParserOptions& options);

}  // namespace azexporter::promql
