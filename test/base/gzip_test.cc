// What GzipJoiner makes is read by zlib's own reader as one member.

#include "azexporter/base/gzip.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "azexporter/base/packed_text.h"
#include "support/unzip.h"

namespace azexporter::base {
namespace {

using test::Unzip;

std::string Lines(int seed, int count) {
  std::mt19937 random(static_cast<unsigned>(seed));
  std::string text;
  for (int i = 0; i < count; ++i) {
    text += "kube_pod_info{pod=\"p-" + std::to_string(random()) + "\"} 1\n";
  }
  return text;
}

TEST(GzipTest, IsReadBack) {
  for (const std::string& text : {std::string(), std::string("a"), std::string(100'000, 'x'),
                                  Lines(1, 10'000), std::string("\0\xff\n", 3)}) {
    EXPECT_EQ(Unzip(Gzip(text)), text);
  }
}

TEST(GzipJoinerTest, PartsInAnyOrderAndTextsBetweenAreOneMember) {
  const std::string a = Lines(1, 5'000);
  const std::string b = Lines(2, 3);
  const DeflatedPart part_a = Deflate(a);
  const DeflatedPart part_b = Deflate(b);
  GzipJoiner joiner;
  joiner.Add("# HELP\n");
  joiner.Add(part_b);
  joiner.Add(part_a);
  joiner.Add(DeflatedPart());
  joiner.Add("x 1\n");
  joiner.Add("y 2\n");
  joiner.Add(part_b);
  EXPECT_EQ(Unzip(joiner.Finish()), "# HELP\n" + b + a + "x 1\ny 2\n" + b);
  EXPECT_EQ(Unzip(joiner.Finish()), "") << "a joiner that is finished begins anew";
}

TEST(GzipJoinerTest, ALongTextIsCompressed) {
  const std::string text = Lines(1, 5'000);
  EXPECT_LT(Gzip(text).size(), text.size() / 2);
}

TEST(InflateTest, RefusesWhatDeflateDidNotMake) {
  DeflatedPart part = Deflate("some text");
  std::string out = "kept";
  EXPECT_TRUE(AppendInflated(part, out));
  EXPECT_EQ(out, "keptsome text");
  part.bytes.resize(part.bytes.size() / 2);
  EXPECT_FALSE(AppendInflated(part, out));
  EXPECT_EQ(out, "keptsome text");
}

TEST(PackedTextTest, SaysTheSameBeforeAndAfterItIsPacked) {
  for (const int lines : {0, 1, 5'000}) {
    const std::string text = Lines(3, lines);
    const PackedText packed(text);
    EXPECT_EQ(packed.size(), text.size());
    for (int round = 0; round < 2; ++round) {
      std::string plain = "before\n";
      packed.AppendTo(plain);
      EXPECT_EQ(plain, "before\n" + text);
      GzipJoiner joiner;
      packed.AddTo(joiner);
      EXPECT_EQ(Unzip(joiner.Finish()), text);
    }
  }
}

}  // namespace
}  // namespace azexporter::base
