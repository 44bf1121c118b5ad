#include "seeds.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "azexporter/promql/functions.h"
#include "promql/script_files.h"
#include "script_reader.h"

namespace azexporter::fuzz {
namespace {

namespace fs = std::filesystem;

// The texts of all `expr:` in a YAML document, however deep.
void AddExprs(const YAML::Node& node, std::set<std::string>& queries) {
  if (node.IsSequence()) {
    for (const auto& item : node) AddExprs(item, queries);
  } else if (node.IsMap()) {
    for (const auto& entry : node) {
      AddExprs(entry.second, queries);
      if (entry.first.Scalar() == "expr") queries.insert(entry.second.Scalar());
    }
  }
}

std::set<std::string> Queries() {
  std::set<std::string> queries;
  for (const fs::path& path : promql::OwnScripts()) {
    const auto commands = promql::ReadScript(promql::ReadFile(path));
    if (!commands) continue;
    for (const promql::ScriptCommand& command : *commands) {
      const auto* eval = std::get_if<promql::EvalCommand>(&command);
      if (eval != nullptr) queries.insert(eval->query);
    }
  }
  for (const auto& entry : fs::directory_iterator(fs::path(AZX_SOURCE_DIR) / "rules/alerts")) {
    if (entry.path().extension() != ".yaml") continue;
    AddExprs(YAML::Load(promql::ReadFile(entry.path())), queries);
  }
  return queries;
}

// Each load with the evals after it: smaller than whole files, for more of them to be tried.
std::set<std::string> Scripts() {
  std::set<std::string> scripts;
  for (const fs::path& path : promql::OwnScripts()) {
    const std::string text = promql::ReadFile(path);
    for (std::size_t begin = text.find("load"); begin != std::string::npos;) {
      const std::size_t end = text.find("\nclear\n", begin);
      // A handful of evals will do.
      scripts.insert(text.substr(begin, std::min<std::size_t>(end - begin, 1'500)));
      begin = end == std::string::npos ? end : text.find("load", end);
    }
  }
  return scripts;
}

}  // namespace

std::vector<std::string> Seeds(std::string_view target) {
  const std::set<std::string> seeds = target == "script" ? Scripts() : Queries();
  return {seeds.begin(), seeds.end()};
}

std::vector<std::string> Words() {
  std::vector<std::string> words = {"and",
                                    "or",
                                    "unless",
                                    "bool",
                                    "on",
                                    "ignoring",
                                    "group_left",
                                    "group_right",
                                    "by",
                                    "offset",
                                    "without",
                                    "sum",
                                    "topk",
                                    "quantile",
                                    "count_values",
                                    "atan2",
                                    "@",
                                    "start()",
                                    "end()",
                                    "[5m]",
                                    "[5m:]",
                                    "[1h:1m]",
                                    "{}",
                                    "{a=\"b\"}",
                                    "=~",
                                    "!~",
                                    "!=",
                                    "==",
                                    "^",
                                    "-",
                                    "1e308",
                                    "NaN",
                                    "Inf",
                                    "0x",
                                    "1_0",
                                    "5m",
                                    "\"\\xff\"",
                                    "`",
                                    "#",
                                    "up",
                                    "requests_total",
                                    "latency_bucket",
                                    "load 1m\n",
                                    "eval instant at 1m ",
                                    "eval range from ",
                                    " to ",
                                    " step ",
                                    "expect fail",
                                    "expect info msg: ",
                                    "_x",
                                    "x3",
                                    "stale",
                                    "{{",
                                    "\n\n"};
  for (const promql::Function& function : promql::AllFunctions()) {
    words.push_back(std::string(function.name) + "(");
  }
  return words;
}

}  // namespace azexporter::fuzz
