#include "azexporter/app/flags.h"
#include "azexporter/promql/features.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <algorithm>

#include "audit_flags.h"
#include "azexporter/app/version.h"
#include "azexporter/base/byte_size.h"
#include "azexporter/base/duration.h"
#include "azexporter/base/time_text.h"
#include "external_url.h"
#include "query_flags.h"

namespace azexporter::app {
namespace {

constexpr char kFooter[] =
    "Exit codes of --check: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN (and bad flags, --help).\n"
    "The configuration file and every metric are described in README.md.";

constexpr char kHealthCheck[] = "Health check";

struct RawFlags {
  bool check = false;
  std::string output;
  std::string timeout = "10s";
  std::string unreachable = "critical";
  std::vector<std::string> only;
  std::vector<std::string> warning;
  std::vector<std::string> critical;
  std::string external_url;
  std::string simulate_output = "table";
  std::string resend_delay = "1m";
  std::string query_timeout = "2m";
  std::string lookback_delta = "5m";
  std::vector<std::string> features;
};

void AddDaemonFlags(CLI::App& cli, Flags& flags, RawFlags& raw) {
  cli.add_option("--config.file", flags.config_file, "Configuration file (YAML).");
  cli.add_option("--web.listen-address", flags.listen_address, "HOST:PORT to serve on.")
      ->capture_default_str();
  cli.add_option("--web.telemetry-path", flags.telemetry_path, "Path of the metrics.")
      ->capture_default_str();
  cli.add_flag("--web.enable-lifecycle", flags.enable_lifecycle, "Allow POST to /-/reload.");
  cli.add_flag("--web.enable-remote-write-receiver", flags.enable_remote_write,
               "Take remote write requests at /api/v1/write.");
  cli.add_option("--web.external-url", raw.external_url,
                 "URL under which others see azexporter, for the links in alerts. Default: the "
                 "host's name and the port.");
  cli.add_option("--rules.alert.resend-delay", raw.resend_delay,
                 "How long after it was sent an alert is sent to Alertmanager again.")
      ->capture_default_str();
  cli.add_option("--log.level", flags.log_level, "debug, info, warn or error.")
      ->capture_default_str();
  cli.add_option("--log.format", flags.log_format, "logfmt or json.")->capture_default_str();
  cli.add_option("--kubeconfig", flags.kubeconfig,
                 "Kubeconfig file. Default: the service account, else ~/.kube/config.");
  cli.add_option("--kube.context", flags.context, "Context of the kubeconfig.");
  cli.add_option("--kube.namespaces", flags.namespaces,
                 "Watch these namespaces alone, with commas between. Default: all.")
      ->delimiter(',')
      ->allow_extra_args(false);
  cli.add_option("--kube.snapshot", flags.snapshot,
                 "Read `kubectl get ... -o json` output (- is standard input) instead of asking an "
                 "API server; /dev/null is an empty cluster.");
  cli.add_option("--storage.path", flags.storage_path,
                 "Folder in which alerts, and what rules look back to, outlive a restart. Default: "
                 "they do not.");
  cli.add_flag("--kube.leader-election", flags.leader_election,
               "Of several replicas let one tell Alertmanagers and expose the cluster's metrics.");
  cli.add_option("--storage.retention.time", flags.retention, "How long samples are kept.");
  cli.add_option(
      "--storage.retention.size", flags.retention_size,
      "How much memory samples may take, like 512MB: beyond it the oldest go. 0: no bound.");
  cli.add_option(
      "--storage.keep", flags.keep,
      "What is kept so long: what the rules ask for (rules, the default; all else for 15m), "
      "or all.");
  cli.add_option("--rule.file", flags.rule_files,
                 "Rule file; may be given again. Default: the recommended pack, built in.");
  cli.add_option(
      "--maintenance", flags.maintenance,
      "ZONE=TIME: until that time (2026-11-22T07:00:00Z) what is found about the zone is "
      "a note; may be given again.");
  cli.add_flag("--collector.pods.detail", flags.pods_detail,
               "Add kube_pod_status_phase and kube_pod_status_ready: 8 series a pod.");
  for (const collect::Collector& collector : collect::Collectors()) {
    const std::string name(collector.name);
    cli.add_flag_callback(
        "--no-collector." + name, [&flags, name] { flags.disabled_collectors.push_back(name); },
        "Switch off: " + std::string(collector.help));
  }
}

std::string FeatureHelp() {
  std::string help = "PromQL features by Prometheus's names, with commas between:";
  for (const promql::Feature& feature : promql::AllFeatures()) {
    help += (help.ends_with(':') ? " " : "; ") + std::string(feature.name) + " (" +
            std::string(feature.help) + ")";
  }
  return help + ".";
}

void AddQueryFlags(CLI::App& cli, Flags& flags, RawFlags& raw) {
  cli.add_option("--enable-feature", raw.features, FeatureHelp())
      ->delimiter(',')
      ->allow_extra_args(false);
  cli.add_option("--query.lookback-delta", raw.lookback_delta,
                 "How far back a sample still counts in a query.")
      ->capture_default_str();
  cli.add_option("--query.max-concurrency", flags.max_concurrency,
                 "How many queries of the API may run at the same time.")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1000}))
      ->capture_default_str();
  cli.add_option("--query.max-samples", flags.engine.max_samples,
                 "How many samples a query may hold in memory.")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1} << 40))
      ->capture_default_str();
  cli.add_option("--query.timeout", raw.query_timeout, "How long a query may take.")
      ->capture_default_str();
}

std::string OnlyHelp() {
  std::string help = "Judge only these topics:";
  for (const zones::Topic topic : zones::AllTopics()) {
    help += (help.ends_with(':') ? " " : ", ") + std::string(zones::TopicName(topic));
  }
  return help + ". Sources that cannot be asked are told in any case.";
}

void AddCheckFlags(CLI::App& cli, Flags& flags, RawFlags& raw) {
  cli.add_flag("--check", raw.check, "Check once, print a verdict, exit with its code.")
      ->group(kHealthCheck);
  cli.add_option("--url", flags.check.url, "Ask this running azexporter (http://HOST:PORT).")
      ->group(kHealthCheck);
  cli.add_option("--output", raw.output,
                 "table, json, nagios, junit or prometheus. Default: table.")
      ->group(kHealthCheck);
  cli.add_flag("-v,--verbose", flags.check.verbosity, "Tell all findings, not only the first few.")
      ->group(kHealthCheck);
  cli.add_option("-w,--warning", raw.warning,
                 "lag=RANGE,skew=RANGE: warn of a standby's lag (seconds) or of the largest skew "
                 "over zones outside of it.")
      ->group(kHealthCheck);
  cli.add_option("-c,--critical", raw.critical, "The same, critical.")->group(kHealthCheck);
  cli.add_option("--only", raw.only, OnlyHelp())->delimiter(',')->group(kHealthCheck);
  cli.add_option("--zone", flags.check.scope.zone, "Judge this zone alone.")->group(kHealthCheck);
  cli.add_option("--namespace", flags.check.scope.ns, "Judge this namespace alone.")
      ->group(kHealthCheck);
  cli.add_option("-t,--check.timeout", raw.timeout, "How long to wait for sources.")
      ->capture_default_str()
      ->group(kHealthCheck);
  cli.add_option("--check.unreachable", raw.unreachable,
                 "critical or unknown: the verdict where a source cannot be asked.")
      ->capture_default_str()
      ->group(kHealthCheck);
}

// The flags of the cluster stand before the command or after it.
void AddSimulateCommand(CLI::App& cli, Flags& flags, RawFlags& raw) {
  CLI::App* simulate = cli.add_subcommand("simulate", "What if; see simulate --help.");
  simulate->require_subcommand(1)->fallthrough();
  CLI::App* loss = simulate->add_subcommand(
      "zone-loss",
      "What would be left if a zone went now: exit 0 when it is survived, 2 when not, 3 when that "
      "is not known, 1 for errors.");
  loss->fallthrough();
  loss->add_option("ZONE", flags.simulate.zone, "The zone. Default: each in its turn.");
  loss->add_flag("--evacuate", flags.simulate.evacuate, "Drained rather than lost at once.");
  loss->add_option("--output", raw.simulate_output, "table or json.")->capture_default_str();
  loss->add_flag("-v,--verbose", flags.simulate.verbose, "All rows, not only the first few.");
  loss->callback([&flags] { flags.command = Command::kSimulateZoneLoss; });
}

// Without files it reads standard input.
void AddCheckRules(CLI::App* check, Flags& flags) {
  CLI::App* command = check->add_subcommand(
      "rules",
      "Rule files, or PrometheusRule objects, as promtool does: exit 0 when they are good, 1 when "
      "not, 3 for lint findings with --lint-fatal.");
  command->add_option("FILE", flags.files, "The files. Default: standard input.");
  command
      ->add_option(
          "--lint", flags.check_rules.lint,
          "Lint, with commas between: duplicate-rules; azexporter (what can never fire, and "
          "labels and values that its metrics never have); all; none.")
      ->capture_default_str();
  command->add_flag("--lint-fatal,!--no-lint-fatal", flags.check_rules.lint_fatal,
                    "Exit with 3 for what lint finds (errors and warnings).");
  command->add_flag("--ignore-unknown-fields,!--no-ignore-unknown-fields",
                    flags.check_rules.ignore_unknown_fields,
                    "Pass over keys that rule files do not have.");
  command->callback([&flags] { flags.command = Command::kCheckRules; });
}

void AddExportRules(CLI::App& cli, Flags& flags) {
  CLI::App* rules = cli.add_subcommand("rules", "Work on rule packs.");
  rules->require_subcommand(1);
  CLI::App* command = rules->add_subcommand(
      "export", "Print rule files as a PrometheusRule object for the Prometheus Operator.");
  command->add_option("FILE", flags.files, "The files. Default: the recommended pack, built in.");
  command->add_option("--name", flags.export_rules.name, "Name of the object.")
      ->capture_default_str();
  command->add_option("--namespace", flags.export_rules.ns, "Its namespace. Default: none.");
  command
      ->add_option("--label", flags.export_rules.labels,
                   "KEY=VALUE: a label of it, by which an Operator selects; may be given again.")
      ->allow_extra_args(false);
  command->callback([&flags] { flags.command = Command::kExportRules; });
}

void AddTestRulesFlags(CLI::App* command, TestRulesFlags& out) {
  command
      ->add_option("--run", out.run, "Only tests whose name has this pattern; may be given again.")
      ->type_name("REGEX")
      ->allow_extra_args(false);
  command->add_option("--junit", out.junit, "Write the outcome to this file too, as JUnit's XML.")
      ->type_name("FILE");
  command->add_flag("--coverage", out.coverage, "Tell which alerting rules no test made fire.");
  command->add_flag("--diff", out.diff, "Tell failures by the lines that differ.");
  command->add_flag("--debug", out.debug, "Tell every sample a test had, on standard error.");
  command->add_flag("--ignore-unknown-fields", out.ignore_unknown_fields,
                    "Pass over keys that rule files and test files do not have.");
}

// A duration flag that must not be zero.
base::Result<std::int64_t> PositiveDuration(const char* flag, const std::string& text) {
  auto duration = base::ParseDurationMs(text);
  if (!duration) return base::Fail(duration.error().WithContext(flag));
  if (*duration == 0) return base::BadData(std::string(flag) + ": must not be zero");
  return *duration;
}

// Every long flag with its value as text. A flag that was not given has its default, or nothing.
std::map<std::string, std::string> AllFlags(const CLI::App& cli) {
  std::map<std::string, std::string> all;
  for (const CLI::Option* option : cli.get_options()) {
    if (option->get_lnames().empty() || option->get_group() == kHealthCheck) continue;
    std::string text;
    for (const std::string& result : option->results()) text += (text.empty() ? "" : ",") + result;
    const bool is_switch = option->get_expected_min() == 0;
    if (option->count() == 0) text = is_switch ? "false" : option->get_default_str();
    all[option->get_lnames().front()] = text;
  }
  for (const char* once : {"help", "version"}) all.erase(once);
  return all;
}

base::Result<void> TakeDaemonFlags(const RawFlags& raw, Flags& flags) {
  AZX_ASSIGN_OR_RETURN(flags.engine.timeout_ms,
                       PositiveDuration("--query.timeout", raw.query_timeout));
  AZX_ASSIGN_OR_RETURN(flags.engine.lookback_ms,
                       PositiveDuration("--query.lookback-delta", raw.lookback_delta));
  for (const std::string& name : raw.features) {
    auto enabled = promql::EnableFeature(name, flags.engine);
    if (!enabled) return base::Fail(enabled.error().WithContext("--enable-feature"));
  }
  flags.query.engine = flags.engine;
  if (!raw.external_url.empty()) {
    auto url = CheckExternalUrl(raw.external_url);
    if (!url) return base::Fail(url.error().WithContext("--web.external-url"));
    flags.external_url = std::move(*url);
  }
  auto delay = base::ParseDurationMs(raw.resend_delay);
  if (!delay) return base::Fail(delay.error().WithContext("--rules.alert.resend-delay"));
  flags.resend_delay_ms = *delay;
  return {};
}

base::Result<CheckOutput> OutputOf(const std::string& name) {
  constexpr std::pair<std::string_view, CheckOutput> kOutputs[] = {
      {"", CheckOutput::kTable},      {"table", CheckOutput::kTable},
      {"json", CheckOutput::kJson},   {"nagios", CheckOutput::kNagios},
      {"junit", CheckOutput::kJunit}, {"prometheus", CheckOutput::kPrometheus},
  };
  for (const auto& [known, output] : kOutputs) {
    if (known == name) return output;
  }
  return base::BadData("--output: must be table, json, nagios, junit or prometheus, got \"" + name +
                       "\"");
}

base::Result<void> TakeCheckFlags(const RawFlags& raw, Flags& flags) {
  if (raw.simulate_output != "table" && raw.simulate_output != "json") {
    return base::BadData("--output: must be table or json, got \"" + raw.simulate_output + "\"");
  }
  if (raw.simulate_output == "json") flags.simulate.output = SimulateOutput::kJson;
  AZX_ASSIGN_OR_RETURN(flags.check.output, OutputOf(raw.output));
  for (const std::string& name : raw.only) {
    const auto topic = zones::TopicOf(name);
    if (!topic) return base::BadData("--only: there is no topic \"" + name + "\"");
    flags.check.scope.only.insert(*topic);
  }
  auto thresholds = ParseThresholds(raw.warning);
  if (!thresholds) return base::Fail(thresholds.error().WithContext("--warning"));
  flags.check.warning = std::move(*thresholds);
  thresholds = ParseThresholds(raw.critical);
  if (!thresholds) return base::Fail(thresholds.error().WithContext("--critical"));
  flags.check.critical = std::move(*thresholds);
  auto timeout = base::ParseDurationMs(raw.timeout);
  if (!timeout || *timeout < 1'000) {
    return base::BadData("--check.timeout: must be a duration of at least 1s, got \"" +
                         raw.timeout + "\"");
  }
  flags.check.timeout_ms = *timeout;
  if (raw.unreachable != "critical" && raw.unreachable != "unknown") {
    return base::BadData("--check.unreachable: must be critical or unknown, got \"" +
                         raw.unreachable + "\"");
  }
  flags.check.unreachable_is_unknown = raw.unreachable == "unknown";
  if (!flags.check.url.empty() && !raw.check) {
    return base::BadData("--url: goes with --check");
  }
  if (raw.check && flags.command != Command::kDaemon) {
    return base::BadData("--check: does not go with a command");
  }
  if (raw.check) flags.command = Command::kCheckHealth;
  return {};
}

}  // namespace

tl::expected<Flags, EarlyExit> ParseFlags(int argc, const char* const* argv) {
  const bool checking = std::any_of(
      argv, argv + argc, [](const char* arg) { return std::string_view(arg) == "--check"; });
  const auto bad = [&](const std::string& message) {
    const std::string text = "azexporter: " + message + " (see azexporter --help)\n";
    // A monitoring system reads standard output, and nothing else.
    if (checking) return tl::unexpected<EarlyExit>({3, "AZ UNKNOWN: " + message + "\n", false});
    return tl::unexpected<EarlyExit>({1, text, true});
  };
  Flags flags;
  RawFlags raw;
  CLI::App cli(
      "azexporter watches the zones of a multi-AZ Kubernetes platform: metrics, alerts, and a "
      "health "
      "check.\nWithout a command it runs as a daemon.",
      "azexporter");
  cli.set_version_flag("--version", VersionText());
  cli.footer(kFooter);
  AddDaemonFlags(cli, flags, raw);
  AddQueryFlags(cli, flags, raw);
  AddCheckFlags(cli, flags, raw);
  CLI::App* check = cli.add_subcommand("check", "Check files; exit 0 when they are good, else 1.");
  check->require_subcommand(1);
  const auto add_command = [&flags](CLI::App* parent, const char* name, const char* help,
                                    Command command) {
    CLI::App* sub = parent->add_subcommand(name, help);
    sub->add_option("FILE", flags.files, "The files.")->required();
    sub->callback([&flags, command] { flags.command = command; });
    return sub;
  };
  add_command(check, "config", "Configuration files.", Command::kCheckConfig);
  AddCheckRules(check, flags);
  AddQueryCommand(cli, flags);
  CLI::App* test = cli.add_subcommand("test", "Run test files; exit 0 when all pass, else 1.");
  test->require_subcommand(1);
  add_command(test, "promql", "PromQL test scripts.", Command::kTestPromql);
  AddTestRulesFlags(
      add_command(test, "rules", "Unit tests of rules, as promtool's.", Command::kTestRules),
      flags.test_rules);
  AddAuditCommand(cli, flags);
  AddExportRules(cli, flags);
  AddSimulateCommand(cli, flags, raw);
  CLI::App* promql = cli.add_subcommand("promql", "Work on PromQL expressions.");
  promql->require_subcommand(1);
  CLI::App* format = promql->add_subcommand("format", "Print an expression, laid out for reading.");
  format->add_option("EXPR", flags.expression, "The expression; - reads standard input.")
      ->required();
  format->callback([&flags] { flags.command = Command::kFormatPromql; });
  try {
    cli.parse(argc, argv);
  } catch (const CLI::CallForVersion& version) {
    return tl::unexpected<EarlyExit>({0, std::string(version.what()) + "\n", false});
  } catch (const CLI::Success&) {  // --help
    const CLI::App* shown = &cli;
    while (!shown->get_subcommands().empty()) shown = shown->get_subcommands().front();
    return tl::unexpected<EarlyExit>({checking ? 3 : 0, shown->help(), false});
  } catch (const CLI::ParseError& error) {
    return bad(error.what());
  }
  if (auto taken = TakeDaemonFlags(raw, flags); !taken) return bad(taken.error().message());
  if (auto taken = TakeCheckFlags(raw, flags); !taken) return bad(taken.error().message());
  flags.all = AllFlags(cli);
  return flags;
}

base::Result<config::Config> Flags::MakeConfig() const {
  config::Config config;
  if (!config_file.empty()) {
    AZX_ASSIGN_OR_RETURN(config, config::LoadConfig(config_file));
  }
  if (kubeconfig) config.kubernetes.kubeconfig = *kubeconfig;
  if (context) config.kubernetes.context = *context;
  if (snapshot) config.kubernetes.snapshot = *snapshot;
  if (!namespaces.empty()) {
    auto parsed = config::ParseNamespaces(namespaces);
    if (!parsed) return base::Fail(parsed.error().WithContext("--kube.namespaces"));
    config.kubernetes.namespaces = std::move(*parsed);
  }
  if (storage_path) config.storage.path = *storage_path;
  if (leader_election && !config.kubernetes.leader_election) {
    config.kubernetes.leader_election.emplace();
  }
  if (retention) {
    auto parsed = base::ParseDurationMs(*retention);
    if (!parsed) return base::BadData("--storage.retention.time: " + parsed.error().message());
    config.storage.retention_ms = *parsed;
  }
  if (retention_size) {
    auto parsed = base::ParseByteSize(*retention_size);
    if (!parsed) return base::BadData("--storage.retention.size: " + parsed.error().message());
    config.storage.max_bytes = *parsed;
  }
  if (keep) {
    auto parsed = config::ParseKeep(*keep);
    if (!parsed) return base::BadData("--storage.keep: " + parsed.error().message());
    config.storage.keep = *parsed;
  }
  for (const std::string& text : maintenance) {
    const std::size_t equals = text.find('=');
    const auto until = base::ParseTimeMs(text.substr(std::min(equals, text.size() - 1) + 1));
    if (equals == 0 || equals == std::string::npos || !until) {
      return base::BadData("--maintenance: must be ZONE=TIME like a=2026-11-22T07:00:00Z, got \"" +
                           text + "\"");
    }
    config.maintenance_until_ms[text.substr(0, equals)] = *until;
  }
  if (!rule_files.empty()) config.rule_files = rule_files;
  config.collectors.pods_detail = config.collectors.pods_detail || pods_detail;
  config.disabled_collectors.insert(disabled_collectors.begin(), disabled_collectors.end());
  AZX_RETURN_IF_ERROR(config::CheckNamespaces(config));
  return config;
}

}  // namespace azexporter::app
