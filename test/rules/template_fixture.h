#pragma once

// What the tests of templates share: an alert's data, and a table of templates with what becomes of
// them.

#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <string>
#include <string_view>

#include "azexporter/rules/template.h"

namespace azexporter::rules {

inline constexpr double kInf = std::numeric_limits<double>::infinity();
inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

inline promql::Vector MetricSamples() {
  return {{model::Labels::Of({{"__name__", "metric"}, {"instance", "b"}}), 0, 21},
          {model::Labels::Of({{"__name__", "metric"}, {"instance", "a"}}), 0, 11}};
}

// A store of a few answers; of any other query it says that it is bad.
inline base::Result<promql::Vector> Answer(std::string_view query) {
  const std::map<std::string_view, promql::Vector> answers = {
      {"metric", MetricSamples()},
      {"metric{instance='a'}", {MetricSamples()[1]}},
      {"twins",
       {{model::Labels::Of({{"job", "y"}}), 0, 1},
        {model::Labels::Of({{"job", "x"}, {"i", "2"}}), 0, 2},
        {model::Labels::Of({{"job", "x"}, {"i", "1"}}), 0, 3}}},
      {"count_values", {{model::Labels::Of({{"__value__", "7"}}), 0, 1}}},
      {"nan", {{model::Labels(), 0, kNaN}}},
      {"nothing", {}}};
  const auto found = answers.find(query);
  if (found == answers.end()) return base::BadData("bad query");
  return found->second;
}

inline TemplateData AlertData(double value) {
  return {.alert = "A",
          .labels = model::Labels::Of({{"__name__", "up"}, {"zone", "us-east-1a"}}),
          .external_labels = model::Labels::Of({{"cluster", "prod"}}),
          .external_url = "http://p.example:9090/x",
          .value = value,
          .now = 1'353'755'652'000,
          .query = &Answer};
}

struct TemplateCase {
  std::string_view name;
  std::string_view text;
  std::string_view want;
  double value = 1.5;
};

inline void PrintTo(const TemplateCase& c, std::ostream* out) { *out << c.name; }

class TemplateTest : public testing::TestWithParam<TemplateCase> {
 protected:
  static void ExpectExpands(const TemplateCase& c) {
    EXPECT_TRUE(CheckTemplate(c.text, "A").has_value());
    const auto got = ExpandTemplate(c.text, AlertData(c.value));
    ASSERT_TRUE(got.has_value()) << got.error().message();
    EXPECT_EQ(*got, c.want);
  }
};

inline std::string NameOf(const testing::TestParamInfo<TemplateCase>& info) {
  return std::string(info.param.name);
}

}  // namespace azexporter::rules
