#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "azexporter/base/clock.h"
#include "azexporter/base/duration.h"
#include "azexporter/base/float_format.h"
#include "azexporter/base/json_writer.h"
#include "azexporter/base/yaml.h"

namespace azexporter::base {
namespace {

struct DurationCase {
  std::string_view text;
  std::int64_t ms;
  std::string_view printed;
};

TEST(DurationTest, ParsesAndPrints) {
  const DurationCase cases[] = {
      {"0", 0, "0s"},
      {"5m", 300'000, "5m"},
      {"1h30m", 5'400'000, "1h30m"},
      {"90m", 5'400'000, "1h30m"},
      {"250ms", 250, "250ms"},
      {"1d", 86'400'000, "1d"},
      {"14d", 1'209'600'000, "2w"},
      {"10d", 864'000'000, "10d"},
      {"1y", 31'536'000'000, "1y"},
  };
  for (const DurationCase& c : cases) {
    ASSERT_TRUE(ParseDurationMs(c.text)) << c.text;
    EXPECT_EQ(*ParseDurationMs(c.text), c.ms) << c.text;
    EXPECT_EQ(FormatDurationMs(c.ms), c.printed) << c.text;
  }
}

TEST(DurationTest, RefusesMalformedText) {
  for (std::string_view text :
       {"", "5", "m", "5 m", "1m1h", "1m1m", "-5m", "5mm", "1.5h", "99999999999999y"}) {
    EXPECT_FALSE(ParseDurationMs(text)) << text;
  }
}

TEST(FloatFormatTest, WritesTheShortestTextThatReadsBack) {
  struct Case {
    double value;
    std::string_view g, f;
  };
  const Case cases[] = {
      {0, "0", "0"},
      {-0.0, "-0", "-0"},
      {1, "1", "1"},
      {0.1 + 0.2, "0.30000000000000004", "0.30000000000000004"},
      {1e6, "1000000", "1000000"},
      {1.5e-7, "1.5e-07", "0.00000015"},
      {0.0001, "0.0001", "0.0001"},
      {1e21, "1e+21", "1000000000000000000000"},
      {1.2345678901234567e20, "123456789012345670000", "123456789012345670000"},
      {-12.5, "-12.5", "-12.5"},
      {std::numeric_limits<double>::infinity(), "+Inf", "+Inf"},
      {std::numeric_limits<double>::quiet_NaN(), "NaN", "NaN"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(FormatFloatG(c.value), c.g);
    EXPECT_EQ(FormatFloatF(c.value), c.f);
  }
}

TEST(FloatFormatTest, ReadsWhatPrometheusReads) {
  EXPECT_EQ(*ParseFloat("0x1F"), 31);
  EXPECT_EQ(*ParseFloat("-1e3"), -1000);
  EXPECT_EQ(*ParseFloat("+Inf"), std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(*ParseFloat("nan")));
  EXPECT_EQ(*ParseFloat("1e999"), std::numeric_limits<double>::infinity());
  EXPECT_EQ(*ParseFloat("1e-999"), 0);
  for (std::string_view text : {"", "+", "1x", "0x", "--1", "1 ", "e5"}) {
    EXPECT_FALSE(ParseFloat(text)) << text;
  }
}

TEST(JsonWriterTest, EscapesAndPlacesCommas) {
  JsonWriter json;
  json.BeginObject().Key("a\"b").String("x\n\x01\xff\xc3\xa9").Key("n").BeginArray();
  json.Int(1).Double(0.5).Bool(true).Null().EndArray().EndObject();
  EXPECT_EQ(json.text(),
            "{\"a\\\"b\":\"x\\n\\u0001\xEF\xBF\xBD\xc3\xa9\",\"n\":[1,0.5,true,null]}");
}

// Texts are scanned eight bytes at a time: every byte, at every place, among texts of every length.
TEST(JsonWriterTest, SeesEveryByteThatNeedsEscaping) {
  for (std::size_t size = 0; size < 80; size += size < 20 ? 1 : 7) {
    for (std::size_t at = 0; at < size; ++at) {
      for (const int byte :
           {0x00, 0x1f, 0x20, 0x21, 0x22, 0x23, 0x5b, 0x5c, 0x5d, 0x7e, 0x7f, 0x80, 0xff}) {
        std::string text(size, 'x');
        text[at] = static_cast<char>(byte);
        std::string json;
        AppendJsonString(json, text);
        std::string middle(1, static_cast<char>(byte));
        if (byte == 0x22 || byte == 0x5c) middle.insert(0, "\\");
        if (byte == 0x00) middle = "\\u0000";
        if (byte == 0x1f) middle = "\\u001f";
        if (byte == 0x7f) middle = "\\u007f";
        if (byte >= 0x80) middle = "\xEF\xBF\xBD";
        const std::string before(at, 'x');
        const std::string after(size - at - 1, 'x');
        ASSERT_EQ(json, "\"" + before + middle + after + "\"") << size << " " << at << " " << byte;
      }
    }
  }
}

TEST(YamlTest, ANodeThatAProgramMadeStandsNowhere) {
  const YamlNode made = YamlNode::OfEntries(
      {{YamlNode::OfText("list"), YamlNode::OfItems({YamlNode::OfText("1"), YamlNode()})}});
  EXPECT_EQ(made.file(), "");
  EXPECT_EQ(made.line(), 0);
  EXPECT_EQ(made.entries()[0].second.items()[0].AsInt64().value(), 1);
  EXPECT_EQ(made, YamlNode::Parse("list: [1, null]", "a.yaml").value()) << "wherever that stands";
  EXPECT_FALSE(made == YamlNode::Parse("list: [1]", "a.yaml").value());
  EXPECT_FALSE(made == YamlNode::Parse("lost: [1, null]", "a.yaml").value());
}

TEST(YamlTest, KnowsPlacesAndQuotes) {
  auto root = YamlNode::Parse("a: 1\nb:\n  - \"2\"\n  - 5m\n", "f.yaml");
  ASSERT_TRUE(root) << root.error().message();
  const auto& entries = root->entries();
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(*entries[0].second.AsInt64(), 1);
  const YamlNode& quoted = entries[1].second.items()[0];
  EXPECT_EQ(quoted.line(), 3);
  EXPECT_EQ(quoted.column(), 5);
  EXPECT_FALSE(quoted.AsInt64());
  EXPECT_EQ(*quoted.AsString(), "2");
  EXPECT_EQ(*entries[1].second.items()[1].AsDurationMs(), 300'000);
}

TEST(YamlTest, NamesThePlaceOfAFault) {
  struct Case {
    std::string_view yaml, message;
  };
  const Case cases[] = {
      {"a: 1\na: 2\n", "f.yaml:2:1: key \"a\" already set at line 1"},
      {"a: [1\n", "f.yaml:2:1: end of sequence flow not found"},
      {"a: 1\n---\nb: 2\n", "f.yaml:3:1: a second document where one was expected"},
  };
  for (const Case& c : cases) {
    auto root = YamlNode::Parse(c.yaml, "f.yaml");
    ASSERT_FALSE(root) << c.yaml;
    EXPECT_EQ(root.error().message(), c.message);
  }
}

TEST(YamlTest, KeepsRepeatedKeysAndCountsLinesWhereItIsTold) {
  const YamlDocuments parsed = YamlNode::ParseUntilFault(
      "a: 1\na: 2\n---\n[\n", "f.yaml", {.first_line = 11, .repeated_keys = RepeatedKeys::kKeep});
  ASSERT_EQ(parsed.documents.size(), 1u);
  const auto& entries = parsed.documents[0].entries();
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[1].first.scalar(), "a");
  EXPECT_EQ(entries[1].first.line(), 12);
  ASSERT_TRUE(parsed.fault);
  EXPECT_EQ(parsed.fault->message(), "f.yaml:15:1: end of sequence flow not found");
}

TEST(YamlTest, RefusesNestedAliasesThatGrowWithoutBound) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    const std::string previous = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 10; ++k) bomb += (k ? ", " : "") + previous;
    bomb += "]\n";
  }
  EXPECT_FALSE(YamlNode::Parse(bomb, "bomb.yaml"));
}

TEST(YamlMapTest, ReportsKeysThatNobodyRead) {
  auto root = YamlNode::Parse("name: x\nnmae: y\n", "f.yaml");
  ASSERT_TRUE(root);
  auto map = YamlMap::Of(*root);
  ASSERT_TRUE(map);
  EXPECT_NE(map->Find("name"), nullptr);
  auto check = map->CheckAllRead();
  ASSERT_FALSE(check);
  EXPECT_EQ(check.error().message(), "f.yaml:2:1: unknown key \"nmae\" (known here: name)");
}

TEST(FakeClockTest, StepsWallTimeApartFromSteadyTime) {
  FakeClock clock(1000);
  clock.Advance(500);
  clock.StepWall(-200);
  EXPECT_EQ(clock.NowMs(), 1300);
  EXPECT_EQ(clock.SteadyNs(), 500'000'000);
}

}  // namespace
}  // namespace azexporter::base
