// azexporter query: the same answers from a file and from a server.

#include <gtest/gtest.h>

#include <cmath>

#include "azexporter/app/flags.h"
#include "azexporter/exposition/metric_message.h"
#include "azexporter/storage/memory_store.h"
#include "azexporter/web/server.h"
#include "query_output.h"
#include "query_source.h"
#include "support/temp_folder.h"

namespace azexporter::app {
namespace {

constexpr char kPage[] =
    "# TYPE up gauge\n"
    "up{zone=\"a\"} 1 1000\n"
    "up{zone=\"a\"} 0.5 1015\n"
    "up{zone=\"b\"} 3 1015\n"
    "# TYPE odd_names gauge\n"
    "odd_names{text=\"a,\\\"b\\\"\\nc\"} NaN 1015\n"
    "# EOF\n";

class QueryTest : public testing::Test {
 protected:
  std::string Write(const std::string& name, const std::string& text) {
    return folder_.Write(name, text);
  }
  std::unique_ptr<QuerySource> Load(const std::string& text = kPage) {
    auto source = LoadSamples({Write("page.om", text)}, {.timeout_ms = 60'000});
    EXPECT_TRUE(source) << source.error().message();
    return source ? std::move(*source) : nullptr;
  }

  const test::TempFolder folder_;
};

TEST_F(QueryTest, LoadsFilesAndKnowsTheirNewestTime) {
  const auto source = Load();
  EXPECT_EQ(source->now(), 1'015'000);
  const auto result = source->Instant("sum(up)", source->now());
  ASSERT_TRUE(result);
  EXPECT_EQ(std::get<promql::Vector>(result->value).front().f, 3.5);
  const auto bad = LoadSamples({Write("bad.om", "up 1\nup x\n# EOF\n")}, {.timeout_ms = 60'000});
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().message(),
            (folder_ / "bad.om").string() + ":2:4: expected a value, got \"x\"");
  // Two files are one store: what is older than what was loaded is refused.
  const auto twice =
      LoadSamples({Write("1.om", kPage), Write("2.om", "up{zone=\"a\"} 1 1001\n# EOF\n")},
                  {.timeout_ms = 60'000});
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().message(),
            (folder_ / "2.om").string() + ": out of order sample at 1001000: up{zone=\"a\"}");
}

// As `curl -H 'Accept: application/vnd.google.protobuf; ...' .../metrics` leaves it.
TEST_F(QueryTest, LoadsProtobufWithNativeHistograms) {
  model::FloatHistogram native;
  for (const double seconds : {0.5, 0.5, 3.0}) native.Observe(seconds);
  std::string family =
      exposition::FamilyHead("lat", "Latency.", exposition::FamilyType::kHistogram);
  exposition::MetricMessage metric;
  metric.AddLabel({"zone", "a"});
  metric.SetTime(1'000'000);
  metric.SetHistogram(native);
  metric.AppendTo(family);
  std::string page;
  exposition::AppendDelimited(page, family);
  const auto source = LoadSamples({Write("metrics.pb", page)}, {.timeout_ms = 60'000});
  ASSERT_TRUE(source) << source.error().message();
  EXPECT_EQ((*source)->now(), 1'000'000);
  const auto result = (*source)->Instant("histogram_count(lat)", (*source)->now());
  ASSERT_TRUE(result);
  EXPECT_EQ(std::get<promql::Vector>(result->value).at(0).f, 3);
  const auto bad = LoadSamples({Write("cut.pb", page.substr(0, 20))}, {.timeout_ms = 60'000});
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().message(),
            (folder_ / "cut.pb").string() + ":byte 0: the message is cut short");
}

TEST_F(QueryTest, ShowsVectorsAsTableJsonAndCsv) {
  const auto source = Load();
  const auto up = source->Instant("up", source->now());
  ASSERT_TRUE(up);
  EXPECT_EQ(FormatValue(up->value, QueryOutput::kTable),
            "METRIC  ZONE  VALUE\n"
            "up      a     0.5\n"
            "up      b     3\n");
  EXPECT_EQ(FormatValue(up->value, QueryOutput::kCsv),
            "metric,zone,time,value\n"
            "up,a,1970-01-01T00:16:55Z,0.5\n"
            "up,b,1970-01-01T00:16:55Z,3\n");
  EXPECT_EQ(
      FormatValue(up->value, QueryOutput::kJson),
      "{\"resultType\":\"vector\",\"result\":[{\"metric\":{\"__name__\":\"up\",\"zone\":\"a\"},"
      "\"value\":[1015,\"0.5\"]},{\"metric\":{\"__name__\":\"up\",\"zone\":\"b\"},\"value\":[1015,"
      "\"3\"]}]}\n");
  const auto odd = source->Instant("odd_names", source->now());
  EXPECT_EQ(FormatValue(odd->value, QueryOutput::kTable),
            "METRIC     TEXT      VALUE\n"
            "odd_names  a,\"b\"\\nc  NaN\n");
  EXPECT_EQ(FormatValue(odd->value, QueryOutput::kCsv),
            "metric,text,time,value\n"
            "odd_names,\"a,\"\"b\"\"\nc\",1970-01-01T00:16:55Z,NaN\n");
  const auto none = source->Instant("down", source->now());
  EXPECT_EQ(FormatValue(none->value, QueryOutput::kTable), "empty result\n");
  EXPECT_EQ(FormatValue(source->Instant("2*3", 0)->value, QueryOutput::kTable), "VALUE\n6\n");
  EXPECT_EQ(FormatValue(source->Instant("\"x\"", 0)->value, QueryOutput::kCsv), "value\nx\n");
}

TEST_F(QueryTest, ShowsRangesLabelsAndSeries) {
  const auto source = Load();
  const auto range = source->Evaluate("up{zone=\"a\"}", {1'000'000, 1'015'000, 15'000});
  ASSERT_TRUE(range);
  EXPECT_EQ(FormatValue(range->value, QueryOutput::kTable),
            "METRIC  ZONE  TIME                  VALUE\n"
            "up      a     1970-01-01T00:16:40Z  1\n"
            "up      a     1970-01-01T00:16:55Z  0.5\n");
  EXPECT_EQ(FormatSeries(*source->Series({"up"}), QueryOutput::kTable),
            "METRIC  ZONE\nup      a\nup      b\n");
  EXPECT_EQ(FormatSeries(*source->Series({"up{zone=\"b\"}"}), QueryOutput::kJson),
            "[{\"__name__\":\"up\",\"zone\":\"b\"}]\n");
  EXPECT_EQ(FormatTexts(*source->Labels("zone", {}), "zone", QueryOutput::kTable), "a\nb\n");
  EXPECT_EQ(FormatTexts(*source->Labels("", {"up"}), "label", QueryOutput::kCsv),
            "label\n__name__\nzone\n");
}

TEST_F(QueryTest, PutsACaretUnderTheFault) {
  struct CaretCase {
    const char* expr;
    const char* message;
    const char* want;
  };
  const CaretCase cases[] = {
      {"sum(", "1:5: parse error: x", "  sum(\n      ^\n"},
      {"a\n\tb +", "2:5: parse error: x", "  \tb +\n  \t   ^\n"},
      {"\"ä\" +", "1:7: parse error: x", "  \"ä\" +\n       ^\n"},
      {"sum(", "invalid parameter \"query\": 1:5: parse error: x", "  sum(\n      ^\n"},
      {"sum(", "1:500: parse error: x", "  sum(\n      ^\n"},
      {"sum(", "9:1: parse error: x", ""},
      {"sum(", "unknown position: parse error: x", ""},
      {"sum(", "GET http://127.0.0.1:10126: failed", ""},
  };
  for (const CaretCase& c : cases) EXPECT_EQ(CaretText(c.expr, c.message), c.want) << c.message;
}

TEST_F(QueryTest, AServerAnswersAsAFileDoes) {
  const base::SystemClock clock;
  storage::MemoryStore store({.retention_ms = 0});
  const auto appender = store.NewAppender();
  for (const auto& [zone, t, value] :
       {std::tuple{"a", 1'000'000, 1.0}, {"a", 1'015'000, 0.5}, {"b", 1'015'000, 3.0}}) {
    ASSERT_EQ(appender->Append(model::Labels::Of({{"__name__", "up"}, {"zone", zone}}), t, value),
              storage::AppendOutcome::kAppended);
  }
  const auto odd = model::Labels::Of({{"__name__", "odd_names"}, {"text", "a,\"b\"\nc"}});
  ASSERT_EQ(appender->Append(odd, 1'015'000, std::nan("")), storage::AppendOutcome::kAppended);
  ASSERT_TRUE(appender->Commit());
  const promql::Engine engine({}, clock);
  const auto log = base::Logger::Silent();
  rules::Manager rules({}, {engine, store, store, clock, log});
  collect::LatestRound latest;
  auto server = web::Server::Listen({.listen_address = "127.0.0.1:0"},
                                    {latest, store, engine, rules, clock, log, {}});
  ASSERT_TRUE(server);
  (*server)->Start();

  const auto loaded = Load();
  const auto asked = AskServer((*server)->url() + "/", 60'000);
  constexpr model::TimestampMs kNow = 1'015'000;
  for (const char* expr : {"up", "up[1m]", "sum by (zone) (up)", "odd_names", "1.5", "\"a\\nb\"",
                           "down", "-Inf", "up * 1e-9"}) {
    const auto from_file = loaded->Instant(expr, kNow);
    const auto from_server = asked->Instant(expr, kNow);
    ASSERT_TRUE(from_file && from_server) << expr;
    EXPECT_EQ(FormatValue(from_file->value, QueryOutput::kJson),
              FormatValue(from_server->value, QueryOutput::kJson));
    EXPECT_EQ(promql::FormatExplanation(*loaded->Explain(expr, {.t = kNow})),
              promql::FormatExplanation(*asked->Explain(expr, {.t = kNow})));
  }
  const promql::RangeTimes range{1'000'000, 1'020'000, 5'000};
  EXPECT_EQ(FormatValue(loaded->Evaluate("up", range)->value, QueryOutput::kJson),
            FormatValue(asked->Evaluate("up", range)->value, QueryOutput::kJson));
  EXPECT_EQ(*loaded->Series({"up", "odd_names"}), *asked->Series({"up", "odd_names"}));
  EXPECT_EQ(*loaded->Labels("", {"up"}), *asked->Labels("", {"up"}));
  EXPECT_EQ(*loaded->Labels("text", {}), *asked->Labels("text", {}));
  const auto refused = asked->Instant("sum(", kNow);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message(),
            "invalid parameter \"query\": 1:5: parse error: unclosed left parenthesis");
  EXPECT_EQ(asked->Instant("up + on() up", kNow).error().code(), base::ErrorCode::kExecution);
}

TEST_F(QueryTest, ReadsItsFlags) {
  const char* arguments[] = {"azexporter", "query",  "range",    "up",      "--load",
                             "a.om",       "--load", "b.om",     "--start", "1",
                             "--step",     "30s",    "--output", "csv"};
  const auto flags = ParseFlags(static_cast<int>(std::size(arguments)), arguments);
  ASSERT_TRUE(flags) << flags.error().text;
  EXPECT_EQ(flags->command, Command::kQuery);
  EXPECT_EQ(flags->query.kind, QueryKind::kRange);
  EXPECT_EQ(flags->query.expr, "up");
  EXPECT_EQ(flags->query.load, (std::vector<std::string>{"a.om", "b.om"}));
  EXPECT_EQ(flags->query.step, "30s");
  EXPECT_EQ(flags->query.output, "csv");
  const char* without[] = {"azexporter", "query"};
  EXPECT_FALSE(ParseFlags(2, without));
}

TEST(QueryLimitFlagsTest, ReachTheEngine) {
  const char* arguments[] = {"azexporter",
                             "--query.max-samples=7",
                             "--query.timeout=3s",
                             "--query.max-concurrency=2",
                             "--query.lookback-delta=1m",
                             "--web.enable-remote-write-receiver"};
  const auto flags = ParseFlags(static_cast<int>(std::size(arguments)), arguments);
  ASSERT_TRUE(flags) << flags.error().text;
  EXPECT_EQ(flags->engine.max_samples, 7U);
  EXPECT_EQ(flags->engine.timeout_ms, 3'000);
  EXPECT_EQ(flags->engine.lookback_ms, 60'000);
  EXPECT_EQ(flags->max_concurrency, 2U);
  EXPECT_TRUE(flags->enable_remote_write);
  EXPECT_EQ(flags->all.at("query.timeout"), "3s");
  EXPECT_EQ(flags->all.at("web.listen-address"), ":10126");
  EXPECT_EQ(flags->all.at("web.enable-lifecycle"), "false");
  EXPECT_FALSE(flags->all.contains("check.timeout"));
  for (const char* bad : {"--query.max-samples=0", "--query.timeout=0", "--query.timeout=x",
                          "--query.max-concurrency=0", "--query.lookback-delta=0s"}) {
    const char* one[] = {"azexporter", bad};
    EXPECT_FALSE(ParseFlags(2, one)) << bad;
  }
}

}  // namespace
}  // namespace azexporter::app
