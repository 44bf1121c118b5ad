#pragma once

// The one exception of the engine: thrown anywhere below Engine::Instant and Engine::Range, caught
// there and nowhere else. It keeps some eighty functions free of error plumbing.

#include <string>
#include <utility>

#include "azexporter/base/result.h"

namespace azexporter::promql {

struct EvalError {
  base::Error error;
};

[[noreturn]] inline void FailEval(std::string message) {
  throw EvalError{base::Error(base::ErrorCode::kExecution, std::move(message))};
}

}  // namespace azexporter::promql
