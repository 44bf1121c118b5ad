#include "remote_write.h"
#include "azexporter/base/text.h"

#include <optional>

namespace azexporter::web {
namespace {

using exposition::WriteRequest;
using storage::AppendOutcome;

constexpr std::string_view kProtobuf = "application/x-protobuf";
constexpr std::string_view kVersion1 = "prometheus.WriteRequest";
// A sample further ahead of this machine's clock than that is refused, as in Prometheus.
constexpr std::int64_t kMaxAheadMs = 10 * 60 * 1000;

// Why a body of this type is not taken; nothing where it is. "application/x-protobuf" alone and no
// type at all mean version 1.0.
std::optional<std::string> TypeFault(std::string_view content_type) {
  std::string_view rest = base::Trim(content_type, " ");
  if (rest.empty()) return std::nullopt;
  const auto take = [&rest] {
    const std::string_view part = rest.substr(0, rest.find(';'));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    return base::Trim(part, " ");
  };
  if (take() != kProtobuf) {
    return "expected " + std::string(kProtobuf) + " as the first (media) part, got " +
           std::string(content_type) + " content-type";
  }
  while (!rest.empty()) {
    const std::string_view parameter = take();
    constexpr std::string_view kName = "proto=";
    if (!parameter.starts_with(kName)) continue;
    const std::string_view message = parameter.substr(kName.size());
    if (message == kVersion1) return std::nullopt;
    return std::string(message) +
           " protobuf message is not accepted by this server; only accepts " +
           std::string(kVersion1);
  }
  return std::nullopt;
}

collect::RemoteWriteReason ReasonOf(AppendOutcome outcome) {
  switch (outcome) {
    case AppendOutcome::kAppended:
      return collect::RemoteWriteReason::kNone;
    case AppendOutcome::kOutOfOrder:
      return collect::RemoteWriteReason::kOutOfOrder;
    case AppendOutcome::kDuplicate:
      return collect::RemoteWriteReason::kDuplicate;
    case AppendOutcome::kTooOld:
      return collect::RemoteWriteReason::kTooOld;
    case AppendOutcome::kFull:
      return collect::RemoteWriteReason::kStore;
  }
  return collect::RemoteWriteReason::kNone;
}

}  // namespace

RemoteWrite::Answer RemoteWrite::Refuse(Reason reason, int status, std::string text) {
  ++refused_[static_cast<std::size_t>(reason)];
  log_.Debug("remote write refused", {{"status", std::to_string(status)}, {"error", text}});
  return {status, std::move(text)};
}

RemoteWrite::Answer RemoteWrite::Take(const Message& message) {
  ++requests_;
  constexpr int kBadRequest = 400;
  constexpr int kUnsupported = 415;
  if (auto fault = TypeFault(message.content_type)) {
    return Refuse(Reason::kEncoding, kUnsupported, std::move(*fault));
  }
  if (!message.content_encoding.empty() && message.content_encoding != "snappy") {
    return Refuse(Reason::kEncoding, kUnsupported,
                  std::string(message.content_encoding) +
                      " encoding (compression) is not accepted by this server; only snappy is "
                      "acceptable");
  }
  const auto bytes = exposition::UncompressWriteBody(message.body);
  if (!bytes) return Refuse(Reason::kMalformed, kBadRequest, bytes.error().message());
  const auto request = exposition::DecodeWriteRequest(*bytes);
  if (!request) return Refuse(Reason::kMalformed, kBadRequest, request.error().message());
  return Store(*request);
}

RemoteWrite::Answer RemoteWrite::Store(const WriteRequest& request) {
  const Attempt attempt = TryStore(request);
  if (attempt.reason != Reason::kNone) {
    return Refuse(attempt.reason, attempt.answer.status, attempt.answer.text);
  }
  const std::uint64_t dropped = attempt.out_of_order + attempt.duplicate;
  samples_ += request.sample_count() + request.histogram_count() - dropped;
  dropped_[static_cast<std::size_t>(Reason::kOutOfOrder)] += attempt.out_of_order;
  dropped_[static_cast<std::size_t>(Reason::kDuplicate)] += attempt.duplicate;
  return attempt.answer;
}

RemoteWrite::Attempt RemoteWrite::TryStore(const WriteRequest& request) {
  Attempt attempt;
  const auto appender = store_.NewAppender();
  for (const WriteRequest::Series& series : request.series()) {
    if (!AppendSeries(request, series, *appender, attempt)) return attempt;
  }
  const auto left_out = appender->Commit();
  if (left_out) {
    attempt.out_of_order += left_out->count;
  } else {
    attempt.reason = Reason::kStore;
    attempt.answer = {500, left_out.error().message()};
  }
  return attempt;
}

// False when a sample is refused, and the request with it.
bool RemoteWrite::AppendSeries(const WriteRequest& request, const WriteRequest::Series& series,
                               storage::Appender& appender, Attempt& attempt) const {
  const std::span<const model::Label> sent = request.labels(series);
  const auto labels = model::Labels::Of(std::vector<model::Label>(sent.begin(), sent.end()));
  const model::TimestampMs latest_allowed = clock_.NowMs() + kMaxAheadMs;
  bool appended = false;
  // `append`: lays the sample down.
  const auto take = [&](model::TimestampMs t, const auto& append) {
    if (t > latest_allowed) {
      attempt.reason = Reason::kTooFarAhead;
      attempt.answer = {400, "out of bounds: timestamp is too far in the future"};
      return false;
    }
    const AppendOutcome outcome = append();
    if (outcome == AppendOutcome::kAppended) {
      appended = true;
    } else if (appended && outcome != AppendOutcome::kTooOld) {
      ++(outcome == AppendOutcome::kOutOfOrder ? attempt.out_of_order : attempt.duplicate);
    } else {
      attempt.reason = ReasonOf(outcome);
      attempt.answer = {400, std::string(storage::AppendOutcomeText(outcome))};
      return false;
    }
    return true;
  };
  for (const model::FPoint& point : request.samples(series)) {
    if (!take(point.t, [&] { return appender.Append(labels, point.t, point.f); })) return false;
  }
  for (const model::HPoint& point : request.histograms(series)) {
    // A staleness marker, as the sum of a histogram, is one of the series.
    if (model::IsStaleNaN(point.h->sum)) {
      if (!take(point.t, [&] { return appender.Append(labels, point.t, point.h->sum); })) {
        return false;
      }
      continue;
    }
    if (auto valid = point.h->Validate(); !valid) {
      attempt.reason = Reason::kNativeHistogram;
      attempt.answer = {400, labels.ToString() + ": " + valid.error().message()};
      return false;
    }
    const auto append = [&] { return appender.AppendDetailed(labels, point.t, 0, {point.h}); };
    if (!take(point.t, append)) return false;
  }
  return true;
}

collect::RemoteWriteCounts RemoteWrite::counts() const {
  collect::RemoteWriteCounts counts;
  counts.requests = requests_;
  counts.samples = samples_;
  for (std::size_t i = 0; i < collect::kRemoteWriteReasons; ++i) {
    counts.refused[i] = refused_[i];
    counts.dropped[i] = dropped_[i];
  }
  return counts;
}

}  // namespace azexporter::web
