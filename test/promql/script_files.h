#pragma once

// The PromQL scripts at hand.

#include <filesystem>
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

}  // namespace azexporter::promql
