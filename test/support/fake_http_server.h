#pragma once

// An HTTP server that answers what it is told to, or hangs, and notes what it was sent.
//
// Thread safety: thread-safe.

#include <gtest/gtest.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "simulator/http_server.h"

namespace azexporter::test {

class FakeHttpServer {
 public:
  explicit FakeHttpServer(simulator::HttpResponse answer,
                          const simulator::Certificate* certificate = nullptr)
      : answer_(std::move(answer)) {
    auto server = simulator::HttpServer::Start(
        {.certificate = certificate},
        [this](const simulator::HttpRequest& request) { return Take(request); });
    EXPECT_TRUE(server) << server.error().message();
    if (server) server_ = std::move(*server);
  }
  ~FakeHttpServer() {
    Hang(false);
    server_->Stop();
  }
  FakeHttpServer(const FakeHttpServer&) = delete;
  FakeHttpServer& operator=(const FakeHttpServer&) = delete;

  std::string base_url() const { return server_->url(); }
  void Hang(bool on) {
    std::lock_guard lock(mu_);
    hanging_ = on;
    changed_.notify_all();
  }
  void Answer(simulator::HttpResponse answer) {
    std::lock_guard lock(mu_);
    answer_ = std::move(answer);
  }
  // All that came so far.
  std::vector<simulator::HttpRequest> Requests() {
    std::lock_guard lock(mu_);
    return requests_;
  }

 private:
  simulator::HttpResponse Take(const simulator::HttpRequest& request) {
    std::unique_lock lock(mu_);
    requests_.push_back(request);
    changed_.wait(lock, [this] { return !hanging_; });
    return answer_;
  }

  std::mutex mu_;
  std::condition_variable changed_;
  bool hanging_ = false;
  simulator::HttpResponse answer_;
  std::vector<simulator::HttpRequest> requests_;
  std::unique_ptr<simulator::HttpServer> server_;
};

}  // namespace azexporter::test
