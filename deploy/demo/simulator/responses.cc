#include "simulator/responses.h"

#include "azexporter/base/gzip.h"

namespace azexporter::simulator {
namespace {

// Bodies from this size on are compressed.
constexpr std::size_t kGzipFrom = 128 * 1024;

// Bodies from this size on are streamed, but for those that are compressed.
constexpr std::size_t kStreamFrom = 8 * 1024 * 1024;

bool AcceptsGzip(const HttpRequest& request) {
  return request.Header("X-Accept-Encoding").find("gzip") != std::string::npos;
}

// `?pretty=true`, or a client that looks like a person's.
bool WantsPretty(const HttpRequest& request) {
  if (request.HasQuery("pretty")) {
    const std::string value = request.Query("pretty");
    return value != "0" && value != "false";
  }
  const std::string agent = request.Header("User-Agent");
  return agent.starts_with("curl") || agent.starts_with("Wget") || agent.starts_with("Mozilla/5.0");
}

}  // namespace

HttpResponse TextResponse(int status, std::string body) {
  return {.status = status,
          .content_type = "text/plain; charset=utf-8",
          .headers = {{"X-Content-Type-Options", "nosniff"}},
          .body = std::move(body)};
}

HttpResponse JsonResponse(const HttpRequest& request, int status, const Json& body) {
  return {.status = status, .body = WantsPretty(request) ? DumpPretty(body) : Dump(body) + "\n"};
}

HttpResponse DocumentResponse(const HttpRequest& request, JsonDocument document) {
  if (WantsPretty(request)) {
    const auto json = ParseJson(document.Text());
    if (json) return JsonResponse(request, 200, *json);
  }
  HttpResponse response;
  if (document.SizeHint() < kStreamFrom || AcceptsGzip(request)) {
    response.body = document.Text();
    response.body += '\n';
    return response;
  }
  response.stream = [document = std::move(document)](BodyStream& out) {
    return document.Write(out) ? StreamEnd::kComplete : StreamEnd::kCut;
  };
  return response;
}

HttpResponse ErrorResponse(const HttpRequest& request, const ApiError& error) {
  HttpResponse response = JsonResponse(request, error.code, StatusBody(error));
  if (error.code == 403) response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  if (error.code == 504) response.headers.emplace_back("Retry-After", "1");
  return response;
}

void CompressIfLarge(const HttpRequest& request, HttpResponse& response) {
  if (response.stream != nullptr || response.body.size() < kGzipFrom) return;
  if (!AcceptsGzip(request)) return;
  response.body = base::Gzip(response.body);
  response.headers.emplace_back("Content-Encoding", "gzip");
  response.headers.emplace_back("Vary", "Accept-Encoding");
}

}  // namespace azexporter::simulator
