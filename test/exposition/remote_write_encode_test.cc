// What is written is read back: 1.0 by azexporter's own decoder, 2.0 by code that protoc makes.

#include "azexporter/exposition/remote_write_encode.h"

#include <gtest/gtest.h>

#include <bit>
#include <limits>
#include <random>

#include "azexporter/exposition/remote_write.h"
#include "exposition/write_v2.pb.h"

namespace azexporter::exposition {
namespace {

using model::Labels;
namespace v2 = test::write_v2;

std::vector<WriteSeries> TwoSeries() {
  return {{Labels::Of({{"__name__", "up"}, {"zone", "a"}}),
           {{1'000, 1.5}, {2'000, -0.0}, {3'000, model::StaleNaN()}}},
          {Labels::Of({{"__name__", "größe"}, {"a b", "\n"}, {"zone", "a"}}),
           {{std::numeric_limits<std::int64_t>::max(), 1e300}, {-1, 0}}}};
}

void ExpectSameBits(model::FPoint a, model::FPoint b) {
  EXPECT_EQ(a.t, b.t);
  EXPECT_EQ(std::bit_cast<std::uint64_t>(a.f), std::bit_cast<std::uint64_t>(b.f));
}

TEST(RemoteWriteEncodeTest, Version1IsWhatTheDecoderReads) {
  const auto series = TwoSeries();
  const std::string message = EncodeWriteRequest(series);
  const auto request = DecodeWriteRequest(message);
  ASSERT_TRUE(request) << request.error().message();
  ASSERT_EQ(request->series().size(), series.size());
  for (std::size_t i = 0; i < series.size(); ++i) {
    const auto labels = request->labels(request->series()[i]);
    EXPECT_EQ(Labels::Of(std::vector<model::Label>(labels.begin(), labels.end())),
              series[i].labels);
    const auto samples = request->samples(request->series()[i]);
    ASSERT_EQ(samples.size(), series[i].points.size());
    for (std::size_t k = 0; k < samples.size(); ++k) {
      ExpectSameBits(samples[k], series[i].points[k]);
    }
  }
}

TEST(RemoteWriteEncodeTest, Version1HasMetadataInMessagesOfItsOwn) {
  const std::string message =
      EncodeWriteMetadata({{"lat", {model::MetricType::kHistogram, "How long."}}, {"x", {}}});
  const auto request = DecodeWriteRequest(message);
  ASSERT_TRUE(request) << request.error().message();
  EXPECT_EQ(request->metadata_count(), 2U);
  EXPECT_EQ(request->sample_count(), 0U);
  EXPECT_NE(message.find(std::string("\x08\x03\x12\x03lat\x22\x09How long.", 18)),
            std::string::npos);
}

TEST(RemoteWriteEncodeTest, TheBodyIsABlockOfSnappy) {
  const std::string message = EncodeWriteRequest(TwoSeries());
  const auto back = UncompressWriteBody(CompressWriteBody(message));
  ASSERT_TRUE(back) << back.error().message();
  EXPECT_EQ(*back, message);
}

// The labels of a series by the symbols they refer to.
Labels LabelsOf(const v2::Request& request, const v2::TimeSeries& series) {
  EXPECT_EQ(series.labels_refs_size() % 2, 0);
  std::vector<model::Label> labels;
  for (int i = 0; i + 1 < series.labels_refs_size(); i += 2) {
    labels.push_back({request.symbols(static_cast<int>(series.labels_refs(i))),
                      request.symbols(static_cast<int>(series.labels_refs(i + 1)))});
    EXPECT_TRUE(i == 0 || labels[labels.size() - 2].name < labels.back().name) << "not sorted";
  }
  return Labels::Of(std::move(labels));
}

void ExpectSame(const v2::Request& request, const std::vector<WriteSeries>& series) {
  ASSERT_EQ(static_cast<std::size_t>(request.timeseries_size()), series.size());
  for (int i = 0; i < request.timeseries_size(); ++i) {
    const v2::TimeSeries& read = request.timeseries(i);
    const WriteSeries& meant = series[static_cast<std::size_t>(i)];
    EXPECT_EQ(LabelsOf(request, read), meant.labels);
    EXPECT_EQ(read.created_timestamp(), 0);
    ASSERT_EQ(static_cast<std::size_t>(read.samples_size()), meant.points.size());
    for (int k = 0; k < read.samples_size(); ++k) {
      ExpectSameBits({read.samples(k).timestamp(), read.samples(k).value()},
                     meant.points[static_cast<std::size_t>(k)]);
      EXPECT_EQ(read.samples(k).start_timestamp(), 0);
    }
  }
}

TEST(RemoteWriteEncodeTest, Version2IsWhatProtocReads) {
  const auto series = TwoSeries();
  v2::Request request;
  ASSERT_TRUE(request.ParseFromString(EncodeWriteRequestV2(series, {})));
  ExpectSame(request, series);
  const std::vector<std::string> symbols(request.symbols().begin(), request.symbols().end());
  EXPECT_EQ(symbols,
            (std::vector<std::string>{"", "__name__", "up", "zone", "a", "größe", "a b", "\n"}));
  EXPECT_FALSE(request.timeseries(0).has_metadata());
}

TEST(RemoteWriteEncodeTest, Version2HasTheMetadataOfEachSeries) {
  const MetadataMap metadata = {{"lat", {model::MetricType::kHistogram, "How long."}},
                                {"up", {model::MetricType::kGauge, "Whether it is up."}},
                                {"reqs_total", {model::MetricType::kCounter, ""}}};
  std::vector<WriteSeries> series;
  for (const char* name : {"lat_bucket", "lat_sum", "up", "up_count", "reqs_total", "ALERTS"}) {
    series.push_back({Labels::Of({{"__name__", name}}), {{1, 1}}});
  }
  v2::Request request;
  ASSERT_TRUE(request.ParseFromString(EncodeWriteRequestV2(series, metadata)));
  ExpectSame(request, series);
  std::string told;
  for (const auto& one : request.timeseries()) {
    told += std::to_string(one.metadata().type()) +
            request.symbols(static_cast<int>(one.metadata().help_ref())) + "|";
    EXPECT_EQ(one.metadata().unit_ref(), 0U);
  }
  EXPECT_EQ(told, "3How long.|3How long.|2Whether it is up.|0|1|0|");
}

// Many series at random, both versions.
TEST(RemoteWriteEncodeTest, AnySeriesComesBack) {
  std::mt19937_64 random(7);
  std::vector<WriteSeries> series;
  for (int i = 0; i < 500; ++i) {
    const std::string value = std::to_string(random() % 50) + std::string(random() % 300, 'x');
    WriteSeries& one = series.emplace_back(
        WriteSeries{Labels::Of({{"__name__", "m"}, {"i", std::to_string(i)}, {"v", value}}), {}});
    for (std::uint64_t k = random() % 20; k > 0; --k) {
      one.points.push_back(
          {static_cast<std::int64_t>(random() >> 1), std::bit_cast<double>(random())});
    }
  }
  v2::Request request;
  ASSERT_TRUE(request.ParseFromString(EncodeWriteRequestV2(series, {})));
  ExpectSame(request, series);
  const std::string message = EncodeWriteRequest(series);
  const auto first = DecodeWriteRequest(message);
  ASSERT_TRUE(first) << first.error().message();
  std::size_t samples = 0;
  for (const WriteSeries& one : series) samples += one.points.size();
  EXPECT_EQ(first->sample_count(), samples);
}

}  // namespace
}  // namespace azexporter::exposition
