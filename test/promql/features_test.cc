#include "azexporter/promql/features.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace azexporter::promql {
namespace {

TEST(FeaturesTest, EachIsOffUntilItIsAskedFor) {
  const struct {
    std::string_view name;
    std::string_view query;
  } cases[] = {
      {"promql-experimental-functions", "mad_over_time(up[5m])"},
      {"promql-experimental-functions", "limitk(1, up)"},
      {"promql-extended-range-selectors", "rate(up[5m] anchored)"},
      {"promql-binop-fill-modifiers", "up + fill(0) up"},
  };
  for (const auto& c : cases) {
    EngineOptions options;
    EXPECT_FALSE(ParseExpr(c.query, options.parser)) << c.query;
    for (const Feature& feature : AllFeatures()) {
      if (feature.name != c.name) feature.enable(options);
    }
    EXPECT_FALSE(ParseExpr(c.query, options.parser)) << c.query << " is on for another feature";
    ASSERT_TRUE(EnableFeature(c.name, options));
    EXPECT_TRUE(ParseExpr(c.query, options.parser)) << c.query;
  }
  EngineOptions options;
  ASSERT_TRUE(EnableFeature("promql-delayed-name-removal", options));
  ASSERT_TRUE(EnableFeature("use-start-timestamps", options));
  ASSERT_TRUE(EnableFeature("type-and-unit-labels", options));
  EXPECT_TRUE(options.delayed_name_removal && options.use_start_timestamps &&
              options.type_and_unit_labels);
}

TEST(FeaturesTest, NamesWhatThereIs) {
  EngineOptions options;
  const auto unknown = EnableFeature("promql-everything", options);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().message(),
            "there is no feature \"promql-everything\"; there are native-histograms, "
            "promql-at-modifier, promql-binop-fill-modifiers, promql-delayed-name-removal, "
            "promql-duration-expr, promql-experimental-functions, promql-extended-range-selectors, "
            "promql-negative-offset, type-and-unit-labels, use-start-timestamps");
  EXPECT_TRUE(std::ranges::is_sorted(AllFeatures(), {}, &Feature::name));
}

}  // namespace
}  // namespace azexporter::promql
