// azexporter rules export: rule files as a PrometheusRule object of the Prometheus Operator.

#include <fmt/format.h>

#include <cstdio>

#include "azexporter/app/commands.h"
#include "azexporter/base/file.h"
#include "azexporter/rules/rule_file.h"

namespace azexporter::app {
namespace {

int Complain(const std::string& message) {
  fmt::print(stderr, "azexporter: {}\n", message);
  return 1;
}

}  // namespace

int RunExportRules(const Flags& flags) {
  const ExportRulesFlags& given = flags.export_rules;
  rules::PrometheusRuleMeta meta{given.name, given.ns, {}};
  for (const std::string& label : given.labels) {
    const std::size_t equals = label.find('=');
    if (equals == 0 || equals == std::string::npos) {
      return Complain("--label: must be KEY=VALUE, got \"" + label + "\"");
    }
    meta.labels.emplace_back(label.substr(0, equals), label.substr(equals + 1));
  }
  const auto groups = flags.files.empty()
                          ? rules::ParseRuleFile(rules::RecommendedPack(), "recommended.yaml")
                          : rules::LoadRuleFiles(flags.files);
  if (!groups) return Complain(groups.error().message());
  auto text = rules::ToPrometheusRule(*groups, meta);
  if (!text) return Complain(text.error().message());
  fmt::print("{}", *text);
  return 0;
}

}  // namespace azexporter::app
