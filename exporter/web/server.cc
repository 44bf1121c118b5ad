#include "azexporter/web/server.h"

#include <httplib.h>

#include <algorithm>
#include <charconv>
#include <thread>

#include "azexporter/base/gzip.h"
#include "azexporter/base/json_writer.h"
#include "azexporter/base/wait.h"
#include "handlers.h"

namespace azexporter::web {
namespace {

using base::ErrorCode;

// Each open connection holds a thread of the pool while it lasts.
constexpr std::size_t kThreads = 32;
constexpr std::size_t kMaxBodyBytes = 16 << 20;
constexpr char kPlain[] = "text/plain; charset=utf-8";

int StatusOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kBadData:
      return 400;
    case ErrorCode::kExecution:
      return 422;
    case ErrorCode::kCanceled:
      return 499;  // nginx's: the client closed the connection
    case ErrorCode::kTimeout:
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
Page ApiPage(const base::Result<ApiData>& answer) {
  if (answer && answer->json.empty()) return {.status = 204};
  base::JsonWriter json;
  json.BeginObject();
  Page page{.type = "application/json"};
  if (answer) {
    json.Key("status").String("success").Key("data").Raw(answer->json);
    WriteList(json, "warnings", answer->warnings);
    WriteList(json, "infos", answer->infos);
  } else {
    page.status = StatusOf(answer.error().code());
    json.Key("status").String("error");
    json.Key("errorType").String(base::ErrorCodeName(answer.error().code()));
    json.Key("error").String(answer.error().message());
  }
  json.EndObject();
  page.body = json.Take();
  return page;
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
      : options(std::move(options_in)),
        deps(std::move(deps_in)),
        gate(std::max<std::size_t>(options.max_concurrency, 1)),
        remote_write(deps.remote_write == nullptr ? nullptr
                                                  : std::make_unique<RemoteWrite>(
                                                        *deps.remote_write, deps.clock, deps.log)) {
  }

  void Configure();
  void Serve(const httplib::Request& from, std::string_view body, httplib::Response& response);
  Page Answer(Request& request);
  void Send(bool accepts_gzip, Page page, httplib::Response& response) const;

  const ServerOptions options;
  const ServerDeps deps;
  QueryGate gate;
  ConnectionWatch connections;
  std::unique_ptr<RemoteWrite> remote_write;  // null where it is not enabled
  const Context context{deps, options, gate, connections, remote_write.get()};
  std::string host;
  int port = 0;
  httplib::Server http;
  std::jthread thread;
};

void Server::Impl::Configure() {
  // Queries that wait for their turn hold a thread each; the others are for everything else.
  const std::size_t threads = kThreads + options.max_concurrency;
  http.new_task_queue = [threads] {
    return new httplib::ThreadPool(threads);
  };  // httplib deletes it
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
  // All routing is ours, and so is the reading of bodies: httplib would refuse a form of more than
  // 8 KB, which a dashboard's query may well be.
  const auto without_body = [this](const httplib::Request& request, httplib::Response& response) {
    Serve(request, "", response);
  };
  http.Get(".*", without_body);
  http.Delete(".*", without_body);
  http.Options(".*", without_body);
  const auto with_body = [this](const httplib::Request& request, httplib::Response& response,
                                const httplib::ContentReader& reader) {
    std::string body;
    const auto take = [&body](const char* data, std::size_t size) {
      body.append(data, size);
      return true;
    };
    // No path takes a body in parts; it is read all the same, since a request follows it.
    const bool whole = request.is_multipart_form_data()
                           ? reader([](const httplib::MultipartFormData&) { return true; },
                                    [](const char*, std::size_t) { return true; })
                           : reader(take);
    if (whole) Serve(request, body, response);
  };
  http.Post(".*", with_body);
  http.Put(".*", with_body);
  // httplib hands a POST on only with a body; `curl -X POST` sends none.
  http.set_pre_routing_handler([this](const httplib::Request& request,
                                      httplib::Response& response) {
    const bool sends = request.method == "POST" || request.method == "PUT";
    if (!sends || request.has_header("Content-Length") || request.has_header("Transfer-Encoding")) {
      return httplib::Server::HandlerResponse::Unhandled;
    }
    Serve(request, "", response);
    return httplib::Server::HandlerResponse::Handled;
  });
  http.set_error_handler([](const httplib::Request& request, httplib::Response& response) {
    if (!response.body.empty() || response.content_provider_) return;
    response.set_content(response.status == 404 ? "404 page not found: " + request.path + "\n"
                                                : "error " + std::to_string(response.status) + "\n",
                         kPlain);
  });
}

bool Takes(Methods methods, std::string_view method) {
  const bool reads = method == "GET" || method == "HEAD";
  switch (methods) {
    case Methods::kGet:
      return reads;
    case Methods::kPost:
      return method == "POST" || method == "PUT";
    case Methods::kGetOrPost:
      return reads || method == "POST";
  }
  return false;
}

Page Server::Impl::Answer(Request& request) {
  if (request.method == "OPTIONS" && request.path.starts_with("/api/v1/")) return {.status = 204};
  if (request.path == options.telemetry_path && Takes(Methods::kGet, request.method)) {
    return Metrics(context, request);
  }
  for (const Route& route : Routes()) {
    request.path_params.clear();
    if (!MatchPath(route.path, request.path, request.path_params)) continue;
    if (!Takes(route.methods, request.method)) {
      // As it always was: a reload by GET is not there.
      const int status = route.page == &Reload ? 404 : 405;
      return {.status = status, .body = status == 405 ? "Method Not Allowed\n" : ""};
    }
    return route.api != nullptr ? ApiPage(route.api(context, request))
                                : route.page(context, request);
  }
  return {.status = 404};  // the error handler says so
}

void Server::Impl::Serve(const httplib::Request& from, std::string_view body,
                         httplib::Response& response) {
  Request request{.method = from.method,
                  .path = from.path,
                  .content_type = from.get_header_value("Content-Type"),
                  .content_encoding = from.get_header_value("Content-Encoding"),
                  .accepts_gzip = AcceptsGzip(from),
                  .accept = from.get_header_value("Accept"),
                  .body = body,
                  .connection = {from.remote_addr, from.remote_port, from.local_port}};
  if (request.content_type.starts_with("application/x-www-form-urlencoded")) {
    AddParams(body, request.params);
  }
  const std::string_view target = from.target;
  if (const std::size_t mark = target.find('?'); mark != std::string_view::npos) {
    AddParams(target.substr(mark + 1), request.url_params);
    for (const auto& [name, value] : request.url_params) request.params.emplace(name, value);
  }
  Send(request.accepts_gzip, Answer(request), response);
}

// Bodies go out from where they are, in pieces, rather than being copied into the response.
void Server::Impl::Send(bool accepts_gzip, Page page, httplib::Response& response) const {
  response.status = page.status;
  for (const auto& [name, value] : page.headers) response.set_header(name, value);
  if (!page.location.empty()) {
    response.set_redirect(page.location, page.status);
    return;
  }
  // httplib compresses nothing that it does not know to be compressible, so gzip is done here.
  const bool pack = !page.gzip && accepts_gzip && !page.body.empty();
  if (pack) page.body = base::Gzip(page.body);
  if (pack || page.gzip) response.set_header("Content-Encoding", "gzip");
  if (page.body.empty()) {  // a provider of nothing would never be done
    if (page.status < 400 && page.status != 204) response.set_content("", page.type);
    return;
  }
  const auto body = std::make_shared<const std::string>(std::move(page.body));
  response.set_content_provider(
      body->size(), page.type,
      [body](std::size_t offset, std::size_t length, httplib::DataSink& sink) {
        constexpr std::size_t kChunk = 1 << 20;
        return sink.write(body->data() + offset, std::min(length, kChunk));
      });
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
  impl_->connections.StopAll();
  impl_->http.stop();
  impl_->thread = std::jthread();
}

std::optional<collect::RemoteWriteCounts> Server::remote_write() const {
  if (!impl_->remote_write) return std::nullopt;
  return impl_->remote_write->counts();
}

std::string Server::url() const {
  const bool any = impl_->host == "0.0.0.0" || impl_->host == "::";
  const std::string host = any                                          ? "127.0.0.1"
                           : impl_->host.find(':') != std::string::npos ? "[" + impl_->host + "]"
                                                                        : impl_->host;
  return "http://" + host + ":" + std::to_string(impl_->port);
}

}  // namespace azexporter::web
