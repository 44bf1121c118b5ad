#include "send_loop.h"

#include <pthread.h>

#include <algorithm>
#include <functional>

#include "azexporter/base/wait.h"

namespace azexporter::notify {
namespace {

// Loops that begin together do not pause together.
std::uint32_t SeedOf(const std::string& url, std::int64_t now_ns) {
  return static_cast<std::uint32_t>(std::hash<std::string>()(url) ^
                                    static_cast<std::size_t>(now_ns));
}

}  // namespace

SendLoop::SendLoop(Alertmanager alertmanager, std::shared_ptr<Mailbox> mailbox, LoopShared& shared)
    : alertmanager_(std::move(alertmanager)),
      mailbox_(std::move(mailbox)),
      shared_(shared),
      exchange_(alertmanager_),
      backoff_(shared.options.min_backoff_ms, shared.options.max_backoff_ms,
               SeedOf(alertmanager_.url, shared.deps.clock.SteadyNs())) {}

SendLoop::~SendLoop() { Join(); }

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
  no_pause_.request_stop();
  mailbox_->queue.Close();
}

void SendLoop::Abort() {
  thread_.request_stop();
  no_pause_.request_stop();
}

void SendLoop::Join() {
  Abort();
  thread_ = std::jthread();
}

std::int64_t SendLoop::BusyMs() const {
  const std::int64_t since_ns = busy_since_ns_;
  return since_ns == kIdle ? 0 : (shared_.deps.clock.SteadyNs() - since_ns) / 1'000'000;
}

void SendLoop::Run(const std::stop_token& stop) {
  for (;;) {
    std::vector<Alert> batch = mailbox_->queue.Take(shared_.options.max_batch, stop);
    if (batch.empty()) return;
    if (shared_.deps.may_send && !shared_.deps.may_send()) continue;
    const auto posted = Post(batch, stop);
    const bool aborted = !posted && stop.stop_requested();
    if (!aborted) Record(posted, batch.size());
    if (posted) {
      backoff_.Reset();
      continue;
    }
    // Refused for what it holds: it would be again.
    if (!aborted && posted.error().code() == base::ErrorCode::kBadData) continue;
    shared_.dropped += mailbox_->queue.PutBack(std::move(batch));
    if (aborted || draining_) return;
    base::WaitFor(no_pause_.get_token(), backoff_.NextMs());
  }
}

base::Result<void> SendLoop::Post(std::span<const Alert> batch, const std::stop_token& stop) {
  const std::int64_t begin_ns = shared_.deps.clock.SteadyNs();
  busy_since_ns_ = begin_ns;
  const auto posted = exchange_.Post(batch, stop);
  busy_since_ns_ = kIdle;
  if (!stop.stop_requested()) RecordLatency(shared_.deps.clock.SteadyNs() - begin_ns);
  return posted;
}

void SendLoop::RecordLatency(std::int64_t took_ns) {
  const double seconds = static_cast<double>(took_ns) / 1e9;
  const auto bucket =
      std::lower_bound(kLatencyBoundsSeconds.begin(), kLatencyBoundsSeconds.end(), seconds);
  const auto index = static_cast<std::size_t>(bucket - kLatencyBoundsSeconds.begin());
  ++mailbox_->latency_counts[index];
  mailbox_->latency_sum_ns += took_ns;
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

}  // namespace azexporter::notify
