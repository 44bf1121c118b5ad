#pragma once

// The thread that sends to one server, and what outlives it. Private to `remote`.

#include <atomic>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "azexporter/base/mutex.h"
#include "azexporter/remote/sender.h"
#include "sample_queue.h"

namespace azexporter::remote {

// Pauses between attempts: each twice as long as the one before, and a random part of up to a half
// less, so that many senders do not come back together.
//
// Thread safety: one thread only.
class Backoff {
 public:
  Backoff(std::int64_t min_ms, std::int64_t max_ms, std::uint32_t seed)
      : max_ms_(max_ms), next_ms_(min_ms), random_(seed) {}

  // `asked_ms` is the least that the server asked for; 0: nothing.
  std::int64_t NextMs(std::int64_t asked_ms);

 private:
  const std::int64_t max_ms_;
  std::int64_t next_ms_;
  std::minstd_rand random_;
};

// The milliseconds that a Retry-After header asks for, seconds or a date; 0 where it asks nothing
// of the future. At most ten minutes.
std::int64_t RetryAfterMs(std::string_view header, std::int64_t now_ms);

// What belongs to a name and URL, whichever options a reload gives it.
//
// Thread safety: thread-safe.
struct Backlog {
  explicit Backlog(std::size_t capacity) : queue(capacity) {}

  SampleQueue queue;
  std::atomic<std::size_t> in_flight = 0;
  std::atomic<std::uint64_t> samples = 0;
  std::atomic<std::uint64_t> failed = 0;
  std::atomic<std::uint64_t> retried = 0;
  std::atomic<std::uint64_t> dropped_queue_full = 0;
  std::atomic<std::uint64_t> dropped_too_old = 0;
  std::atomic<std::uint64_t> dropped_relabel = 0;
  std::atomic<std::uint64_t> dropped_shutdown = 0;
  std::atomic<std::uint64_t> dropped_native_histogram = 0;
  std::atomic<std::uint64_t> metadata = 0;
  std::atomic<std::uint64_t> metadata_failed = 0;
  std::atomic<std::uint64_t> bytes = 0;
  std::atomic<model::TimestampMs> highest = 0;
  std::atomic<model::TimestampMs> highest_sent = 0;
  // Each was logged, and did not end since.
  std::atomic<bool> failing = false;
  std::atomic<bool> refused = false;
  std::atomic<bool> overflowing = false;
};

// What the loops share with their sender, which outlives them.
//
// Thread safety: thread-safe.
struct WriteShared {
  const WriteOptions options;
  const WriteDeps deps;

  std::shared_ptr<const exposition::MetadataMap> Metadata() const {
    base::MutexLock lock(mu);
    return metadata;
  }

  mutable base::Mutex mu;
  std::shared_ptr<const exposition::MetadataMap> metadata AZX_GUARDED_BY(mu) =
      std::make_shared<const exposition::MetadataMap>();
};

// Thread safety: thread-safe; Start is called once.
class WriteLoop {
 public:
  // `shared` must outlive the loop.
  WriteLoop(WriteTarget target, model::Labels external_labels, std::shared_ptr<Backlog> backlog,
            WriteShared& shared);
  // As Join.
  ~WriteLoop();
  WriteLoop(const WriteLoop&) = delete;
  WriteLoop& operator=(const WriteLoop&) = delete;

  void Start();
  void Add(std::span<const model::Sample> samples);
  // The loop ends when the queue is empty, or an attempt fails.
  void BeginDrain();
  // Has the loop end, whatever is left.
  void Abort();
  // As Abort, and waits for its end. A batch under way is then back in the queue.
  void Join();
  bool done() const { return done_; }
  WriteStats Stats() const;

  const WriteTarget& target() const { return target_; }
  const model::Labels& external_labels() const { return external_labels_; }
  const std::shared_ptr<Backlog>& backlog() const { return backlog_; }

 private:
  struct Answer {
    enum class Kind { kTaken, kRefused, kFailed };
    Kind kind = Kind::kTaken;
    std::size_t written = 0;  // samples that were stored
    std::string error;        // where that is not all of them
    std::int64_t retry_after_ms = 0;
  };
  using Batch = std::vector<model::Sample>;

  void Run(const std::stop_token& stop);
  // False when the loop is to end; the batch is then back in the queue.
  bool SendBatch(Batch batch, const std::stop_token& stop);
  void SendMetadata(const std::stop_token& stop);
  void DropOld(Batch& batch);
  // With the labels they are sent with; without those that are not.
  Batch Relabelled(std::span<const model::Sample> samples);
  std::string Encode(const Batch& batch) const;
  Answer Post(const std::string& body, std::size_t count, int attempt, const std::stop_token& stop);
  Answer Judge(const net::HttpResponse& response, std::size_t count) const;
  void Record(const Answer& answer, const Batch& batch);
  void TellFailure(const Answer& answer);

  // guarded by relabel_mu_
  base::Mutex relabel_mu_;
  // What became of the labels of a series; nothing where it is dropped.
  std::unordered_map<model::Labels, std::optional<model::Labels>, model::LabelsHash> relabelled_
      AZX_GUARDED_BY(relabel_mu_);
  // constant after construction
  const WriteTarget target_;
  const model::Labels external_labels_;
  const std::shared_ptr<Backlog> backlog_;
  WriteShared& shared_;
  // own synchronisation
  std::atomic<bool> draining_ = false;
  std::atomic<bool> done_ = true;  // until it is started
  // of the loop's thread
  EndpointClient client_;
  std::int64_t metadata_due_ns_ = 0;
  // last, so that it ends before the rest
  std::jthread thread_;
};

}  // namespace azexporter::remote
