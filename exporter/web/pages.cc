#include <set>

#include "azexporter/base/text.h"
#include "azexporter/exposition/metric_message.h"
#include "azexporter/net/http_client.h"
#include "handlers.h"

namespace azexporter::web {

// GET /metrics: the families of the latest round, those of name[] where it is given; in protobuf
// where that is asked for.
Page Metrics(const Context& context, const Request& request) {
  const auto round = context.deps.latest.Get();
  if (!round) return {.status = 503, .body = "no round is finished yet\n"};
  const std::vector<std::string> wanted = request.Params("name[]");
  const std::set<std::string> names(wanted.begin(), wanted.end());
  const exposition::PageFormat format = exposition::Negotiate(request.accept);
  return {.type = std::string(exposition::ContentTypeOf(format)),
          .body = request.accepts_gzip ? collect::RenderGzip(round->snapshot, format, names)
                                       : collect::Render(round->snapshot, format, names),
          .gzip = request.accepts_gzip};
}

// GET /: the page for people.
Page StatusPage(const Context& context, const Request&) {
  return {.type = "text/html; charset=utf-8",
          .body = RenderStatusPage(context.deps, context.options)};
}

// GET /graph: where the link of an alert leads, to what its expression says now. Seen from the path
// asked for, so that it holds behind a proxy that adds a prefix.
Page Graph(const Context&, const Request& request) {
  const std::string expr = request.Param("g0.expr");
  return {.status = 302,
          .location = expr.empty() ? "./" : "api/v1/query?query=" + base::UrlEscape(expr)};
}

// GET /-/healthy: the program serves.
Page Healthy(const Context&, const Request&) { return {.body = "azexporter is healthy.\n"}; }

// GET /-/ready: there is something to serve.
Page Ready(const Context& context, const Request&) {
  if (context.deps.latest.Get() == nullptr) {
    return {.status = 503, .body = "no round is finished yet\n"};
  }
  return {.body = "azexporter is ready.\n"};
}

// POST, PUT /-/reload: loads the configuration again.
Page Reload(const Context& context, const Request&) {
  if (!context.deps.reload) return {.status = 403, .body = "Lifecycle API is not enabled."};
  if (auto reloaded = context.deps.reload(); !reloaded) {
    return {.status = 500, .body = "failed to reload config: " + reloaded.error().message() + "\n"};
  }
  return {.body = ""};
}

// POST /api/v1/write: remote write 1.0 and 2.0.
Page Write(const Context& context, const Request& request) {
  if (context.remote_write == nullptr) {
    return {.status = 404,
            .body =
                "remote write receiver needs to be enabled with "
                "--web.enable-remote-write-receiver\n"};
  }
  auto answer = context.remote_write->Take({.content_type = request.content_type,
                                            .content_encoding = request.content_encoding,
                                            .body = request.body});
  if (!answer.text.empty()) answer.text += '\n';
  Page page{.status = answer.status, .body = std::move(answer.text)};
  if (const auto& written = answer.written) {
    const std::string prefix = "X-Prometheus-Remote-Write-";
    page.headers = {{prefix + "Samples-Written", std::to_string(written->samples)},
                    {prefix + "Histograms-Written", std::to_string(written->histograms)},
                    {prefix + "Exemplars-Written", std::to_string(written->exemplars)}};
  }
  return page;
}

}  // namespace azexporter::web
