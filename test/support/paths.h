#pragma once

// Where tests find data that is not part of the project: folders named by the environment, with a
// default beside the source tree. A test whose folder is absent says "skipped".

#include <cstdlib>
#include <filesystem>
#include <string>

namespace azexporter::test {

inline std::string FolderFrom(const char* variable, const char* fallback) {
  const char* set = std::getenv(variable);
  return set != nullptr ? set : std::string(AZX_SOURCE_DIR) + "/../shared/" + fallback;
}

// Answers recorded from a real Kubernetes API server.
inline std::string RecordingsFolder() { return FolderFrom("AZX_RECORDINGS", "kubernetes"); }
// Prometheus's own test data.
inline std::string ConformanceFolder() { return FolderFrom("AZX_CONFORMANCE", "conformance"); }

inline bool HasFolder(const std::string& path) { return std::filesystem::is_directory(path); }

}  // namespace azexporter::test

#define AZX_SKIP_WITHOUT(folder) \
  if (!::azexporter::test::HasFolder(folder)) GTEST_SKIP() << "skipped: no folder " << (folder)
