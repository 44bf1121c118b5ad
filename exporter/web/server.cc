#include "azexporter/web/server.h"

#include <httplib.h>

#include <charconv>
#include <set>
#include <thread>

#include "azexporter/base/gzip.h"
#include "azexporter/base/json_writer.h"
#include "azexporter/base/wait.h"
#include "azexporter/net/http_client.h"
#include "handlers.h"

namespace azexporter::web {
namespace {

using base::ErrorCode;

// Each open connection holds a thread of the pool while it lasts.
constexpr std::size_t kThreads = 32;
constexpr std::size_t kMaxBodyBytes = 16 << 20;
constexpr int kGzipLevel = 1;  // a page is compressed for each scrape
constexpr char kPlain[] = "text/plain; charset=utf-8";

int StatusOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kBadData:
      return 400;
    case ErrorCode::kExecution:
      return 422;
    case ErrorCode::kTimeout:
    case ErrorCode::kCanceled:
    case ErrorCode::kUnavailable:
      return 503;
    case ErrorCode::kNotFound:
      return 404;
    case ErrorCode::kInternal:
      return 500;
  }
  return 500;
}

void WriteList(base::JsonWriter& json, std::string_view key, const std::vector<std::string>& list) {
  if (list.empty()) return;
  json.Key(key).BeginArray();
  for (const std::string& item : list) json.String(item);
  json.EndArray();
}

// The envelope that every answer of the API comes in.
void SetApiAnswer(httplib::Response& response, const base::Result<ApiData>& answer) {
  base::JsonWriter json;
  json.BeginObject();
  if (answer) {
    json.Key("status").String("success").Key("data").Raw(answer->json);
    WriteList(json, "warnings", answer->warnings);
    WriteList(json, "infos", answer->infos);
  } else {
    response.status = StatusOf(answer.error().code());
    json.Key("status").String("error");
    json.Key("errorType").String(base::ErrorCodeName(answer.error().code()));
    json.Key("error").String(answer.error().message());
  }
  json.EndObject();
  response.set_content(json.Take(), "application/json");
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string UrlDecode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '%' && i + 2 < text.size() && HexDigit(text[i + 1]) >= 0 &&
                        HexDigit(text[i + 2]) >= 0;
    if (escape) {
      out += static_cast<char>(HexDigit(text[i + 1]) * 16 + HexDigit(text[i + 2]));
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

// Adds "a=1&b=2". A value may itself hold '=', as in query=up{zone="a"}: httplib's own parser
// would cut it there.
void AddParams(std::string_view text, std::multimap<std::string, std::string>& params) {
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(pair.size() + 1, text.size()));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const std::string_view value = pair.substr(std::min(equals + 1, pair.size()));
    params.emplace(UrlDecode(pair.substr(0, equals)), UrlDecode(value));
  }
}

// True when `path` has the form of `pattern`; a segment ":name" takes what stands in its place.
bool MatchPath(std::string_view pattern, std::string_view path,
               std::map<std::string, std::string>& found) {
  while (!pattern.empty() && !path.empty()) {
    const std::string_view want = pattern.substr(0, pattern.find('/', 1));
    const std::string_view have = path.substr(0, path.find('/', 1));
    if (want.starts_with("/:") && have.size() > 1) {
      found[std::string(want.substr(2))] = have.substr(1);
    } else if (want != have) {
      return false;
    }
    pattern.remove_prefix(want.size());
    path.remove_prefix(have.size());
  }
  return pattern.empty() && path.empty();
}

bool AcceptsGzip(const httplib::Request& request) {
  return request.get_header_value("Accept-Encoding").find("gzip") != std::string::npos;
}

// "HOST:PORT", "[::1]:PORT", ":PORT".
base::Result<std::pair<std::string, int>> SplitAddress(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  int port = -1;
  if (colon != std::string::npos) {
    const char* begin = address.data() + colon + 1;
    const char* end = address.data() + address.size();
    const auto [ptr, error] = std::from_chars(begin, end, port);
    if (error != std::errc() || ptr != end) port = -1;
  }
  if (port < 0 || port > 65535) {
    return base::BadData("listen address must be HOST:PORT, got \"" + address + "\"");
  }
  std::string host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host.empty()) host = "0.0.0.0";
  return std::pair(std::move(host), port);
}

}  // namespace

struct Server::Impl {
  Impl(ServerOptions options_in, ServerDeps deps_in)
      : options(std::move(options_in)), deps(std::move(deps_in)) {}

  void Configure();
  void Dispatch(const httplib::Request& from, httplib::Response& response) const;
  bool DispatchPage(const httplib::Request& from, const Request& request,
                    httplib::Response& response) const;
  void Metrics(const httplib::Request& from, const Request& request,
               httplib::Response& response) const;
  void Reload(httplib::Response& response) const;

  const ServerOptions options;
  const ServerDeps deps;
  std::string host;
  int port = 0;
  httplib::Server http;
  std::jthread thread;
};

void Server::Impl::Configure() {
  http.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };  // httplib deletes it
  http.set_tcp_nodelay(true);
  // httplib would set SO_REUSEPORT, with which a second process shares the port in silence.
  http.set_socket_options([](socket_t socket) {
    const int on = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  });
  http.set_keep_alive_max_count(1000);
  // Short, because an idle connection holds its thread, through Stop() too.
  http.set_keep_alive_timeout(2);
  http.set_read_timeout(10);
  http.set_write_timeout(30);
  http.set_payload_max_length(kMaxBodyBytes);
  // All routing is ours. httplib hands a POST on only with a body; `curl -X POST` sends none.
  const auto dispatch = [this](const httplib::Request& request, httplib::Response& response) {
    Dispatch(request, response);
  };
  http.Get(".*", dispatch);
  http.Post(".*", dispatch);
  http.Put(".*", dispatch);
  http.set_pre_routing_handler([dispatch](const httplib::Request& request,
                                          httplib::Response& response) {
    const bool sends = request.method == "POST" || request.method == "PUT";
    if (!sends || request.has_header("Content-Length") || request.has_header("Transfer-Encoding")) {
      return httplib::Server::HandlerResponse::Unhandled;
    }
    dispatch(request, response);
    return httplib::Server::HandlerResponse::Handled;
  });
  http.set_error_handler([](const httplib::Request& request, httplib::Response& response) {
    if (!response.body.empty()) return;
    response.set_content(response.status == 404 ? "404 page not found: " + request.path + "\n"
                                                : "error " + std::to_string(response.status) + "\n",
                         kPlain);
  });
}

void Server::Impl::Metrics(const httplib::Request& from, const Request& request,
                           httplib::Response& response) const {
  const auto round = deps.latest.Get();
  if (!round) {
    response.status = 503;
    response.set_content("no round is finished yet\n", kPlain);
    return;
  }
  const std::vector<std::string> wanted = request.Params("name[]");
  const std::set<std::string> names(wanted.begin(), wanted.end());
  std::string text = collect::RenderText(round->snapshot, names);
  // httplib compresses nothing that it does not know to be compressible, so gzip is done here.
  const std::string type(exposition::kTextContentType);
  if (AcceptsGzip(from)) {
    if (std::string packed = base::Gzip(text, kGzipLevel); !packed.empty()) {
      response.set_header("Content-Encoding", "gzip");
      text = std::move(packed);
    }
  }
  if (text.empty()) {  // a provider of nothing would never be done
    response.set_content("", type);
    return;
  }
  const auto body = std::make_shared<const std::string>(std::move(text));
  response.set_content_provider(
      body->size(), type, [body](std::size_t offset, std::size_t length, httplib::DataSink& sink) {
        constexpr std::size_t kChunk = 1 << 20;
        return sink.write(body->data() + offset, std::min(length, kChunk));
      });
}

void Server::Impl::Reload(httplib::Response& response) const {
  if (!deps.reload) {
    response.status = 403;
    response.set_content("Lifecycle API is not enabled.", kPlain);
    return;
  }
  if (auto reloaded = deps.reload(); !reloaded) {
    response.status = 500;
    response.set_content("failed to reload config: " + reloaded.error().message() + "\n", kPlain);
  }
}

// Where the link of an alert leads: what its expression says now. Seen from the path asked for, so
// that it holds behind a proxy that adds a prefix.
std::string GraphTarget(const Request& request) {
  const std::string expr = request.Param("g0.expr");
  return expr.empty() ? "./" : "api/v1/query?query=" + net::UrlEscape(expr);
}

bool Server::Impl::DispatchPage(const httplib::Request& from, const Request& request,
                                httplib::Response& response) const {
  const bool reads = from.method == "GET" || from.method == "HEAD";
  if (from.path == "/-/reload" && !reads) {
    Reload(response);
  } else if (!reads) {
    return false;
  } else if (from.path == "/") {
    response.set_content(RenderStatusPage(deps, options), "text/html; charset=utf-8");
  } else if (from.path == options.telemetry_path) {
    Metrics(from, request, response);
  } else if (from.path == "/graph") {
    response.set_redirect(GraphTarget(request));
  } else if (from.path == "/-/healthy") {
    response.set_content("azexporter is healthy.\n", kPlain);
  } else if (from.path == "/-/ready") {
    const bool ready = deps.latest.Get() != nullptr;
    response.status = ready ? 200 : 503;
    response.set_content(ready ? "azexporter is ready.\n" : "no round is finished yet\n", kPlain);
  } else {
    return false;
  }
  return true;
}

void Server::Impl::Dispatch(const httplib::Request& from, httplib::Response& response) const {
  Request request;
  const std::string_view target = from.target;
  if (const std::size_t mark = target.find('?'); mark != std::string_view::npos) {
    AddParams(target.substr(mark + 1), request.params);
  }
  if (from.get_header_value("Content-Type").starts_with("application/x-www-form-urlencoded")) {
    AddParams(from.body, request.params);
  }
  if (DispatchPage(from, request, response)) return;
  for (const ApiRoute& route : ApiRoutes()) {
    request.path_params.clear();
    if (!MatchPath(route.path, from.path, request.path_params)) continue;
    SetApiAnswer(response, route.handler(deps, options, request));
    return;
  }
  response.status = 404;  // the error handler says so
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Server::~Server() { Stop(); }

base::Result<std::unique_ptr<Server>> Server::Listen(ServerOptions options, ServerDeps deps) {
  AZX_ASSIGN_OR_RETURN(auto address, SplitAddress(options.listen_address));
  auto impl = std::make_unique<Impl>(std::move(options), std::move(deps));
  impl->Configure();
  impl->host = address.first;
  impl->port = address.second;
  bool bound = false;
  if (address.second == 0) {
    impl->port = impl->http.bind_to_any_port(impl->host);
    bound = impl->port > 0;
  } else {
    bound = impl->http.bind_to_port(impl->host, impl->port);
  }
  if (!bound) {
    return base::Fail(ErrorCode::kUnavailable,
                      "cannot listen on " + impl->options.listen_address +
                          ": the address is in use or not of this machine");
  }
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

void Server::Start() {
  impl_->thread = std::jthread([this] { impl_->http.listen_after_bind(); });
  // httplib forgets a stop that comes before it runs, and would then serve for ever.
  constexpr int kLookMs = 1;
  constexpr int kLooks = 5'000;
  for (int i = 0; i < kLooks && !impl_->http.is_running(); ++i) {
    base::WaitFor(std::stop_token(), kLookMs);
  }
}

void Server::Stop() {
  impl_->http.stop();
  impl_->thread = std::jthread();
}

std::string Server::url() const {
  const bool any = impl_->host == "0.0.0.0" || impl_->host == "::";
  const std::string host = any                                          ? "127.0.0.1"
                           : impl_->host.find(':') != std::string::npos ? "[" + impl_->host + "]"
                                                                        : impl_->host;
  return "http://" + host + ":" + std::to_string(impl_->port);
}

}  // namespace azexporter::web
