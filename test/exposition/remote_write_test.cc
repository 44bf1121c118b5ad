#include "azexporter/exposition/remote_write.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "support/write_body.h"

namespace azexporter::exposition {
namespace {

using test::BytesField;
using test::LabelMessage;
using test::LabelPairs;
using test::SampleMessage;
using test::SeriesField;

const LabelPairs kUp = {{"__name__", "up"}, {"zone", "a"}};

std::string TextOf(const WriteRequest& request, const WriteRequest::Series& series) {
  const auto labels = request.labels(series);
  return model::Labels::Of(std::vector<model::Label>(labels.begin(), labels.end())).ToString();
}

TEST(RemoteWriteTest, ReadsSeriesWithTheirSamples) {
  const std::string message =
      SeriesField(kUp, {{1'000, 1.5},
                        {-2, -0.0},
                        {std::numeric_limits<std::int64_t>::max(), model::StaleNaN()}}) +
      SeriesField({{"__name__", "größe"}, {"a b", "\n"}}, {});
  const auto request = DecodeWriteRequest(message);
  ASSERT_TRUE(request) << request.error().message();
  ASSERT_EQ(request->series().size(), 2U);
  EXPECT_EQ(TextOf(*request, request->series()[0]), R"(up{zone="a"})");
  const auto samples = request->samples(request->series()[0]);
  ASSERT_EQ(samples.size(), 3U);
  EXPECT_EQ(samples[0], (model::FPoint{1'000, 1.5}));
  EXPECT_EQ(samples[1].t, -2);
  EXPECT_EQ(samples[2].t, std::numeric_limits<std::int64_t>::max());
  EXPECT_TRUE(model::IsStaleNaN(samples[2].f));
  EXPECT_EQ(TextOf(*request, request->series()[1]), "{\"größe\", \"a b\"=\"\\n\"}");
  EXPECT_TRUE(request->samples(request->series()[1]).empty());
}

TEST(RemoteWriteTest, AnEmptyRequestHasNoSeries) {
  const auto request = DecodeWriteRequest("");
  ASSERT_TRUE(request);
  EXPECT_TRUE(request->series().empty());
}

TEST(RemoteWriteTest, CountsWhatItDoesNotReadAndSkipsWhatItDoesNotKnow) {
  const std::string more = BytesField(3, SampleMessage({1, 2})) + BytesField(4, "\x78\x05") +
                           BytesField(4, "") + BytesField(9, "unknown") + "\x50\x01" /* varint */ +
                           "\x5d\x01\x02\x03\x04" /* four bytes */;
  const auto request =
      DecodeWriteRequest(SeriesField(kUp, {{1, 1}}, more) + BytesField(3, "metadata"));
  ASSERT_TRUE(request) << request.error().message();
  EXPECT_EQ(request->sample_count(), 1U);
  EXPECT_EQ(request->exemplar_count(), 1U);
  EXPECT_EQ(request->histogram_count(), 2U);
  ASSERT_EQ(request->histograms(request->series()[0]).size(), 2U);
  EXPECT_EQ(request->histograms(request->series()[0])[0].t, 5);
  EXPECT_EQ(request->metadata_count(), 1U);
}

struct BadCase {
  const char* name;
  std::string message;
  const char* error;
};

TEST(RemoteWriteTest, RefusesWhatTheSpecificationForbids) {
  const BadCase cases[] = {
      {"a repeated label", SeriesField({{"__name__", "up"}, {"a", "1"}, {"a", "2"}}, {}),
       "label \"a\" is repeated in series up{a=\"1\"}"},
      {"unsorted labels", SeriesField({{"__name__", "up"}, {"b", "1"}, {"a", "2"}}, {}),
       "labels are not sorted: \"a\" after \"b\" in series up{b=\"1\"}"},
      {"an empty value", SeriesField({{"__name__", "up"}, {"a", ""}}, {}),
       "label \"a\" has an empty value"},
      {"an empty name", SeriesField({{"", "up"}}, {}), "empty label name in series {}"},
      {"no metric name", SeriesField({{"a", "1"}}, {}), "series without a metric name: {a=\"1\"}"},
      {"no label at all", SeriesField({}, {{1, 1}}), "series without a metric name: {}"},
      {"bytes for a name", SeriesField({{"\xff", "1"}}, {}),
       "label name is not valid UTF-8: \"\\xff\""},
      {"bytes for a value", SeriesField({{"__name__", "up"}, {"a", "\xc3("}}, {}),
       "value of label \"a\" is not valid UTF-8"},
      {"a field cut short", SeriesField(kUp, {{1, 1}}).substr(0, 20),
       "malformed protobuf: WriteRequest is cut short or has a field of the wrong type"},
      {"a length beyond the end", "\x0a\xff\xff\xff\xff\x0f",
       "malformed protobuf: WriteRequest is cut short or has a field of the wrong type"},
      {"a varint without end", std::string(11, '\xff'),
       "malformed protobuf: WriteRequest is cut short or has a field of the wrong type"},
      {"field number 0", std::string("\x00\x01", 2),
       "malformed protobuf: WriteRequest is cut short or has a field of the wrong type"},
      {"a group", "\x13\x14",
       "malformed protobuf: WriteRequest is cut short or has a field of the wrong type"},
      {"a series that is a number", "\x08\x01",
       "malformed protobuf: WriteRequest is cut short or has a field of the wrong type"},
      {"a value that is a varint", BytesField(1, BytesField(2, "\x08\x01")),
       "malformed protobuf: Sample is cut short or has a field of the wrong type"},
      {"a label cut short", BytesField(1, BytesField(1, "\x0a\x05up")),
       "malformed protobuf: Label is cut short or has a field of the wrong type"},
  };
  for (const BadCase& c : cases) {
    const auto request = DecodeWriteRequest(c.message);
    ASSERT_FALSE(request) << c.name;
    EXPECT_EQ(request.error().message(), c.error) << c.name;
  }
}

TEST(RemoteWriteTest, BoundsTheNumberOfSamples) {
  std::string series = BytesField(1, LabelMessage("__name__", "up"));
  const std::string empty_sample = BytesField(2, "");
  for (std::size_t i = 0; i <= kMaxWriteSamples; ++i) series += empty_sample;
  const auto request = DecodeWriteRequest(BytesField(1, series));
  ASSERT_FALSE(request);
  EXPECT_EQ(request.error().message(), "more than 4000000 samples in one request");
}

TEST(RemoteWriteTest, UncompressesSnappyAndNothingElse) {
  EXPECT_EQ(*UncompressWriteBody(test::Snappy("text")), "text");
  for (const std::string& bad : {std::string(), std::string("\x04"), std::string("no snappy"),
                                 test::Snappy("some longer text").substr(0, 9)}) {
    EXPECT_FALSE(UncompressWriteBody(bad));
  }
  // The block says how large it is before it is taken apart.
  const std::string huge("\x81\x80\x80\x10\x00", 5);  // 32 MiB and a byte
  const auto refused = UncompressWriteBody(huge);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message(),
            "the request has 33554433 bytes when uncompressed, at most 33554432 are taken");
}

// Any bytes are an error or samples: nothing crashes, and what is read lies inside of the message.
TEST(RemoteWriteTest, SurvivesMutatedBodies) {
  // A count, spans, deltas, counts, custom values, a time.
  const std::string kHistogram =
      BytesField(4, std::string("\x08\x03\x5a\x04\x08\x00\x10\x02\x62\x02\x02\x02", 12) +
                        BytesField(13, std::string(16, '\1')) +
                        BytesField(16, std::string(8, '\2')) + "\x78\x05");
  std::string seed;
  for (int i = 0; i < 5; ++i) {
    seed += SeriesField({{"__name__", "up"}, {"zone", std::string(1, static_cast<char>('a' + i))}},
                        {{1'000 * i, 1.0 * i}, {1'000 * i + 1, -1.0}}, kHistogram);
  }
  std::mt19937 random(20261125);
  const auto below = [&random](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  int accepted = 0;
  constexpr int kRounds = 50'000;
  for (int round = 0; round < kRounds; ++round) {
    std::string bytes = seed;
    for (std::size_t changes = 1 + below(4); changes > 0; --changes) {
      const std::size_t at = below(bytes.size());
      switch (below(4)) {
        case 0:
          bytes[at] = static_cast<char>(random());
          break;
        case 1:
          bytes.resize(at + 1);
          break;
        case 2:
          bytes.insert(at, 1, static_cast<char>(random()));
          break;
        default:
          bytes.erase(at, 1);
          if (bytes.empty()) bytes = seed;
      }
    }
    const auto request = DecodeWriteRequest(bytes);
    if (!request) continue;
    ++accepted;
    for (const WriteRequest::Series& series : request->series()) {
      for (const model::Label& label : request->labels(series)) {
        ASSERT_GE(label.name.data(), bytes.data());
        ASSERT_LE(label.value.data() + label.value.size(), bytes.data() + bytes.size());
      }
      ASSERT_LE(request->samples(series).size(), bytes.size());
    }
    static_cast<void>(UncompressWriteBody(bytes));
    static_cast<void>(UncompressWriteBody(test::Snappy(bytes)));
  }
  EXPECT_GT(accepted, 100);
  EXPECT_LT(accepted, kRounds);
}

}  // namespace
}  // namespace azexporter::exposition
