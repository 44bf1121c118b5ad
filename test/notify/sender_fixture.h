#pragma once

// HTTP servers on loopback that stand for Alertmanagers, and a sender that sends to them.

#include <gtest/gtest.h>

#include "azexporter/notify/sender.h"
#include "support/eventually.h"
#include "support/fake_http_server.h"

namespace azexporter::notify {

using simulator::HttpRequest;
using simulator::HttpResponse;
using test::Eventually;

class FakeAlertmanager : public test::FakeHttpServer {
 public:
  explicit FakeAlertmanager(const simulator::Certificate* certificate = nullptr)
      : FakeHttpServer(HttpResponse(), certificate) {}

  std::string url() const { return base_url() + "/api/v2/alerts"; }
  void Answer(int status, std::string body = "") {
    FakeHttpServer::Answer({.status = status, .body = std::move(body)});
  }
  void Redirect(int status, std::string to) {
    FakeHttpServer::Answer({.status = status, .headers = {{"Location", std::move(to)}}});
  }
  // How often each request names the alerts: "3 1".
  std::string BatchSizes() {
    std::string text;
    for (const HttpRequest& request : Requests()) {
      std::size_t count = 0;
      for (std::size_t at = request.body.find("startsAt"); at != std::string::npos;
           at = request.body.find("startsAt", at + 1)) {
        ++count;
      }
      text += (text.empty() ? "" : " ") + std::to_string(count);
    }
    return text;
  }
  // The "n" of every alert that came, in order.
  std::string Numbers() {
    std::string text;
    for (const HttpRequest& request : Requests()) {
      constexpr std::string_view kMark = "\"n\":\"";
      for (std::size_t at = request.body.find(kMark); at != std::string::npos;
           at = request.body.find(kMark, at + 1)) {
        const std::size_t begin = at + kMark.size();
        text += (text.empty() ? "" : " ") +
                request.body.substr(begin, request.body.find('"', begin) - begin);
      }
    }
    return text;
  }
};

inline std::vector<Alert> Numbered(int first, int last) {
  std::vector<Alert> alerts;
  for (int i = first; i <= last; ++i) {
    alerts.push_back({.labels = model::Labels::Of({{"n", std::to_string(i)}})});
  }
  return alerts;
}

class SenderTest : public testing::Test {
 protected:
  void Start(SenderOptions options, std::vector<Alertmanager> alertmanagers) {
    sender_ = std::make_unique<Sender>(options, SenderDeps{clock_, base::Logger::Silent()});
    sender_->Configure(std::move(alertmanagers), {});
  }
  bool Sent(std::size_t which, std::uint64_t want) {
    return Eventually([&] { return sender_->Stats().alertmanagers.at(which).sent == want; });
  }
  std::int64_t StopMs() {
    const std::int64_t start_ns = clock_.SteadyNs();
    sender_->Stop();
    return (clock_.SteadyNs() - start_ns) / 1'000'000;
  }

  base::SystemClock clock_;
  std::unique_ptr<Sender> sender_;
};

}  // namespace azexporter::notify
