#include "azexporter/app/commands.h"

#include <fmt/format.h>

#include <cstdio>

#include "azexporter/app/check.h"
#include "azexporter/base/file.h"
#include "azexporter/promql/parser.h"
#include "azexporter/promql/printer.h"
#include "azexporter/promql/script.h"
#include "azexporter/rules/rule_file.h"

namespace azexporter::app {
namespace {

base::Result<CheckResult> CheckHealth(const Flags& flags, const Surroundings& surroundings) {
  const base::SystemClock clock;
  const CheckOptions options{.unreachable_is_unknown = flags.check.unreachable_is_unknown,
                             .scope = flags.check.scope,
                             .warning = flags.check.warning,
                             .critical = flags.check.critical,
                             .engine = flags.engine};
  if (!flags.check.url.empty()) {
    auto judged = JudgeDaemon(flags.check.url, flags.check.timeout_ms / 2, clock.NowMs(), options);
    if (judged || judged.error().code() == base::ErrorCode::kBadData) return judged;
    const Status status = flags.check.unreachable_is_unknown ? Status::kUnknown : Status::kCritical;
    return Impossible(status, "azexporter could not be asked: " + judged.error().message());
  }
  AZX_ASSIGN_OR_RETURN(const config::Config config, flags.MakeConfig());
  return CheckCluster(config,
                      {.clock = clock,
                       .log = base::Logger::Silent(),
                       .surroundings = surroundings,
                       .list_timeout_ms = flags.check.timeout_ms * 4 / 10},
                      options, flags.check.timeout_ms);
}

// Runs `check` over each file, a line a file; 1 when any failed.
template <class Check>
int ForEachFile(const std::vector<std::string>& files, Check check) {
  int code = 0;
  for (const std::string& file : files) {
    base::Result<std::string> outcome = check(file);
    if (outcome) {
      fmt::print("{}: {}\n", file, *outcome);
    } else {
      fmt::print("{}: FAILED\n  {}\n", file, outcome.error().message());
      code = 1;
    }
  }
  return code;
}

}  // namespace

int RunCheckHealth(const Flags& flags, const Surroundings& surroundings) {
  const auto checked = CheckHealth(flags, surroundings);
  const CheckResult result =
      checked ? *checked : Impossible(Status::kUnknown, checked.error().message());
  fmt::print("{}", Format(result, {.output = flags.check.output,
                                   .verbosity = flags.check.verbosity,
                                   .scope = flags.check.scope,
                                   .warning = flags.check.warning,
                                   .critical = flags.check.critical}));
  return static_cast<int>(result.status);
}

int RunSimulateZoneLoss(const Flags& flags, const Surroundings& surroundings) {
  const base::SystemClock clock;
  constexpr std::int64_t kTimeoutMs = 60'000;
  const auto config = flags.MakeConfig();
  const auto losses = config ? SimulateZoneLoss(*config,
                                                {.clock = clock,
                                                 .log = base::Logger::Silent(),
                                                 .surroundings = surroundings,
                                                 .list_timeout_ms = kTimeoutMs},
                                                flags.simulate)
                             : base::Fail(config.error());
  if (!losses) {
    fmt::print(stderr, "azexporter: {}\n", losses.error().message());
    return 1;
  }
  fmt::print("{}", FormatSimulation(*losses, flags.simulate));
  return SimulationExitCode(*losses);
}

int RunCheckConfig(const Flags& flags) {
  return ForEachFile(flags.files, [&](const std::string& file) -> base::Result<std::string> {
    AZX_ASSIGN_OR_RETURN(const config::Config config, config::LoadConfig(file));
    const std::vector<std::string> rule_files = rules::FindRuleFiles(config.rule_files);
    AZX_RETURN_IF_ERROR(
        rules::LoadRuleFiles(rule_files, rules::UnknownKeys::kRefuse, flags.engine.parser));
    return fmt::format("good, {} rule files found", rule_files.size());
  });
}

int RunFormatPromql(const Flags& flags) {
  const auto text =
      flags.expression == "-" ? base::ReadFile("-") : base::Result<std::string>(flags.expression);
  const auto expr = text ? promql::ParseExpr(*text, flags.engine.parser) : base::Fail(text.error());
  if (!expr) {
    fmt::print(stderr, "azexporter: {}\n{}", expr.error().message(),
               text ? promql::ShowPlace(*text, expr.error().message()) : "");
    return 1;
  }
  fmt::print("{}\n", promql::Pretty(**expr));
  return 0;
}

int RunTestPromql(const Flags& flags) {
  int passed = 0;
  int failed = 0;
  for (const std::string& file : flags.files) {
    const auto text = base::ReadFile(file);
    const auto report = text ? promql::RunScript(*text) : base::Fail(text.error());
    if (!report) {
      fmt::print("{}: {}\n", file, report.error().message());
      ++failed;
      continue;
    }
    for (const promql::ScriptFailure& failure : report->failures) {
      fmt::print("{}\n", promql::FormatFailure(file, failure));
    }
    fmt::print("{}: {} passed, {} failed\n", file, report->passed, report->failed);
    passed += report->passed;
    failed += report->failed;
  }
  fmt::print("{} passed, {} failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}

}  // namespace azexporter::app
