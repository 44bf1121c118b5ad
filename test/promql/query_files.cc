#include "query_files.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "script_reader.h"

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

// The texts of all `expr:` in a YAML document, however deep.
void AddExprs(const YAML::Node& node, std::set<std::string>& queries) {
  if (node.IsSequence()) {
    for (const auto& item : node) AddExprs(item, queries);
  } else if (node.IsMap()) {
    for (const auto& entry : node) {
      if (entry.first.IsScalar() && entry.first.Scalar() == "expr" && entry.second.IsScalar()) {
        queries.insert(entry.second.Scalar());
      } else {
        AddExprs(entry.second, queries);
      }
    }
  }
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

std::set<std::string> QueriesOfRules(const fs::path& folder) {
  std::set<std::string> queries;
  if (!fs::exists(folder)) return queries;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const fs::path extension = entry.path().extension();
    if (extension != ".yml" && extension != ".yaml") continue;
    try {
      for (const YAML::Node& document : YAML::LoadAll(ReadFile(entry.path()))) {
        AddExprs(document, queries);
      }
    } catch (const YAML::Exception&) {
      // Some are there to be refused.
    }
  }
  return queries;
}

std::set<std::string> QueriesOfScripts(const std::vector<fs::path>& paths) {
  std::set<std::string> queries;
  for (const fs::path& path : paths) {
    const auto commands = ReadScript(ReadFile(path));
    if (!commands) continue;
    for (const ScriptCommand& command : *commands) {
      if (const auto* eval = std::get_if<EvalCommand>(&command)) queries.insert(eval->query);
    }
  }
  return queries;
}

}  // namespace azexporter::promql
