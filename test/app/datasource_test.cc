// The data source of rules against an HTTP server on loopback that stands for a Prometheus.

#include "datasource.h"

#include <gtest/gtest.h>

#include <cmath>
#include <mutex>
#include <thread>

#include "azexporter/promql/parser.h"
#include "simulator/http_server.h"
#include "support/eventually.h"

namespace azexporter::app {
namespace {

using simulator::HttpRequest;
using simulator::HttpResponse;
using simulator::HttpServer;

class DatasourceTest : public testing::Test {
 protected:
  void SetUp() override {
    auto server = HttpServer::Start({}, [this](const HttpRequest& request) {
      std::unique_lock lock(mu_);
      requests_.push_back(request);
      if (!hang_) return answer_;
      lock.unlock();
      while (request.client->Alive()) base::WaitFor(request.client->stop(), 5);
      return HttpResponse();
    });
    ASSERT_TRUE(server) << server.error().message();
    server_ = std::move(*server);
    source_ = std::make_unique<Datasource>(
        config::Datasource{.endpoint = {.url = server_->url() + "/prom/"}, .timeout_ms = 5'000});
  }
  void TearDown() override { server_->Stop(); }

  void Answer(int status, std::string body) {
    std::lock_guard lock(mu_);
    answer_ = {.status = status, .body = std::move(body)};
  }
  void Data(const std::string& data) { Answer(200, R"({"status":"success","data":)" + data + "}"); }
  base::Result<promql::QueryResult> Ask(std::string_view query, model::TimestampMs t = 1'500) {
    const auto expr = promql::ParseExpr(query);
    EXPECT_TRUE(expr) << expr.error().message();
    return source_->Evaluate(**expr, t);
  }
  std::string ErrorOf(std::string_view query, model::TimestampMs t = 1'500) {
    const auto result = Ask(query, t);
    return result ? "no error" : result.error().message();
  }
  std::vector<HttpRequest> Requests() {
    std::lock_guard lock(mu_);
    return requests_;
  }

  std::mutex mu_;
  bool hang_ = false;
  HttpResponse answer_;
  std::vector<HttpRequest> requests_;
  std::unique_ptr<HttpServer> server_;
  std::unique_ptr<Datasource> source_;
};

TEST_F(DatasourceTest, AsksByPostAtTheTimeOfTheEvaluation) {
  Data(R"({"resultType":"vector","result":[
      {"metric":{"__name__":"up","zone":"a"},"value":[1.5,"0"]},
      {"metric":{"zone":"b"},"value":[1.5,"NaN"]},{"metric":{},"value":[1.5,"+Inf"]}]})");
  const auto result = Ask("up ==0");
  ASSERT_TRUE(result) << result.error().message();
  const auto& vector = std::get<promql::Vector>(result->value);
  ASSERT_EQ(vector.size(), 3U);
  EXPECT_EQ(vector[0].labels.ToString(), R"(up{zone="a"})");
  EXPECT_EQ(vector[0].t, 1'500);
  EXPECT_EQ(vector[0].f, 0);
  EXPECT_TRUE(std::isnan(vector[1].f));
  EXPECT_TRUE(std::isinf(vector[2].f));
  const HttpRequest request = Requests().at(0);
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.path, "/prom/api/v1/query");
  EXPECT_EQ(request.Header("Content-Type"), "application/x-www-form-urlencoded");
  EXPECT_EQ(request.body, "query=up%20%3D%3D%200&time=1.5&timeout=5");
}

TEST_F(DatasourceTest, AScalarIsAScalarAndWarningsStay) {
  Answer(200, R"({"status":"success","data":{"resultType":"scalar","result":[1.5,"7"]},
                  "warnings":["half of it"]})");
  const auto result = Ask("7");
  ASSERT_TRUE(result) << result.error().message();
  EXPECT_EQ(std::get<promql::Scalar>(result->value).f, 7);
  EXPECT_EQ(result->warnings, (std::vector<std::string>{"half of it"}));
}

TEST_F(DatasourceTest, NamesWhatIsWrong) {
  Answer(422, R"({"status":"error","errorType":"execution","error":"too many samples"})");
  EXPECT_EQ(ErrorOf("up"), "datasource: too many samples");
  Answer(503, R"({"status":"error","errorType":"timeout","error":"query timed out"})");
  EXPECT_EQ(Ask("up").error().code(), base::ErrorCode::kTimeout);
  Answer(401, "Unauthorized");
  EXPECT_EQ(ErrorOf("up"), "datasource: the answer is not that of a Prometheus API: " +
                               server_->url() + "/prom: HTTP status 401");
  Data(R"({"resultType":"vector","result":[{"metric":{"__name__":"h"},"histogram":[1,{}]}]})");
  EXPECT_EQ(ErrorOf("h"), "datasource: native histograms are not supported yet: h");
  Data(R"({"resultType":"vector","result":[{"metric":{},"value":[1]}]})");
  EXPECT_EQ(ErrorOf("up"),
            "datasource: the answer is not that of a Prometheus API: a point is no pair");
}

TEST_F(DatasourceTest, AnOutageIsWaitedForOnceATime) {
  Answer(0, "");
  const std::string error = ErrorOf("up", 1'000);
  EXPECT_TRUE(error.starts_with("datasource: POST " + server_->url() + "/prom/api/v1/query: "))
      << error;
  const std::size_t asked = Requests().size();
  EXPECT_EQ(ErrorOf("down", 1'000), error);
  EXPECT_EQ(Requests().size(), asked);
  Data(R"({"resultType":"vector","result":[]})");
  EXPECT_TRUE(Ask("up", 2'000));
}

TEST_F(DatasourceTest, AStopEndsTheQuestionUnderWay) {
  hang_ = true;
  std::jthread stopper([this] {
    EXPECT_TRUE(test::Eventually([this] { return !Requests().empty(); }));
    source_->Stop();
  });
  const auto result = Ask("up");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), base::ErrorCode::kCanceled);
  EXPECT_EQ(Ask("up", 2'000).error().code(), base::ErrorCode::kCanceled);
}

}  // namespace
}  // namespace azexporter::app
