#include "simulator/http_server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <httplib.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <map>
#include <thread>

#include "azexporter/base/mutex.h"

#if defined(__SANITIZE_THREAD__)
// httplib is not instrumented: ThreadSanitizer does not see the guards of its function-local
// statics and takes their first use for a race.
extern "C" const char* __tsan_default_suppressions() {
  return "called_from_lib:libcpp-httplib.so\n";
}
#endif

namespace azexporter::simulator {

using base::ErrorCode;
using base::Fail;
using base::Result;

namespace {

// An idle connection is closed after this long.
constexpr int kIdleTimeoutMs = 60'000;
// A client that reads or writes nothing for this long in the middle of a message is given up.
constexpr int kIoTimeoutMs = 10'000;
constexpr int kBacklog = 512;

bool SameName(std::string_view a, std::string_view b) {
  const auto lower = [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

bool WaitFor(int fd, short events, int timeout_ms) {
  pollfd poll_fd{.fd = fd, .events = events, .revents = 0};
  return ::poll(&poll_fd, 1, timeout_ms) > 0;
}

struct SslContextDeleter {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
struct SslDeleter {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using SslContextPtr = std::unique_ptr<SSL_CTX, SslContextDeleter>;

// One accepted socket, plain or TLS, with a read buffer: httplib reads byte by byte.
class Connection final : public httplib::Stream, public Client {
 public:
  Connection(int fd, SSL_CTX* context, const std::stop_token& stop) : fd_(fd), stop_(stop) {
    if (context != nullptr) {
      ssl_.reset(SSL_new(context));
      SSL_set_fd(ssl_.get(), fd);
    }
  }

  bool Handshake() { return ssl_ == nullptr || SSL_accept(ssl_.get()) == 1; }

  bool WaitForRequest() {
    return begin_ < end_ || (ssl_ != nullptr && SSL_pending(ssl_.get()) > 0) ||
           WaitFor(fd_, POLLIN, kIdleTimeoutMs);
  }

  // The other side has neither closed nor half-closed.
  bool Alive() override { return !stop_.stop_requested() && Open(); }
  const std::stop_token& stop() const override { return stop_; }

  // From here on nothing is written: the connection ends without a (further) byte.
  void Drop() { ::shutdown(fd_, SHUT_RDWR); }

  bool is_readable() const override { return WaitFor(fd_, POLLIN, kIoTimeoutMs); }
  bool is_writable() const override { return WaitFor(fd_, POLLOUT, kIoTimeoutMs) && Open(); }

  ssize_t read(char* out, size_t size) override {
    if (begin_ == end_) {
      const ssize_t got = Fill();
      if (got <= 0) return got;
      begin_ = 0;
      end_ = static_cast<std::size_t>(got);
    }
    const std::size_t count = std::min(size, end_ - begin_);
    std::copy_n(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_), count, out);
    begin_ += count;
    return static_cast<ssize_t>(count);
  }

  ssize_t write(const char* data, size_t size) override {
    if (ssl_ != nullptr) return SSL_write(ssl_.get(), data, static_cast<int>(size));
    return ::send(fd_, data, size, MSG_NOSIGNAL);
  }

  // The "port" is the socket, by which the handler finds its connection again.
  void get_remote_ip_and_port(std::string& ip, int& port) const override {
    ip = "127.0.0.1";
    port = fd_;
  }
  void get_local_ip_and_port(std::string& ip, int& port) const override {
    ip = "127.0.0.1";
    port = 0;
  }
  socket_t socket() const override { return fd_; }

 private:
  bool Open() const {
    pollfd poll_fd{.fd = fd_, .events = POLLRDHUP, .revents = 0};
    return ::poll(&poll_fd, 1, 0) == 0;
  }

  ssize_t Fill() {
    if (ssl_ != nullptr) {
      return SSL_read(ssl_.get(), buffer_.data(), static_cast<int>(buffer_.size()));
    }
    return ::recv(fd_, buffer_.data(), buffer_.size(), 0);
  }

  const int fd_;
  const std::stop_token& stop_;
  std::unique_ptr<SSL, SslDeleter> ssl_;
  std::array<char, 8192> buffer_{};
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

class SinkStream final : public BodyStream {
 public:
  SinkStream(httplib::DataSink& sink, const std::stop_token& stop) : sink_(sink), stop_(stop) {}

  bool Write(std::string_view chunk) override {
    return chunk.empty() || sink_.write(chunk.data(), chunk.size());
  }
  bool Alive() override { return !stop_.stop_requested() && sink_.is_writable(); }
  const std::stop_token& stop() const override { return stop_; }

 private:
  httplib::DataSink& sink_;
  const std::stop_token& stop_;
};

HttpRequest ToRequest(const httplib::Request& in) {
  HttpRequest out{.method = in.method, .target = in.target, .path = in.path, .body = in.body};
  for (const auto& [name, value] : in.params) out.query.emplace_back(name, value);
  for (const auto& [name, value] : in.headers) out.headers.emplace_back(name, value);
  return out;
}

// httplib serves; this class takes over its loop over one connection, for two reasons: its own
// keeps an idle connection's thread through Stop(), and it would compress watches, whose events
// then wait in the compressor for more to come.
class Listener final : public httplib::Server {
 public:
  // `handler` and `context` must outlive the listener.
  Listener(const HttpHandler& handler, SSL_CTX* context, std::size_t threads)
      : handler_(handler), context_(context), stop_(source_.get_token()) {
    new_task_queue = [threads] { return new httplib::ThreadPool(threads); };
    set_tcp_nodelay(true);
    // Only told to clients; the loop below decides.
    set_keep_alive_timeout(kIdleTimeoutMs / 1000);
    set_keep_alive_max_count(1'000'000);
    // Without SO_REUSEPORT, which would let two servers share a port unnoticed.
    set_socket_options([](socket_t sock) {
      const int yes = 1;
      setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    });
    const Handler answer = [this](const httplib::Request& in, httplib::Response& out) {
      Answer(in, out);
    };
    const std::string any = ".*";
    Get(any, answer).Post(any, answer).Put(any, answer).Patch(any, answer).Delete(any, answer);
  }

  // The port, or -1 when `port` is taken. 0: a free one.
  int Bind(const std::string& address, int port) {
    const int bound =
        port == 0 ? bind_to_any_port(address) : (bind_to_port(address, port) ? port : -1);
    // httplib queues five connections; of a burst the rest would wait a second to try again.
    if (bound > 0) ::listen(svr_sock_, kBacklog);
    return bound;
  }

  // Ends reads, writes and streams of every connection.
  void CutConnections() {
    source_.request_stop();
    base::MutexLock lock(mu_);
    for (const auto& [fd, connection] : open_) connection->Drop();
  }

 private:
  bool process_and_close_socket(socket_t sock) override {
    const int yes = 1;
    setsockopt(sock, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    Connection connection(sock, context_, stop_);
    {
      base::MutexLock lock(mu_);
      open_.emplace(sock, &connection);
    }
    Serve(connection);
    {
      base::MutexLock lock(mu_);
      open_.erase(sock);
    }
    ::shutdown(sock, SHUT_RDWR);
    ::close(sock);
    return true;
  }

  void Serve(Connection& connection) {
    if (stop_.stop_requested() || !connection.Handshake()) return;
    bool closed = false;
    while (!closed && !stop_.stop_requested() && connection.WaitForRequest()) {
      const auto prepare = [](httplib::Request& request) {
        // httplib reads a DELETE without a length until the client closes.
        if (!request.has_header("Content-Length") && !request.has_header("Transfer-Encoding")) {
          request.set_header("Content-Length", "0");
        }
        // Compression is the handler's business: under this name httplib does not see it.
        const std::string accepted = request.get_header_value("Accept-Encoding");
        request.headers.erase("Accept-Encoding");
        request.set_header("X-Accept-Encoding", accepted);
      };
      if (!process_request(connection, false, closed, prepare)) return;
    }
  }

  Connection& ConnectionOf(const httplib::Request& in) {
    base::MutexLock lock(mu_);
    return *open_.at(in.remote_port);
  }

  void Answer(const httplib::Request& in, httplib::Response& out) {
    Connection& connection = ConnectionOf(in);
    HttpRequest request = ToRequest(in);
    request.client = &connection;
    HttpResponse response = handler_(request);
    if (response.status == 0) return connection.Drop();
    out.status = response.status;
    for (const auto& [name, value] : response.headers) out.set_header(name, value);
    if (response.stream == nullptr) {
      out.body = std::move(response.body);
      out.set_header("Content-Type", response.content_type);
      return;
    }
    out.set_chunked_content_provider(
        response.content_type,
        [this, stream = std::move(response.stream)](std::size_t, httplib::DataSink& sink) {
          SinkStream body(sink, stop_);
          const StreamEnd end = stream(body);
          if (end == StreamEnd::kCut || stop_.stop_requested()) return false;
          sink.done();
          return true;
        });
  }

  // Constant after construction.
  const HttpHandler& handler_;
  SSL_CTX* const context_;  // null: no TLS
  // Own synchronisation.
  std::stop_source source_;
  const std::stop_token stop_;
  // Guarded by mu_.
  base::Mutex mu_;
  std::map<int, Connection*> open_ AZX_GUARDED_BY(mu_);  // each removed by its own thread
};

// Keeps the port of a stopped server: bound without listening, the socket refuses connections and
// the kernel gives the port to nobody who asks for any free one, such as another test's server or a
// client's own end of a connection.
class PortHolder {
 public:
  PortHolder() = default;
  ~PortHolder() { Release(); }
  PortHolder(const PortHolder&) = delete;
  PortHolder& operator=(const PortHolder&) = delete;

  void Hold(int port) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int yes = 1;
    setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    (void)::bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }
  void Release() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_ = -1;
};

Result<SslContextPtr> MakeContext(const Certificate& certificate) {
  SslContextPtr context(SSL_CTX_new(TLS_server_method()));
  const auto memory = [](const std::string& text) {
    return std::unique_ptr<BIO, decltype(&BIO_free_all)>(
        BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free_all);
  };
  const auto certificate_bio = memory(certificate.certificate_pem);
  const auto key_bio = memory(certificate.private_key_pem);
  X509* x509 = PEM_read_bio_X509(certificate_bio.get(), nullptr, nullptr, nullptr);
  EVP_PKEY* key = PEM_read_bio_PrivateKey(key_bio.get(), nullptr, nullptr, nullptr);
  const bool used = x509 != nullptr && key != nullptr &&
                    SSL_CTX_use_certificate(context.get(), x509) == 1 &&
                    SSL_CTX_use_PrivateKey(context.get(), key) == 1;
  X509_free(x509);
  EVP_PKEY_free(key);
  if (!used) return Fail(ErrorCode::kBadData, "use the TLS certificate");
  // Session tickets would arrive after the handshake as data that no request is waiting for.
  SSL_CTX_set_num_tickets(context.get(), 0);
  return context;
}

}  // namespace

std::string HttpRequest::Query(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return value;
  }
  return {};
}

bool HttpRequest::HasQuery(std::string_view name) const {
  return std::any_of(query.begin(), query.end(), [&](const auto& q) { return q.first == name; });
}

std::string HttpRequest::Header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (SameName(key, name)) return value;
  }
  return {};
}

struct HttpServer::Impl {
  Impl(HttpHandler http_handler, SslContextPtr ssl_context, std::size_t http_threads)
      : handler(std::move(http_handler)), context(std::move(ssl_context)), threads(http_threads) {}

  Result<void> Listen(int wanted_port) {
    listener = std::make_unique<Listener>(handler, context.get(), threads);
    const int bound = listener->Bind(address, wanted_port);
    if (bound <= 0) {
      return Fail(ErrorCode::kUnavailable,
                  fmt::format("listen on {}:{}: the port is taken", address, wanted_port));
    }
    port = bound;
    thread = std::jthread([raw = listener.get()] { raw->listen_after_bind(); });
    // Stop() only works on a server that runs; the thread sets this first of all.
    while (!listener->is_running()) std::this_thread::yield();
    return {};
  }

  const HttpHandler handler;
  const SslContextPtr context;
  const std::size_t threads;
  const std::string address = "127.0.0.1";
  int port = 0;
  PortHolder holder;
  std::unique_ptr<Listener> listener;
  std::jthread thread;
};

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpServer::~HttpServer() { Stop(); }

Result<std::unique_ptr<HttpServer>> HttpServer::Start(const HttpServerOptions& options,
                                                      HttpHandler handler) {
  if (options.address != "127.0.0.1" && options.address != "localhost") {
    return base::BadData(fmt::format("listen on {}: only 127.0.0.1 is served", options.address));
  }
  SslContextPtr context;
  if (options.certificate != nullptr) {
    AZX_ASSIGN_OR_RETURN(context, MakeContext(*options.certificate));
  }
  auto impl = std::make_unique<Impl>(std::move(handler), std::move(context), options.threads);
  AZX_RETURN_IF_ERROR(impl->Listen(options.port));
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

int HttpServer::port() const { return impl_->port; }

std::string HttpServer::url() const {
  return fmt::format("{}://{}:{}", impl_->context != nullptr ? "https" : "http", impl_->address,
                     impl_->port);
}

void HttpServer::Stop() {
  if (!impl_->thread.joinable()) return;
  impl_->listener->stop();
  impl_->holder.Hold(impl_->port);
  impl_->listener->CutConnections();
  impl_->thread.join();
}

Result<void> HttpServer::Resume() {
  AZX_RETURN_IF_ERROR(impl_->Listen(impl_->port));
  impl_->holder.Release();
  return {};
}

}  // namespace azexporter::simulator
