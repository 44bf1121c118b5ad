#include <unistd.h>

#include <array>
#include <fstream>
#include <thread>

#include "azexporter/base/duration.h"
#include "azexporter/base/json_writer.h"
#include "azexporter/base/time_text.h"
#include "azexporter/promql/functions.h"
#include "azexporter/rules/template.h"
#include "handlers.h"

namespace azexporter::web {
namespace {

using base::JsonWriter;
using base::Result;

ConfigView ConfigOf(const Context& context) {
  return context.deps.config ? context.deps.config() : ConfigView();
}

// How many threads this process has; 0 where the kernel does not say.
int ThreadCount() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    int count = 0;
    if (word == "Threads:" && status >> count) return count;
  }
  return 0;
}

std::string HostName() {
  constexpr std::size_t kLongest = 256;
  std::array<char, kLongest> name = {};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

std::string WorkingFolder() {
  constexpr std::size_t kLongest = 4096;
  std::array<char, kLongest> path = {};
  return getcwd(path.data(), path.size()) != nullptr ? path.data() : "";
}

struct Feature {
  const char* name;
  bool enabled;
};

void WriteFeatures(JsonWriter& json, std::string_view key, std::span<const Feature> features) {
  json.Key(key).BeginObject();
  for (const Feature& feature : features) json.Key(feature.name).Bool(feature.enabled);
  json.EndObject();
}

}  // namespace

// GET /api/v1/status/buildinfo. There is no "features" in it: Grafana takes a server that has them
// for Mimir.
Result<ApiData> BuildInfo(const Context& context, const Request&) {
  JsonWriter json;
  json.BeginObject().Key("version").String(context.options.version);
  json.Key("revision").String(context.options.revision).Key("branch").String("");
  json.Key("buildUser").String("").Key("buildDate").String("").Key("goVersion").String("");
  json.EndObject();
  return ApiData{json.Take()};
}

// GET /api/v1/status/config: the configuration file in force.
Result<ApiData> ConfigStatus(const Context& context, const Request&) {
  JsonWriter json;
  json.BeginObject().Key("yaml").String(ConfigOf(context).yaml).EndObject();
  return ApiData{json.Take()};
}

// GET /api/v1/status/flags.
Result<ApiData> FlagsStatus(const Context& context, const Request&) {
  JsonWriter json;
  json.BeginObject();
  for (const auto& [name, value] : context.options.flags) json.Key(name).String(value);
  json.EndObject();
  return ApiData{json.Take()};
}

// GET /api/v1/status/runtimeinfo. What is Go's alone is empty; its goroutines are our threads.
Result<ApiData> RuntimeInfo(const Context& context, const Request&) {
  const ConfigView config = ConfigOf(context);
  JsonWriter json;
  json.BeginObject();
  json.Key("startTime").String(base::FormatRfc3339(context.options.start_time_ms));
  json.Key("CWD").String(WorkingFolder()).Key("hostname").String(HostName());
  json.Key("serverTime").String(base::FormatRfc3339(context.deps.clock.NowMs()));
  json.Key("reloadConfigSuccess").Bool(config.last_reload_ok);
  json.Key("lastConfigTime").String(base::FormatRfc3339(config.loaded_at_ms));
  json.Key("corruptionCount").Int(0).Key("goroutineCount").Int(ThreadCount());
  json.Key("GOMAXPROCS").Int(static_cast<int>(std::thread::hardware_concurrency()));
  json.Key("GOMEMLIMIT").Int(0).Key("GOGC").String("").Key("GODEBUG").String("");
  json.Key("storageRetention");
  const std::int64_t retention_ms = context.options.retention_ms;
  json.String(retention_ms == 0 ? "" : base::FormatDurationMs(retention_ms)).EndObject();
  return ApiData{json.Take()};
}

// GET /api/v1/status/walreplay. The store is in memory: there is nothing to replay.
Result<ApiData> WalReplay(const Context&, const Request&) {
  return ApiData{R"({"min":0,"max":0,"current":0})"};
}

// GET /api/v1/features: what of Prometheus's list is there.
Result<ApiData> Features(const Context& context, const Request&) {
  const Feature api[] = {{"exclude_alerts", true},
                         {"label_values_match", true},
                         {"query_stats", true},
                         {"remote_write_receiver", context.remote_write != nullptr}};
  const Feature promql[] = {
      {"anchored", false},
      {"at_modifier", true},
      {"bool", true},
      {"by", true},
      {"delayed_name_removal", context.deps.engine.options().delayed_name_removal},
      {"duration_expr", false},
      {"fill", false},
      {"group_left", true},
      {"group_right", true},
      {"ignoring", true},
      {"negative_offset", true},
      {"offset", true},
      {"on", true},
      {"per_query_lookback_delta", true},
      {"per_step_stats", false},
      {"smoothed", false},
      {"subqueries", true},
      {"without", true},
  };
  const Feature rules[] = {
      {"concurrent_rule_eval", false}, {"keep_firing_for", true}, {"query_offset", true}};
  JsonWriter json;
  json.BeginObject();
  WriteFeatures(json, "api", api);
  WriteFeatures(json, "promql", promql);
  json.Key("promql_functions").BeginObject();
  for (const promql::Function& function : promql::AllFunctions()) {
    json.Key(function.name).Bool(true);
  }
  json.EndObject();
  WriteFeatures(json, "rules", rules);
  json.Key("templating_functions").BeginObject();
  for (const std::string_view name : rules::TemplateFunctionNames()) json.Key(name).Bool(true);
  json.EndObject();
  json.EndObject();
  return ApiData{json.Take()};
}

}  // namespace azexporter::web
