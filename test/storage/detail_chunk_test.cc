#include "azexporter/storage/detail_chunk.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace azexporter::storage {
namespace {

using model::FloatHistogram;

struct Written {
  std::vector<DetailChunk> chunks;
  std::vector<DetailPoint> points;
};

Written Write(std::vector<DetailPoint> points) {
  Written written{{}, std::move(points)};
  written.chunks.emplace_back();
  for (const DetailPoint& point : written.points) {
    if (written.chunks.back().Append(point)) continue;
    written.chunks.back().Seal();
    EXPECT_TRUE(written.chunks.emplace_back().Append(point));
  }
  return written;
}

std::vector<DetailPoint> Read(const std::vector<DetailChunk>& chunks, model::TimestampMs from,
                              model::TimestampMs to) {
  std::vector<DetailPoint> points;
  for (const DetailChunk& chunk : chunks) chunk.Read(from, to, points);
  return points;
}

// To the last bit, with the very spans.
void ExpectSame(const std::vector<DetailPoint>& got, const std::vector<DetailPoint>& want) {
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < want.size(); ++i) {
    ASSERT_EQ(got[i].t, want[i].t);
    ASSERT_EQ(got[i].detail.start_t, want[i].detail.start_t);
    ASSERT_EQ(got[i].detail.histogram == nullptr, want[i].detail.histogram == nullptr) << i;
    if (want[i].detail.histogram == nullptr) continue;
    const FloatHistogram& a = *got[i].detail.histogram;
    const FloatHistogram& b = *want[i].detail.histogram;
    ASSERT_TRUE(a.Equals(b)) << i << ": " << a.ToNotation() << " is not " << b.ToNotation();
    ASSERT_EQ(a.hint, b.hint) << i;
    ASSERT_EQ(a.positive.spans, b.positive.spans) << i;
    ASSERT_EQ(a.negative.spans, b.negative.spans) << i;
  }
}

DetailPoint PointOf(model::TimestampMs t, FloatHistogram histogram) {
  return {t, {std::make_shared<const FloatHistogram>(std::move(histogram))}};
}

FloatHistogram Latencies(std::size_t buckets) {
  FloatHistogram histogram;
  histogram.schema = 3;
  histogram.zero_threshold = 0x1p-128;
  histogram.positive = {{{-40, static_cast<std::uint32_t>(buckets)}}, std::vector<double>(buckets)};
  return histogram;
}

TEST(DetailChunkTest, HistogramsComeBackAsTheyWere) {
  FloatHistogram histogram = Latencies(3);
  std::vector<DetailPoint> points;
  const auto add = [&] {
    points.push_back(
        PointOf(1'800'000'000'000 + 15'000 * static_cast<std::int64_t>(points.size()), histogram));
  };
  add();  // nothing was counted yet
  histogram.positive.counts = {1, 0, 1e15};
  histogram.count = 1e15 + 1;
  histogram.sum = -0.0;
  add();
  histogram.hint = model::CounterResetHint::kNotReset;
  add();
  add();
  histogram.positive.counts = {0.5, -0.0, std::nan("")};
  histogram.count = std::numeric_limits<double>::infinity();
  histogram.sum = std::nan("");
  histogram.zero_count = 7;
  add();
  histogram.positive.counts = {0, 0, 3};
  histogram.hint = model::CounterResetHint::kGauge;
  histogram.sum = 1e-300;
  add();
  histogram.negative = {{{1, 1}}, {4}};  // another layout
  add();
  points.push_back({points.back().t + 1, {nullptr, 5}});  // floats with a start time
  points.push_back({points.back().t + 1, {nullptr, -5}});
  points.push_back({points.back().t + (std::int64_t{1} << 60), {nullptr, 7}});
  histogram = {};
  histogram.schema = FloatHistogram::kCustomSchema;
  histogram.custom_bounds = {0.1, 5};
  histogram.positive = {{{0, 1}, {1, 1}}, {2, 1}};
  points.push_back(
      {points.back().t + 1, {std::make_shared<const FloatHistogram>(histogram), points.back().t}});
  const Written written = Write(points);
  EXPECT_EQ(written.chunks.size(), 1u);
  ExpectSame(Read(written.chunks, std::numeric_limits<std::int64_t>::min(),
                  std::numeric_limits<std::int64_t>::max()),
             points);
}

// Random walks of every kind of count, through both ends of a chunk, and every range of them.
TEST(DetailChunkTest, AnyHistogramsComeBack) {
  std::mt19937_64 random(11);
  std::vector<DetailPoint> points;
  FloatHistogram histogram = Latencies(9);
  model::TimestampMs t = -5;
  for (int i = 0; i < 500; ++i) {
    t += 1 + static_cast<std::int64_t>(random() % (i % 50 == 0 ? 1'000'000'000 : 3));
    if (i % 90 == 0) histogram = Latencies(1 + random() % 20);
    for (double& count : histogram.positive.counts) {
      const std::uint64_t draw = random();
      if (draw % 3 == 0) count += static_cast<double>((draw >> 8) % (1 << draw % 30));
      if (draw % 41 == 0)
        count -= static_cast<double>((draw >> 8) % (std::uint64_t{1} << draw % 60));
      if (draw % 97 == 0) count = std::bit_cast<double>(random());
    }
    histogram.sum += 0.1;
    histogram.count = i % 5 == 0 ? 3 : histogram.count + 1;
    points.push_back(PointOf(t, histogram));
    points.back().detail.start_t = i / 100;
  }
  const Written written = Write(points);
  for (std::size_t first = 0; first < points.size(); first += 7) {
    for (const std::size_t count : {1u, 3u, 40u, 200u}) {
      const std::size_t end = std::min(first + count, points.size());
      ExpectSame(Read(written.chunks, points[first].t, points[end - 1].t),
                 {points.begin() + static_cast<std::ptrdiff_t>(first),
                  points.begin() + static_cast<std::ptrdiff_t>(end)});
    }
  }
  EXPECT_TRUE(Read(written.chunks, t + 1, t + 9).empty());
}

// Buckets come, and go with a reset, at either end and in between: a chunk goes on.
TEST(DetailChunkTest, ALayoutThatChangesTakesNoChunkOfItsOwn) {
  std::mt19937_64 random(2);
  std::vector<DetailPoint> points;
  FloatHistogram histogram;
  histogram.schema = 3;
  for (int i = 0; i < static_cast<int>(DetailChunk::kMaxPoints); ++i) {
    histogram.Observe(std::exp2(static_cast<double>(random() % 1000) / 50));
    if (i == 40) histogram.ReduceResolution(1);
    if (i == 50) histogram = {};
    points.push_back(PointOf(i, histogram));
  }
  const Written written = Write(points);
  EXPECT_EQ(written.chunks.size(), 1u);
  ExpectSame(Read(written.chunks, 0, 1'000), points);
  EXPECT_LT(written.chunks[0].heap_bytes() / points.size(), 80u);
}

// What latency probes make: a quarter of the buckets grow between two samples.
TEST(DetailChunkTest, TakesAFewBytesASample) {
  constexpr int kSamples = 640;
  std::mt19937_64 random(5);
  FloatHistogram histogram = Latencies(60);
  std::vector<DetailPoint> points;
  for (int i = 0; i < kSamples; ++i) {
    for (double& count : histogram.positive.counts) {
      const double more = random() % 4 == 0 ? static_cast<double>(random() % 5) : 0;
      count += more;
      histogram.count += more;
      histogram.sum += more * 0.0031;
    }
    points.push_back(PointOf(15'000 * i, histogram));
  }
  const std::size_t plain = 16 * histogram.SizeInSamples() + sizeof(DetailPoint);
  Written written = Write(std::move(points));
  written.chunks.back().Seal();
  EXPECT_EQ(written.chunks.size(), kSamples / DetailChunk::kMaxPoints);
  std::size_t bytes = 0;
  for (const DetailChunk& chunk : written.chunks) bytes += sizeof(DetailChunk) + chunk.heap_bytes();
  EXPECT_LT(bytes / kSamples, 35u) << "of " << plain << " as a FloatHistogram";
  // Where nothing changes, hardly any.
  points.assign(DetailChunk::kMaxPoints, {});
  for (int i = 0; i < static_cast<int>(points.size()); ++i) {
    points[static_cast<std::size_t>(i)] = PointOf(15'000 * i, histogram);
  }
  Written quiet = Write(std::move(points));
  quiet.chunks.back().Seal();
  ASSERT_EQ(quiet.chunks.size(), 1u);
  EXPECT_LT(quiet.chunks[0].heap_bytes() / DetailChunk::kMaxPoints, 4u) << "with the first one";
}

}  // namespace
}  // namespace azexporter::storage
