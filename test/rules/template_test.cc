// What Prometheus expands a template to; each `want` was compared with promtool.

#include "azexporter/rules/template.h"

#include <gtest/gtest.h>

#include <limits>

namespace azexporter::rules {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

TemplateData Data(double value) {
  return {.labels = model::Labels::Of({{"zone", "us-east-1a"}}),
          .external_labels = model::Labels::Of({{"cluster", "prod"}}),
          .external_url = "http://p.example/x",
          .value = value};
}

struct Case {
  std::string_view name;
  std::string_view text;
  double value;
  std::string_view want;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

class TemplateTest : public testing::TestWithParam<Case> {};

TEST_P(TemplateTest, Expands) {
  const Case& c = GetParam();
  EXPECT_TRUE(CheckTemplate(c.text).has_value());
  const auto got = ExpandTemplate(c.text, Data(c.value));
  ASSERT_TRUE(got.has_value()) << got.error().message();
  EXPECT_EQ(*got, c.want);
}

std::string NameOf(const testing::TestParamInfo<Case>& info) {
  return std::string(info.param.name);
}

INSTANTIATE_TEST_SUITE_P(
    Data, TemplateTest,
    testing::Values(Case{"PlainText", "}} plain", 1, "}} plain"},  //
                    Case{"ValueIsShort", "{{ $value }}", 1.5, "1.5"},
                    Case{"ValueOfAMillion", "{{ $value }}", 1e6, "1e+06"},
                    Case{"ValueOfManyDigits", "{{ $value }}", 123456789, "1.23456789e+08"},
                    Case{"ValueTiny", "{{ $value }}", 0.00001, "1e-05"},
                    Case{"ValueNaN", "{{ $value }}", kNaN, "NaN"},
                    Case{"ValueInf", "{{ $value }}", kInf, "+Inf"},
                    Case{"LabelAndNoLabel", "{{ $labels.zone }}/{{ $labels.nothing }}|", 1,
                         "us-east-1a/|"},
                    Case{"DataOfTheDot", "{{ .Labels.zone }} {{ .Value }}", 2, "us-east-1a 2"},
                    Case{"External", "{{ $externalLabels.cluster }} {{ $externalURL }}", 1,
                         "prod http://p.example/x"},
                    Case{"LabelsAsAMap", "{{ $labels }}", 1, "map[zone:us-east-1a]"}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Humanize, TemplateTest,
    testing::Values(
        Case{"Zero", "{{ humanize $value }}", 0, "0"},  //
        Case{"One", "{{ humanize $value }}", 1, "1"},
        Case{"Millions", "{{ humanize $value }}", 1234567, "1.235M"},
        Case{"Milli", "{{ humanize $value }}", 0.12, "120m"},
        Case{"Micro", "{{ humanize $value }}", 0.0000124, "12.4u"},
        Case{"Negative", "{{ humanize $value }}", -45000, "-45k"},
        Case{"PastTheLastPrefix", "{{ humanize $value }}", 1e30, "1e+06Y"},
        Case{"RoundedUp", "{{ humanize $value }}", 999.96, "1000"},
        Case{"Inf", "{{ humanize $value }}", kInf, "+Inf"},
        Case{"NaN", "{{ humanize $value }}", kNaN, "NaN"},
        Case{"Binary", "{{ humanize1024 $value }}", 1048576, "1Mi"},
        Case{"BinaryKilo", "{{ humanize1024 $value }}", 1536, "1.5ki"},
        Case{"BinaryBelow", "{{ humanize1024 $value }}", 1023, "1023"},
        Case{"BinaryNegative", "{{ humanize1024 $value }}", -2048, "-2ki"},
        Case{"BinaryFraction", "{{ humanize1024 $value }}", 0.12, "0.12"},
        Case{"DurationZero", "{{ humanizeDuration $value }}", 0, "0s"},
        Case{"DurationMinute", "{{ humanizeDuration $value }}", 60, "1m 0s"},
        Case{"DurationDay", "{{ humanizeDuration $value }}", 86400, "1d 0h 0m 0s"},
        Case{"DurationNegative", "{{ humanizeDuration $value }}", -90061, "-1d 1h 1m 1s"},
        Case{"DurationCut", "{{ humanizeDuration $value }}", 899.99, "14m 59s"},
        Case{"DurationSeconds", "{{ humanizeDuration $value }}", 12.345, "12.35s"},
        Case{"DurationNegativeSecond", "{{ humanizeDuration $value }}", -1, "-1s"},
        Case{"DurationMilli", "{{ humanizeDuration $value }}", 0.12345, "123.5ms"},
        Case{"DurationMicro", "{{ humanizeDuration $value }}", 0.0001, "100us"},
        Case{"DurationInf", "{{ humanizeDuration $value }}", kInf, "+Inf"},
        Case{"Percentage", "{{ humanizePercentage $value }}", 0.1234567, "12.35%"},
        Case{"PercentageNegative", "{{ humanizePercentage $value }}", -0.22222, "-22.22%"},
        Case{"PercentageInf", "{{ humanizePercentage $value }}", kInf, "+Inf%"},
        Case{"PercentageOfText", "{{ humanizePercentage \"0.5\" }}", 1, "50%"},
        Case{"Timestamp", "{{ humanizeTimestamp $value }}", 1435065584.128,
             "2015-06-23 13:19:44.128 +0000 UTC"},
        Case{"TimestampBefore1970", "{{ humanizeTimestamp $value }}", -0.5,
             "1969-12-31 23:59:59.5 +0000 UTC"},
        Case{"TimestampInf", "{{ humanizeTimestamp $value }}", kInf, "+Inf"}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Printf, TemplateTest,
    testing::Values(Case{"Fixed", R"({{ printf "%.2f" $value }})", 3.14159, "3.14"},
                    Case{"FixedToEven", R"({{ printf "%.0f" $value }})", 2.5, "2"},
                    Case{"FixedInf", R"({{ printf "%.1f" $value }})", kInf, "+Inf"},
                    Case{"DecimalOfAFloat", R"({{ printf "%d" $value }})", 3, "%!d(float64=3)"},
                    Case{"DecimalOfAnInt", R"({{ printf "%d" 3 }})", 3, "3"},
                    Case{"FixedOfAnInt", R"({{ printf "%f" 3 }})", 3, "%!f(int=3)"},
                    Case{"FixedOfText", R"({{ printf "%.2f" "x" }})", 3, "%!f(string=x)"},
                    Case{"TextOfAFloat", R"({{ printf "%s" $value }})", 3, "%!s(float64=3)"},
                    Case{"TextOfABool", R"({{ printf "%s %t" true false }})", 3,
                         "%!s(bool=true) false"},
                    Case{"Quoted", R"({{ printf "%q" $labels.zone }})", 3, "\"us-east-1a\""},
                    Case{"Any", R"({{ printf "%v %v %v %v" $value $labels.zone true 100000000 }})",
                         3.5, "3.5 us-east-1a true 100000000"},
                    Case{"WidthsAndFlags",
                         R"({{ printf "%5.1f|%-6s|%06.2f|%+.1f" $value "ab" $value $value }})",
                         3.14159, "  3.1|ab    |003.14|+3.1"},
                    Case{"IntWidths", R"({{ printf "%5d|%-5d|%05d|%x" 42 42 42 255 }})", 1,
                         "   42|42   |00042|ff"},
                    Case{"Exponent", R"({{ printf "%e" $value }})", 1234.5, "1.234500e+03"},
                    Case{"General", R"({{ printf "%g %.3g %8g|" $value $value 0.1 }})", 1234567890,
                         "1.23456789e+09 1.23e+09      0.1|"},
                    Case{"Percent", R"({{ printf "%d%%" 5 }})", 1, "5%"},
                    Case{"Missing", R"({{ printf "%s %s" "a" }})", 1, "a %!s(MISSING)"},
                    Case{"Extra", R"({{ printf "x" $value 2 }})", 1, "x%!(EXTRA float64=1, int=2)"},
                    Case{"NoSuchVerb", R"({{ printf "%z" $value }})", 1, "%!z(float64=1)"},
                    Case{"NoVerb", R"({{ printf "%" }})", 1, "%!(NOVERB)"},
                    Case{"HugeWidth", R"({{ printf "%99999999999s" "a" }})", 1, "%!(BADWIDTH)"},
                    Case{"Type", R"({{ printf "%T" $value }})", 1, "float64"}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Language, TemplateTest,
    testing::Values(
        Case{"If", "{{ if gt $value 2.0 }}big{{ else }}small{{ end }}", 3, "big"},
        Case{"Else", "{{ if gt $value 1e9 }}big{{ else }}small{{ end }}", 3, "small"},
        Case{
            "ElseIf",
            "{{ if $labels.nothing }}some{{ else if eq $labels.zone \"us-east-1a\" }}second{{ else "
            "}}third{{ end }}",
            3, "second"},
        Case{"NestedIf", "{{ if true }}a{{ if false }}b{{ else }}c{{ end }}d{{ end }}", 3, "acd"},
        Case{"EqualToAny", "{{ if eq $labels.zone \"a\" \"us-east-1a\" }}yes{{ end }}", 3, "yes"},
        Case{"EqualBools", "{{ if eq true true }}yes{{ end }}", 3, "yes"},
        Case{"Comparisons",
             "{{ if ne 1 2 }}ne{{ end }}{{ if le 2 2 }}le{{ end }}{{ if ge 3 2 }}ge{{ end }}"
             "{{ if lt \"a\" \"b\" }}lt{{ end }}",
             0, "nelegelt"},
        Case{"And", "{{ if and $labels.zone (lt $value 5.0) }}y{{ end }}", 3, "y"},
        Case{"AndOrGiveTheirOperand", "{{ and 1 0 2 }} {{ or 0 \"\" }}|", 1, "0 |"},
        Case{"Not", "{{ if not $labels.nothing }}none{{ end }}", 3, "none"},
        Case{"ZeroIsFalse", "{{ if $value }}nonzero{{ else }}zero{{ end }}", 0, "zero"},
        Case{"Pipeline", "{{ $labels.zone | toUpper | printf \"%s!\" }}", 1, "US-EAST-1A!"},
        Case{"Parentheses", "{{ (printf \"%s\" $labels.zone) }}", 1, "us-east-1a"},
        Case{"TrimMarkers", "a {{- \" b \" -}} c", 1, "a b c"},
        Case{"MinusIsNoTrimMarker", "{{1}} {{-1}}", 1, "1 -1"},
        Case{"Comment", "a {{/* c */}} b", 1, "a  b"},
        Case{"TrimmedCommentWithAQuote", "a  {{- /* it \"is */ -}}  b", 1, "ab"},
        Case{"Escapes", R"({{ "a\tb\"c\u00e9\x41" }})", 1, "a\tb\"c\u00e9A"},
        Case{"RawString", "{{ `raw\\n}}` }}", 1, "raw\\n}}"},
        Case{"Numbers", "{{ -3 }} {{ 1.50 }} {{ 0x10 }} {{ 1e3 }} {{ 1e-3 }} {{ 1_000 }}", 1,
             "-3 1.5 16 1000 0.001 1000"},
        Case{"Cases", "{{ toUpper \"abC1\" }}{{ toLower \"ABc\" }}{{ title \"a bc-de f_g 1h\" }}",
             1, "ABC1abcA Bc-De F_g 1h"},
        Case{"ReReplaceAll", "{{ reReplaceAll \"(.*)-(.*)\" \"$2/$1\" $labels.zone }}", 1,
             "1a/us-east"}),
    NameOf);

struct ErrorCase {
  std::string_view name;
  std::string_view text;
  std::string_view error;
  bool on_load;  // CheckTemplate finds it
};

void PrintTo(const ErrorCase& c, std::ostream* out) { *out << c.name; }

class TemplateErrorTest : public testing::TestWithParam<ErrorCase> {};

TEST_P(TemplateErrorTest, IsTold) {
  const ErrorCase& c = GetParam();
  EXPECT_EQ(CheckTemplate(c.text).has_value(), !c.on_load);
  const auto got = ExpandTemplate(c.text, Data(1));
  ASSERT_FALSE(got.has_value()) << *got;
  EXPECT_EQ(got.error().message(), c.error);
  EXPECT_EQ(got.error().code(),
            c.on_load ? base::ErrorCode::kBadData : base::ErrorCode::kExecution);
  EXPECT_EQ(ExpandOrExplain(c.text, Data(1)),
            "<error expanding template: " + std::string(c.error) + ">");
}

INSTANTIATE_TEST_SUITE_P(
    All, TemplateErrorTest,
    testing::Values(
        ErrorCase{"UnclosedAction", "{{", "unclosed action", true},
        ErrorCase{"UnclosedComment", "{{/* a", "unclosed action", true},
        ErrorCase{"EmptyAction", "{{ }}", "missing value for command", true},
        ErrorCase{"UnclosedParen", "{{ (1 }}", "unclosed left paren", true},
        ErrorCase{"UnclosedString", "{{ \"abc }}", "unclosed action", true},
        ErrorCase{"BadEscape", R"({{ "\d" }})", R"(invalid escape in "\d)", true},
        ErrorCase{"BadNumber", "{{ 1x }}", "bad number syntax: \"1x\"", true},
        ErrorCase{"UnknownVariable", "{{ $lables.zone }}", "undefined variable \"$lables\"", true},
        ErrorCase{"UnknownFunction", "{{ nope 1 }}", "function \"nope\" not defined", true},
        ErrorCase{"IfWithoutCondition", "{{ if }}a{{ end }}", "missing value for command", true},
        ErrorCase{"IfWithoutEnd", "{{ if true }}", "unexpected EOF: {{if}} without {{end}}", true},
        ErrorCase{"EndAlone", "{{ end }}", "unexpected {{end}}", true},
        ErrorCase{"ElseAlone", "{{ else }}", "unexpected {{else}}", true},
        ErrorCase{"TwoElses", "{{ if true }}{{ else }}{{ else }}{{ end }}",
                  "expected end; found {{else}}", true},
        ErrorCase{"StrangeSign", "{{ @ }}", "unexpected \"@\" in command", true},
        ErrorCase{"Range", "{{ range $labels }}{{ end }}", "{{range}} is not supported", true},
        ErrorCase{"IntWithFloat", "{{ if gt $value 2 }}{{ end }}",
                  "error calling gt: incompatible types for comparison", false},
        ErrorCase{"TextWithInt", "{{ if eq $labels.zone 1 }}{{ end }}",
                  "error calling eq: incompatible types for comparison", false},
        ErrorCase{"TooFewArguments", "{{ humanize }}",
                  "wrong number of args for humanize: want 1 got 0", false},
        ErrorCase{"TooManyArguments", "{{ humanize 1 2 }}",
                  "wrong number of args for humanize: want 1 got 2", false},
        ErrorCase{"NoNumber", "{{ humanize \"x\" }}", "error calling humanize: not a number: \"x\"",
                  false},
        ErrorCase{"BoolIsNoNumber", "{{ humanize true }}",
                  "error calling humanize: can't convert bool to float", false},
        ErrorCase{"TimestampOutOfRange", "{{ humanizeTimestamp 1e12 }}",
                  "error calling humanizeTimestamp: 1e+12 cannot be represented as a nanoseconds "
                  "timestamp since it overflows int64",
                  false},
        ErrorCase{"NoFunction", "{{ 1 2 }}", "can't give argument to non-function", false},
        ErrorCase{"FieldOfANumber", "{{ $value.x }}", "can't evaluate field x", false},
        ErrorCase{"UnknownField", "{{ .Foo }}", "can't evaluate field Foo", false}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(TemplateTest, DeepNestingIsRefused) {
  std::string parens = "{{ ";
  for (int i = 0; i < 10'000; ++i) parens += '(';
  EXPECT_FALSE(CheckTemplate(parens).has_value());
  std::string ifs;
  for (int i = 0; i < 10'000; ++i) ifs += "{{if true}}";
  EXPECT_FALSE(CheckTemplate(ifs).has_value());
}

}  // namespace
}  // namespace azexporter::rules
