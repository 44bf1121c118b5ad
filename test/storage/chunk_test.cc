#include "azexporter/storage/chunk.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace azexporter::storage {
namespace {

using model::FPoint;

struct Written {
  std::vector<Chunk> chunks;
  std::vector<FPoint> points;
};

Written Write(std::vector<FPoint> points) {
  Written written{{}, std::move(points)};
  written.chunks.emplace_back();
  for (const FPoint& point : written.points) {
    if (written.chunks.back().Append(point)) continue;
    written.chunks.back().Seal();
    EXPECT_TRUE(written.chunks.emplace_back().Append(point));
  }
  return written;
}

std::vector<FPoint> Read(const std::vector<Chunk>& chunks, std::int64_t from, std::int64_t to) {
  std::vector<FPoint> points;
  for (const Chunk& chunk : chunks) chunk.Read(from, to, points);
  return points;
}

// Bit by bit, as NaN differs from itself.
void ExpectSame(const std::vector<FPoint>& got, const std::vector<FPoint>& want,
                std::string_view what) {
  ASSERT_EQ(got.size(), want.size()) << what;
  for (std::size_t i = 0; i < want.size(); ++i) {
    ASSERT_EQ(got[i].t, want[i].t) << what << " at " << i;
    ASSERT_EQ(std::bit_cast<std::uint64_t>(got[i].f), std::bit_cast<std::uint64_t>(want[i].f))
        << what << " at " << i;
  }
}

TEST(ChunkTest, GivesBackWhatWasPutIn) {
  constexpr double kMax = std::numeric_limits<double>::max();
  constexpr std::int64_t kFar = std::int64_t{1} << 60;
  const struct {
    std::string_view what;
    std::vector<FPoint> points;
  } cases[] = {
      {"one", {{1000, 1}}},
      {"a run", {{0, 1}, {10, 1}, {20, 1}, {30, 1}}},
      {"a short run, then another value", {{0, 1}, {10, 1}, {20, 2}, {30, 2}}},
      {"another interval", {{0, 1}, {10, 1}, {25, 1}, {40, 1}}},
      {"a long run, then another value",
       {{0, 1}, {1, 1}, {2, 1}, {3, 1}, {4, 1}, {5, 1}, {6, 1}, {7, 1}, {8, 1}, {9, 5}, {10, 5}}},
      {"every width of interval",
       {{-5, 1}, {0, 2}, {63, 3}, {200, 4}, {9000, 5}, {600'000, 6}, {600'001, 7}, {kFar, 8}}},
      {"values of all kinds",
       {{0, 0.0},
        {1, -0.0},
        {2, kMax},
        {3, -kMax},
        {4, 5e-324},
        {5, INFINITY},
        {6, -INFINITY},
        {7, std::nan("")},
        {8, model::StaleNaN()},
        {9, 0.1},
        {10, 0.1}}},
      {"the farthest times", {{-kFar, 1}, {kFar, 1}}},
  };
  for (const auto& c : cases) {
    const Written written = Write(c.points);
    ExpectSame(Read(written.chunks, -kFar, kFar), c.points, c.what);
  }
}

TEST(ChunkTest, ARunTakesNoMemoryHoweverLong) {
  Chunk chunk;
  for (int i = 0; i < 100'000; ++i) ASSERT_TRUE(chunk.Append({i * 15'000, 1}));
  EXPECT_EQ(chunk.heap_bytes(), 0u);
  EXPECT_EQ(chunk.Latest(75'000 * 15'000LL + 7), (FPoint{75'000 * 15'000LL, 1}));
  chunk.DropBefore(99'998 * 15'000LL - 1);
  EXPECT_EQ(chunk.size(), 2u);
  EXPECT_EQ(chunk.first_t(), 99'998 * 15'000LL);
}

TEST(ChunkTest, CountersTakeAFewBytesAPoint) {
  std::vector<FPoint> points;
  for (int i = 0; i < 320; ++i) points.push_back({i * 15'000, 1000.0 + 3 * i});
  std::size_t bytes = 0;
  for (const Chunk& chunk : Write(points).chunks) bytes += chunk.heap_bytes();
  EXPECT_LT(bytes, 4u * 320);
}

// Random walks through all the ways in which points can follow each other, read in random ranges,
// against a plain list.
TEST(ChunkTest, AgreesWithAPlainList) {
  std::mt19937_64 random(20261125);
  const auto one_of = [&](std::uint64_t n) { return random() % n; };
  for (int round = 0; round < 300; ++round) {
    std::vector<FPoint> points;
    FPoint point{static_cast<std::int64_t>(one_of(1'000'000)) - 500'000, 0};
    std::int64_t interval = 15'000;
    const std::size_t count = 1 + one_of(200);
    const std::uint64_t restlessness = 1 + one_of(20);
    while (points.size() < count) {
      if (one_of(restlessness) == 0) interval = 1 + static_cast<std::int64_t>(one_of(100'000));
      point.t += interval + (one_of(restlessness) == 0 ? static_cast<std::int64_t>(one_of(50)) : 0);
      switch (one_of(2 * restlessness)) {
        case 0:
          point.f += 1;
          break;
        case 1:
          point.f = std::bit_cast<double>(random());
          break;
        case 2:
          point.f = model::StaleNaN();
          break;
        default:
          break;
      }
      points.push_back(point);
    }
    const Written written = Write(points);
    for (int i = 0; i < 20; ++i) {
      const std::int64_t from = points[one_of(count)].t + static_cast<std::int64_t>(one_of(3)) - 1;
      const std::int64_t to = points[one_of(count)].t + static_cast<std::int64_t>(one_of(3)) - 1;
      std::vector<FPoint> want;
      for (const FPoint& p : points) {
        if (p.t >= from && p.t <= to) want.push_back(p);
      }
      ExpectSame(Read(written.chunks, from, to), want, "round " + std::to_string(round));
      const Chunk& chunk = written.chunks[one_of(written.chunks.size())];
      const auto latest = chunk.Latest(to);
      std::optional<FPoint> last;
      for (const FPoint& p : points) {
        if (p.t <= to && p.t >= chunk.first_t() && p.t <= chunk.last().t) last = p;
      }
      ASSERT_EQ(latest.has_value(), last.has_value());
      if (last.has_value()) {
        ASSERT_EQ(latest->t, last->t);
      }
    }
  }
}

}  // namespace
}  // namespace azexporter::storage
