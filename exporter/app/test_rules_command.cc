// azexporter test rules: promtool-compatible unit tests of rules.

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "azexporter/app/commands.h"
#include "azexporter/base/clock.h"
#include "azexporter/rules/unit_test.h"

namespace azexporter::app {
namespace {

base::Result<void> WriteFile(const std::string& path, std::string_view text) {
  const auto fail = [&path] {
    return base::Fail(base::ErrorCode::kUnavailable, path + ": " + std::strerror(errno));
  };
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "wb"),
                                                             &std::fclose);
  if (!file) return fail();
  const bool written = std::fwrite(text.data(), 1, text.size(), file.get()) == text.size();
  if (!written || std::fflush(file.get()) != 0) return fail();
  return {};
}

int Complain(const base::Error& error) {
  fmt::print(stderr, "azexporter: {}\n", error.message());
  return 1;
}

}  // namespace

int RunTestRules(const Flags& flags) {
  const TestRulesFlags& given = flags.test_rules;
  auto run = rules::NameFilter::Create(given.run);
  if (!run) return Complain(run.error().WithContext("--run"));
  const rules::UnitTestOptions options{.run = std::move(*run),
                                       .unknown_keys = given.ignore_unknown_fields
                                                           ? rules::UnknownKeys::kIgnore
                                                           : rules::UnknownKeys::kRefuse,
                                       .engine = flags.engine,
                                       .diff = given.diff,
                                       .dump = given.debug};
  std::vector<rules::UnitTestReport> reports;
  int code = 0;
  for (const std::string& file : flags.files) {
    const rules::UnitTestReport& report = reports.emplace_back(rules::RunUnitTests(file, options));
    fmt::print("{}", rules::FormatUnitTests(report));
    for (const rules::UnitTestCase& test : report.cases) {
      if (given.debug) fmt::print(stderr, "DEBUG: samples of {}:\n{}", test.name, test.dump);
    }
    if (!report.passed()) code = 1;
  }
  if (given.coverage) fmt::print("{}", rules::FormatCoverage(reports));
  if (!given.junit.empty()) {
    const std::string xml = rules::FormatUnitTestsAsJunit(reports, base::SystemClock().NowMs());
    if (auto written = WriteFile(given.junit, xml); !written) {
      return Complain(written.error().WithContext("--junit"));
    }
  }
  return code;
}

}  // namespace azexporter::app
