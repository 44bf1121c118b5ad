// What Prometheus expands a template to; the wants were compared with promtool.

#include <algorithm>

#include "template_fixture.h"

namespace azexporter::rules {
namespace {

class TemplateLanguageTest : public TemplateTest {};

TEST_P(TemplateLanguageTest, Expands) { ExpectExpands(GetParam()); }

INSTANTIATE_TEST_SUITE_P(
    Data, TemplateLanguageTest,
    testing::Values(
        TemplateCase{"PlainText", "}} plain", "}} plain", 1},  //
        TemplateCase{"ValueIsShort", "{{ $value }}", "1.5", 1.5},
        TemplateCase{"ValueOfAMillion", "{{ $value }}", "1e+06", 1e6},
        TemplateCase{"ValueOfManyDigits", "{{ $value }}", "1.23456789e+08", 123456789},
        TemplateCase{"ValueTiny", "{{ $value }}", "1e-05", 0.00001},
        TemplateCase{"ValueNaN", "{{ $value }}", "NaN", kNaN},
        TemplateCase{"ValueInf", "{{ $value }}", "+Inf", kInf},
        TemplateCase{"LabelAndNoLabel", "{{ $labels.zone }}/{{ $labels.nothing }}|", "us-east-1a/|",
                     1},
        TemplateCase{"DataOfTheDot", "{{ .Labels.zone }} {{ .Value }}", "us-east-1a 2", 2},
        TemplateCase{"External", "{{ $externalLabels.cluster }} {{ $externalURL }}",
                     "prod http://p.example:9090/x", 1},
        TemplateCase{"LabelsAsAMap", "{{ $labels }}", "map[__name__:up zone:us-east-1a]", 1}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Language, TemplateLanguageTest,
    testing::Values(
        TemplateCase{"If", "{{ if gt $value 2.0 }}big{{ else }}small{{ end }}", "big", 3},
        TemplateCase{"Else", "{{ if gt $value 1e9 }}big{{ else }}small{{ end }}", "small", 3},
        TemplateCase{
            "ElseIf",
            "{{ if $labels.nothing }}some{{ else if eq $labels.zone \"us-east-1a\" }}second{{ else "
            "}}third{{ end }}",
            "second", 3},
        TemplateCase{"NestedIf", "{{ if true }}a{{ if false }}b{{ else }}c{{ end }}d{{ end }}",
                     "acd", 3},
        TemplateCase{"EqualToAny", "{{ if eq $labels.zone \"a\" \"us-east-1a\" }}yes{{ end }}",
                     "yes", 3},
        TemplateCase{"EqualBools", "{{ if eq true true }}yes{{ end }}", "yes", 3},
        TemplateCase{
            "Comparisons",
            "{{ if ne 1 2 }}ne{{ end }}{{ if le 2 2 }}le{{ end }}{{ if ge 3 2 }}ge{{ end }}"
            "{{ if lt \"a\" \"b\" }}lt{{ end }}",
            "nelegelt", 0},
        TemplateCase{"And", "{{ if and $labels.zone (lt $value 5.0) }}y{{ end }}", "y", 3},
        TemplateCase{"AndOrGiveTheirOperand", "{{ and 1 0 2 }} {{ or 0 \"\" }}|", "0 |", 1},
        TemplateCase{"Not", "{{ if not $labels.nothing }}none{{ end }}", "none", 3},
        TemplateCase{"ZeroIsFalse", "{{ if $value }}nonzero{{ else }}zero{{ end }}", "zero", 0},
        TemplateCase{"Pipeline", "{{ $labels.zone | toUpper | printf \"%s!\" }}", "US-EAST-1A!", 1},
        TemplateCase{"Parentheses", "{{ (printf \"%s\" $labels.zone) }}", "us-east-1a", 1},
        TemplateCase{"TrimMarkers", "a {{- \" b \" -}} c", "a b c", 1},
        TemplateCase{"MinusIsNoTrimMarker", "{{1}} {{-1}}", "1 -1", 1},
        TemplateCase{"Comment", "a {{/* c */}} b", "a  b", 1},
        TemplateCase{"TrimmedCommentWithAQuote", "a  {{- /* it \"is */ -}}  b", "ab", 1},
        TemplateCase{"Escapes", R"({{ "a\tb\"c\u00e9\x41" }})", "a\tb\"c\u00e9A", 1},
        TemplateCase{"RawString", "{{ `raw\\n}}` }}", "raw\\n}}", 1},
        TemplateCase{"Numbers", "{{ -3 }} {{ 1.50 }} {{ 0x10 }} {{ 1e3 }} {{ 1e-3 }} {{ 1_000 }}",
                     "-3 1.5 16 1000 0.001 1000", 1},
        TemplateCase{"Cases",
                     "{{ toUpper \"abC1\" }}{{ toLower \"ABc\" }}{{ title \"a bc-de f_g 1h\" }}",
                     "ABC1abcA Bc-De F_g 1h", 1},
        TemplateCase{"ReReplaceAll", "{{ reReplaceAll \"(.*)-(.*)\" \"$2/$1\" $labels.zone }}",
                     "1a/us-east", 1}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Variables, TemplateLanguageTest,
    testing::Values(  //
        TemplateCase{"Declared", "{{ $x := 1 }}{{ $x }}", "1"},
        TemplateCase{"Assigned", R"({{ $x := 1 }}{{ $x = "b" }}{{ $x }})", "b"},
        TemplateCase{"ABlockHasItsOwn",
                     "{{ $x := 1 }}{{ if true }}{{ $x := 2 }}{{ $x }}{{ end }}{{ $x }}", "21"},
        TemplateCase{"ABlockAssignsTheOuterOne",
                     "{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ end }}{{ $x }}", "2"},
        TemplateCase{"OfACondition", "{{ if $y := 5 }}{{ $y }}{{ end }}", "5"},
        TemplateCase{"OfAWith", "{{ with $x := $labels.zone }}{{ $x }}{{ end }}", "us-east-1a"},
        TemplateCase{"InParentheses", "{{ ($b := 2) }}{{ $b }}", "22"},
        TemplateCase{"DollarIsTheData", "{{ with 2 }}{{ . }} {{ $.Value }}{{ end }}", "2 1.5"},
        TemplateCase{
            "FieldsOfAVariable",
            R"({{ $x := query "metric" | first }}{{ $x.Labels.instance }}{{ $x.Labels.foo }})",
            "b"}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Blocks, TemplateLanguageTest,
    testing::Values(  //
        TemplateCase{"With", "{{ with $labels.zone }}{{ . }}{{ else }}none{{ end }}", "us-east-1a"},
        TemplateCase{"WithElse", "{{ with $labels.none }}{{ . }}{{ else }}none{{ end }}", "none"},
        TemplateCase{
            "WithElseWith",
            "{{ with $labels.none }}1{{ else with $labels.zone }}{{ . }}{{ else }}3{{ end }}",
            "us-east-1a"},
        TemplateCase{"IfElseIf",
                     R"({{ if 0 }}a{{ else if "" }}b{{ else if 2 }}c{{ else }}d{{ end }})", "c"},
        TemplateCase{
            "IfOfEmptyThings",
            R"({{ if query "nothing" }}q{{ else }}-{{ end }}{{ if args }}a{{ else }}-{{ end }})",
            "--"},
        TemplateCase{
            "IfOfFullThings",
            R"({{ if query "metric" }}q{{ end }}{{ if args 1 }}a{{ end }}{{ if toTime 0 }}t{{ end }}{{ if . }}d{{ end }})",
            "qatd"},
        TemplateCase{"RangeOfLabels", "{{ range $labels }}{{ . }};{{ end }}", "up;us-east-1a;"},
        TemplateCase{"RangeWithKeyAndValue",
                     "{{ range $k, $v := $labels }}{{ $k }}={{ $v }};{{ end }}",
                     "__name__=up;zone=us-east-1a;"},
        TemplateCase{"RangeWithOneVariable", "{{ range $v := $labels }}{{ $v }};{{ end }}",
                     "up;us-east-1a;"},
        TemplateCase{
            "RangeOfSamples",
            R"({{ range query "metric" | sortByLabel "instance" }}{{ .Labels.instance }}:{{ .Value }}: {{ end }})",
            "a:11: b:21: "},
        TemplateCase{
            "RangeWithIndex",
            R"({{ range $i, $e := query "metric" }}{{ $i }}{{ $e.Labels.instance }}{{ end }})",
            "0b1a"},
        TemplateCase{"RangeOfArgs",
                     R"({{ range $k, $v := args "a" 2 }}{{ $k }}={{ $v }};{{ end }})",
                     "arg0=a;arg1=2;"},
        TemplateCase{"RangeOfANumber",
                     "{{ range 3 }}{{ . }}{{ end }} {{ range $i := 2 }}{{ $i }}{{ end }} {{ range "
                     "0 }}x{{ else }}none{{ end }}",
                     "012 01 none"},
        TemplateCase{"RangeElse", R"({{ range query "nothing" }}x{{ else }}none{{ end }})", "none"},
        TemplateCase{"RangeOfNothing", "{{ range (args).none }}x{{ else }}none{{ end }}", "none"},
        TemplateCase{
            "RangeAssigns",
            "{{ $i := 1 }}{{ $x := 2 }}{{ range $i, $x = $labels }}{{ end }}{{ $i }} {{ $x }}",
            "zone us-east-1a"},
        TemplateCase{"RangeVariablesCanBeAssigned",
                     R"({{ range $i, $x := $labels }}{{ $i = "z" }}{{ $i }}{{ end }})", "zz"},
        TemplateCase{"Break", "{{ range $labels }}a{{ break }}x{{ end }}|", "a|"},
        TemplateCase{"Continue",
                     "{{ range $labels }}{{ if true }}{{ continue }}{{ end }}x{{ end }}|", "|"},
        TemplateCase{
            "BreakEndsTheInnerRange",
            "{{ range 2 }}{{ range 5 }}{{ . }}{{ if . }}{{ break }}{{ end }}{{ end }};{{ end }}",
            "01;01;"},
        TemplateCase{
            "Template",
            R"({{ define "x" }}{{ .arg0 }} {{ .arg1 }}{{ end }}{{ template "x" (args 1 "2") }})",
            "1 2"},
        TemplateCase{"TemplateWithoutData",
                     R"({{ define "x" }}[{{ . }}]{{ end }}{{ template "x" }}{{ template "x" 5 }})",
                     "[<no value>][5]"},
        TemplateCase{"TemplateDollarIsItsData",
                     R"({{ define "x" }}{{ $.Labels.zone }}{{ end }}{{ template "x" . }})",
                     "us-east-1a"},
        TemplateCase{"Block", R"({{ block "b" $labels }}{{ .zone }}{{ end }})", "us-east-1a"},
        TemplateCase{"AnEmptyDefinitionReplacesNone",
                     R"({{ define "x" }}a{{ end }}{{ define "x" }}  {{ end }}{{ template "x" }})",
                     "a"},
        TemplateCase{
            "Recursion",
            R"({{ define "x" }}{{ . }}{{ if . }}{{ template "x" slice . 1 }}{{ end }}{{ end }}{{ template "x" "abc" }})",
            "abcbcc"}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Values, TemplateLanguageTest,
    testing::Values(  //
        TemplateCase{"NoValue", "{{ (args 1).foo }} {{ print (args 1).foo }}", "<no value> <nil>"},
        TemplateCase{"NothingOfNothing",
                     R"({{ define "r" }}{{ .arg9.x }}{{ end }}{{ template "r" }})", "<no value>"},
        TemplateCase{"ArgsAsAMap", R"({{ args 1 "a" 2.5 nil }})",
                     "map[arg0:1 arg1:a arg2:2.5 arg3:<nil>]"},
        TemplateCase{"SampleAsAStruct", R"({{ query "metric{instance='a'}" | first }})",
                     "{map[__name__:metric instance:a] 11}"},
        TemplateCase{"SamplePointer", R"({{ print (query "metric{instance='a'}" | first) }})",
                     "&{map[__name__:metric instance:a] 11}"},
        TemplateCase{
            "TheData", "{{ . }}",
            "{map[__name__:up zone:us-east-1a] map[cluster:prod] http://p.example:9090/x 1.5}"},
        TemplateCase{"FieldOfParentheses",
                     R"({{ (first (query "metric{instance='a'}")).Value }} {{ (.Labels).zone }})",
                     "11 us-east-1a"},
        TemplateCase{"Characters", R"({{ 'a' }} {{ '\n' }} {{ '\'' }} {{ 'é' }} {{ '\u00e9' }})",
                     "97 10 39 233 233"},
        TemplateCase{"NumbersOfOtherBases",
                     "{{ 0x1F }} {{ 0o17 }} {{ 017 }} {{ 0b11 }} {{ 0x1p4 }} {{ 1_000 }}",
                     "31 15 15 3 16 1000"},
        TemplateCase{"Floats", "{{ 1e3 }} {{ 1.5e3 }} {{ .5 }} {{ 1. }} {{ 1e21 }}",
                     "1000 1500 0.5 1 1e+21"},
        TemplateCase{"Signs", "{{ +5 }} {{ -5 }} {{ -.5 }}", "5 -5 -0.5"},
        TemplateCase{"WholeNumbersAtTheirEnds",
                     "{{ 9223372036854775807 }} {{ -9223372036854775808 }}",
                     "9223372036854775807 -9223372036854775808"},
        TemplateCase{"OctalEscapes", R"({{ "\101\x41\u00e9\U0001F600" }})", "AAé😀"},
        TemplateCase{"CommentsTrim", "a  {{- /* c */ -}}  b", "ab"},
        TemplateCase{"NewlinesInAnAction", "{{ \"multi\" |\nprintf \"%s\" }}", "multi"}),
    NameOf);

TEST(TemplateQueriesTest, AreThoseThatStandInTheText) {
  const auto queries = [](std::string_view text) {
    std::string told;
    for (const std::string& query : TemplateQueries(text)) told += query + ";";
    return told;
  };
  EXPECT_EQ(queries(R"({{ query "a" }} {{ "b" | query | first }} {{ printf "c" | query }})"),
            "a;b;");
  EXPECT_EQ(queries(R"({{ if (query "a" | first).Value }}{{ range query "b" }}{{ end }}{{ end }})"),
            "a;b;");
  EXPECT_EQ(queries(R"({{ with 1 }}{{ else }}{{ $x := query `a` }}{{ end }} query "b")"), "a;");
  EXPECT_EQ(queries(R"({{ define "x" }}{{ query "a" }}{{ end }})"), "a;");
  EXPECT_EQ(queries("{{ query \"a\" "), "");
  EXPECT_EQ(queries("plain"), "");
}

TEST(TemplateFunctionNamesTest, AreSorted) {
  const auto names = TemplateFunctionNames();
  EXPECT_EQ(names.size(), 29u);
  EXPECT_TRUE(std::ranges::is_sorted(names));
}

TEST(TemplateTextTest, WithoutActionsIsItself) {
  EXPECT_EQ(*ExpandTemplate("}} plain { {", AlertData(1)), "}} plain { {");
  EXPECT_EQ(*ExpandTemplate("", AlertData(1)), "");
}

}  // namespace
}  // namespace azexporter::rules
