#pragma once

// Takes remote write requests into the store. Private to `web`.
// Semantics: prometheus/storage/remote/write_handler.go.

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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
  // What of a request of version 2.0 was stored.
  struct Written {
    std::size_t samples = 0;
    std::size_t histograms = 0;
    std::size_t exemplars = 0;  // are checked and left out
  };
  // 204 without a text, or why not.
  struct Answer {
    int status = 204;
    std::string text;
    std::optional<Written> written = std::nullopt;  // of 2.0
  };

  // Both must outlive this.
  RemoteWrite(storage::Appendable& store, const base::Clock& clock, base::Logger log)
      : store_(store), clock_(clock), log_(std::move(log)) {}

  // A request of version 1.0 is stored as a whole or, with a status other than 204, not at all, but
  // for a sample that was overtaken by an earlier one of the same series and request, or by another
  // writer: it is left out, as Prometheus leaves it out when it commits. Of a request of
  // version 2.0 all is stored that can be; where anything cannot, the answer is 400 and names it.
  Answer Take(const Message& message);

  collect::RemoteWriteCounts counts() const;

 private:
  using Reason = collect::RemoteWriteReason;
  // What became of one sample.
  struct Verdict {
    Reason reason = Reason::kNone;  // stored
    std::string text = {};
  };
  // What appending a request of version 1.0 came to.
  struct Attempt {
    Answer answer;
    Reason reason = Reason::kNone;  // of the refusal
    std::uint64_t out_of_order = 0;
    std::uint64_t duplicate = 0;
  };
  // Of 2.0: what was refused, while the rest was stored.
  struct Refusals {
    std::vector<std::string> texts;  // the first of them
    std::size_t count = 0;
    Reason first = Reason::kNone;
  };

  Answer Refuse(Reason reason, int status, std::string text);
  Answer Store(const exposition::WriteRequest& request);
  Attempt TryStore(const exposition::WriteRequest& request);
  bool AppendSeries(const exposition::WriteRequest& request,
                    const exposition::WriteRequest::Series& series, storage::Appender& appender,
                    Attempt& attempt) const;
  Answer StoreV2(const exposition::WriteRequest& request);
  void AppendSeriesV2(const exposition::WriteRequest& request,
                      const exposition::WriteRequest::Series& series, storage::Appender& appender,
                      Written& written, Refusals& refusals);
  void Note(Refusals& refusals, Reason reason, std::string text);
  // `start_t`: since when it has counted; 0 where that is not known.
  Verdict AppendPoint(storage::Appender& appender, const model::Labels& labels,
                      const model::FPoint& point, model::TimestampMs start_t) const;
  Verdict AppendHistogram(storage::Appender& appender, const model::Labels& labels,
                          const model::HPoint& point, model::TimestampMs start_t) const;
  bool TooFarAhead(model::TimestampMs t) const;

  storage::Appendable& store_;
  const base::Clock& clock_;
  const base::Logger log_;
  std::atomic<std::uint64_t> requests_ = 0;
  std::atomic<std::uint64_t> samples_ = 0;
  std::array<std::atomic<std::uint64_t>, collect::kRemoteWriteReasons> refused_ = {};
  std::array<std::atomic<std::uint64_t>, collect::kRemoteWriteReasons> dropped_ = {};
};

}  // namespace azexporter::web
