#include "azexporter/web/server.h"

#include <httplib.h>
#include <zlib.h>

#include <charconv>
#include <thread>

#include "azexporter/base/json_writer.h"
#include "handlers.h"

namespace azexporter::web {
namespace {

using base::ErrorCode;

// Each open connection holds a thread of the pool while it lasts.
constexpr std::size_t kThreads = 32;
constexpr std::size_t kMaxBodyBytes = 16 << 20;

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

// httplib 0.11 has no named path segments: ":name" becomes a group of its pattern.
std::string RoutePattern(std::string_view path, std::vector<std::string>& names) {
  std::string pattern;
  while (!path.empty()) {
    const std::size_t colon = path.find(':');
    pattern += path.substr(0, colon);
    if (colon == std::string_view::npos) break;
    path.remove_prefix(colon + 1);
    const std::size_t end = std::min(path.find('/'), path.size());
    names.emplace_back(path.substr(0, end));
    pattern += "([^/]+)";
    path.remove_prefix(end);
  }
  return pattern;
}

bool AcceptsGzip(const httplib::Request& request) {
  return request.get_header_value("Accept-Encoding").find("gzip") != std::string::npos;
}

std::string Gzip(const std::string& text) {
  z_stream stream{};
  constexpr int kGzipWindow = 15 + 16;
  constexpr int kMemoryLevel = 8;
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kGzipWindow, kMemoryLevel,
                   Z_DEFAULT_STRATEGY) != Z_OK) {
    return {};
  }
  std::string out(deflateBound(&stream, static_cast<uLong>(text.size())), '\0');
  std::string in = text;  // zlib's interface is not const-correct
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int result = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return result == Z_STREAM_END ? out : std::string();
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
  void AddPages();
  void AddApi();
  void Metrics(const httplib::Request& request, httplib::Response& response) const;
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
  http.set_keep_alive_timeout(10);
  http.set_read_timeout(10);
  http.set_write_timeout(30);
  http.set_payload_max_length(kMaxBodyBytes);
  http.set_error_handler([](const httplib::Request& request, httplib::Response& response) {
    if (!response.body.empty()) return;
    response.set_content(response.status == 404 ? "404 page not found: " + request.path + "\n"
                                                : "error " + std::to_string(response.status) + "\n",
                         "text/plain; charset=utf-8");
  });
}

void Server::Impl::Metrics(const httplib::Request& request, httplib::Response& response) const {
  const auto round = deps.latest.Get();
  if (!round) {
    response.status = 503;
    response.set_content("no round is finished yet\n", "text/plain; charset=utf-8");
    return;
  }
  std::set<std::string> names;
  const auto [begin, end] = request.params.equal_range("name[]");
  for (auto it = begin; it != end; ++it) names.insert(it->second);
  std::string text = collect::RenderText(round->snapshot, names);
  // httplib compresses nothing that it does not know to be compressible, so gzip is done here.
  const std::string type(exposition::kTextContentType);
  if (AcceptsGzip(request)) {
    if (std::string packed = Gzip(text); !packed.empty()) {
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
    response.set_content("Lifecycle API is not enabled.", "text/plain; charset=utf-8");
    return;
  }
  if (auto reloaded = deps.reload(); !reloaded) {
    response.status = 500;
    response.set_content("failed to reload config: " + reloaded.error().message() + "\n",
                         "text/plain; charset=utf-8");
  }
}

void Server::Impl::AddPages() {
  using Req = const httplib::Request&;
  using Res = httplib::Response&;
  constexpr const char* kPlain = "text/plain; charset=utf-8";
  http.Get("/", [this](Req, Res response) {
    response.set_content(RenderStatusPage(deps, options), "text/html; charset=utf-8");
  });
  http.Get(options.telemetry_path,
           [this](Req request, Res response) { Metrics(request, response); });
  http.Get("/-/healthy",
           [](Req, Res response) { response.set_content("azexporter is healthy.\n", kPlain); });
  http.Get("/-/ready", [this](Req, Res response) {
    const bool ready = deps.latest.Get() != nullptr;
    response.status = ready ? 200 : 503;
    response.set_content(ready ? "azexporter is ready.\n" : "no round is finished yet\n", kPlain);
  });
  for (const char* method : {"POST", "PUT"}) {
    const auto reload = [this](Req, Res response) { Reload(response); };
    method == std::string_view("POST") ? http.Post("/-/reload", reload)
                                       : http.Put("/-/reload", reload);
  }
}

void Server::Impl::AddApi() {
  for (const ApiRoute& route : ApiRoutes()) {
    std::vector<std::string> names;
    const std::string pattern = RoutePattern(route.path, names);
    const auto answer = [this, handler = route.handler, names](const httplib::Request& from,
                                                               httplib::Response& response) {
      Request request;
      request.params = from.params;
      for (std::size_t i = 0; i < names.size(); ++i) {
        request.path_params[names[i]] = from.matches[i + 1];
      }
      SetApiAnswer(response, handler(deps, options, request));
    };
    http.Get(pattern, answer);
    http.Post(pattern, answer);
  }
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Server::~Server() { Stop(); }

base::Result<std::unique_ptr<Server>> Server::Listen(ServerOptions options, ServerDeps deps) {
  AZX_ASSIGN_OR_RETURN(auto address, SplitAddress(options.listen_address));
  auto impl = std::make_unique<Impl>(std::move(options), std::move(deps));
  impl->Configure();
  impl->AddPages();
  impl->AddApi();
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
