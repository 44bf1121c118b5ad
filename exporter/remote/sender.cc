#include "azexporter/remote/sender.h"

#include <algorithm>
#include <atomic>

#include "azexporter/base/mutex.h"
#include "azexporter/base/wait.h"
#include "write_loop.h"

namespace azexporter::remote {
namespace {

using Loops = std::vector<std::shared_ptr<WriteLoop>>;

std::shared_ptr<WriteLoop> FindLoop(const Loops& loops, const WriteTarget& target) {
  const auto found = std::find_if(loops.begin(), loops.end(), [&](const auto& loop) {
    return loop->target().name == target.name && loop->target().endpoint.url == target.endpoint.url;
  });
  return found == loops.end() ? nullptr : *found;
}

void Drain(const Loops& loops, const WriteShared& shared) {
  constexpr std::int64_t kLookMs = 2;
  for (const auto& loop : loops) loop->BeginDrain();
  const std::int64_t end_ns = shared.deps.clock.SteadyNs() + shared.options.drain_ms * 1'000'000;
  const auto all_done = [&] {
    return std::all_of(loops.begin(), loops.end(), [](const auto& loop) { return loop->done(); });
  };
  while (!all_done() && shared.deps.clock.SteadyNs() < end_ns) {
    base::WaitFor(std::stop_token(), kLookMs);
  }
  for (const auto& loop : loops) loop->Abort();
}

}  // namespace

struct Sender::Impl {
  Impl(WriteOptions options, WriteDeps deps) : shared{options, std::move(deps), {}} {}

  Loops CurrentLoops() const {
    base::MutexLock lock(mu);
    return loops;
  }

  // own synchronisation
  WriteShared shared;
  std::atomic<bool> has_targets = false;
  // One Configure or Stop at a time; taken before mu.
  base::Mutex change_mu;
  bool stopped AZX_GUARDED_BY(change_mu) = false;
  // guarded by mu
  mutable base::Mutex mu;
  Loops loops AZX_GUARDED_BY(mu);
};

Sender::Sender(WriteOptions options, WriteDeps deps)
    : impl_(std::make_unique<Impl>(options, std::move(deps))) {}

Sender::~Sender() { Stop(); }

void Sender::Configure(std::vector<WriteTarget> targets, model::Labels external_labels) {
  base::MutexLock change(impl_->change_mu);
  if (impl_->stopped) return;
  const Loops before = impl_->CurrentLoops();
  Loops after;
  Loops fresh;
  for (WriteTarget& target : targets) {
    const auto old = FindLoop(before, target);
    if (old && old->target() == target && old->external_labels() == external_labels) {
      after.push_back(old);
      continue;
    }
    auto backlog = old ? old->backlog() : std::make_shared<Backlog>(target.capacity);
    after.push_back(std::make_shared<WriteLoop>(std::move(target), external_labels,
                                                std::move(backlog), impl_->shared));
    fresh.push_back(after.back());
  }
  {
    base::MutexLock lock(impl_->mu);
    impl_->loops = after;
  }
  impl_->has_targets = !after.empty();
  // A loop that goes may be in the middle of a batch, which the one in its place then begins with.
  for (const auto& old : before) {
    if (std::find(after.begin(), after.end(), old) == after.end()) old->Join();
  }
  for (const auto& loop : fresh) loop->Start();
}

void Sender::SetMetadata(exposition::MetadataMap metadata) {
  auto next = std::make_shared<const exposition::MetadataMap>(std::move(metadata));
  base::MutexLock lock(impl_->shared.mu);
  impl_->shared.metadata.swap(next);
}

void Sender::Send(std::span<const model::Sample> samples) {
  if (samples.empty()) return;
  for (const auto& loop : impl_->CurrentLoops()) loop->Add(samples);
}

bool Sender::has_targets() const { return impl_->has_targets; }

void Sender::Stop() {
  base::MutexLock change(impl_->change_mu);
  if (std::exchange(impl_->stopped, true)) return;
  const Loops loops = impl_->CurrentLoops();
  Drain(loops, impl_->shared);
  for (const auto& loop : loops) {
    loop->Join();
    const std::size_t left = loop->backlog()->queue.size();
    if (left == 0) continue;
    loop->backlog()->dropped_shutdown += left;
    impl_->shared.deps.log.Warn(
        "samples not sent before the stop",
        {{"remote_name", loop->target().name}, {"samples", std::to_string(left)}});
  }
}

std::vector<WriteStats> Sender::Stats() const {
  std::vector<WriteStats> stats;
  for (const auto& loop : impl_->CurrentLoops()) stats.push_back(loop->Stats());
  return stats;
}

}  // namespace azexporter::remote
