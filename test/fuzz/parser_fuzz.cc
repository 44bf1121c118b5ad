#include <string>

#include "azexporter/base/check.h"
#include "azexporter/promql/parser.h"
#include "azexporter/promql/printer.h"
#include "targets.h"

namespace azexporter::fuzz {

void ParseQuery(std::string_view bytes) {
  static_cast<void>(promql::ParseMetricSelector(bytes));
  static_cast<void>(promql::ParseMetric(bytes));
  static_cast<void>(promql::ParseExpr(bytes));
  const auto options = promql::ParserOptions::All();
  const auto expr = promql::ParseExpr(bytes, options);
  if (!expr) {
    static_cast<void>(promql::ShowPlace(bytes, expr.error().message()));
    return;
  }
  static_cast<void>(promql::Selections(**expr));
  const std::string printed = promql::Print(**expr);
  for (const std::string& text : {printed, promql::Pretty(**expr)}) {
    const auto again = promql::ParseExpr(text, options);
    AZX_CHECK(again.has_value(), "what was printed does not parse");
    AZX_CHECK(promql::Print(**again) == printed, "what was printed comes back as something else");
  }
}

}  // namespace azexporter::fuzz
