// Bodies of version 2.0, written by code that protoc makes.

#include <gtest/gtest.h>

#include <random>

#include "azexporter/exposition/remote_write.h"
#include "azexporter/exposition/remote_write_encode.h"
#include "exposition/write_v2.pb.h"

namespace azexporter::exposition {
namespace {

using model::Labels;
namespace v2 = test::write_v2;

// A request with a series of one sample, which a case then spoils.
struct Fixture {
  v2::Request request;
  v2::TimeSeries* series = nullptr;

  explicit Fixture(std::initializer_list<const char*> symbols = {"", "__name__", "up", "zone",
                                                                 "a"}) {
    for (const char* symbol : symbols) request.add_symbols(symbol);
    series = Add({1, 2, 3, 4}, 10);
  }
  v2::TimeSeries* Add(std::initializer_list<std::uint32_t> refs, std::int64_t t) {
    v2::TimeSeries* added = request.add_timeseries();
    for (const std::uint32_t ref : refs) added->add_labels_refs(ref);
    v2::Sample* sample = added->add_samples();
    sample->set_value(1.5);
    sample->set_timestamp(t);
    return added;
  }
};

std::string LabelsText(const WriteRequest& request, std::size_t i) {
  const auto labels = request.labels(request.series()[i]);
  return Labels::Of(std::vector<model::Label>(labels.begin(), labels.end())).ToString();
}

TEST(RemoteWriteV2Test, ReadsLabelsBySymbolsAndStartTimes) {
  Fixture made;
  made.series->mutable_samples(0)->set_start_timestamp(4);
  v2::Sample* second = made.series->add_samples();
  second->set_timestamp(20);
  made.series->set_created_timestamp(3);
  made.series->mutable_metadata()->set_type(v2::Metadata::METRIC_TYPE_COUNTER);
  made.Add({1, 2}, 30);
  const std::string message = made.request.SerializeAsString();
  const auto request = DecodeWriteRequestV2(message);
  ASSERT_TRUE(request) << request.error().message();
  EXPECT_TRUE(request->faults().empty());
  EXPECT_EQ(request->metadata_count(), 1U);
  ASSERT_EQ(request->series().size(), 2U);
  EXPECT_EQ(LabelsText(*request, 0), "up{zone=\"a\"}");
  EXPECT_EQ(LabelsText(*request, 1), "up");
  const auto& series = request->series();
  ASSERT_EQ(request->samples(series[0]).size(), 2U);
  EXPECT_EQ(request->samples(series[0])[0], (model::FPoint{10, 1.5}));
  EXPECT_EQ(request->sample_starts(series[0])[0], 4);
  EXPECT_EQ(request->sample_starts(series[0])[1], 3) << "of the series";
  EXPECT_EQ(request->samples(series[1])[0].t, 30);
  EXPECT_EQ(request->sample_starts(series[1])[0], 0);
}

// A series that is wrong is left out, and the others are read.
TEST(RemoteWriteV2Test, RefusesSeriesOneByOne) {
  struct RefusalCase {
    std::initializer_list<std::uint32_t> refs;
    const char* fault;
  };
  const RefusalCase cases[] = {
      {{1, 2, 3}, "labels_refs has 3 numbers, which are no pairs, in series {}"},
      {{1, 2, 3, 7}, "labels_refs names symbol 7 of 7 in series up"},
      {{1, 4294967295}, "labels_refs names symbol 4294967295 of 7 in series {}"},
      {{3, 4}, "series without a metric name: {zone=\"a\"}"},
      {{3, 4, 1, 2}, "labels are not sorted: \"__name__\" after \"zone\" in series {zone=\"a\"}"},
      {{1, 2, 3, 4, 3, 4}, "label \"zone\" is repeated in series up{zone=\"a\"}"},
      {{1, 2, 0, 4}, "empty label name in series up"},
      {{1, 2, 3, 0}, "label \"zone\" has an empty value"},
      {{1, 2, 3, 5}, "value of label \"zone\" is not valid UTF-8"},
  };
  for (const RefusalCase& c : cases) {
    v2::Request request;
    for (const char* symbol : {"", "__name__", "up", "zone", "a", "X", "b"}) {
      request.add_symbols(symbol);
    }
    Fixture parts({});
    v2::TimeSeries bad = *parts.series;
    bad.clear_labels_refs();
    for (const std::uint32_t ref : c.refs) bad.add_labels_refs(ref);
    bad.add_samples()->set_timestamp(2);
    v2::TimeSeries good = *parts.series;
    *request.add_timeseries() = good;
    *request.add_timeseries() = bad;
    good.set_labels_refs(3, 6);
    *request.add_timeseries() = good;
    std::string message = request.SerializeAsString();
    message.replace(message.find("\x22\x01X"), 3,
                    "\x22\x01\xff");  // protoc would refuse to write it
    const auto read = DecodeWriteRequestV2(message);
    ASSERT_TRUE(read) << read.error().message();
    ASSERT_EQ(read->faults(), std::vector<std::string>{c.fault});
    EXPECT_EQ(read->refused_count(), 2U);
    ASSERT_EQ(read->series().size(), 2U);
    EXPECT_EQ(LabelsText(*read, 1), "up{zone=\"b\"}");
    EXPECT_EQ(read->samples(read->series()[1]).size(), 1U);
    EXPECT_EQ(read->sample_count(), 2U);
  }
}

TEST(RemoteWriteV2Test, ASeriesHasASample) {
  Fixture made;
  made.series->clear_samples();
  const std::string message = made.request.SerializeAsString();
  const auto read = DecodeWriteRequestV2(message);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->faults(),
            std::vector<std::string>{"no sample and no histogram in series up{zone=\"a\"}"});
}

// What azexporter sends is read back, histograms too.
TEST(RemoteWriteV2Test, ReadsWhatIsSent) {
  model::FloatHistogram histogram;
  histogram.Observe(3);
  const auto shared = std::make_shared<const model::FloatHistogram>(histogram);
  const std::vector<WriteSeries> series = {
      {Labels::Of({{"__name__", "größe"}, {"a b", "\n"}}), {{1, 2}, {2, model::StaleNaN()}}},
      {Labels::Of({{"__name__", "h"}}), {}, {{5, shared}, {6, shared}}}};
  const std::string message =
      EncodeWriteRequestV2(series, {{"h", {model::MetricType::kHistogram, "H."}}});
  const auto read = DecodeWriteRequestV2(message);
  ASSERT_TRUE(read) << read.error().message();
  ASSERT_EQ(read->series().size(), 2U);
  EXPECT_EQ(LabelsText(*read, 0), series[0].labels.ToString());
  EXPECT_TRUE(model::IsStaleNaN(read->samples(read->series()[0])[1].f));
  const auto histograms = read->histograms(read->series()[1]);
  ASSERT_EQ(histograms.size(), 2U);
  EXPECT_EQ(histograms[1].t, 6);
  EXPECT_TRUE(histograms[1].h->Equals(histogram));
  EXPECT_EQ(read->metadata_count(), 1U);
}

// Cut or changed anywhere, a message is read, or refused; nothing else.
TEST(RemoteWriteV2Test, AnyBytesAreReadOrRefused) {
  model::FloatHistogram histogram;
  histogram.Observe(3);
  const std::string message = EncodeWriteRequestV2(
      {{WriteSeries{Labels::Of({{"__name__", "h"}, {"zone", "a"}}),
                    {{1, 2}},
                    {{5, std::make_shared<const model::FloatHistogram>(histogram)}}}}},
      {});
  std::size_t refused = 0;
  for (std::size_t cut = 0; cut < message.size(); ++cut) {
    const std::string part = message.substr(0, cut);
    refused += DecodeWriteRequestV2(part) ? 0 : 1;
  }
  EXPECT_GT(refused, message.size() / 2);
  std::mt19937 random(3);
  for (int i = 0; i < 20'000; ++i) {
    std::string changed = message;
    for (std::uint64_t k = random() % 3 + 1; k > 0; --k) {
      changed[random() % changed.size()] = static_cast<char>(random());
    }
    const auto read = DecodeWriteRequestV2(changed);
    if (!read) continue;
    for (const auto& series : read->series()) {
      ASSERT_EQ(read->samples(series).size(), read->sample_starts(series).size());
      ASSERT_EQ(read->histograms(series).size(), read->histogram_starts(series).size());
    }
  }
}

}  // namespace
}  // namespace azexporter::exposition
