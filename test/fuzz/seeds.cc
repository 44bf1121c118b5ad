#include "seeds.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "azexporter/promql/functions.h"
#include "promql/query_files.h"

namespace azexporter::fuzz {
namespace {

namespace fs = std::filesystem;

std::set<std::string> Queries() {
  std::set<std::string> queries = promql::QueriesOfRules(fs::path(AZX_SOURCE_DIR) / "rules/alerts");
  queries.merge(promql::QueriesOfScripts(promql::OwnScripts()));
  // Deep nests, which mutations do not grow to.
  for (const std::string_view piece :
       {"(", "-", "abs(", "2^", "x+", "sum by (a) (", "x[5m:]", "a or "}) {
    std::string nest;
    for (int i = 0; i < 4'000; ++i) nest += piece;
    queries.insert(nest + "x");
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
