#include "azexporter/net/http_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <ctime>

#include "azexporter/base/check.h"
#include "azexporter/base/mutex.h"
#include "azexporter/base/text.h"

namespace azexporter::net {
namespace {

using base::ErrorCode;
using base::Fail;

struct EasyCloser {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct MultiCloser {
  void operator()(CURLM* handle) const { curl_multi_cleanup(handle); }
};
struct ListCloser {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

// An easy handle with the multi handle that drives it. The multi handle owns the kept connections,
// and its wake-up is what lets another thread end a transfer at once.
struct Transfer {
  std::unique_ptr<CURLM, MultiCloser> multi{curl_multi_init()};
  std::unique_ptr<CURL, EasyCloser> easy{curl_easy_init()};
};

// What curl's callbacks write to.
struct Exchange {
  HttpResponse response;
  const ChunkHandler* on_chunk = nullptr;
  CURL* easy = nullptr;
  std::size_t max_body_bytes = 0;
  bool ended_by_handler = false;
  bool too_large = false;
};

std::size_t OnHeader(char* data, std::size_t size, std::size_t count, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  const std::string_view line(data, size * count);
  if (line.starts_with("HTTP/")) {
    // Of an informational answer before this one, or of a redirect.
    exchange.response.headers.clear();
    exchange.response.body.clear();
  } else if (const std::size_t colon = line.find(':'); colon != std::string_view::npos) {
    exchange.response.headers.emplace_back(
        base::Lower(std::string(line.substr(0, colon))),
        std::string(base::Trim(line.substr(colon + 1), " \r\n")));
  }
  return size * count;
}

std::size_t OnBody(char* data, std::size_t size, std::size_t count, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  const std::string_view chunk(data, size * count);
  long status = 0;
  curl_easy_getinfo(exchange.easy, CURLINFO_RESPONSE_CODE, &status);
  if (exchange.on_chunk != nullptr && status >= 200 && status < 300) {
    exchange.response.status = static_cast<int>(status);
    if ((*exchange.on_chunk)(exchange.response, chunk)) return chunk.size();
    exchange.ended_by_handler = true;
    return 0;
  }
  if (exchange.response.body.size() + chunk.size() > exchange.max_body_bytes) {
    exchange.too_large = true;
    return 0;
  }
  exchange.response.body += chunk;
  return chunk.size();
}

void SetBlob(CURL* easy, CURLoption option, const std::string& pem) {
  if (pem.empty()) return;
  curl_blob blob{};
  blob.data = const_cast<char*>(pem.data());  // CURL_BLOB_COPY: curl only reads it
  blob.len = pem.size();
  blob.flags = CURL_BLOB_COPY;
  curl_easy_setopt(easy, option, &blob);
}

long MinVersion(TlsVersion version) {
  switch (version) {
    case TlsVersion::kTls10:
      return CURL_SSLVERSION_TLSv1_0;
    case TlsVersion::kTls11:
      return CURL_SSLVERSION_TLSv1_1;
    case TlsVersion::kDefault:
    case TlsVersion::kTls12:
      return CURL_SSLVERSION_TLSv1_2;
    case TlsVersion::kTls13:
      return CURL_SSLVERSION_TLSv1_3;
  }
  return CURL_SSLVERSION_TLSv1_2;
}

long MaxVersion(TlsVersion version) {
  switch (version) {
    case TlsVersion::kDefault:
      return CURL_SSLVERSION_MAX_DEFAULT;
    case TlsVersion::kTls10:
      return CURL_SSLVERSION_MAX_TLSv1_0;
    case TlsVersion::kTls11:
      return CURL_SSLVERSION_MAX_TLSv1_1;
    case TlsVersion::kTls12:
      return CURL_SSLVERSION_MAX_TLSv1_2;
    case TlsVersion::kTls13:
      return CURL_SSLVERSION_MAX_TLSv1_3;
  }
  return CURL_SSLVERSION_MAX_DEFAULT;
}

void SetTls(CURL* easy, const TlsOptions& tls) {
  curl_easy_setopt(easy, CURLOPT_SSLVERSION,
                   MinVersion(tls.min_version) | MaxVersion(tls.max_version));
  SetBlob(easy, CURLOPT_CAINFO_BLOB, tls.ca_pem);
  SetBlob(easy, CURLOPT_SSLCERT_BLOB, tls.client_cert_pem);
  SetBlob(easy, CURLOPT_SSLKEY_BLOB, tls.client_key_pem);
  if (!tls.client_cert_pem.empty()) {
    curl_easy_setopt(easy, CURLOPT_SSLCERTTYPE, "PEM");
    curl_easy_setopt(easy, CURLOPT_SSLKEYTYPE, "PEM");
  }
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, tls.insecure_skip_verify ? 0L : 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, tls.insecure_skip_verify ? 0L : 2L);
}

using StringList = std::unique_ptr<curl_slist, ListCloser>;

// libcurl verifies the name of the URL. To have it verify another one, the URL gets that name, and
// its connection goes where the URL led before.
struct Renamed {
  std::string url;
  std::string host;  // HOST or HOST:PORT, as the server is to see it
  StringList connect_to;
};

std::optional<Renamed> Rename(const std::string& url, const std::string& server_name) {
  constexpr std::string_view kScheme = "https://";
  if (server_name.empty() || !url.starts_with(kScheme)) return std::nullopt;
  const std::size_t end = std::min(url.find_first_of("/?#", kScheme.size()), url.size());
  const std::string host = url.substr(kScheme.size(), end - kScheme.size());
  const std::size_t bracket = host.rfind(']');
  const std::size_t colon = host.rfind(':');
  const bool has_port =
      colon != std::string::npos && (bracket == std::string::npos || colon > bracket);
  const std::string port = has_port ? host.substr(colon) : ":443";
  const std::string to = server_name + port + ":" + host.substr(0, has_port ? colon : end) + port;
  return Renamed{std::string(kScheme) + server_name + port + url.substr(end), host,
                 StringList(curl_slist_append(nullptr, to.c_str()))};
}

StringList MakeHeaderList(const HttpHeaders& headers, const std::optional<Renamed>& renamed) {
  curl_slist* list = nullptr;
  for (const auto& [name, value] : headers) {
    list = curl_slist_append(list, (name + ": " + value).c_str());
  }
  if (renamed) list = curl_slist_append(list, ("Host: " + renamed->host).c_str());
  list = curl_slist_append(list, "Expect:");  // no round trip before a body
  return StringList(list);
}

void SetTimeouts(CURL* easy, const HttpRequest& request) {
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.connect_timeout_ms));
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout_ms));
  if (request.idle_timeout_ms > 0) {
    const std::int64_t seconds = std::max<std::int64_t>(1, (request.idle_timeout_ms + 999) / 1000);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, static_cast<long>(seconds));
  }
}

void SetMethod(CURL* easy, const HttpRequest& request) {
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  if (request.method == "HEAD") curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
  if (!request.body.empty()) {
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.data());
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request.body.size()));
  }
}

void SetRedirects(CURL* easy, const HttpRequest& request) {
  if (!request.follow_redirects) return;
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(easy, CURLOPT_MAXREDIRS, 10L);
  curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_POSTREDIR, static_cast<long>(CURL_REDIR_POST_ALL));
}

double Seconds(CURL* easy, CURLINFO info) {
  curl_off_t microseconds = 0;
  curl_easy_getinfo(easy, info, &microseconds);
  return static_cast<double>(microseconds) / 1e6;
}

// Runs the transfer to its end, or until `stop` is asked for.
CURLcode Drive(const Transfer& transfer, const std::stop_token& stop, bool& canceled) {
  CURLM* multi = transfer.multi.get();
  std::stop_callback wake(stop, [multi] { curl_multi_wakeup(multi); });
  curl_multi_add_handle(multi, transfer.easy.get());
  CURLcode code = CURLE_OK;
  for (int running = 1; running > 0;) {
    if (stop.stop_requested()) {
      canceled = true;
      break;
    }
    curl_multi_perform(multi, &running);
    if (running > 0) curl_multi_poll(multi, nullptr, 0, 1000, nullptr);
  }
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
    if (message->msg == CURLMSG_DONE) code = message->data.result;
  }
  curl_multi_remove_handle(multi, transfer.easy.get());
  return code;
}

}  // namespace

struct HttpClient::Impl {
  // constant after construction
  HttpClientOptions options;
  // guarded by mu
  base::Mutex mu;
  std::vector<std::unique_ptr<Transfer>> idle AZX_GUARDED_BY(mu);

  std::unique_ptr<Transfer> Borrow() {
    base::MutexLock lock(mu);
    if (idle.empty()) return std::make_unique<Transfer>();
    auto transfer = std::move(idle.back());
    idle.pop_back();
    return transfer;
  }
  void Return(std::unique_ptr<Transfer> transfer) {
    base::MutexLock lock(mu);
    constexpr std::size_t kMaxIdle = 16;
    if (idle.size() < kMaxIdle) idle.push_back(std::move(transfer));
  }
  void Configure(CURL* easy, const HttpRequest& request) const;
};

void HttpClient::Impl::Configure(CURL* easy, const HttpRequest& request) const {
  curl_easy_reset(easy);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_USERAGENT, options.user_agent.c_str());
  curl_easy_setopt(easy, CURLOPT_PROXY, options.proxy_url.c_str());
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &OnHeader);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &OnBody);
  if (request.accept_gzip) curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
  if (request.fresh_connection) {
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
  }
  curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
  if (!request.basic_auth.empty()) {
    curl_easy_setopt(easy, CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));
    curl_easy_setopt(easy, CURLOPT_USERPWD, request.basic_auth.c_str());
  }
  SetMethod(easy, request);
  SetRedirects(easy, request);
  SetTimeouts(easy, request);
  SetTls(easy, options.tls);
}

std::string_view HttpResponse::Header(std::string_view name) const {
  for (const auto& [have, value] : headers) {
    if (have == name) return value;
  }
  return {};
}

HttpClient::HttpClient(HttpClientOptions options) : impl_(std::make_unique<Impl>()) {
  // Counted by libcurl; never undone, since other clients may still run at the end of the program.
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  AZX_CHECK(initialised == CURLE_OK, "libcurl must initialise");
  impl_->options = std::move(options);
}

HttpClient::~HttpClient() = default;

base::Result<HttpResponse> HttpClient::Stream(const HttpRequest& request,
                                              const ChunkHandler& on_chunk, std::stop_token stop) {
  std::unique_ptr<Transfer> transfer = impl_->Borrow();
  CURL* easy = transfer->easy.get();
  Exchange exchange;
  exchange.easy = easy;
  exchange.on_chunk = on_chunk ? &on_chunk : nullptr;
  exchange.max_body_bytes = request.max_body_bytes;
  impl_->Configure(easy, request);
  const auto renamed = Rename(request.url, impl_->options.tls.server_name);
  if (renamed) {
    curl_easy_setopt(easy, CURLOPT_URL, renamed->url.c_str());
    curl_easy_setopt(easy, CURLOPT_CONNECT_TO, renamed->connect_to.get());
  }
  const auto headers = MakeHeaderList(request.headers, renamed);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &exchange);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &exchange);
  char reason[CURL_ERROR_SIZE] = "";
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, reason);

  bool canceled = false;
  const CURLcode code = Drive(*transfer, stop, canceled);
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  exchange.response.status = static_cast<int>(status);
  exchange.response.timing.connect_seconds = Seconds(easy, CURLINFO_CONNECT_TIME_T);
  exchange.response.timing.total_seconds = Seconds(easy, CURLINFO_TOTAL_TIME_T);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, nullptr);

  const std::string what = request.method + " " + RedactUrl(request.url) + ": ";
  if (canceled) return Fail(ErrorCode::kCanceled, what + "canceled");
  impl_->Return(std::move(transfer));
  if (exchange.ended_by_handler || code == CURLE_OK) return std::move(exchange.response);
  if (exchange.too_large) {
    return Fail(ErrorCode::kUnavailable,
                what + "answer larger than " + std::to_string(request.max_body_bytes) + " bytes");
  }
  const std::string cause = reason[0] != '\0' ? reason : curl_easy_strerror(code);
  const bool timeout = code == CURLE_OPERATION_TIMEDOUT;
  return Fail(timeout ? ErrorCode::kTimeout : ErrorCode::kUnavailable, what + cause);
}

std::string RedactUrl(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return std::string(url);
  const std::size_t host = scheme + 3;
  const std::size_t end = std::min(url.find_first_of("/?#", host), url.size());
  const std::size_t at = url.substr(0, end).rfind('@');
  if (at == std::string_view::npos || at < host) return std::string(url);
  return std::string(url.substr(0, host)) + std::string(url.substr(at + 1));
}

std::optional<std::int64_t> ParseHttpDateMs(std::string_view text) {
  const std::time_t seconds = curl_getdate(std::string(text).c_str(), nullptr);
  if (seconds < 0) return std::nullopt;
  return std::int64_t{seconds} * 1'000;
}

bool IsHttpUrl(std::string_view url) {
  for (std::string_view scheme : {"http://", "https://"}) {
    if (url.starts_with(scheme)) {
      const std::string_view rest = url.substr(scheme.size());
      const std::string_view host = rest.substr(0, rest.find_first_of("/?#"));
      return !host.empty() && host.find_first_of(" \t\n<>\"") == std::string_view::npos;
    }
  }
  return false;
}

}  // namespace azexporter::net
