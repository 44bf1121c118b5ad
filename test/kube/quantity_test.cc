#include "azexporter/kube/quantity.h"

#include <gtest/gtest.h>

#include <limits>

namespace azexporter::kube {
namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

struct Case {
  const char* text;
  std::int64_t whole;
  std::int64_t milli;
};

class QuantityTest : public ::testing::TestWithParam<Case> {};

TEST_P(QuantityTest, IsReadInWholeUnitsAndThousandths) {
  const Case& c = GetParam();
  const auto whole = ParseQuantity(c.text);
  const auto milli = ParseQuantityMilli(c.text);
  ASSERT_TRUE(whole) << c.text;
  ASSERT_TRUE(milli) << c.text;
  EXPECT_EQ(*whole, c.whole) << c.text;
  EXPECT_EQ(*milli, c.milli) << c.text;
}

constexpr Case kCases[] = {
    {"0", 0, 0},
    {"2", 2, 2000},
    {"+2", 2, 2000},
    {"-2", -2, -2000},
    {"100m", 1, 100},
    {"7910m", 8, 7910},
    {"0.5", 1, 500},
    {".5", 1, 500},
    {"5.", 5, 5000},
    {"1500u", 1, 2},
    {"1n", 1, 1},
    {"0n", 0, 0},
    {"1k", 1000, 1'000'000},
    {"1Ki", 1024, 1'024'000},
    {"64842308Ki", 66'398'523'392, 66'398'523'392'000},
    {"1.5Gi", 1'610'612'736, 1'610'612'736'000},
    {"100Gi", 107'374'182'400, 107'374'182'400'000},
    {"12E", kMost, kMost},
    {"2E", 2'000'000'000'000'000'000, kMost},
    {"7Ei", 8'070'450'532'247'928'832, kMost},
    {"8Ei", kMost, kMost},
    {"-8Ei", -kMost, -kMost},
    {"0.1234567890123456789Ei", 142'335'986'942'043'634, kMost},
    {"1e3", 1000, 1'000'000},
    {"1E3", 1000, 1'000'000},
    {"1e+3", 1000, 1'000'000},
    {"15e-1", 2, 1500},
    {"1e-99", 1, 1},
    {"0e99999999999", 0, 0},
    {"1e99999999999", kMost, kMost},
    {"1e-99999999999", 1, 1},
    {"123456789012345678901234567890", kMost, kMost},
    {"0.00000000000000000000000000001", 1, 1},
    {"95491281146", 95'491'281'146, 95'491'281'146'000},
};

INSTANTIATE_TEST_SUITE_P(All, QuantityTest, ::testing::ValuesIn(kCases));

TEST(QuantityErrorTest, RefusesWhatIsNone) {
  for (const char* text :
       {"",    " ",    "+",  "-",   ".",     "m",    "Gi",    "1 Gi", "1gi",  "1K", "1KI",
        "1kB", "0x10", "1e", "1e+", "1e+-3", "1e3m", "1.2.3", "--1",  "1Gi ", "NaN"}) {
    const auto read = ParseQuantity(text);
    EXPECT_FALSE(read) << text;
    EXPECT_FALSE(ParseQuantityMilli(text)) << text;
    if (!read) {
      EXPECT_NE(read.error().message().find('"' + std::string(text) + '"'), std::string::npos);
    }
  }
}

TEST(ResourcesTest, AddsAndRaisesByName) {
  Resources a;
  a.Set("cpu", 250);
  a.Set("memory", 100);
  a.Set("nvidia.com/gpu", 1);
  Resources b;
  b.Set("cpu", 100);
  b.Set("memory", 300);
  b.Set("ephemeral-storage", 7);
  Resources sum = a;
  sum.Add(b);
  EXPECT_EQ(sum.Get("cpu"), 350);
  EXPECT_EQ(sum.Get("memory"), 400);
  EXPECT_EQ(sum.Get("nvidia.com/gpu"), 1);
  EXPECT_EQ(sum.Get("ephemeral-storage"), 7);
  EXPECT_EQ(sum.Get("hugepages-2Mi"), 0);
  ASSERT_EQ(sum.others.size(), 2u);
  EXPECT_EQ(sum.others[0].first, "ephemeral-storage");
  a.RaiseTo(b);
  EXPECT_EQ(a.cpu_milli, 250);
  EXPECT_EQ(a.memory_bytes, 300);
  EXPECT_EQ(a.Get("ephemeral-storage"), 7);
  a.Set("memory", kMost);
  a.Add(b);
  EXPECT_EQ(a.memory_bytes, kMost) << "no overflow";
}

}  // namespace
}  // namespace azexporter::kube
