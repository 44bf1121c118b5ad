#pragma once

// Durations that are worked out when a query is run: rate(up[5m + step()]), up offset min_of(1m,
// 2m).
//
// Thread safety: immutable after parsing.
// Semantics: prometheus/promql/durations.go.

#include <cstdint>
#include <memory>
#include <string>

#include "azexporter/base/result.h"

namespace azexporter::promql {

struct DurationExpr;
using DurationPtr = std::shared_ptr<const DurationExpr>;

struct DurationExpr {
  enum class Op {
    kNumber,
    kStep,   // step(): of the query, 0 of an instant one
    kRange,  // range(): from the first to the last time of the query
    kMinOf,
    kMaxOf,
    kNegate,  // of rhs
    kAdd,
    kSub,
    kMul,
    kDiv,
    kMod,
    kPow,
  };

  Op op = Op::kNumber;
  double seconds = 0;        // of kNumber
  bool is_duration = false;  // of kNumber: written as a duration
  bool in_parens = false;
  // Bytes of the query, as errors name them.
  std::size_t start = 0;
  std::size_t end = 0;
  DurationPtr lhs = nullptr;
  DurationPtr rhs = nullptr;
};

// What step() and range() stand for, ms.
struct DurationContext {
  std::int64_t step_ms = 0;
  std::int64_t range_ms = 0;
};

// In milliseconds, what is less than one cut off. kExecution "START:END: why" for a division by
// zero, what is no number, and what is not above zero unless `may_be_negative`.
base::Result<std::int64_t> DurationMs(const DurationExpr& expr, const DurationContext& context,
                                      bool may_be_negative);

std::string PrintDuration(const DurationExpr& expr);

}  // namespace azexporter::promql
