#include "send_loop.h"

#include <pthread.h>

#include <algorithm>

#include "azexporter/base/file.h"

namespace azexporter::notify {
namespace {

constexpr std::int64_t kMaxConnectMs = 5'000;
constexpr std::size_t kMaxAnswerBytes = 1 << 20;
constexpr std::size_t kShownAnswerBytes = 200;

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t begin = std::min(text.find_first_not_of(kSpace), text.size());
  const std::size_t end = text.find_last_not_of(kSpace);
  return text.substr(begin, end == std::string_view::npos ? 0 : end + 1 - begin);
}

base::Result<void> ReadOptional(const std::string& path, std::string& out) {
  out.clear();
  if (path.empty()) return {};
  AZX_ASSIGN_OR_RETURN(out, base::ReadFile(path));
  return {};
}

bool SameTls(const net::TlsOptions& a, const net::TlsOptions& b) {
  return a.ca_pem == b.ca_pem && a.client_cert_pem == b.client_cert_pem &&
         a.client_key_pem == b.client_key_pem && a.insecure_skip_verify == b.insecure_skip_verify;
}

}  // namespace

SendLoop::SendLoop(Alertmanager alertmanager, std::shared_ptr<Mailbox> mailbox, LoopShared& shared)
    : alertmanager_(std::move(alertmanager)), mailbox_(std::move(mailbox)), shared_(shared) {}

SendLoop::~SendLoop() = default;

void SendLoop::Start() {
  done_ = false;
  thread_ = std::jthread([this](std::stop_token stop) {
    pthread_setname_np(pthread_self(), "notify");
    Run(stop);
    done_ = true;
  });
}

void SendLoop::Add(std::span<const Alert> alerts) {
  const std::size_t dropped = mailbox_->queue.Add(alerts);
  if (dropped == 0) return;
  shared_.dropped += dropped;
  if (mailbox_->overflowing.exchange(true)) return;
  shared_.deps.log.Warn("notification queue full, oldest alerts dropped",
                        {{"alertmanager", alertmanager_.url},
                         {"capacity", std::to_string(shared_.options.queue_capacity)}});
}

void SendLoop::BeginDrain() {
  draining_ = true;
  mailbox_->queue.Close();
}

void SendLoop::Abort() { thread_.request_stop(); }

void SendLoop::Join() { thread_ = std::jthread(); }

std::int64_t SendLoop::BusyMs() const {
  const std::int64_t since_ns = busy_since_ns_;
  return since_ns == kIdle ? 0 : (shared_.deps.clock.SteadyNs() - since_ns) / 1'000'000;
}

void SendLoop::Run(const std::stop_token& stop) {
  for (;;) {
    std::vector<Alert> batch = mailbox_->queue.Take(shared_.options.max_batch, stop);
    if (batch.empty()) return;
    busy_since_ns_ = shared_.deps.clock.SteadyNs();
    const auto posted = Post(batch, stop);
    busy_since_ns_ = kIdle;
    if (!posted && stop.stop_requested()) {
      shared_.dropped += mailbox_->queue.PutBack(std::move(batch));
      return;
    }
    Record(posted, batch.size());
    if (!posted && draining_) return;
  }
}

void SendLoop::Record(const base::Result<void>& posted, std::size_t count) {
  if (posted) {
    mailbox_->sent += count;
    if (mailbox_->queue.size() == 0) mailbox_->overflowing = false;
    if (mailbox_->failing.exchange(false)) {
      shared_.deps.log.Info("alerts arrive again", {{"alertmanager", alertmanager_.url}});
    }
    return;
  }
  mailbox_->errors += count;
  if (mailbox_->failing.exchange(true)) return;
  shared_.deps.log.Warn("alerts not sent", {{"alertmanager", alertmanager_.url},
                                            {"alerts", std::to_string(count)},
                                            {"error", posted.error().message()}});
}

base::Result<net::HttpClient*> SendLoop::Client() {
  net::TlsOptions tls{.insecure_skip_verify = alertmanager_.insecure_skip_verify};
  AZX_RETURN_IF_ERROR(ReadOptional(alertmanager_.ca_file, tls.ca_pem));
  AZX_RETURN_IF_ERROR(ReadOptional(alertmanager_.cert_file, tls.client_cert_pem));
  AZX_RETURN_IF_ERROR(ReadOptional(alertmanager_.key_file, tls.client_key_pem));
  if (!client_ || !SameTls(tls, tls_)) {
    tls_ = tls;
    client_ = std::make_unique<net::HttpClient>(
        net::HttpClientOptions{.user_agent = "azexporter", .tls = std::move(tls)});
  }
  return client_.get();
}

base::Result<std::string> SendLoop::BasicAuth() const {
  if (alertmanager_.username.empty() && alertmanager_.password_file.empty()) return std::string();
  std::string password;
  AZX_RETURN_IF_ERROR(ReadOptional(alertmanager_.password_file, password));
  return alertmanager_.username + ":" + std::string(Trim(password));
}

base::Result<void> SendLoop::Post(std::span<const Alert> batch, const std::stop_token& stop) {
  net::HttpRequest request{.method = "POST",
                           .url = alertmanager_.url,
                           .headers = {{"Content-Type", "application/json"}},
                           .body = AlertsJson(batch),
                           .connect_timeout_ms = std::min(kMaxConnectMs, alertmanager_.timeout_ms),
                           .timeout_ms = alertmanager_.timeout_ms,
                           .max_body_bytes = kMaxAnswerBytes};
  AZX_ASSIGN_OR_RETURN(request.basic_auth, BasicAuth());
  AZX_ASSIGN_OR_RETURN(net::HttpClient * client, Client());
  AZX_ASSIGN_OR_RETURN(const net::HttpResponse response, client->Fetch(request, stop));
  if (response.ok()) return {};
  const std::string_view answer =
      Trim(std::string_view(response.body).substr(0, kShownAnswerBytes));
  return base::Fail(base::ErrorCode::kUnavailable,
                    "POST " + net::RedactUrl(alertmanager_.url) + ": HTTP status " +
                        std::to_string(response.status) +
                        (answer.empty() ? "" : ": " + std::string(answer)));
}

}  // namespace azexporter::notify
