#pragma once

// HTTP servers on loopback that stand for Alertmanagers, and a sender that sends to them.

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

#include "azexporter/notify/sender.h"
#include "simulator/http_server.h"
#include "support/eventually.h"

namespace azexporter::notify {

using simulator::HttpRequest;
using simulator::HttpResponse;
using simulator::HttpServer;
using test::Eventually;

// Answers what it is told to, or hangs, and notes what it was sent.
class FakeAlertmanager {
 public:
  explicit FakeAlertmanager(const simulator::Certificate* certificate = nullptr) {
    auto server = HttpServer::Start({.certificate = certificate},
                                    [this](const HttpRequest& request) { return Take(request); });
    EXPECT_TRUE(server) << server.error().message();
    if (server) server_ = std::move(*server);
  }
  ~FakeAlertmanager() {
    Hang(false);
    server_->Stop();
  }

  std::string url() const { return server_->url() + "/api/v2/alerts"; }
  void Hang(bool on) {
    std::lock_guard lock(mu_);
    hanging_ = on;
    changed_.notify_all();
  }
  void Answer(int status, std::string body = "") {
    std::lock_guard lock(mu_);
    status_ = status;
    body_ = std::move(body);
  }
  void Redirect(int status, std::string to) {
    std::lock_guard lock(mu_);
    status_ = status;
    location_ = std::move(to);
  }
  std::vector<HttpRequest> Requests() {
    std::lock_guard lock(mu_);
    return requests_;
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

 private:
  HttpResponse Take(const HttpRequest& request) {
    std::unique_lock lock(mu_);
    requests_.push_back(request);
    changed_.wait(lock, [this] { return !hanging_; });
    HttpResponse response{.status = status_, .body = body_};
    if (!location_.empty()) response.headers.emplace_back("Location", location_);
    return response;
  }

  std::mutex mu_;
  std::condition_variable changed_;
  bool hanging_ = false;
  int status_ = 200;
  std::string body_;
  std::string location_;
  std::vector<HttpRequest> requests_;
  std::unique_ptr<HttpServer> server_;
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
