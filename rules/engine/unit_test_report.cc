// How the outcome of unit tests is printed.

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "azexporter/base/time_text.h"
#include "azexporter/base/xml_text.h"
#include "azexporter/rules/unit_test.h"

namespace azexporter::rules {
namespace {

// `text` as it stands between tags. Lines are kept, as EscapeXml would not.
std::string XmlLines(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    out += base::EscapeXml(text.substr(0, end));
    if (end < text.size()) out += '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string JunitSuite(const UnitTestReport& report, std::string_view time) {
  const auto failed = std::ranges::count_if(
      report.cases, [](const UnitTestCase& test) { return !test.failures.empty(); });
  const int errors = report.error.empty() ? 0 : 1;
  std::string xml = fmt::format(
      "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"0\" "
      "timestamp=\"{}\">\n",
      base::EscapeXml(report.file), report.cases.size() + static_cast<std::size_t>(errors), failed,
      errors, time);
  if (errors != 0) {
    xml += fmt::format("    <testcase name=\"load\">\n      <error>{}</error>\n    </testcase>\n",
                       XmlLines(report.error));
  }
  for (const UnitTestCase& test : report.cases) {
    const std::string name = base::EscapeXml(test.name);
    if (test.failures.empty()) {
      xml += fmt::format("    <testcase name=\"{}\"/>\n", name);
      continue;
    }
    xml += fmt::format("    <testcase name=\"{}\">\n", name);
    for (const std::string& failure : test.failures) {
      xml += fmt::format("      <failure>{}</failure>\n", XmlLines(failure));
    }
    xml += "    </testcase>\n";
  }
  return xml + "  </testsuite>\n";
}

}  // namespace

bool UnitTestReport::passed() const {
  return error.empty() &&
         std::ranges::all_of(cases, [](const UnitTestCase& test) { return test.failures.empty(); });
}

std::string FormatUnitTests(const UnitTestReport& report) {
  std::string text = fmt::format("Unit Testing:  {}\n", report.file);
  for (const std::string& warning : report.warnings) {
    text += fmt::format("  WARNING: {}\n", warning);
  }
  if (report.passed()) return text + "  SUCCESS\n\n";
  text += "  FAILED:\n";
  if (!report.error.empty()) text += fmt::format("    {}\n\n", report.error);
  for (const UnitTestCase& test : report.cases) {
    for (const std::string& failure : test.failures) text += failure + "\n\n";
  }
  return text;
}

std::string FormatUnitTestsAsJunit(std::span<const UnitTestReport> reports, std::int64_t now_ms) {
  constexpr std::int64_t kSecondMs = 1'000;
  const std::string time = base::FormatRfc3339(now_ms - now_ms % kSecondMs);
  std::string xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n";
  for (const UnitTestReport& report : reports) xml += JunitSuite(report, time);
  return xml + "</testsuites>\n";
}

std::string FormatCoverage(std::span<const UnitTestReport> reports) {
  std::map<TestedAlert, bool> rules;  // tested from several files, a rule counts once
  for (const UnitTestReport& report : reports) {
    for (TestedAlert alert : report.alerts) {
      const bool fired = std::exchange(alert.fired, false);
      rules[std::move(alert)] |= fired;
    }
  }
  if (rules.empty()) return "Coverage: no alerting rules\n";
  const auto fired = std::ranges::count_if(rules, [](const auto& rule) { return rule.second; });
  std::string text = fmt::format(
      "Coverage: {} of {} alerting rules fired in a test ({:.1f}%)\n", fired, rules.size(),
      100.0 * static_cast<double>(fired) / static_cast<double>(rules.size()));
  for (const auto& [rule, has_fired] : rules) {
    if (has_fired) continue;
    text += fmt::format("  {}:{}: {} (group {}) fired in none\n", rule.file, rule.line, rule.name,
                        rule.group);
  }
  return text;
}

}  // namespace azexporter::rules
