// The functions of templates; the wants were compared with promtool where it knows the function.

#include "template_fixture.h"

namespace azexporter::rules {
namespace {

class TemplateFunctionsTest : public TemplateTest {};

TEST_P(TemplateFunctionsTest, Expands) { ExpectExpands(GetParam()); }

INSTANTIATE_TEST_SUITE_P(
    Humanize, TemplateFunctionsTest,
    testing::Values(
        TemplateCase{"Zero", "{{ humanize $value }}", "0", 0},  //
        TemplateCase{"One", "{{ humanize $value }}", "1", 1},
        TemplateCase{"Millions", "{{ humanize $value }}", "1.235M", 1234567},
        TemplateCase{"Milli", "{{ humanize $value }}", "120m", 0.12},
        TemplateCase{"Micro", "{{ humanize $value }}", "12.4u", 0.0000124},
        TemplateCase{"Negative", "{{ humanize $value }}", "-45k", -45000},
        TemplateCase{"PastTheLastPrefix", "{{ humanize $value }}", "1e+06Y", 1e30},
        TemplateCase{"RoundedUp", "{{ humanize $value }}", "1000", 999.96},
        TemplateCase{"Inf", "{{ humanize $value }}", "+Inf", kInf},
        TemplateCase{"NaN", "{{ humanize $value }}", "NaN", kNaN},
        TemplateCase{"Binary", "{{ humanize1024 $value }}", "1Mi", 1048576},
        TemplateCase{"BinaryKilo", "{{ humanize1024 $value }}", "1.5ki", 1536},
        TemplateCase{"BinaryBelow", "{{ humanize1024 $value }}", "1023", 1023},
        TemplateCase{"BinaryNegative", "{{ humanize1024 $value }}", "-2ki", -2048},
        TemplateCase{"BinaryFraction", "{{ humanize1024 $value }}", "0.12", 0.12},
        TemplateCase{"DurationZero", "{{ humanizeDuration $value }}", "0s", 0},
        TemplateCase{"DurationMinute", "{{ humanizeDuration $value }}", "1m 0s", 60},
        TemplateCase{"DurationDay", "{{ humanizeDuration $value }}", "1d 0h 0m 0s", 86400},
        TemplateCase{"DurationNegative", "{{ humanizeDuration $value }}", "-1d 1h 1m 1s", -90061},
        TemplateCase{"DurationCut", "{{ humanizeDuration $value }}", "14m 59s", 899.99},
        TemplateCase{"DurationSeconds", "{{ humanizeDuration $value }}", "12.35s", 12.345},
        TemplateCase{"DurationNegativeSecond", "{{ humanizeDuration $value }}", "-1s", -1},
        TemplateCase{"DurationMilli", "{{ humanizeDuration $value }}", "123.5ms", 0.12345},
        TemplateCase{"DurationMicro", "{{ humanizeDuration $value }}", "100us", 0.0001},
        TemplateCase{"DurationInf", "{{ humanizeDuration $value }}", "+Inf", kInf},
        TemplateCase{"Percentage", "{{ humanizePercentage $value }}", "12.35%", 0.1234567},
        TemplateCase{"PercentageNegative", "{{ humanizePercentage $value }}", "-22.22%", -0.22222},
        TemplateCase{"PercentageInf", "{{ humanizePercentage $value }}", "+Inf%", kInf},
        TemplateCase{"PercentageOfText", "{{ humanizePercentage \"0.5\" }}", "50%", 1},
        TemplateCase{"Timestamp", "{{ humanizeTimestamp $value }}",
                     "2015-06-23 13:19:44.128 +0000 UTC", 1435065584.128},
        TemplateCase{"TimestampBefore1970", "{{ humanizeTimestamp $value }}",
                     "1969-12-31 23:59:59.5 +0000 UTC", -0.5},
        TemplateCase{"TimestampInf", "{{ humanizeTimestamp $value }}", "+Inf", kInf}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    GoFunctions, TemplateFunctionsTest,
    testing::Values(  //
        TemplateCase{
            "AndOr",
            R"({{ and true 0 }} {{ and 1 2 }} {{ or 0 "x" }} {{ or "" 0 }} {{ 3 | and 1 }})",
            "0 2 x 0 3"},
        TemplateCase{"AndOrStopEarly",
                     R"({{ and false (index "a" 9) }} {{ or true (index "a" 9) }})", "false true"},
        TemplateCase{"Not", "{{ not 1 }} {{ not nil }}", "false true"},
        TemplateCase{
            "Comparisons",
            R"({{ eq 1 2 3 1 }} {{ ne 1 2 }} {{ lt 1 2 }} {{ le 2 2 }} {{ gt 2.5 1.5 }} {{ ge "b" "a" }} {{ lt "b" "a" }})",
            "true true true true true true false"},
        TemplateCase{"EqualOfNil", "{{ eq nil nil }} {{ eq 1 nil }}", "true false"},
        TemplateCase{
            "EqualSamples",
            R"({{ $x := query "metric" }}{{ eq (first $x) (first $x) }} {{ eq (first $x) (index $x 1) }})",
            "true false"},
        TemplateCase{
            "NaNIsNeitherLessNorEqual",
            R"({{ $n := query "nan" | first | value }}{{ lt $n 1.0 }} {{ le $n 1.0 }} {{ gt $n 1.0 }} {{ eq $n $n }})",
            "false false true false"},
        TemplateCase{
            "Len",
            R"({{ len (query "metric") }} {{ len $labels }} {{ len "abé" }} {{ len (args 1 2) }})",
            "2 2 4 2"},
        TemplateCase{
            "Index",
            R"({{ index $labels "zone" }} {{ (index (query "metric") 1).Value }} {{ index "abc" 1 }} {{ index (args 1 2) "arg1" }} {{ index 5 }})",
            "us-east-1a 11 98 2 5"},
        TemplateCase{
            "IndexOfNoEntry",
            R"({{ index $labels "nope" }}|{{ index (args 1 2) "arg7" }}|{{ index (args) "x" | print }})",
            "|<no value>|<nil>"},
        TemplateCase{
            "Slice",
            R"({{ slice "abcdef" 1 3 }} {{ slice "abc" 1 }} {{ slice "abc" }} {{ len (slice (query "metric") 1) }})",
            "bc bc abc 1"},
        TemplateCase{
            "Print",
            R"({{ print 1 2 "a" "b" 3 4 }}|{{ println 1 "a" 2 }}|{{ print nil }} {{ print }}|)",
            "1 2ab3 4|1 a 2\n|<nil> |"},
        TemplateCase{"Html", R"({{ html "<a href='x'>\"&" }} {{ html 1 2 }} {{ html $labels }})",
                     "&lt;a href=&#39;x&#39;&gt;&#34;&amp; 1 2 map[__name__:up zone:us-east-1a]"},
        TemplateCase{"Js", R"({{ js "it's <b> \"x\" \\ é\n" }})",
                     R"(it\'s \u003Cb\u003E \"x\" \\ é\u000A)"},
        TemplateCase{"UrlQuery", R"({{ urlquery "a b&c/é?" }} {{ urlquery 1 2 }})",
                     "a+b%26c%2F%C3%A9%3F 1+2"}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    PrometheusFunctions, TemplateFunctionsTest,
    testing::Values(  //
        TemplateCase{"Query", R"({{ query "metric{instance='a'}" | first | value }})", "11"},
        TemplateCase{
            "Label",
            R"({{ query "metric{instance='a'}" | first | label "instance" }} {{ query "metric{instance='a'}" | first | label "foo" }}|)",
            "a |"},
        TemplateCase{"StrValue", R"({{ query "count_values" | first | strvalue }})", "7"},
        TemplateCase{"SortByLabelIsStable",
                     R"({{ range query "twins" | sortByLabel "job" }}{{ .Value }} {{ end }})",
                     "2 3 1 "},
        TemplateCase{
            "SortByLabelKeepsTheOther",
            R"({{ $x := query "metric" }}{{ $y := sortByLabel "instance" $x }}{{ (first $x).Value }} {{ (first $y).Value }})",
            "21 11"},
        TemplateCase{
            "Match",
            R"({{ match "a+" "baa" }} {{ match "a+" "b" }} {{ match "^a$" "a" }} {{ match "a.b" "a\nb" }})",
            "true false true false"},
        TemplateCase{
            "ReReplaceAll",
            R"({{ reReplaceAll "(a)b" "x$1" "ab" }} {{ reReplaceAll "a" "${0}x" "banana" }} {{ reReplaceAll "" "-" "abc" }})",
            "xa baxnaxnax -a-b-c-"},
        TemplateCase{
            "SafeHtml",
            R"({{ safeHtml "<b>" }} {{ printf "%T" (safeHtml "a") }} {{ eq (safeHtml "a") "a" }})",
            "<b> template.HTML true"},
        TemplateCase{
            "Links", R"({{ graphLink "up == 0" }} {{ tableLink "up{a=\"b\"}" }})",
            "/graph?g0.expr=up+%3D%3D+0&g0.tab=0 /graph?g0.expr=up%7Ba%3D%22b%22%7D&g0.tab=1"},
        TemplateCase{"Urls", R"({{ externalURL }} {{ pathPrefix }} {{ urlQueryEscape "a b+c" }})",
                     "http://p.example:9090/x /x a+b%2Bc"},
        TemplateCase{
            "StripPort",
            R"({{ stripPort "a.b:1" }} {{ stripPort "a.b" }} {{ stripPort "192.0.2.1" }} {{ stripPort "192.0.2.1:80" }} {{ stripPort ":80" }})",
            "a.b a.b 192.0.2.1 192.0.2.1 "},
        TemplateCase{
            "StripPortOfIpV6",
            R"({{ stripPort "2001:0DB8::1" }} {{ stripPort "[2001:0DB8::1]:12345" }} {{ stripPort "[2001:0DB8::1]::12345" }})",
            "2001:0DB8::1 2001:0DB8::1 [2001:0DB8::1]::12345"},
        TemplateCase{
            "StripDomain",
            R"({{ stripDomain "a.example.com" }} {{ stripDomain "a.example.com:12" }} {{ stripDomain "192.0.2.1" }} {{ stripDomain "192.0.2.1:12" }})",
            "a a:12 192.0.2.1 192.0.2.1:12"},
        TemplateCase{
            "StripDomainOfIpV6",
            R"({{ stripDomain "2001:0DB8::1" }} {{ stripDomain "[2001:0DB8::1]:12" }} {{ stripDomain "[2001:0DB8::1]::12" }})",
            "2001:0DB8::1 [2001:0DB8::1]:12 [2001:0DB8::1]::12"},
        TemplateCase{"Title", R"({{ title "aa bb CC don't it's a.b é-ö 1a a_b" }})",
                     "Aa Bb CC Don't It's A.b É-Ö 1a A_b"},
        TemplateCase{"UpperAndLower",
                     R"({{ toUpper "aé ßñ ж ω ÿ ā" }} {{ toLower "AÉ ÑŽ Ж Ω Ÿ Ā" }})",
                     "AÉ ßÑ Ж Ω Ÿ Ā aé ñž ж ω ÿ ā"},
        TemplateCase{
            "ParseDuration",
            R"({{ parseDuration "1h2m10ms" }} {{ parseDuration "-5m" }} {{ parseDuration "0" }})",
            "3720.01 -300 0"},
        TemplateCase{"Now", "{{ now }} {{ now | toTime }}",
                     "1.353755652e+09 2012-11-24 11:14:12 +0000 UTC"},
        TemplateCase{
            "ToTime",
            R"({{ (1435065584.128 | toTime).Format "2006" }} {{ ("1435065584.128" | toTime).Year }} {{ toTime 1435065584.128 }})",
            "2015 2015 2015-06-23 13:19:44.128 +0000 UTC"},
        TemplateCase{
            "ToDuration",
            R"({{ (1800 | toDuration).String }} {{ ("1800" | toDuration).String }} {{ toDuration -0.0015 }} {{ toDuration 3661.5 }} {{ toDuration 0.0000005 }})",
            "30m0s 30m0s -1.5ms 1h1m1.5s 500ns"},
        TemplateCase{
            "HalfAnHourAgo",
            R"({{ ("-30m" | parseDuration | toDuration | (now | toTime).Add).UnixMilli }})",
            "1353753852000"},
        TemplateCase{"HumanizeDurationOfADuration",
                     "{{ ((toTime 90).Sub (toTime 0)) | humanizeDuration }}", "1m 30s"},
        TemplateCase{
            "TimestampOfText",
            R"({{ humanizeTimestamp "1435065584.128" }} {{ humanizeTimestamp 9223372036 }})",
            "2015-06-23 13:19:44.128 +0000 UTC 2262-04-11 23:47:16 +0000 UTC"}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Times, TemplateFunctionsTest,
    testing::Values(  //
        TemplateCase{
            "Format",
            R"({{ (toTime 1435065584.128).Format "Mon Jan _2 15:04:05.000 2006 Monday January 02 03:04PM pm 3 4 5 06 1 2" }})",
            "Tue Jun 23 13:19:44.128 2015 Tuesday June 23 01:19PM pm 1 19 44 15 6 23"},
        TemplateCase{"FormatZones",
                     R"({{ (toTime 1435065584.128).Format "-0700 -07:00 -07 Z07:00 Z0700 MST" }})",
                     "+0000 +00:00 +00 Z Z UTC"},
        TemplateCase{
            "FormatOddities",
            R"({{ (toTime 1435065584.128).Format "002 __2 .999 ,000 .0000 Janet _2006 .05" }})",
            "174 174 .128 ,128 .1280 Janet _2015 .44"},
        TemplateCase{"SinceTheEpoch",
                     "{{ (toTime 1.5).Unix }} {{ (toTime 1.5).UnixMilli }} {{ (toTime "
                     "1.5).UnixMicro }} {{ (toTime 1.5).UnixNano }}",
                     "1 1500 1500000 1500000000"},
        TemplateCase{"Calendar",
                     "{{ $t := toTime 1435065584.128 }}{{ $t.Year }} {{ $t.Month }} {{ $t.Day }} "
                     "{{ $t.Hour }}:{{ $t.Minute }}:{{ $t.Second }} {{ $t.Nanosecond }} {{ "
                     "$t.Weekday }} {{ $t.YearDay }}",
                     "2015 June 23 13:19:44 128000000 Tuesday 174"},
        TemplateCase{
            "MonthsAreNumbersToo",
            R"({{ printf "%d %02d %s" (toTime 0).Month (toTime 0).Weekday (toTime 0).Month }} {{ eq (toTime 0).Month 1 }})",
            "1 04 January true"},
        TemplateCase{"Arithmetic",
                     "{{ (toTime 100).Sub (toTime 50) }} {{ (toTime 100).Add 5000000000 }} {{ "
                     "(toTime 1435065584).AddDate 0 1 -30 }}",
                     "50s 1970-01-01 00:01:45 +0000 UTC 2015-06-23 13:19:44 +0000 UTC"},
        TemplateCase{
            "Order",
            "{{ (toTime 2).After (toTime 1) }} {{ (toTime 2).Before (toTime 1) }} {{ (toTime "
            "2).Equal (toTime 2) }} {{ (toTime 2).Compare (toTime 3) }} {{ (toTime 2).IsZero }}",
            "true false true -1 false"},
        TemplateCase{"DurationUnits",
                     "{{ $d := (toTime 3700).Sub (toTime 1.5) }}{{ $d.Hours }} {{ $d.Minutes }} {{ "
                     "$d.Seconds }} {{ $d.Milliseconds }}",
                     "1.0273611111111112 61.641666666666666 3698.5 3698500"},
        TemplateCase{"DurationRounds",
                     "{{ $d := (toTime 3700).Sub (toTime 1.5) }}{{ $d.Round 60000000000 }} {{ "
                     "$d.Truncate 60000000000 }} {{ ((toTime 1).Sub (toTime 61)).Abs }}",
                     "1h2m0s 1h1m0s 1m0s"},
        TemplateCase{
            "TypesOfTimes",
            R"({{ printf "%T %T %T" (toTime 1) ((toTime 1).Add 1) ((toTime 1).Sub (toTime 0)) }} {{ printf "%d %v %s" ((toTime 2).Sub (toTime 1)) (toTime 1) (toDuration 1) }})",
            "*time.Time time.Time time.Duration 1000000000 1970-01-01 00:00:01 +0000 UTC 1s"},
        TemplateCase{
            "LeapDays",
            R"({{ (toTime 951782400).Format "2006-01-02" }} {{ (toTime 4107542400).Format "2006-01-02 Mon" }} {{ (toTime -1).Format "2006-01-02 15:04:05" }})",
            "2000-02-29 2100-03-01 Mon 1969-12-31 23:59:59"}),
    NameOf);

}  // namespace
}  // namespace azexporter::rules
