#include "write_loop.h"

#include <pthread.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <unordered_map>

namespace azexporter::remote {
namespace {

constexpr std::size_t kShownAnswerBytes = 200;
constexpr std::int64_t kMaxRetryAfterMs = 10 * 60'000;
constexpr char kWrittenHeader[] = "x-prometheus-remote-write-samples-written";
constexpr char kHistogramsHeader[] = "x-prometheus-remote-write-histograms-written";

std::optional<std::int64_t> ParseWhole(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Labels that the series has not.
model::Labels WithExternal(const model::Labels& labels, const model::Labels& external_labels) {
  if (external_labels.empty()) return labels;
  model::LabelsBuilder builder(labels);
  for (const model::Label label : external_labels) {
    if (!labels.Has(label.name)) builder.Set(label.name, label.value);
  }
  return builder.Build();
}

// The batch by series, in the order in which they came, with the labels they are sent with.
std::vector<exposition::WriteSeries> BySeries(const std::vector<model::Sample>& batch,
                                              const model::Labels& external_labels) {
  std::vector<exposition::WriteSeries> all;
  std::unordered_map<model::Labels, std::size_t, model::LabelsHash> places;
  for (const model::Sample& sample : batch) {
    const auto [place, fresh] = places.try_emplace(sample.labels, all.size());
    if (fresh) all.push_back({WithExternal(sample.labels, external_labels), {}, {}});
    exposition::WriteSeries& series = all[place->second];
    if (sample.h != nullptr) {
      series.histograms.push_back({sample.t, sample.h});
    } else {
      series.points.push_back({sample.t, sample.f});
    }
  }
  return all;
}

void Raise(std::atomic<model::TimestampMs>& highest, std::span<const model::Sample> samples) {
  model::TimestampMs t = highest;
  for (const model::Sample& sample : samples) t = std::max(t, sample.t);
  highest = t;
}

}  // namespace

std::int64_t Backoff::NextMs(std::int64_t asked_ms) {
  const std::int64_t whole_ms = std::max(next_ms_, asked_ms);
  next_ms_ = std::min(whole_ms * 2, max_ms_);
  if (asked_ms > 0) return whole_ms;  // not a moment less
  return whole_ms - std::uniform_int_distribution<std::int64_t>(0, whole_ms / 2)(random_);
}

std::int64_t RetryAfterMs(std::string_view header, std::int64_t now_ms) {
  std::int64_t ms = 0;
  if (const auto seconds = ParseWhole(header)) {
    ms = std::min(*seconds, kMaxRetryAfterMs / 1'000) * 1'000;
  } else if (const auto date_ms = net::ParseHttpDateMs(header)) {
    ms = *date_ms - now_ms;
  }
  return std::clamp<std::int64_t>(ms, 0, kMaxRetryAfterMs);
}

WriteLoop::WriteLoop(WriteTarget target, model::Labels external_labels,
                     std::shared_ptr<Backlog> backlog, WriteShared& shared)
    : target_(std::move(target)),
      external_labels_(std::move(external_labels)),
      backlog_(std::move(backlog)),
      shared_(shared),
      client_(target_.endpoint) {}

WriteLoop::~WriteLoop() = default;

void WriteLoop::Start() {
  backlog_->dropped_queue_full += backlog_->queue.SetCapacity(target_.capacity);
  done_ = false;
  thread_ = std::jthread([this](std::stop_token stop) {
    pthread_setname_np(pthread_self(), "remote-write");
    Run(stop);
    done_ = true;
  });
}

void WriteLoop::Add(std::span<const model::Sample> samples) {
  Raise(backlog_->highest, samples);
  const std::size_t dropped = target_.relabel.empty() ? backlog_->queue.Add(samples)
                                                      : backlog_->queue.Add(Relabelled(samples));
  if (dropped == 0) return;
  backlog_->dropped_queue_full += dropped;
  if (backlog_->overflowing.exchange(true)) return;
  shared_.deps.log.Warn(
      "remote write queue full, oldest samples dropped",
      {{"remote_name", target_.name}, {"capacity", std::to_string(target_.capacity)}});
}

WriteLoop::Batch WriteLoop::Relabelled(std::span<const model::Sample> samples) {
  constexpr std::size_t kMostKnown = 500'000;
  Batch kept;
  base::MutexLock lock(relabel_mu_);
  if (relabelled_.size() > kMostKnown) relabelled_.clear();
  for (const model::Sample& sample : samples) {
    const auto [known, fresh] = relabelled_.try_emplace(sample.labels);
    if (fresh) {
      known->second =
          model::Relabel(WithExternal(sample.labels, external_labels_), target_.relabel);
    }
    if (known->second) {
      kept.push_back(sample);
      kept.back().labels = *known->second;
    } else {
      ++backlog_->dropped_relabel;
    }
  }
  return kept;
}

void WriteLoop::BeginDrain() {
  draining_ = true;
  backlog_->queue.Close();
}

void WriteLoop::Abort() { thread_.request_stop(); }

void WriteLoop::Join() { thread_ = std::jthread(); }

WriteStats WriteLoop::Stats() const {
  const Backlog& from = *backlog_;
  return {.name = target_.name,
          .url = target_.endpoint.url,
          .samples = from.samples,
          .samples_failed = from.failed,
          .samples_retried = from.retried,
          .dropped_queue_full = from.dropped_queue_full,
          .dropped_too_old = from.dropped_too_old,
          .dropped_relabel = from.dropped_relabel,
          .dropped_shutdown = from.dropped_shutdown,
          .dropped_native_histogram = from.dropped_native_histogram,
          .metadata = from.metadata,
          .metadata_failed = from.metadata_failed,
          .bytes = from.bytes,
          .pending = from.queue.size() + from.in_flight,
          .capacity = target_.capacity,
          .highest = from.highest,
          .highest_sent = from.highest_sent};
}

void WriteLoop::Run(const std::stop_token& stop) {
  for (;;) {
    Batch batch =
        backlog_->queue.Take(target_.max_samples_per_send, target_.batch_send_deadline_ms, stop);
    if (batch.empty()) return;
    backlog_->in_flight = batch.size();
    SendMetadata(stop);
    const bool goes_on = SendBatch(std::move(batch), stop);
    backlog_->in_flight = 0;
    if (!goes_on) return;
    if (backlog_->queue.size() == 0) backlog_->overflowing = false;
  }
}

bool WriteLoop::SendBatch(Batch batch, const std::stop_token& stop) {
  Backoff backoff(target_.min_backoff_ms, target_.max_backoff_ms,
                  static_cast<std::uint32_t>(shared_.deps.clock.SteadyNs()));
  std::string body;
  // As in Prometheus, 1.0 carries native histograms only where it is told to.
  if (target_.message == WriteMessage::kV1 && !target_.send_native_histograms) {
    backlog_->dropped_native_histogram +=
        std::erase_if(batch, [](const model::Sample& sample) { return sample.h != nullptr; });
    backlog_->in_flight = batch.size();
  }
  for (int attempt = 0;; ++attempt) {
    const std::size_t before = batch.size();
    DropOld(batch);
    if (batch.empty()) return true;
    if (body.empty() || batch.size() != before) body = Encode(batch);
    const bool was_draining = draining_;
    const Answer answer = Post(body, batch.size(), attempt, stop);
    const bool failed = answer.kind == Answer::Kind::kFailed;
    if (!failed || !stop.stop_requested()) Record(answer, batch);
    if (!failed) backlog_->bytes += body.size();
    if (!failed) return true;
    if (!draining_) backlog_->queue.Pause(backoff.NextMs(answer.retry_after_ms), stop);
    // A drain that began in the pause is worth one more attempt.
    if (stop.stop_requested() || was_draining) {
      backlog_->dropped_queue_full += backlog_->queue.PutBack(std::move(batch));
      return false;
    }
    backlog_->retried += batch.size();
  }
}

void WriteLoop::DropOld(Batch& batch) {
  if (target_.sample_age_limit_ms == 0) return;
  const model::TimestampMs oldest = shared_.deps.clock.NowMs() - target_.sample_age_limit_ms;
  backlog_->dropped_too_old +=
      std::erase_if(batch, [oldest](const model::Sample& sample) { return sample.t < oldest; });
  backlog_->in_flight = batch.size();
}

std::string WriteLoop::Encode(const Batch& batch) const {
  // What was relabelled has them already, or was to lose them.
  const auto series = BySeries(batch, target_.relabel.empty() ? external_labels_ : model::Labels());
  return exposition::CompressWriteBody(
      target_.message == WriteMessage::kV1
          ? exposition::EncodeWriteRequest(series)
          : exposition::EncodeWriteRequestV2(series, *shared_.Metadata()));
}

WriteLoop::Answer WriteLoop::Post(const std::string& body, std::size_t count, int attempt,
                                  const std::stop_token& stop) {
  const bool v1 = target_.message == WriteMessage::kV1;
  EndpointClient::Post post{
      .headers = {{"Content-Encoding", "snappy"},
                  {"Content-Type",
                   v1 ? "application/x-protobuf"
                      : "application/x-protobuf;proto=io.prometheus.write.v2.Request"},
                  {"X-Prometheus-Remote-Write-Version", v1 ? "0.1.0" : "2.0.0"}},
      .body = body,
      .timeout_ms = target_.timeout_ms};
  if (attempt > 0) post.headers.emplace_back("Retry-Attempt", std::to_string(attempt));
  const auto response = client_.Send(std::move(post), stop);
  if (!response) {
    return {.kind = Answer::Kind::kFailed, .written = 0, .error = response.error().message()};
  }
  return Judge(*response, count);
}

// A 2.0 server says how much it wrote. One that says nothing to a 2.0 message did not understand
// it, whatever its status. Source: prometheus/storage/remote/{client,queue_manager,stats}.go.
WriteLoop::Answer WriteLoop::Judge(const net::HttpResponse& response, std::size_t count) const {
  constexpr int kTooManyRequests = 429;
  const auto told = ParseWhole(response.Header(kWrittenHeader));
  const auto at_most_all = [count](std::int64_t number) {
    return std::min(static_cast<std::size_t>(std::max<std::int64_t>(number, 0)), count);
  };
  const std::int64_t histograms = ParseWhole(response.Header(kHistogramsHeader)).value_or(0);
  const std::size_t written =
      told ? std::min(at_most_all(*told) + at_most_all(histograms), count) : 0;
  const std::string place = "POST " + net::RedactUrl(target_.endpoint.url) + ": ";
  if (response.ok()) {
    if (told ? written == count : target_.message == WriteMessage::kV1) return {.written = count};
    return {.kind = Answer::Kind::kTaken,
            .written = written,
            .error = place + "the server answers " + std::to_string(response.status) + " and " +
                     (told ? "wrote " + std::to_string(written) + " of " + std::to_string(count) +
                                 " samples"
                           : "does not say what it wrote; it may not know remote write 2.0")};
  }
  std::string error = place + "HTTP status " + std::to_string(response.status);
  std::string text = response.body.substr(0, kShownAnswerBytes);
  while (text.ends_with('\n')) text.pop_back();
  if (!text.empty()) error += ": " + text;
  const bool again = response.status / 100 == 5 ||
                     (response.status == kTooManyRequests && target_.retry_on_http_429);
  return {
      .kind = again ? Answer::Kind::kFailed : Answer::Kind::kRefused,
      .written = written,
      .error = std::move(error),
      .retry_after_ms = RetryAfterMs(response.Header("retry-after"), shared_.deps.clock.NowMs())};
}

void WriteLoop::Record(const Answer& answer, const Batch& batch) {
  backlog_->samples += batch.size();
  TellFailure(answer);
  if (answer.kind == Answer::Kind::kFailed) return;
  backlog_->failed += batch.size() - answer.written;
  Raise(backlog_->highest_sent, batch);
}

void WriteLoop::TellFailure(const Answer& answer) {
  const base::Logger& log = shared_.deps.log;
  if (answer.kind == Answer::Kind::kFailed) {
    if (backlog_->failing.exchange(true)) return;
    log.Warn("samples not sent, tried again",
             {{"remote_name", target_.name}, {"error", answer.error}});
    return;
  }
  if (!answer.error.empty()) {
    if (backlog_->refused.exchange(true)) return;
    log.Warn("samples refused and dropped",
             {{"remote_name", target_.name}, {"error", answer.error}});
    return;
  }
  const bool was_failing = backlog_->failing.exchange(false);
  if (backlog_->refused.exchange(false) || was_failing) {
    log.Info("samples arrive again", {{"remote_name", target_.name}});
  }
}

// What fails is sent with the next metadata.
void WriteLoop::SendMetadata(const std::stop_token& stop) {
  const bool wanted = target_.send_metadata && target_.message == WriteMessage::kV1;
  if (!wanted || draining_ || shared_.deps.clock.SteadyNs() < metadata_due_ns_) return;
  const auto metadata = shared_.Metadata();
  if (metadata->empty()) return;
  metadata_due_ns_ = shared_.deps.clock.SteadyNs() + target_.metadata_interval_ms * 1'000'000;
  const std::string body =
      exposition::CompressWriteBody(exposition::EncodeWriteMetadata(*metadata));
  const Answer answer = Post(body, 0, 0, stop);
  backlog_->metadata += metadata->size();
  if (answer.kind != Answer::Kind::kTaken) backlog_->metadata_failed += metadata->size();
}

}  // namespace azexporter::remote
