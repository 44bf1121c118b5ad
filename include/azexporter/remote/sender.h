#pragma once

// Remote write as a sender: passes samples on to servers that take Prometheus's remote write, 1.0
// or 2.0. Each server has a queue and a thread of its own, so that one that hangs delays no other,
// and samples of one series are never reordered.
//
// There is no log on disk behind the queue: while a server is away samples wait in memory, and when
// the queue is full the oldest give way. What a server refuses (4xx) is counted and forgotten; what
// fails otherwise (5xx, 429, the network) is sent again, after pauses that grow.
// Semantics: prometheus/storage/remote/queue_manager.go.
//
// Thread safety: Sender is thread-safe; the structs are values.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "azexporter/base/clock.h"
#include "azexporter/base/logger.h"
#include "azexporter/exposition/remote_write_encode.h"
#include "azexporter/model/labels.h"
#include "azexporter/model/relabel.h"
#include "azexporter/model/sample.h"
#include "azexporter/remote/endpoint.h"

namespace azexporter::remote {

enum class WriteMessage {
  kV1,  // prometheus.WriteRequest
  kV2,  // io.prometheus.write.v2.Request
};

// A server that samples are sent to. Defaults as Prometheus's but for `capacity` and
// `retry_on_http_429`.
struct WriteTarget {
  Endpoint endpoint;
  std::string name;  // unique; the label remote_name
  WriteMessage message = WriteMessage::kV1;
  // What becomes of each series, its external labels included; what they drop is not sent.
  model::RelabelRules relabel = {};
  std::int64_t timeout_ms = 30'000;  // of a whole exchange
  // Samples that may wait, beside the batch under way. Prometheus has 10,000 a shard, and its log
  // behind them; here they are all there is to bridge an outage.
  std::size_t capacity = 500'000;
  std::size_t max_samples_per_send = 2'000;
  std::int64_t batch_send_deadline_ms = 5'000;  // how long a sample waits for a batch to fill up
  std::int64_t min_backoff_ms = 30;
  std::int64_t max_backoff_ms = 5'000;
  bool retry_on_http_429 = true;
  std::int64_t sample_age_limit_ms = 0;  // older samples are dropped unsent; 0: none
  bool send_metadata = true;             // of 1.0; 2.0 has them beside each series
  bool send_native_histograms = false;   // of 1.0; 2.0 always has them
  std::int64_t metadata_interval_ms = 60'000;

  friend bool operator==(const WriteTarget&, const WriteTarget&) = default;
};

struct WriteOptions {
  // At a stop: how long what is queued may still take to be sent. A failure ends it at once.
  std::int64_t drain_ms = 5'000;
};

struct WriteDeps {
  const base::Clock& clock;  // must outlive the sender
  base::Logger log;
};

// Counted since the start, in Prometheus's sense.
struct WriteStats {
  std::string name;
  std::string url;
  std::uint64_t samples = 0;             // sent; an attempt made again counts again
  std::uint64_t samples_failed = 0;      // refused, or not confirmed by a 2.0 server
  std::uint64_t samples_retried = 0;     // attempts that were made again
  std::uint64_t dropped_queue_full = 0;  // unsent
  std::uint64_t dropped_too_old = 0;
  std::uint64_t dropped_relabel = 0;
  std::uint64_t dropped_shutdown = 0;
  std::uint64_t dropped_native_histogram = 0;
  std::uint64_t metadata = 0;
  std::uint64_t metadata_failed = 0;
  std::uint64_t bytes = 0;  // of bodies with samples, compressed
  std::size_t pending = 0;
  std::size_t capacity = 0;
  model::TimestampMs highest = 0;       // of the samples queued so far
  model::TimestampMs highest_sent = 0;  // of those that were taken or refused
};

class Sender {
 public:
  Sender(WriteOptions options, WriteDeps deps);
  // As Stop.
  ~Sender();
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  // Sends to these targets from now on. What is queued for a target whose name and URL stay is
  // still sent, whatever else of it changed. A label of a series stands before an external one of
  // the same name.
  void Configure(std::vector<WriteTarget> targets, model::Labels external_labels);
  // What is told of families from now on.
  void SetMetadata(exposition::MetadataMap metadata);
  // Queues the samples for every target. Never waits for one.
  void Send(std::span<const model::Sample> samples);
  bool has_targets() const;
  // Sends what is queued, as long as that goes well and drain_ms have not passed, and ends the
  // threads. Samples that come later are ignored. May be called again.
  void Stop();

  // In the order of the configuration.
  std::vector<WriteStats> Stats() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace azexporter::remote
