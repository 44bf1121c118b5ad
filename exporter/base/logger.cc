#include "azexporter/base/logger.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "azexporter/base/json_writer.h"

namespace azexporter::base {
namespace {

std::string_view LevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarn:
      return "warn";
    case LogLevel::kError:
      return "error";
  }
  return "info";
}

spdlog::level::level_enum SpdlogLevel(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

bool NeedsQuotes(std::string_view value) {
  return value.empty() || std::any_of(value.begin(), value.end(), [](unsigned char c) {
           return c <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7f;
         });
}

void AppendLogfmtValue(std::string& out, std::string_view value) {
  if (NeedsQuotes(value)) {
    AppendJsonString(out, value);
  } else {
    out += value;
  }
}

}  // namespace

struct Logger::Sink {
  LogFormat format;
  std::shared_ptr<spdlog::logger> log;
};

Result<LogLevel> ParseLogLevel(std::string_view name) {
  for (LogLevel level : {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarn, LogLevel::kError}) {
    if (LevelName(level) == name) return level;
  }
  return BadData("unknown log level \"" + std::string(name) + "\" (debug, info, warn, error)");
}

Result<LogFormat> ParseLogFormat(std::string_view name) {
  if (name == "logfmt") return LogFormat::kLogfmt;
  if (name == "json") return LogFormat::kJson;
  return BadData("unknown log format \"" + std::string(name) + "\" (logfmt, json)");
}

Logger::Logger(LogLevel level, LogFormat format) : sink_(std::make_shared<Sink>()) {
  sink_->format = format;
  sink_->log = std::make_shared<spdlog::logger>("azexporter",
                                                std::make_shared<spdlog::sinks::stderr_sink_mt>());
  const char* pattern = format == LogFormat::kJson ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ",%v})"
                                                   : "time=%Y-%m-%dT%H:%M:%S.%eZ %v";
  sink_->log->set_formatter(
      std::make_unique<spdlog::pattern_formatter>(pattern, spdlog::pattern_time_type::utc));
  sink_->log->set_level(SpdlogLevel(level));
  sink_->log->flush_on(spdlog::level::debug);
}

Logger Logger::Silent() { return Logger(nullptr); }

void Logger::Debug(std::string_view message, std::initializer_list<LogField> fields) const {
  Write(LogLevel::kDebug, message, fields);
}
void Logger::Info(std::string_view message, std::initializer_list<LogField> fields) const {
  Write(LogLevel::kInfo, message, fields);
}
void Logger::Warn(std::string_view message, std::initializer_list<LogField> fields) const {
  Write(LogLevel::kWarn, message, fields);
}
void Logger::Error(std::string_view message, std::initializer_list<LogField> fields) const {
  Write(LogLevel::kError, message, fields);
}

void Logger::Write(LogLevel level, std::string_view message,
                   std::initializer_list<LogField> fields) const {
  if (!sink_ || !sink_->log->should_log(SpdlogLevel(level))) return;
  std::string line;
  if (sink_->format == LogFormat::kJson) {
    line = "\"level\":\"" + std::string(LevelName(level)) + "\",\"msg\":";
    AppendJsonString(line, message);
    for (const LogField& field : fields) {
      line += ',';
      AppendJsonString(line, field.key);
      line += ':';
      AppendJsonString(line, field.value);
    }
  } else {
    line = "level=" + std::string(LevelName(level)) + " msg=";
    AppendLogfmtValue(line, message);
    for (const LogField& field : fields) {
      line += ' ';
      line += field.key;
      line += '=';
      AppendLogfmtValue(line, field.value);
    }
  }
  sink_->log->log(SpdlogLevel(level), spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace azexporter::base
