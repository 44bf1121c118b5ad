// Texts as Go's fmt.Sprintf makes them; the wants were compared with promtool.

#include "template_fixture.h"

namespace azexporter::rules {
namespace {

class TemplatePrintfTest : public TemplateTest {};

TEST_P(TemplatePrintfTest, Expands) { ExpectExpands(GetParam()); }

INSTANTIATE_TEST_SUITE_P(
    Printf, TemplatePrintfTest,
    testing::Values(  //
        TemplateCase{
            "Integers",
            R"({{ printf "%5d|%-5d|%05d|%+d|% d|%x|%X|%#x|%o|%#o|%O|%b" 42 42 42 42 42 255 255 255 8 8 8 5 }})",
            "   42|42   |00042|+42| 42|ff|FF|0xff|10|010|0o10|101"},
        TemplateCase{"Characters", R"({{ printf "%c|%q|%U|%#U|%c|%+q" 65 65 233 233 -1 233 }})",
                     R"(A|'A'|U+00E9|U+00E9 'é'|�|'\u00e9')"},
        TemplateCase{"IntegerPrecision",
                     R"({{ printf "%.3d|%8.3d|%-8.3d|%08.3d|%.0d|" 7 7 7 7 0 }})",
                     "007|     007|007     |     007||"},
        TemplateCase{"NegativeIntegers", R"({{ printf "%6d|%-6d|%06d|%x" -42 -42 -42 -255 }})",
                     "   -42|-42   |-00042|-ff"},
        TemplateCase{
            "Texts",
            R"({{ printf "%s|%10s|%-10s|%.2s|%010s|%5.1s" "héy" "héy" "héy" "héy" "héy" "héy" }})",
            "héy|       héy|héy       |hé|0000000héy|    h"},
        TemplateCase{"QuotedTexts", R"({{ printf "%q|%#q|%+q|%#v" "héy" "héy" "héy" "héy" }})",
                     R"("héy"|`héy`|"h\u00e9y"|"héy")"},
        TemplateCase{"QuotedControlCharacters",
                     R"({{ printf "%q" "a\n\t\"\\b\x01\x7f\xff\u00a0" }})",
                     R"("a\n\t\"\\b\x01\x7f\xff\u00a0")"},
        TemplateCase{"TextsInHexadecimal",
                     R"({{ printf "%x|%X|% x|%#x|% #x|%.1x" "hé" "hé" "hé" "hé" "hé" "hé" }})",
                     "68c3a9|68C3A9|68 c3 a9|0x68c3a9|0x68 0xc3 0xa9|68"},
        TemplateCase{"Bools", R"({{ printf "%v|%t|%6t|%d" true true true true }})",
                     "true|true|  true|%!d(bool=true)"},
        TemplateCase{
            "Floats",
            R"({{ printf "%f|%.2f|%8.2f|%-8.2f|%08.2f|%+.2f|% .2f" 3.14159 3.14159 3.14159 3.14159 3.14159 3.14159 3.14159 }})",
            "3.141590|3.14|    3.14|3.14    |00003.14|+3.14| 3.14"},
        TemplateCase{
            "FloatsWithExponents",
            R"({{ printf "%e|%E|%g|%G|%.3g|%10g|%x|%F" 3.14159 3.14159 1e100 1e100 3.14159 3.14159 1.5 3.14159 }})",
            "3.141590e+00|3.141590E+00|1e+100|1E+100|3.14|   3.14159|0x1.8p+00|3.141590"},
        TemplateCase{"FloatsWithSharp", R"({{ printf "%#g|%#.3g|%#f|%#.0f" 1.0 1.0 1.0 1.0 }})",
                     "1.00000|1.00|1.000000|1."},
        TemplateCase{"NegativeFloats",
                     R"({{ printf "%08.2f|%+08.2f|%-08.2f|% 08.2f" -3.5 3.5 3.5 3.5 }})",
                     "-0003.50|+0003.50|3.50    | 0003.50"},
        TemplateCase{"PlusMeansNothingToNumbersAsValues",
                     R"({{ printf "%+v %#v %+v" 3 1.5 true }})", "3 1.5 true"},
        TemplateCase{"WidthFromAnOperand",
                     R"({{ printf "%*d|%-*d|%*d|%.*f" 5 3 5 3 -5 3 2 3.14159 }})",
                     "    3|3    |3    |3.14"},
        TemplateCase{"BadWidths", R"({{ printf "%*d|%.*f|%.*f" "x" 3 "x" 1.5 -2 1.5 }})",
                     "%!(BADWIDTH)3|%!(BADPREC)1.500000|%!(BADPREC)1.500000"},
        TemplateCase{"OperandIndexes", R"({{ printf "%[2]d %[1]d %[2]*[1]d" 1 2 }})", "2 1  1"},
        TemplateCase{"BadOperandIndexes", R"({{ printf "%[3]d %[x]d %[]d" 1 2 }})",
                     "%!d(BADINDEX) %!d(BADINDEX) %!d(BADINDEX)"},
        TemplateCase{"Missing", R"({{ printf "%d %d" 1 }})", "1 %!d(MISSING)"},
        TemplateCase{"Extra", R"({{ printf "%d" 1 2 3.5 "x" nil }})",
                     "1%!(EXTRA int=2, float64=3.5, string=x, <nil>)"},
        TemplateCase{"WrongVerbs", R"({{ printf "%d|%s|%5d|%t|%é|%w|%!" "x" 1 "x" "a" 1 1 1 }})",
                     "%!d(string=x)|%!s(int=1)|%!d(string=    "
                     "x)|%!t(string=a)|%!é(int=1)|%!w(int=1)|%!!(int=1)"},
        TemplateCase{"HugeWidth", R"({{ printf "%99999999999s" "a" }})",
                     "%!(NOVERB)%!(EXTRA string=a)"},
        TemplateCase{"NoVerb", R"({{ printf "%-" 1 }})", "%!(NOVERB)%!(EXTRA int=1)"},
        TemplateCase{"Percent", R"({{ printf "%5.1f%%" 45.678 }})", " 45.7%"},
        TemplateCase{
            "Types",
            R"({{ printf "%T %T %T %T %T %T %T" 1 1.5 "a" true $labels (args 1) (query "metric") }})",
            "int float64 string bool map[string]string map[string]interface {} "
            "template.queryResult"},
        TemplateCase{"NilOperands", R"({{ printf "%v %d %T" nil nil nil }})",
                     "<nil> %!d(<nil>) <nil>"},
        TemplateCase{
            "Maps", R"({{ printf "%v %s %q %d" $labels $labels $labels $labels }})",
            R"(map[__name__:up zone:us-east-1a] map[__name__:up zone:us-east-1a] map["__name__":"up" "zone":"us-east-1a"] map[%!d(string=__name__):%!d(string=up) %!d(string=zone):%!d(string=us-east-1a)])"},
        TemplateCase{
            "Samples",
            R"({{ printf "%v %+v" (query "metric{instance='a'}" | first) (query "metric{instance='a'}" | first) }})",
            "&{map[__name__:metric instance:a] 11} &{Labels:map[__name__:metric instance:a] "
            "Value:11}"},
        TemplateCase{"FormatFromAPipeline", R"({{ 3 | printf "%d %d" 4 }})", "4 3"}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Values, TemplatePrintfTest,
    testing::Values(
        TemplateCase{"FixedToEven", R"({{ printf "%.0f" $value }})", "2", 2.5},
        TemplateCase{"FixedInf", R"({{ printf "%.1f %08.1f" $value $value }})", "+Inf     +Inf",
                     kInf},
        TemplateCase{"NaN", R"({{ printf "%v %+v %+f %05d" $value $value $value $value }})",
                     "NaN NaN +NaN %!d(float64=  NaN)", kNaN},
        TemplateCase{"DecimalOfAFloat", R"({{ printf "%d" $value }})", "%!d(float64=3)", 3},
        TemplateCase{"General", R"({{ printf "%g %.3g %8g|" $value $value 0.1 }})",
                     "1.23456789e+09 1.23e+09      0.1|", 1234567890}),
    NameOf);

}  // namespace
}  // namespace azexporter::rules
