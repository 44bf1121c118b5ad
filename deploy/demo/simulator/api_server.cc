#include "simulator/api_server.h"

#include <fmt/format.h>

#include <atomic>
#include <random>

#include "azexporter/base/mutex.h"
#include "simulator/api_request.h"
#include "simulator/authorizer.h"
#include "simulator/base64.h"
#include "simulator/discovery.h"
#include "simulator/fault_effects.h"
#include "simulator/list.h"
#include "simulator/replay.h"
#include "simulator/request_info.h"
#include "simulator/responses.h"
#include "simulator/watch.h"
#include "simulator/wire_answer.h"
#include "simulator/write.h"

namespace azexporter::simulator {

using base::Result;

namespace {

HttpResponse PathNotFound() { return TextResponse(404, "404 page not found\n"); }

bool IsHealth(std::string_view path) {
  return path == "/readyz" || path == "/livez" || path == "/healthz";
}

DiscoveryForm DiscoveryFormOf(const HttpRequest& request) {
  return request.Header("Accept").find("g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList") ==
                 std::string::npos
             ? DiscoveryForm::kPlain
             : DiscoveryForm::kAggregated;
}

}  // namespace

struct ApiServer::Impl {
  Impl(const ApiServerOptions& server_options, Store& server_store, const base::Clock& server_clock)
      : options(server_options),
        store(server_store),
        clock(server_clock),
        tokens(server_store, server_clock) {}

  // One request in progress.
  struct Asked {
    const HttpRequest& request;
    const RequestInfo& info;
    const std::optional<UserInfo>& user;  // nullopt: the credentials are wrong
    Versions versions = Versions::kKept;
    Faults::Id fault = 0;  // what hit it; 0: nothing
  };

  HttpResponse Handle(const HttpRequest& request);
  std::optional<UserInfo> UserOf(const HttpRequest& request) const;
  HttpResponse Answer(const Asked& asked);
  HttpResponse Route(const Asked& asked);
  std::optional<HttpResponse> RouteDiscovery(const HttpRequest& request);
  HttpResponse RouteResource(const Asked& asked, const ResourcePath& path);
  HttpResponse Read(const Asked& asked, const ResourcePath& path, const ListOptions& list_options);
  HttpResponse Watch(const Asked& asked, const ResourcePath& path, const ListOptions& list_options,
                     Representation representation);
  std::string NewAuditId();

  // Constant after construction.
  const ApiServerOptions options;
  Store& store;
  const base::Clock& clock;
  Certificate certificate;
  Recordings recordings;

  // Own synchronisation.
  Faults faults;
  Tokens tokens;
  std::atomic<std::size_t> watches{0};
  std::atomic<std::int64_t> answered{0};
  std::atomic<std::int64_t> close_generation{0};  // watches opened before it rose end

  // Guarded by mu.
  mutable base::Mutex mu;
  Interceptor interceptor AZX_GUARDED_BY(mu);
  std::mt19937_64 random AZX_GUARDED_BY(mu){std::random_device{}()};

  // Last: its threads use all of the above.
  std::unique_ptr<HttpServer> http;
};

HttpResponse ApiServer::Impl::Handle(const HttpRequest& request) {
  ++answered;
  Interceptor intercept;
  {
    base::MutexLock lock(mu);
    intercept = interceptor;
  }
  if (intercept) {
    if (auto answer = intercept(request)) return std::move(*answer);
  }
  const RequestInfo info = RequestInfoOf(request);
  const auto user = UserOf(request);
  const auto fault = faults.Take(request, info);
  if (!fault) return Answer({.request = request, .info = info, .user = user});
  return FaultyAnswer(*fault, {.faults = faults,
                               .clock = clock,
                               .request = request,
                               .info = info,
                               .recordings = &recordings,
                               .user = user.value_or(AnonymousUser()).name,
                               .answer = [&](Versions versions) {
                                 return Answer({request, info, user, versions, fault->id});
                               }});
}

HttpResponse ApiServer::Impl::Answer(const Asked& asked) {
  if (options.replay == ReplayMode::kByTarget) {
    if (const Recording* recording = recordings.For(asked.request)) return Replay(*recording);
  }
  HttpResponse response = Route(asked);
  EncodeAsAsked(asked.request, response);
  CompressIfLarge(asked.request, response);
  response.headers.emplace_back("Audit-Id", NewAuditId());
  const bool cacheable = response.content_type.find("apidiscovery") != std::string::npos;
  response.headers.emplace_back("Cache-Control", cacheable ? "public" : "no-cache, private");
  return response;
}

std::optional<UserInfo> ApiServer::Impl::UserOf(const HttpRequest& request) const {
  const std::string credentials = request.Header("Authorization");
  constexpr std::string_view kBearer = "Bearer ";
  if (!options.token.empty() && credentials == std::string(kBearer) + options.token) {
    return MasterUser(options.user);
  }
  if (credentials.starts_with(kBearer)) {
    auto user = tokens.UserOf(std::string_view(credentials).substr(kBearer.size()));
    if (user || !options.token.empty()) return user;
  }
  if (options.authorization == Authorization::kRbac) {
    return credentials.empty() ? std::optional(AnonymousUser()) : std::nullopt;
  }
  if (options.token.empty()) return MasterUser(options.user);
  // Like a real server: health and version are for everybody, but a wrong token never passes.
  const bool open = IsHealth(request.path) || request.path == "/version";
  return open && credentials.empty() ? std::optional(AnonymousUser()) : std::nullopt;
}

HttpResponse ApiServer::Impl::Route(const Asked& asked) {
  const HttpRequest& request = asked.request;
  if (!asked.user) return ErrorResponse(request, Unauthorized());
  if (options.authorization == Authorization::kRbac) {
    const Decision decision = Authorize(store, *asked.user, asked.info);
    if (!decision.allowed) {
      return ErrorResponse(request, Forbidden(asked.info, asked.user->name, decision.reason));
    }
  }
  if (IsHealth(request.path)) return TextResponse(200, "ok");
  if (auto discovery = RouteDiscovery(request)) return std::move(*discovery);
  const auto path = ParseResourcePath(request.path);
  if (!path) return PathNotFound();
  return RouteResource(asked, *path);
}

std::optional<HttpResponse> ApiServer::Impl::RouteDiscovery(const HttpRequest& request) {
  const std::string_view path = request.path;
  if (path == "/version") return HttpResponse{.body = DumpPretty(VersionBody())};
  if (path == "/openapi/v2") {
    // An empty document, in the only form that kubectl asks for (protobuf): with it kubectl apply
    // skips its own validation, without it kubectl apply refuses to work.
    return HttpResponse{.content_type =
                            "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"};
  }
  if (path == "/api" || path == "/apis") {
    const DiscoveryForm form = DiscoveryFormOf(request);
    HttpResponse response = JsonResponse(
        request, 200,
        path == "/api" ? CoreVersionsBody(form, request.Header("Host")) : GroupsBody(form));
    if (form == DiscoveryForm::kAggregated) {
      response.content_type =
          "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
      response.headers.emplace_back("Vary", "Accept");
    }
    return response;
  }
  std::optional<Json> body;
  if (path == "/api/v1") {
    body = ResourcesBody("", "v1");
  } else if (path.starts_with("/apis/")) {
    const std::string_view rest = path.substr(6);
    const std::size_t slash = rest.find('/');
    body = slash == std::string_view::npos
               ? GroupBody(rest)
               : ResourcesBody(rest.substr(0, slash), rest.substr(slash + 1));
  }
  if (!body) return std::nullopt;
  return JsonResponse(request, 200, *body);
}

HttpResponse ApiServer::Impl::RouteResource(const Asked& asked, const ResourcePath& path) {
  const HttpRequest& request = asked.request;
  auto list_options = ParseListOptions(request, path);
  if (!list_options) return ErrorResponse(request, list_options.error());
  if (request.method == "GET" || request.method == "HEAD") {
    list_options->expired = asked.versions == Versions::kExpired;
    return Read(asked, path, *list_options);
  }
  if (request.method == "POST" && IsReview(path)) {
    const auto body = AnswerReview({.store = store,
                                    .tokens = tokens,
                                    .user = *asked.user,
                                    .authorization = options.authorization,
                                    .now_ms = clock.NowMs()},
                                   path, request);
    return body ? JsonResponse(request, 201, *body) : ErrorResponse(request, body.error());
  }
  if (path.type->create_only) return ErrorResponse(request, MethodNotAllowed());
  auto answer = HandleWrite(store, path, request);
  if (!answer) return ErrorResponse(request, answer.error());
  return JsonResponse(request, answer->status, answer->body);
}

HttpResponse ApiServer::Impl::Read(const Asked& asked, const ResourcePath& path,
                                   const ListOptions& list_options) {
  const HttpRequest& request = asked.request;
  if (!path.subresource.empty() && path.subresource != "status") return PathNotFound();
  if (path.type->create_only) return ErrorResponse(request, MethodNotAllowed());
  const auto representation = Negotiate(request.Header("Accept"));
  if (!representation) return ErrorResponse(request, representation.error());
  if (!path.name.empty()) {
    auto body = GetBody(store, path, *representation, clock.NowMs(), list_options.include_object);
    return body ? DocumentResponse(request, std::move(*body))
                : ErrorResponse(request, body.error());
  }
  if (list_options.watch) {
    if (auto checked = CheckWatchOptions(list_options); !checked) {
      return ErrorResponse(request, checked.error());
    }
    return Watch(asked, path, list_options, *representation);
  }
  auto body = ListBody(store, path, list_options, *representation, clock.NowMs());
  return body ? DocumentResponse(request, std::move(*body)) : ErrorResponse(request, body.error());
}

HttpResponse ApiServer::Impl::Watch(const Asked& asked, const ResourcePath& path,
                                    const ListOptions& list_options,
                                    Representation representation) {
  const std::int64_t generation = close_generation.load();
  WatchOptions watch{.list = list_options,
                     .representation = representation,
                     .bookmark_interval_ms = options.bookmark_interval_ms,
                     .close_now = [this, generation] { return close_generation != generation; }};
  HttpResponse response;
  response.stream = [this, path, watch = std::move(watch), info = asked.info,
                     fault = asked.fault](BodyStream& body) {
    ++watches;
    SilenceableStream out(body, faults, info, fault);
    const StreamEnd end = StreamWatch(store, clock, path, watch, out);
    --watches;
    return end;
  };
  return response;
}

std::string ApiServer::Impl::NewAuditId() {
  base::MutexLock lock(mu);
  const std::uint64_t a = random();
  const std::uint64_t b = random();
  return fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}", a >> 32, (a >> 16) & 0xffff, a & 0xfff,
                     0x8000 | ((b >> 48) & 0x3fff), b & 0xffffffffffff);
}

ApiServer::ApiServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

ApiServer::~ApiServer() { Stop(); }

Result<std::unique_ptr<ApiServer>> ApiServer::Start(const ApiServerOptions& options, Store& store,
                                                    const base::Clock& clock) {
  auto impl = std::make_unique<Impl>(options, store, clock);
  if (!options.recordings.empty()) {
    AZX_ASSIGN_OR_RETURN(impl->recordings, Recordings::Load(options.recordings));
  }
  if (options.authorization == Authorization::kRbac) {
    AZX_RETURN_IF_ERROR(AddBootstrapPolicy(store));
  }
  HttpServerOptions http{
      .address = options.address, .port = options.port, .threads = options.threads};
  if (options.tls) {
    AZX_ASSIGN_OR_RETURN(impl->certificate, MakeLoopbackCertificate());
    http.certificate = &impl->certificate;
  }
  AZX_ASSIGN_OR_RETURN(impl->http,
                       HttpServer::Start(http, [raw = impl.get()](const HttpRequest& request) {
                         return raw->Handle(request);
                       }));
  return std::unique_ptr<ApiServer>(new ApiServer(std::move(impl)));
}

int ApiServer::port() const { return impl_->http->port(); }

std::string ApiServer::url() const { return impl_->http->url(); }

const std::string& ApiServer::ca_certificate() const { return impl_->certificate.certificate_pem; }

std::string ApiServer::Kubeconfig() const {
  return KubeconfigFor(impl_->options.user, impl_->options.token);
}

std::string ApiServer::KubeconfigFor(const std::string& user, const std::string& token) const {
  std::string cluster = fmt::format("    server: {}\n", url());
  if (!ca_certificate().empty()) {
    cluster += fmt::format("    certificate-authority-data: {}\n", Base64(ca_certificate()));
  }
  const std::string credentials =
      token.empty() ? "  user: {}\n" : fmt::format("  user:\n    token: {}\n", token);
  return fmt::format(
      "apiVersion: v1\n"
      "kind: Config\n"
      "clusters:\n"
      "- name: platform\n"
      "  cluster:\n"
      "{}"
      "users:\n"
      "- name: {}\n"
      "{}"
      "contexts:\n"
      "- name: platform\n"
      "  context:\n"
      "    cluster: platform\n"
      "    user: {}\n"
      "current-context: platform\n",
      cluster, user, credentials, user);
}

Result<std::string> ApiServer::CreateToken(const std::string& ns, const std::string& name,
                                           std::int64_t lifetime_seconds) {
  AZX_ASSIGN_OR_RETURN(IssuedToken issued, impl_->tokens.Issue(ns, name, lifetime_seconds));
  return std::move(issued.token);
}

void ApiServer::SetInterceptor(Interceptor interceptor) {
  base::MutexLock lock(impl_->mu);
  impl_->interceptor = std::move(interceptor);
}

Faults& ApiServer::faults() { return impl_->faults; }

void ApiServer::CloseWatches() { ++impl_->close_generation; }

std::size_t ApiServer::open_watches() const { return impl_->watches; }

std::int64_t ApiServer::requests() const { return impl_->answered; }

void ApiServer::Stop() { impl_->http->Stop(); }

Result<void> ApiServer::Restart() {
  impl_->http->Stop();
  return impl_->http->Resume();
}

}  // namespace azexporter::simulator
