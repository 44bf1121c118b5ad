#pragma once

// The prober asks each target's URL over and over and keeps what it saw: whether it answers, how
// long that took, and why it did not. One thread a target, so that a slow one delays no other.
//
// Thread safety: Prober is thread-safe; Facts() never waits for a probe under way.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "azexporter/base/clock.h"
#include "azexporter/base/logger.h"
#include "azexporter/model/histogram.h"

namespace azexporter::probe {

struct Target {
  std::string name;  // unique: "us-east-1a", or the configured name
  std::string url;
  std::string zone;          // where the target stands; empty where that is not known
  bool zone_health = false;  // the health endpoint of `zone`

  friend bool operator==(const Target&, const Target&) = default;
};

struct ProberOptions {
  std::string source_zone;  // where this process stands; empty where that is not known
  std::int64_t interval_ms = 5'000;
  std::int64_t timeout_ms = 5'000;
};

// Upper bounds in seconds: fine below a few milliseconds, where zones of a region lie, and with an
// edge at 0.5 s, which the documented alert compares with.
inline constexpr std::array<double, 18> kLatencyBounds = {
    0.0001, 0.00025, 0.0005, 0.00075, 0.001, 0.0015, 0.002, 0.003, 0.005,
    0.01,   0.025,   0.05,   0.1,     0.25,  0.5,    1,     2.5,   5};

// Observations, kept as a classic histogram and as a native one.
struct LatencyHistogram {
  // Of the native one, as client_golang's histograms have it: with a NativeHistogramBucketFactor
  // of 1.1 each bound is the one before times 2^(1/8), up to 2^-128 (its
  // DefNativeHistogramZeroThreshold) is zero, and where there are more buckets than its
  // NativeHistogramMaxBucketNumber, neighbours are merged. That is unlimited there; 160 is what
  // OpenTelemetry has by default. Source: client_golang/prometheus/histogram.go.
  static constexpr std::int32_t kSchema = 3;
  static constexpr double kZeroThreshold = 0x1p-128;
  static constexpr std::size_t kMostBuckets = 160;

  // One count a bound, then one for everything above; not cumulative.
  std::array<std::uint64_t, kLatencyBounds.size() + 1> counts{};
  std::uint64_t total = 0;
  double sum_seconds = 0;
  model::FloatHistogram native = {.schema = kSchema, .zero_threshold = kZeroThreshold};

  // REQUIRES: finite, at least 0.
  void Observe(double seconds);
};

// How a probe ended. An HTTP status other than 2xx is an answer, but not a healthy one.
enum class ProbeOutcome { kHealthy, kBadStatus, kTimeout, kFailed };
std::string_view ProbeOutcomeName(ProbeOutcome outcome);

struct TargetFacts {
  Target target;
  std::string source_zone;
  std::uint64_t probes = 0;                 // finished so far; 0: nothing is known yet
  std::array<std::uint64_t, 4> outcomes{};  // by ProbeOutcome
  ProbeOutcome last_outcome = ProbeOutcome::kFailed;
  std::string last_error;  // empty after a healthy probe
  std::int64_t last_probe_ms = 0;
  // Answers, healthy or not, and time-outs with the time they took. A refused connection is not in
  // here: it would count as a fast answer.
  LatencyHistogram latency;
  // 95th percentile of the last measured probes, at most 64; nullopt where there is none.
  std::optional<double> recent_p95_seconds;

  bool up() const { return probes > 0 && last_outcome == ProbeOutcome::kHealthy; }
};

class Prober {
 public:
  // `clock` must outlive this.
  Prober(ProberOptions options, const base::Clock& clock, base::Logger log);
  ~Prober();
  Prober(const Prober&) = delete;
  Prober& operator=(const Prober&) = delete;

  // Makes `targets` what is probed from now on. A target that stays keeps its history.
  void SetTargets(std::vector<Target> targets);
  // Where this process stands, once that is known. Probes from then on carry it.
  void SetSourceZone(std::string zone);
  // Probes each target up to `times` times, all targets at once, and returns when all are done. A
  // target gets no further probe after a time-out or once `budget_ms` have passed, so that this
  // takes at most budget_ms and the time of one probe.
  void ProbeNow(int times, std::int64_t budget_ms);
  // Starts probing every target at its interval.
  void Start();
  void Stop();

  std::vector<TargetFacts> Facts() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace azexporter::probe
