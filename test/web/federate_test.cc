// GET /federate.

#include "server_fixture.h"

namespace azexporter::web {
namespace {

class FederateTest : public ServerTest {
 protected:
  void Append(const model::Labels& labels, model::TimestampMs t, double value) {
    const auto appender = store_.NewAppender();
    ASSERT_EQ(appender->Append(labels, t, value), storage::AppendOutcome::kAppended);
    ASSERT_TRUE(appender->Commit());
  }
};

TEST_F(FederateTest, WritesTheNewestSamplesWithTheirTimes) {
  Append(model::Labels::Of({{"__name__", "other"}, {"text", "a\"\\\n"}, {"instance", "x:1"}}),
         kNow - 300'000, 3);
  Append(model::Labels::Of({{"__name__", "größe"}, {"a b", "c"}}), kNow, 4);
  Append(model::Labels::Of({{"__name__", "old"}}), kNow - 300'001, 1);
  Append(model::Labels::Of({{"__name__", "ended"}}), kNow - 1, 1);
  Append(model::Labels::Of({{"__name__", "ended"}}), kNow, model::StaleNaN());
  ServerDeps deps = Deps();
  deps.config = [] {
    return ConfigView{.external_labels = model::Labels::Of({{"cluster", "c"}, {"zone", "never"}})};
  };
  Listen(std::move(deps), {});
  const auto response =
      Ask(Encode("/federate?match[]={__name__=~\"up|old|ended\"}&match[]=up&match[]=other&"
                 "match[]={\"größe\"}"));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.Header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(response.body,
            "# TYPE \"größe\" untyped\n"
            "{\"größe\",\"a b\"=\"c\",cluster=\"c\",instance=\"\",zone=\"never\"} 4 1800000000000\n"
            "# TYPE other untyped\n"
            "other{instance=\"x:1\",text=\"a\\\"\\\\\\n\",cluster=\"c\",zone=\"never\"} 3 "
            "1799999700000\n"
            "# TYPE up untyped\n"
            "up{zone=\"a\",cluster=\"c\",instance=\"\"} 0.5 1800000000000\n"
            "up{zone=\"b\",cluster=\"c\",instance=\"\"} 1e+21 1800000000000\n");
}

TEST_F(FederateTest, IsEmptyWithoutASelectorAndRefusesABadOne) {
  const auto nothing = Ask("/federate");
  EXPECT_EQ(nothing.status, 200);
  EXPECT_EQ(nothing.body, "");
  const auto bad = Ask(Encode("/federate?match[]=up{"));
  EXPECT_EQ(bad.status, 400);
  EXPECT_EQ(bad.body, "1:4: parse error: unexpected end of input inside braces\n");
}

}  // namespace
}  // namespace azexporter::web
