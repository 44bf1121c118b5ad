#include "azexporter/kube/leader_election.h"

#include <algorithm>
#include <limits>

#include "azexporter/base/time_text.h"
#include "azexporter/base/wait.h"

namespace azexporter::kube {
namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;
constexpr std::int64_t kReleaseTimeoutMs = 1'000;

// Kubernetes's MicroTime: "2026-11-22T07:03:39.123000Z".
std::string MicroTime(std::int64_t ms) {
  const std::string fraction = std::to_string(1'000 + ms % 1'000).substr(1) + "000";
  std::string text = base::FormatRfc3339(ms - ms % 1'000);
  text.insert(text.size() - 1, "." + fraction);
  return text;
}

}  // namespace

base::Result<void> LeaderElectionOptions::Validate() const {
  if (ns.empty()) return base::BadData("namespace is missing");
  if (name.empty()) return base::BadData("name is missing");
  if (lease_duration_ms < 1'000 || lease_duration_ms % 1'000 != 0) {
    return base::BadData("lease_duration must be whole seconds");
  }
  if (lease_duration_ms <= renew_deadline_ms) {
    return base::BadData("lease_duration must be longer than renew_deadline");
  }
  if (renew_deadline_ms * 5 <= retry_period_ms * 6) {
    return base::BadData("renew_deadline must be longer than 1.2 times retry_period");
  }
  if (retry_period_ms < 1) return base::BadData("retry_period must not be zero");
  return {};
}

LeaderElector::LeaderElector(LeaderElectionOptions options, LeaseStore& store,
                             const base::Clock& clock, base::Logger log, OnChange on_change)
    : options_(std::move(options)),
      store_(store),
      clock_(clock),
      log_(std::move(log)),
      on_change_(std::move(on_change)),
      random_(static_cast<std::uint32_t>(std::hash<std::string>()(options_.identity))) {}

bool LeaderElector::IsLeader() const { return clock_.SteadyNs() < leading_until_ns_; }

std::string LeaderElector::holder() const {
  base::MutexLock lock(mu_);
  return holder_;
}

void LeaderElector::Run(std::stop_token stop) {
  while (!stop.stop_requested()) base::WaitFor(stop, Step(stop));
}

std::int64_t LeaderElector::Step(const std::stop_token& stop) {
  const std::int64_t begin_ns = clock_.SteadyNs();
  const bool held = TryAcquireOrRenew(begin_ns, stop);
  TellChange();  // that it led no more for a moment, where the try took too long
  if (held) {
    leading_until_ns_ = begin_ns + options_.renew_deadline_ms * kNsPerMs;
  } else if (observed_.record.holder != options_.identity) {
    leading_until_ns_ = kNever;
  }
  TellChange();
  if (IsLeader()) return options_.retry_period_ms;
  const std::int64_t jitter = options_.retry_period_ms * 6 / 5;
  return options_.retry_period_ms + std::uniform_int_distribution<std::int64_t>(0, jitter)(random_);
}

bool LeaderElector::TryAcquireOrRenew(std::int64_t now_ns, const std::stop_token& stop) {
  // What was seen last is mostly what is still there.
  if (IsLeader() && Renew(stop)) return true;
  const auto current = store_.Get(options_.renew_deadline_ms / 2, stop);
  if (!current && current.error().http_status == 404) {
    auto created = store_.Create(OwnRecord(LeaseRecord()), options_.renew_deadline_ms / 2, stop);
    if (created) Observe(*created);
    if (!created) TellFailure("create the lease", created.error());
    return created.has_value();
  }
  if (!current) {
    TellFailure("read the lease", current.error());
    return false;
  }
  Observe(*current);
  const std::int64_t valid_until_ns =
      observed_at_ns_ + observed_.record.duration_seconds * 1'000 * kNsPerMs;
  const bool held_by_other =
      !current->record.holder.empty() && current->record.holder != options_.identity;
  if (held_by_other && now_ns < valid_until_ns) {
    told_error_.clear();
    return false;
  }
  return Take(*current, stop);
}

bool LeaderElector::Renew(const std::stop_token& stop) {
  Lease next = observed_;
  next.record = OwnRecord(observed_.record);
  const auto updated = store_.Update(next, options_.renew_deadline_ms / 2, stop);
  if (updated) Observe(*updated);
  return updated.has_value();
}

bool LeaderElector::Take(const Lease& current, const std::stop_token& stop) {
  Lease next = current;
  next.record = OwnRecord(current.record);
  const auto updated = store_.Update(next, options_.renew_deadline_ms / 2, stop);
  if (updated) {
    Observe(*updated);
    return true;
  }
  TellFailure("update the lease", updated.error());
  return false;
}

LeaseRecord LeaderElector::OwnRecord(const LeaseRecord& before) const {
  const std::string now = MicroTime(clock_.NowMs());
  const bool ours = before.holder == options_.identity;
  const bool first = before == LeaseRecord();
  return {.holder = options_.identity,
          .duration_seconds = options_.lease_duration_ms / 1'000,
          .acquire_time = ours ? before.acquire_time : now,
          .renew_time = now,
          .transitions = before.transitions + (ours || first ? 0 : 1)};
}

void LeaderElector::Observe(const Lease& lease) {
  const bool changed = !(lease.record == observed_.record);
  observed_ = lease;
  if (changed) observed_at_ns_ = clock_.SteadyNs();
  base::MutexLock lock(mu_);
  holder_ = lease.record.holder;
}

void LeaderElector::TellFailure(std::string_view doing, const ApiFailure& failure) {
  // Another was quicker: that is how it is decided.
  if (failure.http_status == 409) return;
  const std::string& error = failure.error.message();
  if (std::exchange(told_error_, error) == error) return;
  log_.Warn("leader election failed", {{"doing", std::string(doing)}, {"error", error}});
}

void LeaderElector::TellChange() {
  const bool leading = IsLeader();
  if (leading) told_error_.clear();
  if (std::exchange(told_leading_, leading) == leading) return;
  const std::string lease = options_.ns + "/" + options_.name;
  log_.Info(leading ? "leading" : "leading no more",
            {{"lease", lease}, {"identity", options_.identity}, {"holder", holder()}});
  if (on_change_) on_change_(leading);
}

void LeaderElector::Release() {
  if (observed_.record.holder != options_.identity) return;
  leading_until_ns_ = kNever;
  // A renewal that was cut off may have been written all the same: hence what is there now.
  for (int attempt = 0; attempt < 2; ++attempt) {
    auto current = store_.Get(kReleaseTimeoutMs, {});
    if (!current || current->record.holder != options_.identity) break;
    const std::string now = MicroTime(clock_.NowMs());
    current->record = {.holder = "",
                       .duration_seconds = 1,
                       .acquire_time = now,
                       .renew_time = now,
                       .transitions = current->record.transitions};
    const auto released = store_.Update(*current, kReleaseTimeoutMs, {});
    if (released) Observe(*released);
    if (released || released.error().http_status != 409) break;
  }
  TellChange();
}

}  // namespace azexporter::kube
