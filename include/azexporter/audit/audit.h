#pragma once

// The policy audit: what is wrong with the manifests of a multi-AZ platform, before a zone is lost.
// What it cannot tell from what it was given, it passes over. Each check is a row of one table;
// exporter/audit/CHECKS.md describes them. live.h runs the same checks on a cluster.
//
// Thread safety: pure functions.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/audit/manifests.h"
#include "azexporter/base/result.h"

namespace azexporter::audit {

enum class Severity {
  kInfo,     // works as written, and may surprise
  kWarning,  // a zone lost or drained hurts more than it has to
  kError     // refused, without effect, or the opposite of what it says
};
std::string_view SeverityName(Severity severity);  // "info", ...
base::Result<Severity> ParseSeverity(std::string_view name);

struct Context;  // of exporter/audit/context.h
class Nodes;     // of exporter/audit/nodes.h

// One thing that a check found. Points into the manifests.
struct Problem {
  const Object* object = nullptr;
  const base::YamlNode* place = nullptr;  // never null
  std::string message;                    // a clause: lower case, no full stop
};

struct Check {
  std::string_view name;
  Severity severity = Severity::kWarning;
  std::string_view title;        // what is found, a clause
  std::string_view explanation;  // sentences
  std::string_view fix;          // a sentence
  std::string_view source;       // URL of what the explanation rests on
  // Why a running cluster does not show it; empty: it does. A clause.
  std::string_view offline_only = {};
  std::vector<Problem> (*run)(const Context& context) = nullptr;
};
// Every check, sorted by name.
std::span<const Check> Checks();

// What the manifests do not tell. Nodes among them win over these.
struct Options {
  std::int64_t zones = 3;                  // of the cluster
  std::optional<std::int64_t> nodes = {};  // that take pods; none: not known
  // Of a running cluster, which the numbers above give way to. Null: not known.
  std::shared_ptr<const Nodes> known_nodes = {};
  // Storage classes of a running cluster whose volumes are in one zone each; and how that is known:
  // "volume pv-1 is bound to us-east-1a".
  std::map<std::string, std::string, std::less<>> zonal_classes = {};
};

struct Finding {
  const Check* check = nullptr;
  std::string kind;
  std::string ns;
  std::string name;
  std::string file;  // empty, with line and column 0: of a running cluster
  int line = 0;      // from 1, as the column
  int column = 0;
  std::string message;

  // "PodDisruptionBudget platform-03/web".
  std::string Object() const;
};

struct Report {
  std::vector<Finding> findings;  // by file and place, then by object
  std::vector<base::Error> faults;
  std::size_t objects = 0;
  std::size_t ignored = 0;  // findings silenced by an annotation
};
Report Audit(const Manifests& manifests, const Options& options);

// The reports. Text is for people: a line a finding and one for its fix, then the sum.
std::string ToText(const Report& report);
// {"findings": [...], "faults": [...], "objects": 0, "ignored": 0}
std::string ToJson(const Report& report);
// SARIF 2.1.0, with the whole table of checks.
std::string ToSarif(const Report& report, std::string_view version);

// CHECKS.md: the table, written out.
std::string DescribeChecks();

}  // namespace azexporter::audit
