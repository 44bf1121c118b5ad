// Relabelling, rule by rule.

#include "azexporter/model/relabel.h"

#include <gtest/gtest.h>

namespace azexporter::model {
namespace {

using Action = RelabelAction;

struct Case {
  std::string_view name;
  std::vector<RelabelOptions> rules;
  Labels input;
  std::string_view want;  // "dropped" where nothing is left
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

class RelabelTest : public testing::TestWithParam<Case> {};

TEST_P(RelabelTest, ChangesLabels) {
  RelabelRules rules;
  for (const RelabelOptions& options : GetParam().rules) {
    auto rule = RelabelRule::Create(options);
    ASSERT_TRUE(rule) << rule.error().message();
    rules.push_back(std::move(*rule));
  }
  const auto changed = Relabel(GetParam().input, rules);
  EXPECT_EQ(changed ? changed->ToString() : "dropped", GetParam().want);
}

const Labels kZone = Labels::Of({{"job", "api"}, {"zone", "us-east-1a"}});

INSTANTIATE_TEST_SUITE_P(
    Replace, RelabelTest,
    testing::Values(
        Case{"NoRuleChangesNothing", {}, kZone, R"({job="api", zone="us-east-1a"})"},
        Case{"TakesWhatItMatched",
             {{.source_labels = {"zone"}, .regex = "(.*)[a-z]", .target_label = "region"}},
             kZone,
             R"({job="api", region="us-east-1", zone="us-east-1a"})"},
        Case{"JoinsItsSources",
             {{.source_labels = {"job", "zone", "none"},
               .separator = "/",
               .target_label = "path",
               .replacement = "<$1>"}},
             kZone,
             R"({job="api", path="<api/us-east-1a/>", zone="us-east-1a"})"},
        Case{"LaterRulesSeeEarlierOnes",
             {{.source_labels = {"job"}, .target_label = "a"},
              {.source_labels = {"a", "zone"},
               .regex = "(.+);(..).*",
               .target_label = "b",
               .replacement = "${2}-$1"}},
             kZone,
             R"({a="api", b="us-api", job="api", zone="us-east-1a"})"},
        Case{"WithoutAMatchNothingHappens",
             {{.source_labels = {"job"}, .regex = "ap", .target_label = "x", .replacement = "y"}},
             kZone,
             R"({job="api", zone="us-east-1a"})"},
        Case{"AConstantNeedsNoSource",
             {{.target_label = "severity", .replacement = "page"}},
             Labels(),
             R"({severity="page"})"},
        Case{"AnEmptyReplacementRemoves",
             {{.target_label = "job", .replacement = ""}},
             kZone,
             R"({zone="us-east-1a"})"},
        Case{"AnUnknownGroupIsEmpty",
             {{.source_labels = {"job"}, .target_label = "zone", .replacement = "$7"}},
             kZone,
             R"({job="api"})"},
        Case{"TheTargetMayBeATemplate",
             {{.source_labels = {"tag"},
               .regex = "(?P<key>\\w+)=(.*)",
               .target_label = "t_${key}",
               .replacement = "$2"}},
             Labels::Of({{"tag", "team=core"}}),
             R"({t_team="core", tag="team=core"})"},
        Case{"ATargetThatComesOutEmptyIsNone",
             {{.source_labels = {"job"},
               .regex = "api()",
               .target_label = "$1",
               .replacement = "x"}},
             kZone,
             R"({job="api", zone="us-east-1a"})"},
        Case{"APointMatchesALineEnd",
             {{.source_labels = {"text"},
               .regex = "a.b",
               .target_label = "c",
               .replacement = "both"}},
             Labels::Of({{"text", "a\nb"}}),
             R"({c="both", text="a\nb"})"},
        Case{"NamesMayBeUtf8",
             {{.source_labels = {"a.b"}, .target_label = "größe"}},
             Labels::Of({{"a.b", "1"}}),
             R"({"a.b"="1", "größe"="1"})"}),
    [](const auto& of) { return std::string(of.param.name); });

INSTANTIATE_TEST_SUITE_P(
    KeepAndDrop, RelabelTest,
    testing::Values(
        Case{"KeepKeepsWhatMatches",
             {{.action = Action::kKeep, .source_labels = {"job"}, .regex = "a.i"}},
             kZone,
             R"({job="api", zone="us-east-1a"})"},
        Case{"KeepDropsTheRest",
             {{.action = Action::kKeep, .source_labels = {"job"}, .regex = "a"}},
             kZone,
             "dropped"},
        Case{"DropDropsWhatMatches",
             {{.action = Action::kDrop, .source_labels = {"zone"}, .regex = "us-.*|eu-.*"}},
             kZone,
             "dropped"},
        Case{"AlternativesAreAnchoredTogether",
             {{.action = Action::kDrop, .source_labels = {"zone"}, .regex = "us|1a"}},
             kZone,
             R"({job="api", zone="us-east-1a"})"},
        Case{"NothingAfterADrop",
             {{.action = Action::kDrop, .source_labels = {"job"}},
              {.target_label = "job", .replacement = "x"}},
             kZone,
             "dropped"},
        Case{"KeepEqual",
             {{.action = Action::kKeepEqual, .source_labels = {"a"}, .target_label = "b"}},
             Labels::Of({{"a", "1"}, {"b", "1"}}),
             R"({a="1", b="1"})"},
        Case{"KeepEqualDropsOthers",
             {{.action = Action::kKeepEqual, .source_labels = {"a"}, .target_label = "b"}},
             Labels::Of({{"a", "1"}, {"b", "2"}}),
             "dropped"},
        Case{"DropEqual",
             {{.action = Action::kDropEqual, .source_labels = {"a"}, .target_label = "b"}},
             Labels::Of({{"a", "1"}, {"b", "1"}}),
             "dropped"},
        Case{"DropEqualKeepsOthers",
             {{.action = Action::kDropEqual, .source_labels = {"a"}, .target_label = "b"}},
             Labels::Of({{"a", "1"}}),
             R"({a="1"})"}),
    [](const auto& of) { return std::string(of.param.name); });

// Of hashmod, what `md5sum` says: the last 8 bytes of the sum modulo 1000.
INSTANTIATE_TEST_SUITE_P(
    Others, RelabelTest,
    testing::Values(
        Case{"HashMod",
             {{.action = Action::kHashMod,
               .source_labels = {"a"},
               .modulus = 1000,
               .target_label = "h"}},
             Labels::Of({{"a", "baz"}}),
             R"({a="baz", h="976"})"},
        Case{"HashModOfSeveral",
             {{.action = Action::kHashMod,
               .source_labels = {"a", "b"},
               .modulus = 1000,
               .target_label = "h"}},
             Labels::Of({{"a", "foo"}, {"b", "bar"}}),
             R"({a="foo", b="bar", h="750"})"},
        Case{"HashModOfNothing",
             {{.action = Action::kHashMod, .modulus = 1000, .target_label = "h"}},
             Labels(),
             R"({h="958"})"},
        Case{"LabelMapCopies",
             {{.action = Action::kLabelMap, .regex = "__meta_(z.+)", .replacement = "to_$1"}},
             Labels::Of({{"__meta_zone", "a"}, {"__meta_job", "b"}}),
             R"({__meta_job="b", __meta_zone="a", to_zone="a"})"},
        Case{"LabelMapOntoItselfStays",
             {{.action = Action::kLabelMap, .regex = "a", .replacement = "a"}},
             Labels::Of({{"a", "1"}}),
             R"({a="1"})"},
        Case{"LabelDrop",
             {{.action = Action::kLabelDrop, .regex = "__.*|job"}},
             Labels::Of({{"__x", "1"}, {"job", "2"}, {"jobs", "3"}}),
             R"({jobs="3"})"},
        Case{"LabelKeep",
             {{.action = Action::kLabelKeep, .regex = "job|alert.*"}},
             Labels::Of({{"alertname", "A"}, {"job", "2"}, {"jobs", "3"}}),
             R"({alertname="A", job="2"})"},
        Case{"Cases",
             {{.action = Action::kLowercase, .source_labels = {"a"}, .target_label = "low"},
              {.action = Action::kUppercase, .source_labels = {"a"}, .target_label = "up"}},
             Labels::Of({{"a", "Ab-1é"}}),
             R"({a="Ab-1é", low="ab-1é", up="AB-1é"})"}),
    [](const auto& of) { return std::string(of.param.name); });

TEST(RelabelRuleTest, HashesAnyLength) {
  // Golden values are Python's hashlib.md5 of n times 'x'.
  const std::pair<std::size_t, std::string_view> cases[] = {
      {0, "16825458760271544958"}, {55, "15661451353638211442"}, {56, "7123213223354806603"},
      {63, "240515832006674817"},  {64, "8739068135478731862"},  {200, "16131141350317198456"}};
  for (const auto& [count, want] : cases) {
    auto rule = RelabelRule::Create({.action = Action::kHashMod,
                                     .source_labels = {"a"},
                                     .modulus = ~std::uint64_t{0},
                                     .target_label = "h"});
    ASSERT_TRUE(rule);
    const std::string text(count, 'x');
    const auto labels = Labels::Of({{"a", text}});
    EXPECT_EQ(Relabel(labels, {*rule})->Get("h"), want) << count;
  }
}

TEST(RelabelRuleTest, NamesWhatIsWrong) {
  struct Bad {
    RelabelOptions options;
    std::string_view message;
  };
  const Bad cases[] = {
      {{}, "action replace needs a target_label"},
      {{.target_label = "\xff"}, "\"\xff\" is no target_label for action replace"},
      {{.regex = "(", .target_label = "a"}, "error parsing regexp: missing closing ): `(`"},
      {{.action = Action::kHashMod, .target_label = "a"}, "action hashmod needs a modulus above 0"},
      {{.action = Action::kHashMod, .modulus = 2}, "action hashmod needs a target_label"},
      {{.action = Action::kLabelMap, .replacement = ""},
       "\"\" is no replacement for action labelmap"},
      {{.action = Action::kLowercase, .target_label = "a", .replacement = "b"},
       "action lowercase takes no replacement"},
      {{.action = Action::kKeepEqual, .regex = "a", .target_label = "b"},
       "action keepequal takes source_labels and target_label, and no more"},
      {{.action = Action::kLabelDrop, .source_labels = {"a"}, .regex = "a"},
       "action labeldrop takes a regex, and no more"},
  };
  for (const Bad& c : cases) {
    const auto rule = RelabelRule::Create(c.options);
    ASSERT_FALSE(rule) << c.message;
    EXPECT_EQ(rule.error().message(), c.message);
  }
}

TEST(RelabelRuleTest, ActionsHaveNames) {
  EXPECT_EQ(ParseRelabelAction("LabelMap"), Action::kLabelMap);
  EXPECT_EQ(ParseRelabelAction("hash"), std::nullopt);
  EXPECT_EQ(RelabelActionName(Action::kDropEqual), "dropequal");
}

}  // namespace
}  // namespace azexporter::model
