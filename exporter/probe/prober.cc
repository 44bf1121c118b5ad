#include "azexporter/probe/prober.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <thread>

#include "azexporter/base/mutex.h"
#include "azexporter/base/wait.h"
#include "azexporter/net/http_client.h"

namespace azexporter::probe {
namespace {

constexpr std::size_t kRecent = 64;

std::optional<double> Percentile95(std::vector<double> values) {
  if (values.empty()) return std::nullopt;
  std::sort(values.begin(), values.end());
  const auto rank = static_cast<std::size_t>(std::ceil(0.95 * static_cast<double>(values.size())));
  return values[rank - 1];
}

}  // namespace

void LatencyHistogram::Observe(double seconds) {
  const auto bound = std::lower_bound(kLatencyBounds.begin(), kLatencyBounds.end(), seconds);
  ++counts[static_cast<std::size_t>(bound - kLatencyBounds.begin())];
  ++total;
  sum_seconds += seconds;
  native.Observe(seconds);
  while (native.positive.counts.size() > kMostBuckets &&
         native.schema > model::FloatHistogram::kMinSchema) {
    native.ReduceResolution(native.schema - 1);
  }
}

std::string_view ProbeOutcomeName(ProbeOutcome outcome) {
  switch (outcome) {
    case ProbeOutcome::kHealthy:
      return "healthy";
    case ProbeOutcome::kBadStatus:
      return "bad_status";
    case ProbeOutcome::kTimeout:
      return "timeout";
    case ProbeOutcome::kFailed:
      return "failed";
  }
  return "failed";
}

// One target: its facts, and the thread that probes it.
struct TargetWorker {
  TargetWorker(Target target, std::string source_zone) {
    facts.target = std::move(target);
    facts.source_zone = std::move(source_zone);
  }

  base::Mutex mu;
  TargetFacts facts AZX_GUARDED_BY(mu);
  std::deque<double> recent AZX_GUARDED_BY(mu);
  std::jthread thread;  // last, so that it ends before the rest
};

struct Prober::Impl {
  Impl(ProberOptions options_in, const base::Clock& clock_in, base::Logger log_in)
      : options(std::move(options_in)),
        clock(clock_in),
        log(std::move(log_in)),
        http(net::HttpClientOptions{.user_agent = "azexporter"}) {}

  // nullopt when it was stopped.
  std::optional<ProbeOutcome> ProbeOnce(TargetWorker& worker, const std::stop_token& stop);
  void Record(TargetWorker& worker, ProbeOutcome outcome, std::optional<double> seconds,
              std::string error);
  void StartWorker(const std::shared_ptr<TargetWorker>& worker);
  std::vector<std::shared_ptr<TargetWorker>> Workers() const {
    base::MutexLock lock(mu);
    return workers;
  }

  // constant after construction
  const ProberOptions options;
  const base::Clock& clock;
  const base::Logger log;
  // own synchronisation
  net::HttpClient http;
  // guarded by mu
  mutable base::Mutex mu;
  std::string source_zone AZX_GUARDED_BY(mu);
  bool running AZX_GUARDED_BY(mu) = false;
  std::vector<std::shared_ptr<TargetWorker>> workers AZX_GUARDED_BY(mu);
};

std::optional<ProbeOutcome> Prober::Impl::ProbeOnce(TargetWorker& worker,
                                                    const std::stop_token& stop) {
  net::HttpRequest request;
  {
    base::MutexLock lock(worker.mu);
    request.url = worker.facts.target.url;
  }
  request.timeout_ms = options.timeout_ms;
  request.connect_timeout_ms = options.timeout_ms;
  request.max_body_bytes = 1 << 20;
  const std::int64_t start_ns = clock.SteadyNs();
  auto response = http.Fetch(request, stop);
  const double waited_seconds = static_cast<double>(clock.SteadyNs() - start_ns) / 1e9;
  if (stop.stop_requested()) return std::nullopt;
  if (!response) {
    const bool timeout = response.error().code() == base::ErrorCode::kTimeout;
    const auto outcome = timeout ? ProbeOutcome::kTimeout : ProbeOutcome::kFailed;
    Record(worker, outcome, timeout ? std::optional(waited_seconds) : std::nullopt,
           response.error().message());
    return outcome;
  }
  const auto outcome = response->ok() ? ProbeOutcome::kHealthy : ProbeOutcome::kBadStatus;
  Record(worker, outcome, response->timing.total_seconds,
         response->ok()
             ? ""
             : net::RedactUrl(request.url) + ": HTTP status " + std::to_string(response->status));
  return outcome;
}

void Prober::Impl::Record(TargetWorker& worker, ProbeOutcome outcome, std::optional<double> seconds,
                          std::string error) {
  bool changed = false;
  std::string name;
  {
    base::MutexLock lock(worker.mu);
    TargetFacts& facts = worker.facts;
    changed = facts.probes == 0 ? outcome != ProbeOutcome::kHealthy : facts.last_outcome != outcome;
    name = facts.target.name;
    ++facts.probes;
    ++facts.outcomes[static_cast<std::size_t>(outcome)];
    facts.last_outcome = outcome;
    facts.last_error = error;
    facts.last_probe_ms = clock.NowMs();
    if (seconds) {
      facts.latency.Observe(*seconds);
      worker.recent.push_back(*seconds);
      if (worker.recent.size() > kRecent) worker.recent.pop_front();
    }
  }
  if (!changed) return;
  if (outcome == ProbeOutcome::kHealthy) {
    log.Info("probe target answers again", {{"target", name}});
  } else {
    log.Warn("probe failed", {{"target", name}, {"error", error}});
  }
}

void Prober::Impl::StartWorker(const std::shared_ptr<TargetWorker>& worker) {
  // The thread is a member of the worker, hence the plain reference.
  worker->thread = std::jthread([this, &w = *worker](std::stop_token stop) {
    while (!stop.stop_requested()) {
      const std::int64_t start_ns = clock.SteadyNs();
      ProbeOnce(w, stop);
      const std::int64_t used_ms = (clock.SteadyNs() - start_ns) / 1'000'000;
      base::WaitFor(stop, std::max<std::int64_t>(options.interval_ms - used_ms, 10));
    }
  });
}

Prober::Prober(ProberOptions options, const base::Clock& clock, base::Logger log)
    : impl_(std::make_unique<Impl>(std::move(options), clock, std::move(log))) {
  SetSourceZone(impl_->options.source_zone);
}

Prober::~Prober() { Stop(); }

void Prober::SetTargets(std::vector<Target> targets) {
  std::vector<std::shared_ptr<TargetWorker>> gone;  // ends its threads outside the lock
  base::MutexLock lock(impl_->mu);
  std::vector<std::shared_ptr<TargetWorker>> next;
  for (Target& target : targets) {
    const auto same = [&](const std::shared_ptr<TargetWorker>& worker) {
      base::MutexLock worker_lock(worker->mu);
      return worker->facts.target == target;
    };
    const auto found = std::find_if(impl_->workers.begin(), impl_->workers.end(), same);
    if (found != impl_->workers.end()) {
      next.push_back(*found);
      continue;
    }
    next.push_back(std::make_shared<TargetWorker>(std::move(target), impl_->source_zone));
    if (impl_->running) impl_->StartWorker(next.back());
  }
  gone = std::exchange(impl_->workers, std::move(next));
  for (const auto& kept : impl_->workers) std::erase(gone, kept);
  for (const auto& worker : gone) worker->thread.request_stop();
}

void Prober::SetSourceZone(std::string zone) {
  base::MutexLock lock(impl_->mu);
  impl_->source_zone = std::move(zone);
  for (const auto& worker : impl_->workers) {
    base::MutexLock worker_lock(worker->mu);
    worker->facts.source_zone = impl_->source_zone;
  }
}

void Prober::ProbeNow(int times, std::int64_t budget_ms) {
  const std::int64_t end_ns = impl_->clock.SteadyNs() + budget_ms * 1'000'000;
  std::vector<std::jthread> threads;
  for (const auto& worker : impl_->Workers()) {
    threads.emplace_back([this, worker, times, end_ns](std::stop_token stop) {
      for (int i = 0; i < times; ++i) {
        const auto outcome = impl_->ProbeOnce(*worker, stop);
        const bool late = impl_->clock.SteadyNs() >= end_ns;
        if (!outcome || outcome == ProbeOutcome::kTimeout || late) return;
      }
    });
  }
  for (std::jthread& thread : threads) thread.join();
}

void Prober::Start() {
  base::MutexLock lock(impl_->mu);
  if (std::exchange(impl_->running, true)) return;
  for (const auto& worker : impl_->workers) impl_->StartWorker(worker);
}

void Prober::Stop() {
  std::vector<std::shared_ptr<TargetWorker>> workers;
  {
    base::MutexLock lock(impl_->mu);
    impl_->running = false;
    workers = impl_->workers;
  }
  for (const auto& worker : workers) worker->thread.request_stop();
  for (const auto& worker : workers) worker->thread = std::jthread();
}

std::vector<TargetFacts> Prober::Facts() const {
  std::vector<TargetFacts> facts;
  for (const auto& worker : impl_->Workers()) {
    base::MutexLock lock(worker->mu);
    facts.push_back(worker->facts);
    facts.back().recent_p95_seconds = Percentile95({worker->recent.begin(), worker->recent.end()});
  }
  return facts;
}

}  // namespace azexporter::probe
