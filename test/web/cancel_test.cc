// Queries that wait for their turn, and queries whose client has gone.

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "azexporter/base/wait.h"
#include "query_gate.h"
#include "server_fixture.h"

namespace azexporter::web {
namespace {

TEST(QueryGateTest, LetsABoundedNumberIn) {
  QueryGate gate(2);
  auto first = gate.Enter(0, {});
  ASSERT_TRUE(first);
  {
    const auto second = gate.Enter(0, {});
    ASSERT_TRUE(second);
    const auto third = gate.Enter(10, {});
    ASSERT_FALSE(third);
    EXPECT_EQ(third.error().code(), base::ErrorCode::kExecution);
    EXPECT_EQ(third.error().message(), "context deadline exceeded");
  }
  EXPECT_TRUE(gate.Enter(0, {}));
}

TEST(QueryGateTest, TheNextOneEntersWhenAPlaceIsFree) {
  QueryGate gate(1);
  auto place = std::make_unique<QueryGate::Place>(*gate.Enter(0, {}));
  std::jthread waiting([&gate] { EXPECT_TRUE(gate.Enter(60'000, {})); });
  place.reset();
}

TEST(QueryGateTest, AStopEndsTheWait) {
  QueryGate gate(1);
  const auto place = gate.Enter(0, {});
  ASSERT_TRUE(place);
  std::stop_source stop;
  std::jthread waiting([&] {
    const auto entered = gate.Enter(60'000, stop.get_token());
    ASSERT_FALSE(entered);
    EXPECT_EQ(entered.error().code(), base::ErrorCode::kCanceled);
    EXPECT_EQ(entered.error().message(), "context canceled");
  });
  stop.request_stop();
}

// Takes a quarter of a minute if nothing ends it: 200 times, at each of 11,000 steps, the quantile
// of 360 values. The engine looks whether it is to stop between the 200.
std::string LongQuery() {
  std::string query = "0";
  for (int i = 0; i < 200; ++i) {
    query += "%2Bquantile_over_time(0.5,(vector(time())%251" + std::to_string(i % 10) + ")[6h:1m])";
  }
  return query;
}

class CancelTest : public ServerTest {
 protected:
  void SetUp() override { Listen(Deps(), {.max_concurrency = 1}); }

  // Sends the long query and returns its connection, on which nothing was read yet.
  int Begin() {
    const std::string url = server_->url();
    const int port = std::stoi(url.substr(url.rfind(':') + 1));
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    auto* any = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(connect(socket, any, sizeof address), 0);
    const std::string form = "start=0&end=10999&step=1&query=" + LongQuery();
    const std::string request =
        "POST /api/v1/query_range HTTP/1.1\r\nHost: a\r\nContent-Type: "
        "application/x-www-form-urlencoded\r\nContent-Length: " +
        std::to_string(form.size()) + "\r\n\r\n" + form;
    EXPECT_EQ(send(socket, request.data(), request.size(), 0),
              static_cast<ssize_t>(request.size()));
    return socket;
  }
  // The long query is running: there is no place for another one.
  void AwaitBusy() {
    for (int i = 0; i < 5'000; ++i) {
      if (Ask("/api/v1/query?query=1&timeout=0.001").status == 422) return;
      base::WaitFor({}, 1);
    }
    FAIL() << "the long query did not begin";
  }
};

TEST_F(CancelTest, AQueryEndsWhenItsClientGoes) {
  const int socket = Begin();
  AwaitBusy();
  const auto waiting = Ask("/api/v1/query?query=1&timeout=50ms");
  EXPECT_EQ(waiting.status, 422);
  EXPECT_NE(waiting.body.find("\"execution\",\"error\":\"context deadline exceeded\""),
            std::string::npos);
  close(socket);
  EXPECT_EQ(Ask("/api/v1/query?query=1&timeout=5s").status, 200);
}

TEST_F(CancelTest, AQueryEndsWhenTheServerStops) {
  const int socket = Begin();
  AwaitBusy();
  server_->Stop();
  std::string answer(200, '\0');
  const ssize_t got = recv(socket, answer.data(), answer.size(), 0);
  ASSERT_GT(got, 0);
  EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 499");
  close(socket);
}

}  // namespace
}  // namespace azexporter::web
