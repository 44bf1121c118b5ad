#include "azexporter/exposition/text_reader.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace azexporter::exposition {
namespace {

std::string Dump(const TextPage& page) {
  std::string out;
  for (const TextFamily& family : page.families) {
    out += "[" + family.name + "|" + family.type + "|" + family.unit + "|" + family.help + "]";
  }
  for (const TextSample& sample : page.samples) {
    out += " " + sample.labels.ToString() + "=" +
           (std::isnan(sample.value) ? "NaN" : std::to_string(std::lround(sample.value * 10))) +
           (sample.t ? "@" + std::to_string(*sample.t) : "");
  }
  return out;
}

std::string Read(std::string_view text) {
  const auto page = ReadText(text, {.format = DetectFormat(text)});
  return page ? Dump(*page) : page.error().message();
}

struct Case {
  std::string_view text;
  const char* want;
};

TEST(TextReaderTest, ReadsOpenMetrics) {
  const Case cases[] = {
      {"# EOF", ""},
      {"# EOF\n", ""},
      {"up 1\n# EOF\n", "[up|||] up=10"},
      {"# TYPE a_seconds counter\n# UNIT a_seconds seconds\n# HELP a_seconds Time \\\"x\\\" \\\\.\n"
       "a_seconds_total{zone=\"a\",b=\"\"} 1.5 12.345 # {trace_id=\"x\"} 0.5 1\n"
       "a_seconds_created{zone=\"a\"} 1\n# EOF\n",
       "[a_seconds|counter|seconds|Time \"x\" \\.] a_seconds_total{zone=\"a\"}=15@12345 "
       "a_seconds_created{zone=\"a\"}=10"},
      {"up{a=\"1\"} 1 1\nup{a=\"1\"} 2 2\nup{a=\"2\"} NaN\n# EOF\n",
       "[up|||] up{a=\"1\"}=10@1000 up{a=\"1\"}=20@2000 up{a=\"2\"}=NaN"},
      {"# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2 # {} 3\nh_count 2\n"
       "h_sum -3\n# EOF\n",
       "[h|histogram||] h_bucket{le=\"1\"}=10 h_bucket{le=\"+Inf\"}=20 h_count=20 h_sum=-30"},
      {"# TYPE s summary\ns{quantile=\"0.5\"} 1\ns_count 1\n# TYPE i info\ni_info{v=\"1\"} 1\n"
       "# TYPE t stateset\nt{t=\"a\"} 0\n# HELP e\ne 1\n# EOF\n",
       "[s|summary||][i|info||][t|stateset||][e|||] s{quantile=\"0.5\"}=10 s_count=10 "
       "i_info{v=\"1\"}=10 t{t=\"a\"}=0 e=10"},
      {"{\"größe\",\"a b\"=\"c\\n\\\"\\\\\\x\"} 1\n# EOF\n",
       "[größe|||] {\"größe\", \"a b\"=\"c\\n\\\"\\\\\\\\x\"}=10"},
  };
  for (const Case& c : cases) EXPECT_EQ(Read(c.text), c.want) << c.text;
}

TEST(TextReaderTest, ReadsTheTextFormat) {
  const Case cases[] = {
      {"", ""},
      {"\n  # any comment\n#\n#TYPE up gauge\n\nup 1\n", "[up|||] up=10"},
      {"# TYPE up gauge\n# HELP up Up \\\\ \\n\\\".\n up { a = \"1\" , } +1e1\t1000 \n",
       "[up|gauge||Up \\ \n\\\".] up{a=\"1\"}=100@1000"},
      {"# TYPE h histogram\nh_bucket{le=\"+Inf\"} 2\nother 0x10\nh_sum 1\nh_count{} 2\n",
       "[h|histogram||][other|||] h_bucket{le=\"+Inf\"}=20 other=160 h_sum=10 h_count=20"},
      {"up{a=\"b\"}1\n", "[up|||] up{a=\"b\"}=10"},
  };
  for (const Case& c : cases) EXPECT_EQ(Read(c.text), c.want) << c.text;
}

TEST(TextReaderTest, NamesThePlaceOfAFault) {
  const Case cases[] = {
      // OpenMetrics
      {"up 1\n# EOF\nup 2\n# EOF\n", "3:1: there is something behind \"# EOF\""},
      {"\n# EOF\n", "1:1: empty lines are not allowed"},
      {"# comment\n# EOF\n", "1:1: expected \"# TYPE\", \"# HELP\", \"# UNIT\" or \"# EOF\""},
      {"up  1\n# EOF\n", "1:4: expected a value, got \"\""},
      {"up{a=\"1\",} 1\n# EOF\n", "1:10: expected the name of a label"},
      {"up{a=\"1\"\n# EOF\n", "1:9: expected \",\" or \"}\""},
      {"up{a=\"1} 1\n# EOF\n", "1:6: the string does not end on its line"},
      {"up{a=\"\xff\"} 1\n# EOF\n", "1:6: the string is not valid UTF-8"},
      {"up{a=\"1\",a=\"2\"} 1\n# EOF\n", "1:10: the label \"a\" is given twice"},
      {"up{__name__=\"1\"} 1\n# EOF\n", "1:4: the label __name__ is not written"},
      {"up 0x1\n# EOF\n", "1:4: expected a value, got \"0x1\""},
      {"up 1 noon\n# EOF\n", "1:6: expected a timestamp, got \"noon\""},
      {"up 1 NaN\n# EOF\n", "1:6: the timestamp is out of range"},
      {"up 1 1 1\n# EOF\n", "1:8: expected an exemplar"},
      {"up 1 # {} 1\n# EOF\n", "1:6: only counters and buckets have exemplars"},
      {"up 1\nup 2\n# EOF\n", "2:1: the series up comes twice without timestamps"},
      {"up 1 2\nup 2 2\n# EOF\n", "2:1: the series up comes again at a time that is not later"},
      {"# TYPE up counter\nup 1\n# EOF\n",
       "2:1: a sample of the counter \"up\" needs another ending of its name"},
      {"# TYPE up counter\nup_total -1\n# EOF\n", "2:10: a count must not be negative or NaN"},
      {"# TYPE up gauge\n# TYPE up gauge\n# EOF\n", "2:11: TYPE is given twice"},
      {"# TYPE up thing\n# EOF\n", "1:11: unknown type \"thing\""},
      {"# UNIT up seconds\n# EOF\n",
       "1:11: the name \"up\" does not end with its unit \"seconds\""},
      {"up 1\n# HELP up x\n# EOF\n", "2:8: HELP of \"up\" comes after its samples"},
      {"a 1\nb 1\na{x=\"y\"} 1\n# EOF\n", "3:1: the lines of family \"a\" do not stand together"},
      {"# TYPE h histogram\nh_bucket 1\n# EOF\n", "2:10: the label \"le\" is not a number"},
      {"# TYPE i info\ni_info 2\n# EOF\n", "2:8: the value of an info is 1"},
      // the text format
      {"up 1", "1:5: the last line does not end with a line feed"},
      {"up 1 1.5\n", "1:6: the timestamp is not a whole number of milliseconds"},
      {"up 1 1 1\n", "1:8: expected the end of the line"},
      {"up\n", "1:3: expected a value, got \"\""},
      {"1up 1\n", "1:1: expected the name of a metric"},
      {"{a=\"b\"} 1\n", "1:1: expected the name of a metric"},
      {"up{\"down\"} 1\n", "1:1: the metric has two names"},
      {"up 1\n# TYPE up gauge\n", "2:8: TYPE of \"up\" comes after its samples"},
  };
  for (const Case& c : cases) EXPECT_EQ(Read(c.text), c.want) << c.text;
}

TEST(TextReaderTest, BoundsTheNumberOfSamples) {
  const auto page = ReadText("a 1\nb 1\n", {.format = TextFormat::kText, .max_samples = 1});
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().message(), "2:1: more than 1 samples");
}

TEST(TextReaderTest, SurvivesMutatedPages) {
  const std::string seed =
      "# TYPE h histogram\n# HELP h Help.\nh_bucket{le=\"1\",z=\"a\\n\"} 1 1.5 # {t=\"x\"} 3 4\n"
      "h_bucket{le=\"+Inf\"} 2\nh_count 2\n{\"u v\",\"w\"=\"x\"} 1e3\n# EOF\n";
  std::mt19937 random(1125);
  const auto below = [&random](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  int accepted = 0;
  for (int round = 0; round < 30'000; ++round) {
    std::string text = seed;
    for (std::size_t changes = 1 + below(3); changes > 0; --changes) {
      const std::size_t at = below(text.size());
      if (below(2) == 0) {
        text[at] = seed[below(seed.size())];
      } else {
        text.insert(at, 1, static_cast<char>(random()));
      }
    }
    for (const TextFormat format : {TextFormat::kOpenMetrics, TextFormat::kText}) {
      const auto page = ReadText(text, {.format = format});
      accepted += page ? 1 : 0;
      EXPECT_TRUE(page || page.error().message().find(":") < 10);
    }
  }
  EXPECT_GT(accepted, 100);
}

}  // namespace
}  // namespace azexporter::exposition
