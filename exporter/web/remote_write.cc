#include "remote_write.h"

#include <algorithm>

#include "azexporter/base/text.h"

namespace azexporter::web {
namespace {

using exposition::WriteRequest;
using storage::AppendOutcome;

constexpr std::string_view kProtobuf = "application/x-protobuf";
constexpr std::string_view kVersion1 = "prometheus.WriteRequest";
constexpr std::string_view kVersion2 = "io.prometheus.write.v2.Request";
// A sample further ahead of this machine's clock than that is refused, as in Prometheus.
constexpr std::int64_t kMaxAheadMs = 10 * 60 * 1000;
// So many of what is wrong with a request of version 2.0 are named.
constexpr std::size_t kNamedRefusals = 10;
constexpr int kBadRequest = 400;

enum class Version { k1, k2 };

// What a body of this type is, or why it is not taken. "application/x-protobuf" alone and no type
// at all mean version 1.0.
base::Result<Version> VersionOf(std::string_view content_type) {
  std::string_view rest = base::Trim(content_type, " ");
  if (rest.empty()) return Version::k1;
  const auto take = [&rest] {
    const std::string_view part = rest.substr(0, rest.find(';'));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    return base::Trim(part, " ");
  };
  if (take() != kProtobuf) {
    return base::BadData("expected " + std::string(kProtobuf) + " as the first (media) part, got " +
                         std::string(content_type) + " content-type");
  }
  while (!rest.empty()) {
    const std::string_view parameter = take();
    constexpr std::string_view kName = "proto=";
    if (!parameter.starts_with(kName)) continue;
    const std::string_view message = parameter.substr(kName.size());
    if (message == kVersion1) return Version::k1;
    if (message == kVersion2) return Version::k2;
    return base::BadData(std::string(message) +
                         " protobuf message is not accepted by this server; only accepts " +
                         std::string(kVersion1) + ", " + std::string(kVersion2));
  }
  return Version::k1;
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

constexpr char kTooFarAheadText[] = "out of bounds: timestamp is too far in the future";

model::Labels LabelsOf(const WriteRequest& request, const WriteRequest::Series& series) {
  const std::span<const model::Label> sent = request.labels(series);
  return model::Labels::Of(std::vector<model::Label>(sent.begin(), sent.end()));
}

}  // namespace

RemoteWrite::Answer RemoteWrite::Refuse(Reason reason, int status, std::string text) {
  ++refused_[static_cast<std::size_t>(reason)];
  log_.Debug("remote write refused", {{"status", std::to_string(status)}, {"error", text}});
  return {status, std::move(text)};
}

RemoteWrite::Answer RemoteWrite::Take(const Message& message) {
  ++requests_;
  constexpr int kUnsupported = 415;
  const auto version = VersionOf(message.content_type);
  if (!version) return Refuse(Reason::kEncoding, kUnsupported, version.error().message());
  if (!message.content_encoding.empty() && message.content_encoding != "snappy") {
    return Refuse(Reason::kEncoding, kUnsupported,
                  std::string(message.content_encoding) +
                      " encoding (compression) is not accepted by this server; only snappy is "
                      "acceptable");
  }
  const auto bytes = exposition::UncompressWriteBody(message.body);
  if (!bytes) return Refuse(Reason::kMalformed, kBadRequest, bytes.error().message());
  const bool v2 = *version == Version::k2;
  const auto request =
      v2 ? exposition::DecodeWriteRequestV2(*bytes) : exposition::DecodeWriteRequest(*bytes);
  if (!request) {
    Answer answer = Refuse(Reason::kMalformed, kBadRequest, request.error().message());
    if (v2) answer.written = Written();
    return answer;
  }
  return v2 ? StoreV2(*request) : Store(*request);
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
  const model::Labels labels = LabelsOf(request, series);
  bool appended = false;
  const auto take = [&](Verdict verdict) {
    if (verdict.reason == Reason::kNone) {
      appended = true;
    } else if (appended && verdict.reason == Reason::kOutOfOrder) {
      ++attempt.out_of_order;
    } else if (appended && verdict.reason == Reason::kDuplicate) {
      ++attempt.duplicate;
    } else {
      attempt.reason = verdict.reason;
      attempt.answer = {kBadRequest, std::move(verdict.text)};
      return false;
    }
    return true;
  };
  for (const model::FPoint& point : request.samples(series)) {
    if (!take(AppendPoint(appender, labels, point, 0))) return false;
  }
  for (const model::HPoint& point : request.histograms(series)) {
    if (!take(AppendHistogram(appender, labels, point, 0))) return false;
  }
  return true;
}

RemoteWrite::Answer RemoteWrite::StoreV2(const WriteRequest& request) {
  Written written;
  Refusals refusals;
  for (const std::string& fault : request.faults()) Note(refusals, Reason::kMalformed, fault);
  dropped_[static_cast<std::size_t>(Reason::kMalformed)] += request.refused_count();
  const auto appender = store_.NewAppender();
  for (const WriteRequest::Series& series : request.series()) {
    AppendSeriesV2(request, series, *appender, written, refusals);
  }
  const auto left_out = appender->Commit();
  constexpr int kFailed = 500;
  if (!left_out) {
    Answer answer = Refuse(Reason::kStore, kFailed, left_out.error().message());
    answer.written = Written();
    return answer;
  }
  // Another writer was faster. Which of them it overtook is not known; mostly there are samples.
  const std::size_t samples_left_out = std::min(left_out->count, written.samples);
  written.samples -= samples_left_out;
  written.histograms -= left_out->count - samples_left_out;
  if (left_out->count > 0) Note(refusals, Reason::kOutOfOrder, left_out->first);
  dropped_[static_cast<std::size_t>(Reason::kOutOfOrder)] += left_out->count;
  samples_ += written.samples + written.histograms;
  if (refusals.count == 0) return {.written = written};
  std::string text;
  for (const std::string& one : refusals.texts) text += (text.empty() ? "" : "\n") + one;
  if (const std::size_t more = refusals.count - refusals.texts.size(); more > 0) {
    text += "\nand " + std::to_string(more) + " more";
  }
  Answer answer = Refuse(refusals.first, kBadRequest, std::move(text));
  answer.written = written;
  return answer;
}

void RemoteWrite::AppendSeriesV2(const WriteRequest& request, const WriteRequest::Series& series,
                                 storage::Appender& appender, Written& written,
                                 Refusals& refusals) {
  const model::Labels labels = LabelsOf(request, series);
  const auto take = [&](Verdict verdict, std::size_t& count) {
    if (verdict.reason == Reason::kNone) {
      ++count;
      return;
    }
    ++dropped_[static_cast<std::size_t>(verdict.reason)];
    if (verdict.reason != Reason::kNativeHistogram) {
      verdict.text += " for series " + labels.ToString();
    }
    Note(refusals, verdict.reason, std::move(verdict.text));
  };
  const auto samples = request.samples(series);
  const auto sample_starts = request.sample_starts(series);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    take(AppendPoint(appender, labels, samples[i], sample_starts[i]), written.samples);
  }
  const auto histograms = request.histograms(series);
  const auto histogram_starts = request.histogram_starts(series);
  for (std::size_t i = 0; i < histograms.size(); ++i) {
    take(AppendHistogram(appender, labels, histograms[i], histogram_starts[i]), written.histograms);
  }
}

void RemoteWrite::Note(Refusals& refusals, Reason reason, std::string text) {
  if (refusals.count++ == 0) refusals.first = reason;
  if (refusals.texts.size() < kNamedRefusals) refusals.texts.push_back(std::move(text));
}

bool RemoteWrite::TooFarAhead(model::TimestampMs t) const {
  return t > clock_.NowMs() + kMaxAheadMs;
}

RemoteWrite::Verdict RemoteWrite::AppendPoint(storage::Appender& appender,
                                              const model::Labels& labels,
                                              const model::FPoint& point,
                                              model::TimestampMs start_t) const {
  if (TooFarAhead(point.t)) return {Reason::kTooFarAhead, kTooFarAheadText};
  const AppendOutcome outcome =
      appender.AppendDetailed(labels, point.t, point.f, {nullptr, start_t});
  return {ReasonOf(outcome), std::string(storage::AppendOutcomeText(outcome))};
}

RemoteWrite::Verdict RemoteWrite::AppendHistogram(storage::Appender& appender,
                                                  const model::Labels& labels,
                                                  const model::HPoint& point,
                                                  model::TimestampMs start_t) const {
  // A staleness marker, as the sum of a histogram, is one of the series.
  if (model::IsStaleNaN(point.h->sum)) {
    return AppendPoint(appender, labels, {point.t, point.h->sum}, 0);
  }
  if (TooFarAhead(point.t)) return {Reason::kTooFarAhead, kTooFarAheadText};
  if (auto valid = point.h->Validate(); !valid) {
    return {Reason::kNativeHistogram, labels.ToString() + ": " + valid.error().message()};
  }
  const AppendOutcome outcome = appender.AppendDetailed(labels, point.t, 0, {point.h, start_t});
  return {ReasonOf(outcome), std::string(storage::AppendOutcomeText(outcome))};
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
