#pragma once

// An alert as it goes to an Alertmanager.
// Source: prometheus.io/docs/alerting/latest/alerts_api/.
//
// Thread safety: values; thread-compatible.

#include <span>
#include <string>

#include "azexporter/model/labels.h"
#include "azexporter/model/sample.h"

namespace azexporter::notify {

struct Alert {
  model::Labels labels;  // make the identity of the alert
  model::Labels annotations;
  model::TimestampMs starts_at = 0;  // when it began to fire
  // When it ended; of an alert that still fires, until when it counts as firing if nothing more is
  // heard of it.
  model::TimestampMs ends_at = 0;
  std::string generator_url;  // where a person sees what made it

  friend bool operator==(const Alert&, const Alert&) = default;
};

// The alert with each of `external` whose name it does not carry itself.
Alert WithExternalLabels(Alert alert, const model::Labels& external);

// The body of a POST to /api/v2/alerts. Times have milliseconds, always.
std::string AlertsJson(std::span<const Alert> alerts);

// "/graph?g0.expr=...&g0.tab=1": the path of a generator URL, as Prometheus makes it.
std::string GraphPath(std::string_view expr);

}  // namespace azexporter::notify
