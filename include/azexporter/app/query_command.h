#pragma once

// azexporter query instant|range|series|labels|explain: asks a file of samples or a running server.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "azexporter/promql/engine.h"

namespace azexporter::app {

enum class QueryKind { kInstant, kRange, kSeries, kLabels, kExplain };

enum class QueryOutput { kTable, kJson, kCsv };

struct QueryFlags {
  QueryKind kind = QueryKind::kInstant;
  std::string expr;                    // of instant, range and explain
  std::vector<std::string> selectors;  // of series and labels
  std::string label;                   // of labels: its values rather than the names
  // Either files of samples or a server, by default the one at kDefaultUrl.
  std::vector<std::string> load;
  std::string url;
  // When; "" is now, or the time of the newest sample that was loaded.
  std::string time;
  std::string start;  // "": an hour before the end
  std::string end;
  std::string step;            // "": a 250th of the range, at least a second
  std::size_t max_values = 5;  // --values of explain
  std::string timeout = "2m";
  std::string output = "table";
  // Of --load: the features that queries may use, and its limits.
  promql::EngineOptions engine = {};
};

inline constexpr char kDefaultUrl[] = "http://127.0.0.1:10126";

// Prints the answer to standard output, warnings and errors to standard error; 0, or 1 on an error.
int RunQueryCommand(const QueryFlags& flags);

}  // namespace azexporter::app
