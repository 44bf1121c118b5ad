#include "servers/loopback.h"

#include <gtest/gtest.h>

#include <set>

namespace azexporter::servers {
namespace {

TEST(FreePortTest, GivesNoPortOutTwice) {
  std::set<int> given;
  for (int i = 0; i < 100; ++i) {
    const int port = FreePort();
    EXPECT_GT(port, 0);
    EXPECT_LT(port, 32'768) << "of those that connections are given";
    EXPECT_TRUE(given.insert(port).second) << port;
    EXPECT_FALSE(ReservePort(port).valid()) << "so that no other program gets it, either";
  }
  const int port = *given.begin();
  EXPECT_EQ(ListenOnLoopback(port).port, port);
}

TEST(ReservePortTest, EndsWithWhatHoldsIt) {
  const int port = 19'999;  // FreePort never gives it out
  {
    const Fd held = ReservePort(port);
    ASSERT_TRUE(held.valid());
    EXPECT_FALSE(ReservePort(port).valid());
  }
  EXPECT_TRUE(ReservePort(port).valid());
}

}  // namespace
}  // namespace azexporter::servers
