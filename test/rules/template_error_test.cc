// What Prometheus says of a template that fails, compared with promtool, and where an expansion
// ends that would not.

#include "template_fixture.h"

namespace azexporter::rules {
namespace {

// Found when a rule is loaded.
struct LoadErrorCase {
  std::string_view name;
  std::string_view text;
  std::string_view error;
  int line = 1;
};

void PrintTo(const LoadErrorCase& c, std::ostream* out) { *out << c.name; }

class TemplateLoadErrorTest : public testing::TestWithParam<LoadErrorCase> {};

TEST_P(TemplateLoadErrorTest, IsTold) {
  const LoadErrorCase& c = GetParam();
  const std::string want =
      "template: __alert_A:" + std::to_string(c.line) + ": " + std::string(c.error);
  const auto checked = CheckTemplate(c.text, "A");
  ASSERT_FALSE(checked.has_value());
  EXPECT_EQ(checked.error().message(), want);
  EXPECT_EQ(checked.error().code(), base::ErrorCode::kBadData);
  EXPECT_EQ(ExpandOrExplain(c.text, AlertData(1)),
            "<error expanding template: error parsing template __alert_A: " + want + ">");
}

INSTANTIATE_TEST_SUITE_P(
    Language, TemplateLoadErrorTest,
    testing::Values(  //
        LoadErrorCase{"UnclosedAction", "{{", "unclosed action"},
        LoadErrorCase{"UnclosedComment", "{{/* a", "unclosed comment"},
        LoadErrorCase{"CommentThatEndsEarly", "{{/* a */ }}",
                      "comment ends before closing delimiter"},
        LoadErrorCase{"EmptyAction", "{{ }}", "missing value for command"},
        LoadErrorCase{"NonAsciiSpace", "{{\u00a0}}", "unrecognized character in action: U+00A0"},
        LoadErrorCase{"UnclosedParen", "{{ (1 }}", "unclosed left paren"},
        LoadErrorCase{"OneParenTooMany", "{{ (1)) }}", R"x(unexpected ")" in command)x"},
        LoadErrorCase{"EmptyParens", "{{ () }}", "missing value for parenthesized pipeline"},
        LoadErrorCase{"UnclosedString", R"({{ "abc }})", "unterminated quoted string"},
        LoadErrorCase{"UnclosedRawString", "{{ `abc }}", "unterminated raw quoted string"},
        LoadErrorCase{"UnclosedCharacter", "{{ 'a }}", "unterminated character constant"},
        LoadErrorCase{"TwoCharacters", "{{ 'ab' }}", "malformed character constant: 'ab'"},
        LoadErrorCase{"BadEscape", R"({{ "\d" }})", "invalid syntax"},
        LoadErrorCase{"SurrogateEscape", R"({{ "\ud800" }})", "invalid syntax"},
        LoadErrorCase{"BadNumber", "{{ 1x }}", R"(bad number syntax: "1x")"},
        LoadErrorCase{"BadOctal", "{{ 08 }}", R"(integer overflow: "08")"},
        LoadErrorCase{"NumberTooLarge", "{{ 99999999999999999999 }}",
                      R"(integer overflow: "99999999999999999999")"},
        LoadErrorCase{"FloatTooLarge", "{{ 1e999 }}", R"(illegal number syntax: "1e999")"},
        LoadErrorCase{"LooseUnderscore", "{{ 1_ }}", R"(illegal number syntax: "1_")"},
        LoadErrorCase{"HexFloatWithoutExponent", "{{ 0x1.5 }}",
                      R"(illegal number syntax: "0x1.5")"},
        LoadErrorCase{"ComplexNumber", "{{ 1+2i }}", R"(bad number syntax: "1+2")"},
        LoadErrorCase{"UnknownVariable", "{{ $lables.zone }}", R"(undefined variable "$lables")"},
        LoadErrorCase{"UnknownFunction", "{{ nope 1 }}", R"(function "nope" not defined)"},
        LoadErrorCase{"VariableBeyondItsBlock", "{{ if $x := 1 }}{{ end }}{{ $x }}",
                      R"(undefined variable "$x")"},
        LoadErrorCase{"VariableInADefinition", R"({{ define "x" }}{{ $labels }}{{ end }})",
                      R"(undefined variable "$labels")"},
        LoadErrorCase{"AssignedBeforeDeclared", "{{ $x }}{{ $x = 1 }}",
                      R"(undefined variable "$x")"},
        LoadErrorCase{"TwoVariablesOutsideARange", "{{ $x, $y := 1 }}",
                      "too many declarations in command"},
        LoadErrorCase{"ThreeVariables", "{{ range $x, $y, $z := $labels }}{{ end }}",
                      "too many declarations in range"},
        LoadErrorCase{"NoVariableInARange", "{{ range $x, 1 := $labels }}{{ end }}",
                      "range can only initialize variables"},
        LoadErrorCase{"ColonAlone", "{{ $x : 1 }}", R"(undefined variable "$x")"},
        LoadErrorCase{"IfWithoutCondition", "{{ if }}a{{ end }}", "missing value for if"},
        LoadErrorCase{"IfWithoutEnd", "{{ if true }}", "unexpected EOF"},
        LoadErrorCase{"EndAlone", "{{ end }}", "unexpected {{end}}"},
        LoadErrorCase{"ElseAlone", "{{ else }}", "unexpected {{else}}"},
        LoadErrorCase{"TwoElses", "{{ if true }}{{ else }}{{ else }}{{ end }}",
                      "expected end; found {{else}}"},
        LoadErrorCase{"ElseIfOfARange", "{{ range $labels }}{{ else if true }}{{ end }}",
                      "unexpected <if> in input"},
        LoadErrorCase{"WordsBehindEnd", "{{ if true }}{{ end x }}", R"(unexpected "x" in end)"},
        LoadErrorCase{"BreakOutside", "{{ break }}", "{{break}} outside {{range}}"},
        LoadErrorCase{"ContinueInADefinitionInARange",
                      R"({{ range $labels }}{{ block "x" . }}{{ continue }}{{ end }}{{ end }})",
                      "{{continue}} outside {{range}}"},
        LoadErrorCase{"DefineWithoutQuotes", "{{ define x }}{{ end }}",
                      R"(unexpected "x" in define clause)"},
        LoadErrorCase{"DefineInABlock", R"({{ if true }}{{ define "x" }}{{ end }}{{ end }})",
                      "unexpected <define> in command"},
        LoadErrorCase{"DefinedTwice", R"({{ define "x" }}a{{ end }}{{ define "x" }}b{{ end }})",
                      R"(template: multiple definition of template "x")"},
        LoadErrorCase{"TemplateWithoutName", "{{ template }}",
                      R"(unexpected "}}" in template clause)"},
        LoadErrorCase{"BlockWithoutData", R"({{ block "x" }}{{ end }})",
                      "missing value for block clause"},
        LoadErrorCase{"LiteralInAPipeline", R"({{ 1 | "x" }})",
                      "non executable command in pipeline stage 2"},
        LoadErrorCase{"PipeWithoutCommand", "{{ | 1 }}", R"(unexpected "|" in command)"},
        LoadErrorCase{"FieldOfALiteral", R"({{ "a".b }})", R"(unexpected . after term "\"a\"")"},
        LoadErrorCase{"FieldsWithoutSpace", R"({{ 1"a" }})", R"(unexpected "\"a\"" in operand)"},
        LoadErrorCase{"StrangeSign", "{{ @ }}", R"(unexpected "@" in command)"},
        LoadErrorCase{"StrangeSignInAName", "{{ a@b }}", "bad character U+0040 '@'"},
        LoadErrorCase{"LongTexts", R"({{ "verylongstring" 1, 2 }})",
                      R"(unexpected "," in operand)"},
        LoadErrorCase{"ALaterLine", "a\nb{{ nope }}", R"(function "nope" not defined)", 2},
        LoadErrorCase{"AnActionOverLines", "{{ (\n1 }", R"(unexpected "}" in operand)", 2}),
    [](const auto& test) { return std::string(test.param.name); });

// Found when it is expanded.
struct ErrorCase {
  std::string_view name;
  std::string_view text;
  std::string_view place;  // line and column
  std::string_view at;
  std::string_view error;
  std::string_view executing = "__alert_A";
};

void PrintTo(const ErrorCase& c, std::ostream* out) { *out << c.name; }

class TemplateErrorTest : public testing::TestWithParam<ErrorCase> {};

TEST_P(TemplateErrorTest, IsTold) {
  const ErrorCase& c = GetParam();
  EXPECT_TRUE(CheckTemplate(c.text, "A").has_value());
  const auto got = ExpandTemplate(c.text, AlertData(1.5));
  ASSERT_FALSE(got.has_value()) << *got;
  std::string want = "error executing template __alert_A: template: __alert_A:";
  want.append(c.place).append(": executing \"").append(c.executing);
  want.append("\" at <").append(c.at).append(">: ").append(c.error);
  EXPECT_EQ(got.error().message(), want);
  EXPECT_EQ(got.error().code(), base::ErrorCode::kExecution);
  EXPECT_EQ(ExpandOrExplain(c.text, AlertData(1.5)), "<error expanding template: " + want + ">");
}

INSTANTIATE_TEST_SUITE_P(
    Data, TemplateErrorTest,
    testing::Values(  //
        ErrorCase{"IntWithFloat", "{{ if gt $value 2 }}{{ end }}", "1:118", "gt $value 2",
                  "error calling gt: incompatible types for comparison"},
        ErrorCase{"TextWithInt", "{{ if eq $labels.zone 1 }}{{ end }}", "1:118",
                  "eq $labels.zone 1", "error calling eq: incompatible types for comparison"},
        ErrorCase{"OrderOfBools", "{{ lt true false }}", "1:115", "lt true false",
                  "error calling lt: invalid type for comparison"},
        ErrorCase{"OrderOfMaps", "{{ lt $labels 1 }}", "1:115", "lt $labels 1",
                  "error calling lt: invalid type for comparison"},
        ErrorCase{"EqualMaps", "{{ eq $labels $labels }}", "1:115", "eq $labels $labels",
                  "error calling eq: non-comparable type map[__name__:up zone:us-east-1a]: "
                  "map[string]string"},
        ErrorCase{"NothingToCompareWith", "{{ eq 1 }}", "1:115", "eq 1",
                  "error calling eq: missing argument for comparison"},
        ErrorCase{"TooFewArguments", "{{ humanize }}", "1:115", "humanize",
                  "wrong number of args for humanize: want 1 got 0"},
        ErrorCase{"TooManyArguments", "{{ humanize 1 2 }}", "1:115", "humanize",
                  "wrong number of args for humanize: want 1 got 2"},
        ErrorCase{"TooManyByPipeline", "{{ 1 | humanize 2 }}", "1:119", "humanize",
                  "wrong number of args for humanize: want 1 got 2"},
        ErrorCase{"TooFewOfMany", "{{ and }}", "1:115", "and",
                  "wrong number of args for and: want at least 1 got 0"},
        ErrorCase{"NoNumber", R"({{ humanize "one" }})", "1:115", R"(humanize "one")",
                  R"(error calling humanize: strconv.ParseFloat: parsing "one": invalid syntax)"},
        ErrorCase{
            "NoNumberByPipeline", R"({{ "one" | humanizePercentage }})", "1:123",
            "humanizePercentage",
            R"(error calling humanizePercentage: strconv.ParseFloat: parsing "one": invalid syntax)"},
        ErrorCase{
            "NumberOutOfRange", R"({{ humanize "1e999" }})", "1:115", R"(humanize "1e999")",
            R"(error calling humanize: strconv.ParseFloat: parsing "1e999": value out of range)"},
        ErrorCase{"BoolIsNoNumber", "{{ humanize true }}", "1:115", "humanize true",
                  "error calling humanize: can't convert bool to float"},
        ErrorCase{"NilIsNoNumber", "{{ humanize nil }}", "1:115", "humanize nil",
                  "error calling humanize: can't convert <nil> to float"},
        ErrorCase{"MapIsNoNumber", "{{ humanize $labels }}", "1:115", "humanize $labels",
                  "error calling humanize: can't convert map[string]string to float"},
        ErrorCase{"TimestampOutOfRange", "{{ humanizeTimestamp 1e12 }}", "1:115",
                  "humanizeTimestamp 1e12",
                  "error calling humanizeTimestamp: 1e+12 cannot be represented as a nanoseconds "
                  "timestamp since it overflows int64"},
        ErrorCase{"TimeOfNaN", R"({{ toTime "NaN" }})", "1:115", R"(toTime "NaN")",
                  "error calling toTime: value is NaN or Inf"},
        ErrorCase{"NoDuration", R"({{ parseDuration "x" }})", "1:115", R"(parseDuration "x")",
                  R"(error calling parseDuration: not a valid duration string: "x")"},
        ErrorCase{"NumberForAString", "{{ toUpper 5 }}", "1:123", "5", "expected string; found 5"},
        ErrorCase{"FloatForAString", "{{ toUpper $value }}", "1:123", "$value",
                  "wrong type for value; expected string; got float64"},
        ErrorCase{"FloatForAStringByPipeline", "{{ $value | toUpper }}", "1:124", "toUpper",
                  "wrong type for value; expected string; got float64"},
        ErrorCase{"NilForAString", "{{ toUpper nil }}", "1:123", "nil",
                  "cannot assign nil to string"},
        ErrorCase{"NothingForAString", "{{ toUpper (args).x }}", "1:124", "args",
                  "wrong type for value; expected string; got interface {}"},
        ErrorCase{"HtmlForAString", R"({{ safeHtml "a" | toUpper }})", "1:130", "toUpper",
                  "wrong type for value; expected string; got template.HTML"},
        ErrorCase{"StringForASample", R"({{ label "a" "b" }})", "1:125", R"("b")",
                  R"(can't handle "b" for arg of type *template.sample)"},
        ErrorCase{"NumberForAVector", "{{ first 5 }}", "1:121", "5",
                  "can't handle 5 for arg of type template.queryResult"},
        ErrorCase{"FloatForASample", "{{ value $value }}", "1:121", "$value",
                  "wrong type for value; expected *template.sample; got float64"},
        ErrorCase{"NilForAVector", "{{ first nil }}", "1:115", "first nil",
                  "error calling first: first() called on vector with no elements"},
        ErrorCase{"NilForASample", R"({{ label "a" nil }})", "1:115", R"(label "a" nil)",
                  "error calling label: runtime error: invalid memory address or nil pointer "
                  "dereference"},
        ErrorCase{"FirstOfNone", R"({{ query "nothing" | first }})", "1:133", "first",
                  "error calling first: first() called on vector with no elements"},
        ErrorCase{"BadQuery", R"({{ query "((" }})", "1:115", R"(query "((")",
                  "error calling query: bad query"},
        ErrorCase{"FieldOfAVector", R"({{ (query "nothing").banana }})", "1:122", R"("nothing")",
                  "can't evaluate field banana in type template.queryResult"},
        ErrorCase{"FieldOfANumber", "{{ $value.x }}", "1:121", "$value.x",
                  "can't evaluate field x in type float64"},
        ErrorCase{"FieldOfAString", "{{ .Labels.zone.foo }}", "1:122", ".Labels.zone.foo",
                  "can't evaluate field foo in type string"},
        ErrorCase{"FieldOfTheData", "{{ .Foo }}", "1:115", ".Foo",
                  "can't evaluate field Foo in type struct { Labels map[string]string; "
                  "ExternalLabels map[string]string; ExternalURL string; Value interface {} }"},
        ErrorCase{"FieldOfAnEmptyInterface", "{{ (args 1).foo.bar }}", "1:121", "1",
                  "nil pointer evaluating interface {}.bar"},
        ErrorCase{"MethodOfATime", "{{ (toTime 1).Foo }}", "1:123", "1",
                  "can't evaluate field Foo in type *time.Time"},
        ErrorCase{"ArgumentsOfAMethod", "{{ (toTime 1).Format }}", "1:123", "1",
                  "wrong number of args for Format: want 1 got 0"},
        ErrorCase{"ArgumentOfAnotherType", "{{ (toTime 1).Format 5 }}", "1:133", "5",
                  "expected string; found 5"},
        ErrorCase{"ArgumentOfAField", "{{ .Value 1 }}", "1:115", ".Value",
                  "Value has arguments but cannot be invoked as function"},
        ErrorCase{"ArgumentOfAnEntry", "{{ $labels.zone 2 }}", "1:122", "$labels.zone",
                  "zone is not a method but has arguments"},
        ErrorCase{"PipedIntoAnEntry", R"({{ "a" | .Labels.zone }})", "1:128", ".Labels.zone",
                  "zone is not a method but has arguments"},
        ErrorCase{"NoFunction", "{{ 1 2 }}", "1:115", "1", "can't give argument to non-function 1"},
        ErrorCase{"VariableIsNoFunction", "{{ $value 2 }}", "1:115", "$value",
                  "can't give argument to non-function $value"},
        ErrorCase{"NilAlone", "{{ nil }}", "1:115", "nil", "nil is not a command"},
        ErrorCase{"CallOfANumber", "{{ call 1 }}", "1:115", "call 1",
                  "error calling call: non-function of type int"},
        ErrorCase{"IndexOutOfRange", R"({{ index "abc" 4 }})", "1:115", R"(index "abc" 4)",
                  "error calling index: index out of range: 4"},
        ErrorCase{"IndexAtTheEnd", R"({{ index (query "metric") 2 }})", "1:115",
                  R"(index (query "metric") 2)",
                  "error calling index: reflect: slice index out of range"},
        ErrorCase{"IndexOfTheWrongType", "{{ index $labels 1 }}", "1:115", "index $labels 1",
                  "error calling index: value has type int; should be string"},
        ErrorCase{"IndexOfANumber", "{{ index $value 1 }}", "1:115", "index $value 1",
                  "error calling index: can't index item of type float64"},
        ErrorCase{"IndexOfNil", "{{ index nil 1 }}", "1:115", "index nil 1",
                  "error calling index: index of untyped nil"},
        ErrorCase{"SliceBackwards", R"({{ slice "abc" 2 1 }})", "1:115", R"(slice "abc" 2 1)",
                  "error calling slice: invalid slice index: 2 > 1"},
        ErrorCase{"SliceOfAStringInThree", R"({{ slice "abc" 1 2 3 }})", "1:115",
                  R"(slice "abc" 1 2 3)", "error calling slice: cannot 3-index slice a string"},
        ErrorCase{"SliceOfAMap", "{{ slice $labels 1 }}", "1:115", "slice $labels 1",
                  "error calling slice: can't slice item of type map[string]string"},
        ErrorCase{"LenOfANumber", "{{ len 3 }}", "1:115", "len 3",
                  "error calling len: len of type int"},
        ErrorCase{"RangeOfAFloat", "{{ range $value }}{{ end }}", "1:121", "$value",
                  "range can't iterate over 1.5"},
        ErrorCase{"RangeOfAString", R"({{ range "abc" }}{{ end }})", "1:121", R"("abc")",
                  "range can't iterate over abc"},
        ErrorCase{"RangeOfANumberInTwo", "{{ range $i, $x := 3 }}{{ end }}", "1:131", "3",
                  "can't use 3 to iterate over more than one variable"},
        ErrorCase{"BadPattern", R"({{ match "(" "b" }})", "1:115", R"(match "(" "b")",
                  "error calling match: error parsing regexp: missing closing ): `(`"},
        ErrorCase{"BadPatternToReplace", R"({{ reReplaceAll "(" "x" "ab" }})", "1:115",
                  R"(reReplaceAll "(" "x" "ab")",
                  "error calling reReplaceAll: regexp: Compile(`(`): error parsing regexp: missing "
                  "closing ): `(`"},
        ErrorCase{"FormatIsNoString", "{{ printf 5 }}", "1:122", "5", "expected string; found 5"},
        ErrorCase{"NoSuchTemplate", R"({{ template "x" }})", "1:124", R"({{template "x"}})",
                  R"(template "x" not defined)"},
        ErrorCase{"InADefinition",
                  R"({{ define "x" }}{{ index "a" 7 }}{{ end }}{{ template "x" }})", "1:131",
                  R"(index "a" 7)", "error calling index: index out of range: 7", "x"},
        ErrorCase{"OnALaterLine", "a\n  {{ humanize \"two\" }}", "2:5", R"(humanize "two")",
                  R"(error calling humanize: strconv.ParseFloat: parsing "two": invalid syntax)"},
        ErrorCase{"InParentheses", R"({{ (index "a" 7) | printf "%d" }})", "1:116",
                  R"(index "a" 7)", "error calling index: index out of range: 7"}),
    [](const auto& test) { return std::string(test.param.name); });

// Each would take more time, memory or stack than there is.
struct BoundCase {
  std::string_view name;
  std::string_view text;
  std::string_view error;  // how it ends
};

void PrintTo(const BoundCase& c, std::ostream* out) { *out << c.name; }

class TemplateBoundTest : public testing::TestWithParam<BoundCase> {};

TEST_P(TemplateBoundTest, EndsTheExpansion) {
  const auto got = ExpandTemplate(GetParam().text, AlertData(1));
  ASSERT_FALSE(got.has_value());
  EXPECT_TRUE(got.error().message().ends_with(GetParam().error)) << got.error().message();
}

constexpr std::string_view kTooLong = "text is longer than 1048576 bytes";
constexpr std::string_view kTooManySteps = "the template takes too many steps";

INSTANTIATE_TEST_SUITE_P(
    All, TemplateBoundTest,
    testing::Values(  //
        BoundCase{"Recursion", R"({{ define "x" }}{{ template "x" }}{{ end }}{{ template "x" }})",
                  "exceeded maximum template depth (200)"},
        BoundCase{
            "MutualRecursion",
            R"({{ define "x" }}{{ if true }}{{ template "y" . }}{{ end }}{{ end }}{{ define "y" }}{{ template "x" . }}{{ end }}{{ template "x" . }})",
            "exceeded maximum template depth (200)"},
        BoundCase{"LongRange", "{{ range 9223372036854775807 }}{{ end }}", kTooManySteps},
        BoundCase{"RangesWithinEachOther", "{{ range 10000 }}{{ range 10000 }}{{ end }}{{ end }}",
                  kTooManySteps},
        BoundCase{"GrowingText",
                  R"({{ $x := "ab" }}{{ range 100 }}{{ $x = print $x $x }}{{ end }})", kTooLong},
        BoundCase{"LongTextsCopied",
                  R"({{ $x := printf "%1000000d" 1 }}{{ range 1000000 }}{{ $y := $x }}{{ end }})",
                  kTooManySteps},
        BoundCase{"GrowingReplacement",
                  R"({{ $x := printf "%9000d" 1 }}{{ reReplaceAll "." $x $x }})", kTooLong},
        BoundCase{"ReplacementThatLooksFar",
                  R"({{ reReplaceAll "(a.*z)|." "x" (printf "%200000d" 1) }})",
                  "too much text to replace in"},
        BoundCase{"WideNumber", R"({{ printf "%9999999d" 1 }})", kTooLong},
        BoundCase{"PreciseNumber", R"({{ printf "%.9999999f" 1.0 }})", kTooLong},
        BoundCase{"MuchOutput", R"({{ range 1000 }}{{ printf "%10000d" 1 }}{{ end }})", kTooLong},
        BoundCase{"DeepMaps", "{{ $x := args }}{{ range 100000 }}{{ $x = args $x $x }}{{ end }}",
                  "maps are nested too deeply"},
        BoundCase{"MapsOfThemselves",
                  "{{ $x := args }}{{ range 40 }}{{ $x = args $x $x }}{{ end }}{{ print $x }}",
                  kTooLong},
        BoundCase{"ManyQueries", R"({{ range 100000 }}{{ $x := query "metric" }}{{ end }})",
                  "too many queries"},
        BoundCase{"ManyPatterns",
                  R"({{ range 100000 }}{{ $x := match "[a-z]{1000}" "x" }}{{ end }})",
                  "too many regular expressions"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(TemplateNestingTest, DeepNestingIsRefused) {
  for (const std::string_view piece : {"(", "{{if 1}}", "{{range 1}}{{else}}{{with 1}}{{else}}",
                                       "{{block \"x\" 1}}", "{{define \"x\"}}"}) {
    std::string text = piece == "(" ? "{{ " : "";
    for (int i = 0; i < 10'000; ++i) text += piece;
    EXPECT_FALSE(CheckTemplate(text, "A").has_value()) << piece;
  }
}

TEST(TemplateNestingTest, ManyElseIfsAreAChainNotANest) {
  std::string text = "{{ if 0 }}";
  for (int i = 0; i < 45; ++i) text += "{{ else if 0 }}";
  EXPECT_EQ(*ExpandTemplate(text + "{{ else }}last{{ end }}", AlertData(1)), "last");
}

TEST(TemplateQueryTest, WithoutAQueryThereIsNoneToAsk) {
  TemplateData data = AlertData(1);
  data.query = {};
  const auto got = ExpandTemplate("{{ query \"up\" }}", data);
  ASSERT_FALSE(got.has_value());
  EXPECT_TRUE(got.error().message().ends_with("error calling query: there is nothing to query"));
}

}  // namespace
}  // namespace azexporter::rules
