#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "azexporter/probe/prober.h"

namespace azexporter::probe {
namespace {

TEST(LatencyHistogramTest, CountsInClassicAndInNativeBuckets) {
  LatencyHistogram latency;
  for (const double seconds : {0.0004, 0.0004, 0.003, 0.0}) latency.Observe(seconds);
  EXPECT_EQ(latency.total, 4u);
  EXPECT_EQ(latency.counts[0], 1u) << "0, up to 0.1 ms";
  EXPECT_EQ(latency.counts[2], 2u);
  EXPECT_EQ(latency.counts[7], 1u) << "an upper bound is inclusive";
  const model::FloatHistogram& native = latency.native;
  EXPECT_EQ(native.schema, 3);
  EXPECT_EQ(native.count, 4);
  EXPECT_EQ(native.zero_count, 1);
  EXPECT_DOUBLE_EQ(native.sum, 0.0038);
  EXPECT_EQ(native.positive.counts, (std::vector<double>{2, 1}));
  ASSERT_TRUE(native.Validate());
  const auto buckets = native.Buckets();
  ASSERT_EQ(buckets.size(), 3u);
  EXPECT_TRUE(buckets[1].lower < 0.0004 && 0.0004 <= buckets[1].upper);
  EXPECT_LT(buckets[1].upper / buckets[1].lower, 1.1);
}

// Over a range that no latency covers, the buckets stay within their limit and nothing is lost.
TEST(LatencyHistogramTest, MergesNativeBucketsBeyondTheirLimit) {
  LatencyHistogram latency;
  std::size_t most = 0;
  for (int i = 0; i < 400; ++i) {
    latency.Observe(std::exp2(-20.0 + i / 10.0));
    most = std::max(most, latency.native.positive.counts.size());
  }
  EXPECT_EQ(most, LatencyHistogram::kMostBuckets);
  EXPECT_EQ(latency.native.schema, 1) << "320 buckets, then 160 of twice the width";
  const auto& counts = latency.native.positive.counts;
  EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), 0.0), 400);
  EXPECT_EQ(latency.native.count, 400);
  EXPECT_TRUE(latency.native.Validate());
}

}  // namespace
}  // namespace azexporter::probe
