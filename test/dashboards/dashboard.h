#pragma once

// The shipped dashboard as tests see it: its panels and their queries, variables put in.

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace azexporter::test {

struct PanelQuery {
  std::string panel;  // the title
  std::string expr;   // with the variables' values
};

// dashboards/azexporter.json; discarded when it is no JSON.
nlohmann::json LoadDashboard();
// The value that Grafana puts in for "All" zones, and a range for every rate.
std::string SubstituteVariables(std::string expr);
// Every query of every panel, in the order of the file.
std::vector<PanelQuery> DashboardQueries(const nlohmann::json& dashboard);

}  // namespace azexporter::test
