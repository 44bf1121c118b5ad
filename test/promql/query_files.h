#pragma once

// The PromQL scripts and rules at hand, and the queries in them.

#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace azexporter::promql {

std::string ReadFile(const std::filesystem::path& path);

// Where what azexporter is measured against lies: AZX_CONFORMANCE, else ../shared/conformance. It
// need not be there.
std::filesystem::path ConformanceFolder();
// Prometheus's own, sorted; none where they are not at hand.
std::vector<std::filesystem::path> ConformanceScripts();
// test/promql/testdata/*.test, sorted.
std::vector<std::filesystem::path> OwnScripts();

// Of all evals; scripts that are malformed are passed over.
std::set<std::string> QueriesOfScripts(const std::vector<std::filesystem::path>& paths);
// Of every `expr:` in every YAML file below `folder`.
std::set<std::string> QueriesOfRules(const std::filesystem::path& folder);

}  // namespace azexporter::promql
