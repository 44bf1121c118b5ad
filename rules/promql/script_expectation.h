#pragma once

// Whether what a query answered is what an eval of a script expects.
//
// Thread safety: may be called from any thread.

#include <optional>
#include <string>

#include "azexporter/base/result.h"
#include "azexporter/promql/value.h"
#include "script_reader.h"

namespace azexporter::promql {

// What went wrong with an eval.
struct Mismatch {
  std::string expected;
  std::string got;
};
using Outcome = std::optional<Mismatch>;

// The value alone.
Outcome CheckValue(const EvalCommand& eval, const Value& value);
// Warnings and infos: each expectation is met by one, and each one was expected, where any was.
Outcome CheckAnnotations(const EvalCommand& eval, const QueryResult& result);
// An error: it is right where one is expected, and expected in these words.
Outcome CheckFailure(const EvalCommand& eval, const base::Error& error);

}  // namespace azexporter::promql
