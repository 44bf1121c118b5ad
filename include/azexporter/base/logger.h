#pragma once

// Structured logging: one event, one line, on standard error.
//
//   log.Info("watch relisted", {{"resource", "pods"}, {"objects", "150000"}});
//   time=2026-11-22T07:03:39.123Z level=info msg="watch relisted" resource=pods objects=150000
//
// An error is logged where it is handled, never where it is passed on. No secrets: callers print
// URLs without userinfo. A Logger is a cheap handle; copies write to the same place.
//
// Thread safety: thread-safe.

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "azexporter/base/result.h"

namespace azexporter::base {

enum class LogLevel { kDebug, kInfo, kWarn, kError };
enum class LogFormat { kLogfmt, kJson };

Result<LogLevel> ParseLogLevel(std::string_view name);    // debug, info, warn, error
Result<LogFormat> ParseLogFormat(std::string_view name);  // logfmt, json

struct LogField {
  std::string_view key;
  std::string value;
};

class Logger {
 public:
  // Writes to standard error.
  Logger(LogLevel level, LogFormat format);
  // Writes nothing; for tests and one-shot commands.
  static Logger Silent();

  void Debug(std::string_view message, std::initializer_list<LogField> fields = {}) const;
  void Info(std::string_view message, std::initializer_list<LogField> fields = {}) const;
  void Warn(std::string_view message, std::initializer_list<LogField> fields = {}) const;
  void Error(std::string_view message, std::initializer_list<LogField> fields = {}) const;

 private:
  struct Sink;
  explicit Logger(std::shared_ptr<Sink> sink) : sink_(std::move(sink)) {}
  void Write(LogLevel level, std::string_view message,
             std::initializer_list<LogField> fields) const;

  std::shared_ptr<Sink> sink_;  // null: silent
};

}  // namespace azexporter::base
