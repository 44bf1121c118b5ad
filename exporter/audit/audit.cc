#include "azexporter/audit/audit.h"

#include <algorithm>
#include <tuple>

#include "checks.h"
#include "context.h"

namespace azexporter::audit {
namespace {

Finding MakeFinding(const Check& check, Problem problem) {
  const bool has_place = !problem.place->file().empty();
  return {.check = &check,
          .kind = problem.object->kind,
          .ns = problem.object->ns,
          .name = problem.object->name,
          .file = problem.place->file(),
          .line = has_place ? problem.place->line() : 0,
          .column = has_place ? problem.place->column() : 0,
          .message = std::move(problem.message)};
}

auto Order(const Finding& finding) {
  return std::tie(finding.file, finding.line, finding.column, finding.ns, finding.kind,
                  finding.name, finding.check->name, finding.message);
}

// What makes other objects and is audited itself: kind and group.
constexpr std::pair<std::string_view, std::string_view> kMakers[] = {
    {"Cluster", kCnpg},    {"DaemonSet", kApps},       {"Deployment", kApps},
    {"ReplicaSet", kApps}, {"RedisCluster", kOpsTree}, {"StatefulSet", kApps},
};

// Made by a controller from an object that is judged as well: what is wrong is wrong there.
bool IsMade(const Manifests& manifests, const Object& object) {
  for (const base::YamlNode& owner : ItemsAt(object.root, {"metadata", "ownerReferences"})) {
    if (BoolAt(owner, {"controller"}) != true) continue;
    const std::string kind = TextAt(owner, {"kind"});
    const std::string name = TextAt(owner, {"name"});
    if (std::ranges::any_of(kMakers, [&](const auto& maker) {
          return maker.first == kind &&
                 manifests.Find(maker.second, kind, object.ns, name) != nullptr;
        })) {
      return true;
    }
  }
  return false;
}

}  // namespace

std::string_view SeverityName(Severity severity) {
  switch (severity) {
    case Severity::kInfo:
      return "info";
    case Severity::kWarning:
      return "warning";
    case Severity::kError:
      return "error";
  }
  return "";
}

base::Result<Severity> ParseSeverity(std::string_view name) {
  for (Severity severity : {Severity::kInfo, Severity::kWarning, Severity::kError}) {
    if (SeverityName(severity) == name) return severity;
  }
  return base::BadData("must be info, warning or error, got \"" + std::string(name) + "\"");
}

std::string Finding::Object() const { return kind + " " + (ns.empty() ? "" : ns + "/") + name; }

Report Audit(const Manifests& manifests, const Options& options) {
  const Context context = MakeContext(manifests, options);
  Report report{.faults = manifests.faults()};
  report.objects = static_cast<std::size_t>(std::ranges::count_if(
      manifests.objects(), [](const Object& object) { return !object.is_context; }));
  for (const Check& check : Checks()) {
    for (Problem& problem : check.run(context)) {
      if (problem.object->is_context || IsMade(manifests, *problem.object)) continue;
      if (problem.object->Ignores(check.name)) {
        ++report.ignored;
      } else {
        report.findings.push_back(MakeFinding(check, std::move(problem)));
      }
    }
  }
  std::ranges::sort(report.findings,
                    [](const Finding& a, const Finding& b) { return Order(a) < Order(b); });
  return report;
}

}  // namespace azexporter::audit
