#include "azexporter/base/check.h"
#include "azexporter/promql/parser.h"
#include "azexporter/rules/template.h"
#include "targets.h"

namespace azexporter::fuzz {
namespace {

// Two samples, whatever is asked.
base::Result<promql::Vector> Answer(std::string_view query) {
  if (const auto expr = promql::ParseExpr(query); !expr) return base::Fail(expr.error());
  return promql::Vector{{model::Labels::Of({{"__name__", "up"}, {"zone", "b"}}), 0, 1},
                        {model::Labels::Of({{"__name__", "up"}, {"zone", "a"}}), 0, 1e300}};
}

}  // namespace

void ExpandTemplates(std::string_view bytes) {
  const rules::TemplateData data = {.alert = "A",
                                    .labels = model::Labels::Of({{"zone", "a"}, {"n", "\xff"}}),
                                    .external_labels = model::Labels::Of({{"cluster", "c"}}),
                                    .external_url = "http://p.example/x%20y?z",
                                    .value = 1.5,
                                    .now = 1'700'000'000'123,
                                    .query = &Answer};
  constexpr std::size_t kMostBytes = 1 << 20;
  const auto expanded = rules::ExpandTemplate(bytes, data);
  if (rules::CheckTemplate(bytes, data.alert)) {
    const bool bounded =
        !expanded || expanded->size() <= kMostBytes || expanded->size() == bytes.size();
    AZX_CHECK(bounded, "a text without end");
    AZX_CHECK(expanded || expanded.error().code() == base::ErrorCode::kExecution,
              "a good template is refused");
  } else {
    AZX_CHECK(!expanded && expanded.error().code() == base::ErrorCode::kBadData,
              "a bad template is expanded");
  }
}

}  // namespace azexporter::fuzz
