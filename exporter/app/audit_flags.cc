#include "audit_flags.h"

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <map>

namespace azexporter::app {
namespace {

// Both end the parsing, as any value does that a flag does not take.

AuditOutput OutputOf(const std::string& name) {
  const std::map<std::string, AuditOutput> outputs = {
      {"text", AuditOutput::kText}, {"json", AuditOutput::kJson}, {"sarif", AuditOutput::kSarif}};
  const auto found = outputs.find(name);
  if (found != outputs.end()) return found->second;
  throw CLI::ValidationError("--output", "must be text, json or sarif, got \"" + name + "\"");
}

audit::Severity SeverityOf(const std::string& name) {
  const auto severity = audit::ParseSeverity(name);
  if (severity) return *severity;
  throw CLI::ValidationError("--severity", severity.error().message());
}

}  // namespace

void AddAuditCommand(CLI::App& cli, Flags& flags) {
  AuditFlags& out = flags.audit;
  CLI::App* command =
      cli.add_subcommand("audit",
                         "What is wrong with manifests, or with a running cluster, when a zone is "
                         "lost or drained: exit 0 when nothing is found, 3 for findings, 1 for "
                         "what cannot be read.");
  command->fallthrough();  // to the flags that name a cluster
  CLI::Option* files = command->add_option(
      "FILE", flags.files,
      "Files, folders (every .yaml, .yml and .json below), or - for standard input. None: the "
      "cluster that --kubeconfig, --kube.context and the environment name.");
  command->add_option("--url", out.url, "Tell what the daemon at this URL finds in its cluster.")
      ->excludes(files);
  command->add_option_function<std::string>(
      "--output", [&out](const std::string& name) { out.output = OutputOf(name); },
      "text, json or sarif. Default: text.");
  command->add_option_function<std::string>(
      "--severity", [&out](const std::string& name) { out.severity = SeverityOf(name); },
      "The least to tell: info, warning or error. Default: info.");
  command
      ->add_option("--zones", out.options.zones,
                   "Zones of the cluster, where no Node is among the manifests.")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command
      ->add_option(
          "--nodes", out.options.nodes,
          "Nodes that take pods, where no Node is among the manifests. Default: not known.")
      ->check(CLI::Range(1, 1'000'000));
  command->callback([&flags] { flags.command = Command::kAudit; });
}

}  // namespace azexporter::app
