#pragma once

// Takes remote write requests into the store. Private to `web`.
// Semantics: prometheus/storage/remote/write_handler.go, for version 1.0 of the protocol.

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "azexporter/base/clock.h"
#include "azexporter/base/logger.h"
#include "azexporter/collect/self_metrics.h"
#include "azexporter/exposition/remote_write.h"
#include "azexporter/storage/storage.h"

namespace azexporter::web {

// Thread safety: thread-safe.
class RemoteWrite {
 public:
  struct Message {
    std::string_view content_type;
    std::string_view content_encoding;
    std::string_view body;
  };
  // 204 without a text, or why not.
  struct Answer {
    int status = 204;
    std::string text;
  };

  // Both must outlive this.
  RemoteWrite(storage::Appendable& store, const base::Clock& clock, base::Logger log)
      : store_(store), clock_(clock), log_(std::move(log)) {}

  // A request is stored as a whole or, with a status other than 204, not at all; two things are
  // excepted. A sample that was overtaken by an earlier one of the same series and request, or by
  // another writer, is left out, as Prometheus leaves it out when it commits. Native histograms are
  // not supported: they are left out, and the answer is then 400, so that the sender says so in its
  // log, while the samples beside them are stored.
  Answer Take(const Message& message);

  collect::RemoteWriteCounts counts() const;

 private:
  using Reason = collect::RemoteWriteReason;
  // What appending came to.
  struct Attempt {
    Answer answer;
    Reason reason = Reason::kNone;  // of the refusal
    std::uint64_t out_of_order = 0;
    std::uint64_t duplicate = 0;
  };

  Answer Refuse(Reason reason, int status, std::string text);
  Answer Store(const exposition::WriteRequest& request);
  Attempt TryStore(const exposition::WriteRequest& request);
  bool AppendSeries(const exposition::WriteRequest& request,
                    const exposition::WriteRequest::Series& series, storage::Appender& appender,
                    Attempt& attempt) const;

  storage::Appendable& store_;
  const base::Clock& clock_;
  const base::Logger log_;
  std::atomic<std::uint64_t> requests_ = 0;
  std::atomic<std::uint64_t> samples_ = 0;
  std::array<std::atomic<std::uint64_t>, collect::kRemoteWriteReasons> refused_ = {};
  std::array<std::atomic<std::uint64_t>, collect::kRemoteWriteReasons> dropped_ = {};
};

}  // namespace azexporter::web
