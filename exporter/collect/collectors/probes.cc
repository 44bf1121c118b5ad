// What the probes saw: latency between zones as a histogram, and who answers.

#include <array>
#include <limits>

#include "../collectors.h"
#include "../family_builder.h"

namespace azexporter::collect {
namespace {

constexpr std::array<std::string_view, 3> kTargetLabels = {"target", "source_zone",
                                                           "destination_zone"};
constexpr std::array<std::string_view, 4> kOutcomeLabels = {"target", "source_zone",
                                                            "destination_zone", "outcome"};
constexpr std::array<std::string_view, 4> kLatencyLabels = {"target", "source_zone",
                                                            "destination_zone", "cross_zone"};

constexpr std::string_view kOutcomeValues[] = {"healthy", "bad_status", "timeout", "failed"};
constexpr model::LabelValues kOutcome[] = {{"outcome", kOutcomeValues}};
constexpr std::string_view kCrossZoneValues[] = {"true", "false", "unknown"};
constexpr model::LabelValues kCrossZone[] = {{"cross_zone", kCrossZoneValues}};

constexpr model::MetricDesc kFamilies[] = {
    {"az_probe_results_total", "Probes by how they ended.", model::MetricType::kCounter,
     kOutcomeLabels, model::kNumber, kOutcome},
    {"az_probe_up", "Whether the last probe of the target was answered with 2xx.",
     model::MetricType::kGauge, kTargetLabels, model::kFlag},
    {"http_request_duration_seconds",
     "Time of probe requests between zones; time-outs count with the time they took.",
     model::MetricType::kHistogram, kLatencyLabels, model::kAnyValue, kCrossZone},
};

constexpr std::string_view kUnknownZone = "unknown";

std::string_view KnownOr(std::string_view zone) { return zone.empty() ? kUnknownZone : zone; }

std::string_view CrossZone(const probe::TargetFacts& facts) {
  if (facts.source_zone.empty() || facts.target.zone.empty()) return kUnknownZone;
  return facts.source_zone == facts.target.zone ? "false" : "true";
}

model::HistogramValue ToHistogram(const probe::LatencyHistogram& latency) {
  model::HistogramValue value;
  std::uint64_t cumulative = 0;
  for (std::size_t i = 0; i < probe::kLatencyBounds.size(); ++i) {
    cumulative += latency.counts[i];
    value.buckets.push_back({probe::kLatencyBounds[i], cumulative});
  }
  value.buckets.push_back({std::numeric_limits<double>::infinity(), latency.total});
  value.sum = latency.sum_seconds;
  value.native = std::make_shared<const model::FloatHistogram>(latency.native);
  return value;
}

Collected Collect(const CollectorInputs& inputs) {
  FamilyBuilder results(kFamilies[0]);
  FamilyBuilder up(kFamilies[1]);
  FamilyBuilder latency(kFamilies[2]);
  for (const probe::TargetFacts& facts : inputs.probes) {
    if (facts.probes == 0) continue;
    const std::string_view name = facts.target.name;
    const std::string_view source = KnownOr(facts.source_zone);
    const std::string_view destination = KnownOr(facts.target.zone);
    using probe::ProbeOutcome;
    for (ProbeOutcome outcome : {ProbeOutcome::kHealthy, ProbeOutcome::kBadStatus,
                                 ProbeOutcome::kTimeout, ProbeOutcome::kFailed}) {
      results.Add({name, source, destination, probe::ProbeOutcomeName(outcome)},
                  static_cast<double>(facts.outcomes[static_cast<std::size_t>(outcome)]));
    }
    up.Add({name, source, destination}, facts.up() ? 1 : 0);
    latency.Add({name, source, destination, CrossZone(facts)}, ToHistogram(facts.latency));
  }
  Collected collected;
  collected.families.push_back(results.Take());
  collected.families.push_back(up.Take());
  collected.families.push_back(latency.Take());
  return collected;
}

}  // namespace

const Collector& ProbesCollector() {
  static constexpr Collector kRow = {"probes", "Latency and answers of the probe targets.",
                                     kFamilies, &Collect};
  return kRow;
}

}  // namespace azexporter::collect
