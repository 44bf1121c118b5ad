#include "dashboards/dashboard.h"

#include <fstream>
#include <utility>

namespace azexporter::test {

nlohmann::json LoadDashboard() {
  std::ifstream file(std::string(AZX_SOURCE_DIR) + "/dashboards/azexporter.json");
  return nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
}

std::string SubstituteVariables(std::string expr) {
  const std::pair<std::string, std::string> values[] = {{"$__rate_interval", "1m"},
                                                        {"$zone", ".*"}};
  for (const auto& [variable, value] : values) {
    for (std::size_t at = expr.find(variable); at != std::string::npos; at = expr.find(variable)) {
      expr.replace(at, variable.size(), value);
    }
  }
  return expr;
}

std::vector<PanelQuery> DashboardQueries(const nlohmann::json& dashboard) {
  std::vector<PanelQuery> queries;
  for (const nlohmann::json& panel : dashboard["panels"]) {
    if (!panel.contains("targets")) continue;
    for (const nlohmann::json& target : panel["targets"]) {
      queries.push_back({panel["title"], SubstituteVariables(target["expr"])});
    }
  }
  return queries;
}

}  // namespace azexporter::test
