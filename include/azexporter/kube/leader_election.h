#pragma once

// Leader election by a Lease (coordination.k8s.io/v1), so that of several replicas one acts.
// Semantics: k8s.io/client-go/tools/leaderelection: the holder renews the Lease, guarded by its
// resourceVersion; another takes it over when the record did not change for the duration it names.
// That time is measured here, from when a change was seen: the clocks of replicas are not compared.
// Beyond client-go a holder does not count as the leader for longer than renew_deadline from when
// its last renewal was asked for, whether its thread runs or not; so a process that was paused is
// no leader when it wakes. Two lead at a time only where the clocks of two machines run apart by a
// third (15 s against 10 s), where an action takes longer than the difference, or where a machine
// slept and its steady clock with it: until the first try after that.
//
//   follower ── nobody holds it, or no change for its duration: written ──> leader
//   leader ── another holds it, or renew_deadline passed ──> follower
//   leader ── stop ──> released: the next one need not wait
//
// Thread safety: LeaderElector is thread-compatible but for IsLeader and holder, which any thread
// may ask.

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <stop_token>
#include <string>

#include "azexporter/base/clock.h"
#include "azexporter/base/logger.h"
#include "azexporter/base/mutex.h"
#include "azexporter/base/result.h"
#include "azexporter/kube/api_client.h"

namespace azexporter::kube {

struct LeaderElectionOptions {
  std::string ns;  // of the Lease
  std::string name = "azexporter";
  std::string identity;  // who this is; no other candidate may be called so
  // How long others wait after the last change they saw. Whole seconds.
  std::int64_t lease_duration_ms = 15'000;
  // How long a leader acts after its last renewal.
  std::int64_t renew_deadline_ms = 10'000;
  // Between two tries; up to 2.2 times as long for one that does not lead.
  std::int64_t retry_period_ms = 2'000;

  // lease_duration > renew_deadline > 1.2 retry_period, as client-go asks.
  base::Result<void> Validate() const;

  friend bool operator==(const LeaderElectionOptions&, const LeaderElectionOptions&) = default;
};

// What a Lease says of its holder. Times are as they are written, RFC 3339 with microseconds: they
// are compared, and not understood.
struct LeaseRecord {
  std::string holder;  // empty: nobody
  std::int64_t duration_seconds = 0;
  std::string acquire_time;
  std::string renew_time;
  std::int64_t transitions = 0;

  friend bool operator==(const LeaseRecord&, const LeaseRecord&) = default;
};

struct Lease {
  LeaseRecord record;
  // The object's metadata as it came, JSON: what an update sends back, with its resourceVersion.
  std::string metadata;
};

// Where the Lease is kept. http_status 404: there is none; 409: it exists already, or was changed
// since it was read.
class LeaseStore {
 public:
  virtual ~LeaseStore() = default;

  virtual ApiResult<Lease> Get(std::int64_t timeout_ms, std::stop_token stop) = 0;
  virtual ApiResult<Lease> Create(const LeaseRecord& record, std::int64_t timeout_ms,
                                  std::stop_token stop) = 0;
  virtual ApiResult<Lease> Update(const Lease& lease, std::int64_t timeout_ms,
                                  std::stop_token stop) = 0;
};

// A Lease on an API server. `client` must outlive the store.
std::unique_ptr<LeaseStore> MakeLeaseStore(ApiClient& client, const std::string& ns,
                                           const std::string& name);

class LeaderElector {
 public:
  // Told on the electing thread that leading began, or ended.
  using OnChange = std::function<void(bool leading)>;

  // `store` and `clock` must outlive this. REQUIRES: the options are valid.
  LeaderElector(LeaderElectionOptions options, LeaseStore& store, const base::Clock& clock,
                base::Logger log, OnChange on_change = {});

  // Elects until `stop` is requested. Does not release.
  void Run(std::stop_token stop);
  // One try. Returns how long to wait for the next, ms.
  std::int64_t Step(const std::stop_token& stop);
  // Gives the Lease up, where it is held; leads no more. For at most about two seconds.
  void Release();

  bool IsLeader() const;
  // Whom the Lease named last; empty where nobody was seen.
  std::string holder() const;

 private:
  bool TryAcquireOrRenew(std::int64_t now_ns, const std::stop_token& stop);
  bool Renew(const std::stop_token& stop);
  bool Take(const Lease& current, const std::stop_token& stop);
  LeaseRecord OwnRecord(const LeaseRecord& before) const;
  // Notes a record that is not the one seen last, and when.
  void Observe(const Lease& lease);
  void TellFailure(std::string_view doing, const ApiFailure& failure);
  void TellChange();

  // constant after construction
  const LeaderElectionOptions options_;
  LeaseStore& store_;
  const base::Clock& clock_;
  const base::Logger log_;
  const OnChange on_change_;
  // own synchronisation
  std::atomic<std::int64_t> leading_until_ns_ = kNever;
  // of the electing thread
  Lease observed_;
  std::int64_t observed_at_ns_ = 0;
  bool told_leading_ = false;
  std::string told_error_;
  std::minstd_rand random_;
  // guarded by mu_
  mutable base::Mutex mu_;
  std::string holder_ AZX_GUARDED_BY(mu_);

  static constexpr std::int64_t kNever = INT64_MIN;
};

}  // namespace azexporter::kube
