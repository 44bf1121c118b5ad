#include "azexporter/kube/api_client.h"

#include <charconv>

#include "credentials.h"
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

ApiClient::ApiClient(ClusterAccess access, std::shared_ptr<net::HttpTransport> transport)
    : access_(std::move(access)),
      credentials_(std::make_unique<Credentials>(access_, clock_)),
      given_transport_(std::move(transport)) {}

ApiClient::~ApiClient() = default;

std::shared_ptr<net::HttpTransport> ApiClient::TransportFor(const net::TlsOptions& tls) {
  if (given_transport_) return given_transport_;
  base::MutexLock lock(mu_);
  if (!transport_ || transport_tls_ != tls) {
    transport_tls_ = tls;
    transport_ = std::make_shared<net::HttpClient>(net::HttpClientOptions{
        .user_agent = "azexporter", .tls = tls, .proxy_url = access_.proxy_url});
  }
  return transport_;
}

net::HttpRequest ApiClient::MakeRequest(const std::string& path, Accept accept) const {
  net::HttpRequest request;
  request.url = access_.server + path;
  request.headers = access_.impersonation;
  request.headers.emplace_back("Accept", accept == Accept::kJson
                                             ? "application/json"
                                             : std::string(kWireContentType) + ",application/json");
  return request;
}

ApiResult<net::HttpResponse> ApiClient::Send(net::HttpRequest request,
                                             const net::ChunkHandler& on_chunk,
                                             const std::stop_token& stop) {
  for (bool again = false;; again = true) {
    auto shown = credentials_->Get(stop);
    if (!shown) return tl::unexpected<ApiFailure>({shown.error(), 0, 0});
    net::HttpRequest with_credentials = request;
    with_credentials.basic_auth = shown->basic_auth;
    if (!shown->bearer_token.empty()) {
      with_credentials.headers.emplace_back("Authorization", "Bearer " + shown->bearer_token);
    }
    auto response = TransportFor(shown->tls)->Stream(with_credentials, on_chunk, stop);
    if (!response) return tl::unexpected<ApiFailure>({response.error(), 0, 0});
    const bool refused = response->status == 401 && credentials_->Refused(*shown);
    if (refused && !again) continue;
    if (response->status == 200 || response->status == 201) return std::move(*response);
    return tl::unexpected<ApiFailure>(StatusFailure(request, std::move(*response)));
  }
}

ApiResult<ApiAnswer> ApiClient::Get(const std::string& path, Accept accept, std::int64_t timeout_ms,
                                    std::stop_token stop) {
  net::HttpRequest request = MakeRequest(path, accept);
  request.timeout_ms = timeout_ms;
  auto response = Send(std::move(request), {}, stop);
  if (!response) return tl::unexpected(std::move(response).error());
  const Encoding encoding = EncodingOf(response->Header("content-type"));
  return ApiAnswer{std::move(response->body), encoding};
}

ApiResult<std::string> ApiClient::Write(WriteRequest write, std::stop_token stop) {
  net::HttpRequest request = MakeRequest(write.path, Accept::kJson);
  request.method = std::move(write.method);
  request.headers.emplace_back("Content-Type", "application/json");
  request.body = std::move(write.body);
  request.timeout_ms = write.timeout_ms;
  auto response = Send(std::move(request), {}, stop);
  if (!response) return tl::unexpected(std::move(response).error());
  return std::move(response->body);
}

ApiResult<void> ApiClient::Watch(const std::string& path, Accept accept,
                                 std::int64_t idle_timeout_ms, const FrameHandler& on_frame,
                                 std::stop_token stop) {
  net::HttpRequest request = MakeRequest(path, accept);
  request.timeout_ms = 0;
  request.idle_timeout_ms = idle_timeout_ms;
  request.accept_gzip = false;
  const std::string url = net::RedactUrl(request.url);
  std::optional<FrameReader> frames;
  const auto on_chunk = [&](const net::HttpResponse& head, std::string_view chunk) {
    if (!frames) frames.emplace(EncodingOf(head.Header("content-type")));
    return frames->Feed(chunk,
                        [&](std::string& frame) { return on_frame(frame, frames->encoding()); });
  };
  auto response = Send(std::move(request), on_chunk, stop);
  if (!response) return tl::unexpected(std::move(response).error());
  if (frames && frames->too_long()) {
    return tl::unexpected<ApiFailure>(
        {base::Error(base::ErrorCode::kUnavailable, "GET " + url + ": an event longer than 64 MiB"),
         0, 0});
  }
  return {};
}

}  // namespace azexporter::kube
