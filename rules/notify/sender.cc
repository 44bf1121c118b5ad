#include "azexporter/notify/sender.h"

#include <algorithm>
#include <span>

#include "azexporter/base/mutex.h"
#include "azexporter/base/wait.h"
#include "send_loop.h"

namespace azexporter::notify {
namespace {

using Loops = std::vector<std::shared_ptr<SendLoop>>;

std::shared_ptr<SendLoop> FindLoop(const Loops& loops, std::string_view url) {
  const auto found = std::find_if(loops.begin(), loops.end(), [&](const auto& loop) {
    return loop->alertmanager().url == url;
  });
  return found == loops.end() ? nullptr : *found;
}

// Waits until every loop is done; gives up those that hang, and at the deadline all.
void Drain(const Loops& loops, const LoopShared& shared) {
  constexpr std::int64_t kLookMs = 2;
  for (const auto& loop : loops) loop->BeginDrain();
  const std::int64_t end_ns = shared.deps.clock.SteadyNs() + shared.options.drain_ms * 1'000'000;
  const auto all_done = [&] {
    return std::all_of(loops.begin(), loops.end(), [](const auto& loop) { return loop->done(); });
  };
  while (!all_done() && shared.deps.clock.SteadyNs() < end_ns) {
    for (const auto& loop : loops) {
      if (loop->BusyMs() >= shared.options.drain_stall_ms) loop->Abort();
    }
    base::WaitFor(std::stop_token(), kLookMs);
  }
  for (const auto& loop : loops) loop->Abort();
}

std::vector<Alert> Relabelled(std::span<const Alert> alerts, const model::RelabelRules& rules) {
  std::vector<Alert> kept;
  for (const Alert& alert : alerts) {
    auto labels = model::Relabel(alert.labels, rules);
    if (!labels) continue;
    kept.push_back(alert);
    kept.back().labels = std::move(*labels);
  }
  return kept;
}

}  // namespace

std::string PushUrl(std::string_view scheme, std::string_view target,
                    std::string_view path_prefix) {
  while (path_prefix.starts_with('/')) path_prefix.remove_prefix(1);
  while (path_prefix.ends_with('/')) path_prefix.remove_suffix(1);
  std::string url = std::string(scheme) + "://" + std::string(target) + "/";
  if (!path_prefix.empty()) url += std::string(path_prefix) + "/";
  return url + "api/v2/alerts";
}

struct Sender::Impl {
  Impl(SenderOptions options, SenderDeps deps) : shared{options, std::move(deps)} {}

  Loops CurrentLoops() const {
    base::MutexLock lock(mu);
    return loops;
  }

  // own synchronisation
  LoopShared shared;
  // One Configure or Stop at a time; taken before mu.
  base::Mutex change_mu;
  bool stopped AZX_GUARDED_BY(change_mu) = false;
  // guarded by mu
  mutable base::Mutex mu;
  model::Labels external_labels AZX_GUARDED_BY(mu);
  model::RelabelRules alert_relabel AZX_GUARDED_BY(mu);
  Loops loops AZX_GUARDED_BY(mu);
};

Sender::Sender(SenderOptions options, SenderDeps deps)
    : impl_(std::make_unique<Impl>(options, std::move(deps))) {}

Sender::~Sender() { Stop(); }

void Sender::Configure(std::vector<Alertmanager> alertmanagers, model::Labels external_labels,
                       model::RelabelRules alert_relabel) {
  base::MutexLock change(impl_->change_mu);
  if (impl_->stopped) return;
  const Loops before = impl_->CurrentLoops();
  Loops after;
  Loops fresh;
  for (Alertmanager& alertmanager : alertmanagers) {
    if (FindLoop(after, alertmanager.url)) continue;
    const auto old = FindLoop(before, alertmanager.url);
    if (old && old->alertmanager() == alertmanager) {
      after.push_back(old);
      continue;
    }
    auto mailbox =
        old ? old->mailbox() : std::make_shared<Mailbox>(impl_->shared.options.queue_capacity);
    after.push_back(
        std::make_shared<SendLoop>(std::move(alertmanager), std::move(mailbox), impl_->shared));
    fresh.push_back(after.back());
  }
  {
    base::MutexLock lock(impl_->mu);
    impl_->loops = after;
    impl_->external_labels = std::move(external_labels);
    impl_->alert_relabel = std::move(alert_relabel);
  }
  // A loop that goes may be in the middle of a batch, which the one in its place then begins with.
  for (const auto& old : before) {
    if (std::find(after.begin(), after.end(), old) == after.end()) old->Join();
  }
  for (const auto& loop : fresh) loop->Start();
}

void Sender::Send(std::vector<Alert> alerts) {
  Loops loops;
  model::Labels external_labels;
  model::RelabelRules alert_relabel;
  {
    base::MutexLock lock(impl_->mu);
    loops = impl_->loops;
    external_labels = impl_->external_labels;
    alert_relabel = impl_->alert_relabel;
  }
  if (loops.empty()) return;
  for (Alert& alert : alerts) alert = WithExternalLabels(std::move(alert), external_labels);
  if (!alert_relabel.empty()) alerts = Relabelled(alerts, alert_relabel);
  for (const auto& loop : loops) {
    const model::RelabelRules& own = loop->alertmanager().alert_relabel;
    loop->Add(own.empty() ? alerts : Relabelled(alerts, own));
  }
}

void Sender::Stop() {
  base::MutexLock change(impl_->change_mu);
  if (std::exchange(impl_->stopped, true)) return;
  const Loops loops = impl_->CurrentLoops();
  Drain(loops, impl_->shared);
  for (const auto& loop : loops) {
    loop->Join();
    const std::size_t left = loop->mailbox()->queue.size();
    if (left == 0) continue;
    impl_->shared.dropped += left;
    impl_->shared.deps.log.Warn(
        "alerts not sent before the stop",
        {{"alertmanager", loop->alertmanager().url}, {"alerts", std::to_string(left)}});
  }
}

SenderStats Sender::Stats() const {
  SenderStats stats;
  for (const auto& loop : impl_->CurrentLoops()) {
    const Mailbox& mailbox = *loop->mailbox();
    auto& one = stats.alertmanagers.emplace_back();
    one = {.url = loop->alertmanager().url, .sent = mailbox.sent, .errors = mailbox.errors};
    std::copy(mailbox.latency_counts.begin(), mailbox.latency_counts.end(),
              one.latency_counts.begin());
    one.latency_sum_seconds = static_cast<double>(mailbox.latency_sum_ns) / 1e9;
    stats.queue_length = std::max(stats.queue_length, mailbox.queue.size());
  }
  stats.dropped = impl_->shared.dropped;
  stats.queue_capacity = impl_->shared.options.queue_capacity;
  return stats;
}

}  // namespace azexporter::notify
