#pragma once

// A server on a store with two series and a rule, and a client that asks it.

#include <gtest/gtest.h>

#include "azexporter/net/http_client.h"
#include "azexporter/storage/memory_store.h"
#include "azexporter/web/server.h"

namespace azexporter::web {

inline constexpr std::int64_t kNow = 1'800'000'000'000;

inline constexpr model::MetricDesc kUp = {"up", "Up.", model::MetricType::kGauge, {}};

// The characters of PromQL that a URL must not hold, escaped.
inline std::string Encode(std::string_view target) {
  std::string out;
  for (const char c : target) {
    switch (c) {
      case '"':
        out += "%22";
        break;
      case '{':
        out += "%7B";
        break;
      case '}':
        out += "%7D";
        break;
      case ' ':
        out += "%20";
        break;
      default:
        out += c;
    }
  }
  return out;
}

class ServerTest : public ::testing::Test {
 protected:
  ServerTest()
      : engine_(promql::EngineOptions{}, clock_),
        rules_({}, {engine_, store_, store_, clock_, base::Logger::Silent()}) {
    const auto appender = store_.NewAppender();
    for (const char* zone : {"a", "b"}) {
      const auto labels = model::Labels::Of({{"__name__", "up"}, {"zone", zone}});
      EXPECT_EQ(appender->Append(labels, kNow - 15'000, 1), storage::AppendOutcome::kAppended);
      EXPECT_EQ(appender->Append(labels, kNow, zone[0] == 'a' ? 0.5 : 1e21),
                storage::AppendOutcome::kAppended);
    }
    EXPECT_TRUE(appender->Commit());
    auto groups = rules::ParseRuleFile(
        "groups: [{name: g, rules: [{alert: Half, expr: up == 0.5, labels: {severity: warning}, "
        "annotations: {summary: 'zone {{ $labels.zone }} at {{ $value }}'}}]}]",
        "rules.yaml");
    EXPECT_TRUE(groups);
    rules_.SetGroups(std::move(*groups), {});
    rules_.EvaluateAll(kNow);
    Listen(std::function<base::Result<void>()>());
  }

  void Listen(std::function<base::Result<void>()> reload) {
    server_.reset();
    ServerDeps deps = Deps();
    deps.reload = std::move(reload);
    Listen(std::move(deps), {});
  }

  ServerDeps Deps() {
    return {.latest = latest_,
            .store = store_,
            .engine = engine_,
            .rules = rules_,
            .clock = clock_,
            .log = base::Logger::Silent(),
            .store_stats = [this] { return store_.stats(); }};
  }

  void Listen(ServerDeps deps, ServerOptions options) {
    server_.reset();
    options.listen_address = "127.0.0.1:0";
    options.version = "1.2.3";
    auto server = Server::Listen(std::move(options), std::move(deps));
    ASSERT_TRUE(server) << server.error().message();
    server_ = std::move(*server);
    server_->Start();
    // cpp-httplib makes its constants with the first request. ThreadSanitizer does not see how it
    // guards them, and would take two first requests at a time for a race.
    ASSERT_EQ(Ask("/-/healthy").status, 200);
  }

  void PublishRound() {
    auto round = std::make_shared<collect::Round>();
    round->report.timestamp_ms = kNow;
    round->report.zones.push_back({.zone = "<a>", .state = zones::ZoneState::kFullDisruption});
    model::MetricFamily family{&kUp, {{{}, 1}}, {}};
    round->snapshot.blocks.push_back(collect::Block::Make("test", {family}));
    latest_.Publish(std::move(round));
  }

  net::HttpResponse Ask(const std::string& target, const std::string& method = "GET",
                        const std::string& body = "", bool gzip = false) {
    net::HttpRequest request{.method = method, .url = server_->url() + target, .body = body};
    request.accept_gzip = gzip;
    request.fresh_connection = true;  // the server need not wait for an idle one at its end
    if (!body.empty()) {
      request.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
    }
    auto response = http_.Fetch(request);
    EXPECT_TRUE(response) << response.error().message();
    return response ? *response : net::HttpResponse();
  }

  net::HttpResponse Send(net::HttpRequest request) {
    request.url = server_->url() + request.url;
    request.fresh_connection = true;
    auto response = http_.Fetch(request);
    EXPECT_TRUE(response) << response.error().message();
    return response ? *response : net::HttpResponse();
  }

  base::FakeClock clock_{kNow};
  storage::MemoryStore store_;
  promql::Engine engine_;
  rules::Manager rules_;
  collect::LatestRound latest_;
  std::unique_ptr<Server> server_;
  net::HttpClient http_{{.user_agent = "test"}};
};

}  // namespace azexporter::web
