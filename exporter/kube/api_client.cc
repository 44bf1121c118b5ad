#include "azexporter/kube/api_client.h"

#include <charconv>

#include "azexporter/base/file.h"
#include "decode.h"
#include "frame_reader.h"

namespace azexporter::kube {
namespace {

std::string_view ReasonPhrase(int status) {
  switch (status) {
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 429:
      return "Too Many Requests";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    default:
      return "";
  }
}

ApiFailure StatusFailure(const net::HttpRequest& request, net::HttpResponse response) {
  std::string text =
      request.method + " " + net::RedactUrl(request.url) + ": " + std::to_string(response.status);
  if (const auto phrase = ReasonPhrase(response.status); !phrase.empty()) {
    text += " " + std::string(phrase);
  }
  if (std::string said = StatusMessage(response.body, EncodingOf(response.Header("content-type")));
      !said.empty())
    text += ": " + said;
  std::int64_t seconds = 0;
  const std::string_view retry = response.Header("retry-after");
  std::from_chars(retry.data(), retry.data() + retry.size(), seconds);
  const auto code =
      response.status == 404 ? base::ErrorCode::kNotFound : base::ErrorCode::kUnavailable;
  return {base::Error(code, std::move(text)), response.status, seconds * 1000};
}

}  // namespace

ApiClient::ApiClient(ClusterAccess access, std::unique_ptr<net::HttpTransport> transport)
    : access_(std::move(access)),
      http_(transport ? std::move(transport)
                      : std::make_unique<net::HttpClient>(
                            net::HttpClientOptions{.user_agent = "azexporter",
                                                   .tls = access_.tls,
                                                   .proxy_url = access_.proxy_url})) {}

base::Result<net::HttpRequest> ApiClient::MakeRequest(const std::string& path,
                                                      Accept accept) const {
  net::HttpRequest request;
  request.url = access_.server + path;
  request.headers.emplace_back("Accept", accept == Accept::kJson
                                             ? "application/json"
                                             : std::string(kWireContentType) + ",application/json");
  std::string token = access_.bearer_token;
  if (!access_.token_file.empty()) {
    AZX_ASSIGN_OR_RETURN(token, base::ReadFile(access_.token_file));
    while (!token.empty() && (token.back() == '\n' || token.back() == ' ')) token.pop_back();
  }
  if (!token.empty()) {
    request.headers.emplace_back("Authorization", "Bearer " + token);
  } else if (!access_.username.empty()) {
    request.basic_auth = access_.username + ":" + access_.password;
  }
  return request;
}

ApiResult<ApiAnswer> ApiClient::Get(const std::string& path, Accept accept, std::int64_t timeout_ms,
                                    std::stop_token stop) {
  auto request = MakeRequest(path, accept);
  if (!request) return tl::unexpected<ApiFailure>({request.error(), 0, 0});
  request->timeout_ms = timeout_ms;
  auto response = http_->Fetch(*request, std::move(stop));
  if (!response) return tl::unexpected<ApiFailure>({response.error(), 0, 0});
  if (response->status != 200) {
    return tl::unexpected<ApiFailure>(StatusFailure(*request, std::move(*response)));
  }
  const Encoding encoding = EncodingOf(response->Header("content-type"));
  return ApiAnswer{std::move(response->body), encoding};
}

ApiResult<std::string> ApiClient::Write(WriteRequest write, std::stop_token stop) {
  auto request = MakeRequest(write.path, Accept::kJson);
  if (!request) return tl::unexpected<ApiFailure>({request.error(), 0, 0});
  request->method = std::move(write.method);
  request->headers.emplace_back("Content-Type", "application/json");
  request->body = std::move(write.body);
  request->timeout_ms = write.timeout_ms;
  auto response = http_->Fetch(*request, std::move(stop));
  if (!response) return tl::unexpected<ApiFailure>({response.error(), 0, 0});
  if (response->status != 200 && response->status != 201) {
    return tl::unexpected<ApiFailure>(StatusFailure(*request, std::move(*response)));
  }
  return std::move(response->body);
}

ApiResult<void> ApiClient::Watch(const std::string& path, Accept accept,
                                 std::int64_t idle_timeout_ms, const FrameHandler& on_frame,
                                 std::stop_token stop) {
  auto request = MakeRequest(path, accept);
  if (!request) return tl::unexpected<ApiFailure>({request.error(), 0, 0});
  request->timeout_ms = 0;
  request->idle_timeout_ms = idle_timeout_ms;
  request->accept_gzip = false;
  std::optional<FrameReader> frames;
  const auto on_chunk = [&](const net::HttpResponse& head, std::string_view chunk) {
    if (!frames) frames.emplace(EncodingOf(head.Header("content-type")));
    return frames->Feed(chunk,
                        [&](std::string& frame) { return on_frame(frame, frames->encoding()); });
  };
  auto response = http_->Stream(*request, on_chunk, std::move(stop));
  if (!response) return tl::unexpected<ApiFailure>({response.error(), 0, 0});
  if (frames && frames->too_long()) {
    return tl::unexpected<ApiFailure>(
        {base::Error(base::ErrorCode::kUnavailable,
                     "GET " + net::RedactUrl(request->url) + ": an event longer than 64 MiB"),
         0, 0});
  }
  if (response->status != 200) {
    return tl::unexpected<ApiFailure>(StatusFailure(*request, std::move(*response)));
  }
  return {};
}

}  // namespace azexporter::kube
