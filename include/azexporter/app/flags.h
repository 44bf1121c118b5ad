#pragma once

// The command line.
//
// Thread safety: values; thread-compatible.

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "azexporter/app/query_command.h"
#include "azexporter/app/simulate_command.h"
#include "azexporter/app/thresholds.h"
#include "azexporter/audit/audit.h"
#include "azexporter/base/result.h"
#include "azexporter/config/config.h"
#include "azexporter/promql/engine.h"
#include "azexporter/zones/findings.h"

namespace azexporter::app {

enum class Command {
  kAudit,
  kDaemon,
  kCheckHealth,
  kCheckConfig,
  kCheckRules,
  kExportRules,
  kFormatPromql,
  kQuery,
  kSimulateZoneLoss,
  kTestPromql,
  kTestRules
};

enum class CheckOutput { kTable, kJson, kNagios, kJunit, kPrometheus };

struct CheckFlags {
  std::string url;  // ask this running daemon instead of the cluster
  CheckOutput output = CheckOutput::kTable;
  std::int64_t timeout_ms = 10'000;
  bool unreachable_is_unknown = false;  // --check.unreachable unknown
  int verbosity = 0;                    // how often -v was given
  zones::Scope scope = {};              // --only, --zone, --namespace
  Thresholds warning = {};              // -w
  Thresholds critical = {};             // -c
};

enum class AuditOutput { kText, kJson, kSarif };

// Of `audit`.
struct AuditFlags {
  AuditOutput output = AuditOutput::kText;
  audit::Severity severity = audit::Severity::kInfo;  // the least to tell
  audit::Options options;                             // --zones, --nodes
  std::string url;                   // of the daemon to ask in the place of files or a cluster
  std::int64_t timeout_ms = 60'000;  // of an answer, or of each list
};

// Of `test rules`.
struct TestRulesFlags {
  std::vector<std::string> run;  // patterns of names of tests; none: all
  std::string junit;             // file to write; empty: none
  bool coverage = false;
  bool diff = false;
  bool debug = false;
  bool ignore_unknown_fields = false;
};

// Of `check rules`.
struct CheckRulesFlags {
  // all, none, duplicate-rules, azexporter; with commas between them.
  std::string lint = "duplicate-rules,azexporter";
  bool lint_fatal = false;  // exit with 3 for what lint finds
  bool ignore_unknown_fields = false;
};

// Of `rules export`.
struct ExportRulesFlags {
  std::string name = "azexporter";
  std::string ns;                   // empty: none is written
  std::vector<std::string> labels;  // KEY=VALUE
};

struct Flags {
  Command command = Command::kDaemon;
  std::vector<std::string> files;  // of the commands that take files
  std::string expression;          // of the commands that take one; "-" is standard input
  std::string config_file;
  std::string listen_address = ":10126";
  std::string telemetry_path = "/metrics";
  bool enable_lifecycle = false;
  bool enable_remote_write = false;  // --web.enable-remote-write-receiver
  std::size_t max_concurrency = 20;  // --query.max-concurrency
  promql::EngineOptions engine;      // the other --query flags
  // Where others see this program, without a slash at the end. Empty: the host's name and the port.
  std::string external_url;
  std::int64_t resend_delay_ms = 60'000;  // --rules.alert.resend-delay
  std::string log_level = "info";
  std::string log_format = "logfmt";
  AuditFlags audit;
  CheckFlags check;
  QueryFlags query;
  SimulateFlags simulate;
  TestRulesFlags test_rules;
  CheckRulesFlags check_rules;
  ExportRulesFlags export_rules;
  // The daemon's flags with their values, given or not, for /api/v1/status/flags.
  std::map<std::string, std::string> all;

  // The configuration file with the flags that stand above it.
  base::Result<config::Config> MakeConfig() const;

  // Flags with a configuration key; where they are given they win over the file.
  std::optional<std::string> kubeconfig;
  std::optional<std::string> context;
  std::optional<std::string> snapshot;
  std::vector<std::string> namespaces;  // --kube.namespaces
  std::optional<std::string> storage_path;
  bool leader_election = false;  // --kube.leader-election
  std::optional<std::string> retention;
  std::optional<std::string> retention_size;
  std::optional<std::string> keep;
  std::vector<std::string> rule_files;
  std::vector<std::string> maintenance;  // ZONE=TIME
  bool pods_detail = false;
  std::vector<std::string> disabled_collectors;
};

// What the program should do at once instead of running: --help, --version, a bad flag.
struct EarlyExit {
  int code = 0;
  std::string text;
  bool to_stderr = false;
};

// A bad flag exits with 3 where --check is among the arguments, with 1 elsewhere; so does --help
// with 3 beside --check, as the monitoring-plugins guidelines ask.
tl::expected<Flags, EarlyExit> ParseFlags(int argc, const char* const* argv);

}  // namespace azexporter::app
