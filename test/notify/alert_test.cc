// The wire form of alerts.

#include "azexporter/notify/alert.h"

#include <gtest/gtest.h>

#include "azexporter/notify/sender.h"

namespace azexporter::notify {
namespace {

using model::Labels;

TEST(AlertTest, IsWrittenAsAlertmanagerReadsIt) {
  const Alert alerts[] = {
      {.labels = Labels::Of({{"alertname", "Down"}, {"zone", "a \"b\""}}),
       .annotations = Labels::Of({{"summary", "Zone a"}}),
       .starts_at = 1'800'000'000'000,
       .ends_at = 1'800'000'240'120,
       .generator_url = "http://azx/graph?g0.expr=up&g0.tab=1"},
      {.labels = Labels::Of({{"alertname", "Up"}}), .starts_at = 1'800'000'000'001},
  };
  EXPECT_EQ(
      AlertsJson(alerts),
      R"([{"labels":{"alertname":"Down","zone":"a \"b\""},"annotations":{"summary":"Zone a"},)"
      R"("startsAt":"2027-01-15T08:00:00.000Z","endsAt":"2027-01-15T08:04:00.120Z",)"
      R"("generatorURL":"http://azx/graph?g0.expr=up&g0.tab=1"},)"
      R"({"labels":{"alertname":"Up"},"annotations":{},)"
      R"("startsAt":"2027-01-15T08:00:00.001Z","endsAt":"1970-01-01T00:00:00.000Z",)"
      R"("generatorURL":""}])");
  EXPECT_EQ(AlertsJson({}), "[]");
}

TEST(AlertTest, ItsOwnLabelWinsOverAnExternalOne) {
  const Alert alert{.labels = Labels::Of({{"alertname", "A"}, {"cluster", "own"}})};
  const auto external = Labels::Of({{"cluster", "global"}, {"region", "us"}});
  EXPECT_EQ(WithExternalLabels(alert, external).labels.ToString(),
            R"({alertname="A", cluster="own", region="us"})");
  EXPECT_EQ(WithExternalLabels(alert, {}), alert);
}

// Golden values are url.QueryEscape's of Go.
TEST(AlertTest, ItsLinkAsksForTheExpression) {
  struct Case {
    std::string_view expr, want;
  };
  const Case cases[] = {
      {"up", "/graph?g0.expr=up&g0.tab=1"},
      {"up == 0", "/graph?g0.expr=up+%3D%3D+0&g0.tab=1"},
      {" a  b ", "/graph?g0.expr=+a++b+&g0.tab=1"},
      {"a{b=~\"c+|~d_e.f-g\"} % 2\n",
       "/graph?g0.expr=a%7Bb%3D~%22c%2B%7C~d_e.f-g%22%7D+%25+2%0A&g0.tab=1"},
      {"", "/graph?g0.expr=&g0.tab=1"},
  };
  for (const Case& c : cases) EXPECT_EQ(GraphPath(c.expr), c.want) << c.expr;
}

TEST(AlertTest, IsPostedBelowThePathPrefix) {
  struct Case {
    std::string_view scheme, target, prefix, want;
  };
  const Case cases[] = {
      {"http", "am:9093", "", "http://am:9093/api/v2/alerts"},
      {"http", "am:9093", "/", "http://am:9093/api/v2/alerts"},
      {"https", "[::1]:9093", "/am/", "https://[::1]:9093/am/api/v2/alerts"},
      {"https", "am", "a/b", "https://am/a/b/api/v2/alerts"},
  };
  for (const Case& c : cases) EXPECT_EQ(PushUrl(c.scheme, c.target, c.prefix), c.want);
}

}  // namespace
}  // namespace azexporter::notify
