#pragma once

// What each path answers, as functions of a request. The envelope of the API, the status code, the
// headers and the compression are written once, in server.cc. Private to `web`.

#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "azexporter/web/server.h"
#include "connection_watch.h"
#include "query_gate.h"
#include "remote_write.h"
#include "request.h"

namespace azexporter::web {

// What the handlers share.
struct Context {
  const ServerDeps& deps;
  const ServerOptions& options;
  QueryGate& gate;
  ConnectionWatch& connections;
  RemoteWrite* remote_write;  // null where it is not enabled
};

// The answer of an API path: the JSON of "data", with what goes beside it. No JSON at all is
// answered with 204.
struct ApiData {
  std::string json = {};
  std::vector<std::string> warnings = {};
  std::vector<std::string> infos = {};
};

// The answer of any other path.
struct Page {
  int status = 200;
  std::string type = "text/plain; charset=utf-8";
  std::string body = {};
  std::string location = {};  // of a redirect
  bool gzip = false;          // the body is, already
  std::vector<std::pair<std::string, std::string>> headers = {};
};

using ApiHandler = base::Result<ApiData> (*)(const Context&, const Request&);
using PageHandler = Page (*)(const Context&, const Request&);

enum class Methods { kGet, kGetOrPost, kPost };

// One row of the table: either an API path or a page.
struct Route {
  std::string_view path;  // a pattern; ":name" stands for one segment
  Methods methods;
  ApiHandler api = nullptr;
  PageHandler page = nullptr;
};

// Every path but that of the metrics, which is an option.
std::span<const Route> Routes();

// --- queries: api_query.cc ---
base::Result<ApiData> Query(const Context& context, const Request& request);
base::Result<ApiData> QueryRange(const Context& context, const Request& request);
base::Result<ApiData> QueryExemplars(const Context& context, const Request& request);
base::Result<ApiData> ExplainQuery(const Context& context, const Request& request);
base::Result<ApiData> FormatQuery(const Context& context, const Request& request);
base::Result<ApiData> ParseQuery(const Context& context, const Request& request);

// --- what the store holds: api_series.cc ---
base::Result<ApiData> Series(const Context& context, const Request& request);
base::Result<ApiData> LabelNames(const Context& context, const Request& request);
base::Result<ApiData> LabelValues(const Context& context, const Request& request);
base::Result<ApiData> TsdbStatus(const Context& context, const Request& request);

// --- what the audit found: api_policy.cc ---
base::Result<ApiData> Policy(const Context& context, const Request& request);

// --- what is known of targets, rules and alerts: api_rules.cc ---
base::Result<ApiData> Alertmanagers(const Context& context, const Request& request);
base::Result<ApiData> Alerts(const Context& context, const Request& request);
base::Result<ApiData> Metadata(const Context& context, const Request& request);
base::Result<ApiData> Rules(const Context& context, const Request& request);
base::Result<ApiData> ScrapePools(const Context& context, const Request& request);
base::Result<ApiData> Targets(const Context& context, const Request& request);
base::Result<ApiData> TargetsMetadata(const Context& context, const Request& request);
base::Result<ApiData> Zones(const Context& context, const Request& request);

// --- what is known of this program: api_status.cc ---
base::Result<ApiData> BuildInfo(const Context& context, const Request& request);
base::Result<ApiData> ConfigStatus(const Context& context, const Request& request);
base::Result<ApiData> Features(const Context& context, const Request& request);
base::Result<ApiData> FlagsStatus(const Context& context, const Request& request);
base::Result<ApiData> RuntimeInfo(const Context& context, const Request& request);
base::Result<ApiData> WalReplay(const Context& context, const Request& request);

// --- pages.cc ---
Page Metrics(const Context& context, const Request& request);
Page StatusPage(const Context& context, const Request& request);
Page Graph(const Context& context, const Request& request);
Page Healthy(const Context& context, const Request& request);
Page Ready(const Context& context, const Request& request);
Page Reload(const Context& context, const Request& request);
Page Write(const Context& context, const Request& request);
// federate.cc
Page Federate(const Context& context, const Request& request);

// The page at "/".
std::string RenderStatusPage(const ServerDeps& deps, const ServerOptions& options);

}  // namespace azexporter::web
