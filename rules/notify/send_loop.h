#pragma once

// The thread that sends to one Alertmanager, and what outlives it. Private to `notify`.

#include <array>
#include <atomic>
#include <memory>
#include <stop_token>
#include <thread>

#include "alert_queue.h"
#include "azexporter/base/result.h"
#include "azexporter/notify/sender.h"
#include "backoff.h"
#include "exchange.h"

namespace azexporter::notify {

// What belongs to a URL, whichever options a reload gives it.
//
// Thread safety: thread-safe.
struct Mailbox {
  explicit Mailbox(std::size_t capacity) : queue(capacity) {}

  AlertQueue queue;
  std::atomic<std::uint64_t> sent = 0;
  std::atomic<std::uint64_t> errors = 0;
  std::array<std::atomic<std::uint64_t>, kLatencyBoundsSeconds.size() + 1> latency_counts = {};
  std::atomic<std::int64_t> latency_sum_ns = 0;
  // The last batch failed, or the queue ran over and was not empty since: each was logged.
  std::atomic<bool> failing = false;
  std::atomic<bool> overflowing = false;
};

// What a loop shares with its sender, which outlives it.
struct LoopShared {
  const SenderOptions options;
  const SenderDeps deps;
  std::atomic<std::uint64_t> dropped = 0;
};

// Thread safety: thread-safe; Start is called once.
class SendLoop {
 public:
  // `shared` must outlive the loop.
  SendLoop(Alertmanager alertmanager, std::shared_ptr<Mailbox> mailbox, LoopShared& shared);
  // As Join.
  ~SendLoop();
  SendLoop(const SendLoop&) = delete;
  SendLoop& operator=(const SendLoop&) = delete;

  void Start();
  void Add(std::span<const Alert> alerts);
  // The loop ends when the mailbox is empty, or an exchange fails; a pause ends at once.
  void BeginDrain();
  // Has the loop end, whatever is left.
  void Abort();
  // As Abort, and waits for its end. A batch under way is then back in the mailbox.
  void Join();
  bool done() const { return done_; }
  // How long the exchange under way has lasted; 0 where there is none.
  std::int64_t BusyMs() const;

  const Alertmanager& alertmanager() const { return alertmanager_; }
  const std::shared_ptr<Mailbox>& mailbox() const { return mailbox_; }

 private:
  void Run(const std::stop_token& stop);
  base::Result<void> Post(std::span<const Alert> batch, const std::stop_token& stop);
  void Record(const base::Result<void>& posted, std::size_t count);
  void RecordLatency(std::int64_t took_ns);

  // constant after construction
  const Alertmanager alertmanager_;
  const std::shared_ptr<Mailbox> mailbox_;
  LoopShared& shared_;
  // own synchronisation
  std::atomic<std::int64_t> busy_since_ns_ = kIdle;
  std::atomic<bool> draining_ = false;
  std::atomic<bool> done_ = true;  // until it is started
  std::stop_source no_pause_;
  // of the loop's thread
  Exchange exchange_;
  Backoff backoff_;
  // last, so that it ends before the rest
  std::jthread thread_;

  static constexpr std::int64_t kIdle = -1;
};

}  // namespace azexporter::notify
