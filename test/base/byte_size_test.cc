#include "azexporter/base/byte_size.h"

#include <gtest/gtest.h>

namespace azexporter::base {
namespace {

TEST(ByteSizeTest, ReadsPrometheusSizes) {
  const struct {
    std::string_view text;
    std::uint64_t bytes;
  } cases[] = {{"0", 0},
               {"0B", 0},
               {"7B", 7},
               {"1KB", 1024},
               {"512MB", 512ull << 20},
               {"3GB", 3ull << 30},
               {"4EB", 4ull << 60}};
  for (const auto& c : cases) EXPECT_EQ(ParseByteSize(c.text).value_or(1), c.bytes) << c.text;
}

TEST(ByteSizeTest, RefusesWhatIsNoSize) {
  for (std::string_view text :
       {"", "512", "MB", "-1MB", "1.5GB", "1 MB", "1mb", "5EB", "1MBB", "99999999999999999999B"}) {
    EXPECT_FALSE(ParseByteSize(text)) << text;
  }
  EXPECT_EQ(ParseByteSize("5").error().message(),
            "not a size: \"5\", its unit must be one of B, KB, MB, GB, TB, PB, EB");
}

}  // namespace
}  // namespace azexporter::base
