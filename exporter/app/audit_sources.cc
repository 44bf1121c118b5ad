#include "audit_sources.h"

#include <algorithm>

#include "api_answer.h"

namespace azexporter::app {
namespace {

namespace dom = simdjson::dom;
using base::Result;

std::int64_t Count(const dom::element& object, const char* key) {
  std::int64_t count = 0;
  return object[key].get(count) == simdjson::SUCCESS ? count : 0;
}

// A finding of a check that this program does not have is a fault.
void ReadFinding(const dom::element& json, audit::Report& report) {
  const std::string name = Text(json, "check");
  const auto check = std::ranges::find(audit::Checks(), name, &audit::Check::name);
  if (check == audit::Checks().end()) {
    report.faults.emplace_back(base::ErrorCode::kBadData,
                               "a finding of \"" + name + "\", a check of another version");
    return;
  }
  report.findings.push_back({.check = &*check,
                             .kind = Text(json, "kind"),
                             .ns = Text(json, "namespace"),
                             .name = Text(json, "name"),
                             .message = Text(json, "message")});
}

}  // namespace

Result<audit::Report> AuditOfDaemon(const std::string& url, std::int64_t timeout_ms) {
  if (!net::IsHttpUrl(url)) {
    return base::BadData("--url: not a http or https URL: \"" + url + "\"");
  }
  std::string whole = url;
  while (whole.ends_with('/')) whole.pop_back();
  whole += "/api/v1/policy";
  net::HttpClient http({.user_agent = "azexporter"});
  AZX_ASSIGN_OR_RETURN(const net::HttpResponse response,
                       http.Fetch({.url = whole, .timeout_ms = timeout_ms}));
  dom::parser parser;
  AZX_ASSIGN_OR_RETURN(const dom::element root, ReadAnswer(parser, response, whole));
  AZX_ASSIGN_OR_RETURN(const dom::element data, Member(root, "data"));
  AZX_RETURN_IF_ERROR(Member(data, "findings"));
  audit::Report report;
  report.objects = static_cast<std::size_t>(Count(data, "objects"));
  report.ignored = static_cast<std::size_t>(Count(data, "ignored"));
  for (const std::string& fault : Texts(List(data, "faults"))) {
    report.faults.emplace_back(base::ErrorCode::kUnavailable, fault);
  }
  for (const dom::element json : List(data, "findings")) ReadFinding(json, report);
  return report;
}

Result<audit::Report> AuditOfCluster(config::Config config, const ObserverDeps& deps) {
  config.collectors.policy_custom_resources = true;
  config.postgres.clear();
  config.cnpg.reset();
  config.redis.clear();
  config.opstree.reset();
  AZX_ASSIGN_OR_RETURN(const std::unique_ptr<Observer> observer,
                       Observer::Create(std::move(config), deps));
  observer->AskOnce({});
  const auto cluster = observer->cluster_state();
  audit::LiveAudit live;
  audit::Report report = *live.Update(*cluster);
  for (const kube::ResourceHealth& health : cluster->health()) {
    if (!health.unread()) continue;
    report.faults.emplace_back(base::ErrorCode::kUnavailable, health.last_error.empty()
                                                                  ? health.resource + ": not listed"
                                                                  : health.last_error);
  }
  return report;
}

}  // namespace azexporter::app
