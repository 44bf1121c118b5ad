#include "script_files.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>

namespace azexporter::promql {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> Scripts(const fs::path& folder) {
  std::vector<fs::path> paths;
  if (!fs::exists(folder)) return paths;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".test") paths.push_back(entry.path());
  }
  std::ranges::sort(paths);
  return paths;
}

}  // namespace

std::string ReadFile(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

fs::path ConformanceFolder() {
  const char* folder = std::getenv("AZX_CONFORMANCE");
  return folder != nullptr ? fs::path(folder) : fs::path(AZX_SOURCE_DIR) / "../shared/conformance";
}

std::vector<fs::path> ConformanceScripts() { return Scripts(ConformanceFolder() / "promql"); }

std::vector<fs::path> OwnScripts() {
  return Scripts(fs::path(AZX_SOURCE_DIR) / "test/promql/testdata");
}

}  // namespace azexporter::promql
