#include "handlers.h"

namespace azexporter::web {
namespace {

constexpr Route Api(std::string_view path, Methods methods, ApiHandler handler) {
  return {.path = path, .methods = methods, .api = handler};
}

constexpr Route Other(std::string_view path, Methods methods, PageHandler handler) {
  return {.path = path, .methods = methods, .page = handler};
}

// The methods are those that Prometheus takes.
constexpr Route kRoutes[] = {
    Other("/", Methods::kGet, &StatusPage),
    Other("/-/healthy", Methods::kGet, &Healthy),
    Other("/-/ready", Methods::kGet, &Ready),
    Other("/-/reload", Methods::kPost, &Reload),
    Api("/api/v1/alertmanagers", Methods::kGet, &Alertmanagers),
    Api("/api/v1/alerts", Methods::kGet, &Alerts),
    Api("/api/v1/explain", Methods::kGetOrPost, &ExplainQuery),
    Api("/api/v1/features", Methods::kGet, &Features),
    Api("/api/v1/format_query", Methods::kGetOrPost, &FormatQuery),
    Api("/api/v1/label/:name/values", Methods::kGet, &LabelValues),
    Api("/api/v1/labels", Methods::kGetOrPost, &LabelNames),
    Api("/api/v1/metadata", Methods::kGet, &Metadata),
    Api("/api/v1/parse_query", Methods::kGetOrPost, &ParseQuery),
    Api("/api/v1/policy", Methods::kGet, &Policy),
    Api("/api/v1/query", Methods::kGetOrPost, &Query),
    Api("/api/v1/query_exemplars", Methods::kGetOrPost, &QueryExemplars),
    Api("/api/v1/query_range", Methods::kGetOrPost, &QueryRange),
    Api("/api/v1/rules", Methods::kGet, &Rules),
    Api("/api/v1/scrape_pools", Methods::kGet, &ScrapePools),
    Api("/api/v1/series", Methods::kGetOrPost, &Series),
    Api("/api/v1/status/buildinfo", Methods::kGet, &BuildInfo),
    Api("/api/v1/status/config", Methods::kGet, &ConfigStatus),
    Api("/api/v1/status/flags", Methods::kGet, &FlagsStatus),
    Api("/api/v1/status/runtimeinfo", Methods::kGet, &RuntimeInfo),
    Api("/api/v1/status/tsdb", Methods::kGet, &TsdbStatus),
    Api("/api/v1/status/walreplay", Methods::kGet, &WalReplay),
    Api("/api/v1/targets", Methods::kGet, &Targets),
    Api("/api/v1/targets/metadata", Methods::kGet, &TargetsMetadata),
    Other("/api/v1/write", Methods::kPost, &Write),
    Api("/api/v1/zones", Methods::kGet, &Zones),
    Other("/federate", Methods::kGet, &Federate),
    Other("/graph", Methods::kGet, &Graph),
};

}  // namespace

std::span<const Route> Routes() { return kRoutes; }

}  // namespace azexporter::web
