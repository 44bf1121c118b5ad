#pragma once

// The kubectls that tests are run with, as test/tools.sh brings them: never the one that a machine
// happens to have. Without them (test/tools.sh was not run) a test says "skipped"; test/run.sh sets
// AZX_REQUIRE_TOOLS, and then it fails.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <ostream>
#include <string>
#include <vector>

namespace azexporter::test {

struct Kubectl {
  const char* name;  // of the parameter in a test's name
  std::string program;
};

// 1.20 with kustomize 2.0, the oldest that must do, and a current one.
inline Kubectl DebianKubectl() { return {"debian", AZX_SOURCE_DIR "/build/tools/kubectl-debian"}; }
inline Kubectl CurrentKubectl() {
  return {"current", AZX_SOURCE_DIR "/build/tools/kubectl-current"};
}
inline std::vector<Kubectl> Kubectls() { return {DebianKubectl(), CurrentKubectl()}; }

inline std::ostream& operator<<(std::ostream& out, const Kubectl& kubectl) {
  return out << kubectl.name;
}

inline std::string KubectlName(const ::testing::TestParamInfo<Kubectl>& kubectl) {
  return kubectl.param.name;
}

}  // namespace azexporter::test

#define AZX_SKIP_WITHOUT_KUBECTL(kubectl)                                                  \
  if (!std::filesystem::exists((kubectl).program)) {                                       \
    if (std::getenv("AZX_REQUIRE_TOOLS") != nullptr) FAIL() << "no " << (kubectl).program; \
    GTEST_SKIP() << "skipped: no " << (kubectl).program << "; sh test/tools.sh brings it"; \
  }
