#pragma once

// Result<T>: how every fallible function of azexporter answers. No exception crosses a module face;
// a caller looks at the value or passes the error on, adding what it was doing:
//
//   AZX_ASSIGN_OR_RETURN(std::string text, ReadFile(path));
//   if (auto r = Connect(dsn); !r) return r.error().WithContext("connect to orders-db");
//
// Thread safety: Error and Result are values, thread-compatible.

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace azexporter::base {

// The error codes of Prometheus's HTTP API, so that `web` maps code to status in one table.
// Source: prometheus.io/docs/prometheus/latest/querying/api/#format-overview
enum class ErrorCode {
  kBadData,      // the input is wrong: a query, a file, a flag
  kExecution,    // the input was understood but could not be evaluated
  kTimeout,      // a deadline passed
  kCanceled,     // the caller went away or the program is stopping
  kNotFound,     // the named thing does not exist
  kUnavailable,  // a source (Kubernetes, a database, a file) did not answer
  kInternal,     // a fault of azexporter itself
};

std::string_view ErrorCodeName(ErrorCode code);

class [[nodiscard]] Error {
 public:
  Error(ErrorCode code, std::string message) : code_(code), message_(std::move(message)) {}

  ErrorCode code() const { return code_; }
  // Lower case, no full stop, names the object and the offending value.
  const std::string& message() const { return message_; }

  // The same error, told from one layer up: "context: message".
  Error WithContext(std::string_view context) const;

 private:
  ErrorCode code_;
  std::string message_;
};

template <class T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> Fail(ErrorCode code, std::string message) {
  return tl::unexpected<Error>(Error(code, std::move(message)));
}
inline tl::unexpected<Error> Fail(Error error) { return tl::unexpected<Error>(std::move(error)); }
inline tl::unexpected<Error> BadData(std::string message) {
  return Fail(ErrorCode::kBadData, std::move(message));
}

}  // namespace azexporter::base

#define AZX_CONCAT_INNER(a, b) a##b
#define AZX_CONCAT(a, b) AZX_CONCAT_INNER(a, b)
// A name of its own for each use, so that a macro in a lambda inside a macro shadows nothing.
#define AZX_RESULT_NAME AZX_CONCAT(azx_result_, __COUNTER__)

// Evaluates `expr` (a Result<T>); on error returns it, else binds the value to `lhs`.
#define AZX_ASSIGN_OR_RETURN(lhs, expr) AZX_ASSIGN_OR_RETURN_IMPL(AZX_RESULT_NAME, lhs, expr)
#define AZX_ASSIGN_OR_RETURN_IMPL(result, lhs, expr)                       \
  auto result = (expr);                                                    \
  if (!result) return ::azexporter::base::Fail(std::move(result).error()); \
  lhs = std::move(*result)

// Evaluates `expr` (any Result); on error returns it.
#define AZX_RETURN_IF_ERROR(expr) AZX_RETURN_IF_ERROR_IMPL(AZX_RESULT_NAME, expr)
#define AZX_RETURN_IF_ERROR_IMPL(result, expr)                                                     \
  do {                                                                                             \
    if (auto result = (expr); !result) return ::azexporter::base::Fail(std::move(result).error()); \
  } while (false)
