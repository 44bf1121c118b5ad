#include "redis_socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace azexporter::db {
namespace {

using base::Error;
using base::ErrorCode;
using base::Fail;
using base::Result;

struct Host {
  std::string name;
  std::string port;
};

Result<Host> Split(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == address.size()) {
    return base::BadData("not HOST:PORT: \"" + address + "\"");
  }
  Host host{address.substr(0, colon), address.substr(colon + 1)};
  if (host.name.front() == '[' && host.name.back() == ']') {
    host.name = host.name.substr(1, host.name.size() - 2);
  }
  return host;
}

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  int get() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

std::string SystemError() { return std::strerror(errno); }

// A connected socket, or why this address of the host gave none.
Result<int> ConnectTo(const addrinfo& found, const Deadline& deadline) {
  Fd fd(::socket(found.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd.get() < 0) return Fail(ErrorCode::kUnavailable, SystemError());
  const int yes = 1;
  setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  if (::connect(fd.get(), found.ai_addr, found.ai_addrlen) != 0) {
    if (errno != EINPROGRESS) return Fail(ErrorCode::kUnavailable, SystemError());
    if (!deadline.WaitFor(fd.get(), POLLOUT)) {
      return Fail(ErrorCode::kTimeout, "connect timed out");
    }
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return Fail(ErrorCode::kUnavailable, std::strerror(error));
  }
  return fd.Release();
}

Result<int> ConnectTcp(const Host& host, const Deadline& deadline) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int failed = ::getaddrinfo(host.name.c_str(), host.port.c_str(), &hints, &list);
  if (failed != 0) {
    return Fail(ErrorCode::kUnavailable, host.name + ": " + ::gai_strerror(failed));
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owned(list, &::freeaddrinfo);
  Result<int> fd = Fail(ErrorCode::kUnavailable, host.name + ": no address");
  for (const addrinfo* one = list; one != nullptr && !fd; one = one->ai_next) {
    fd = ConnectTo(*one, deadline);
  }
  return fd;
}

struct ContextFree {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
struct SessionFree {
  void operator()(SSL* session) const { SSL_free(session); }
};
using Session = std::unique_ptr<SSL, SessionFree>;

// The newest error of this thread, in OpenSSL's words.
Error TlsError(const std::string& what) {
  std::array<char, 256> text{"no reason given"};
  const unsigned long code = ERR_get_error();
  if (code != 0) ERR_error_string_n(code, text.data(), text.size());
  ERR_clear_error();
  return {ErrorCode::kUnavailable, what + ": " + text.data()};
}

Result<Session> MakeSession(const RedisTls& tls, const std::string& host, int fd) {
  const std::unique_ptr<SSL_CTX, ContextFree> context(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  if (tls.ca_file.empty()) {
    SSL_CTX_set_default_verify_paths(context.get());
  } else if (SSL_CTX_load_verify_locations(context.get(), tls.ca_file.c_str(), nullptr) != 1) {
    return Fail(TlsError(tls.ca_file));
  }
  if (!tls.cert_file.empty()) {
    if (SSL_CTX_use_certificate_chain_file(context.get(), tls.cert_file.c_str()) != 1) {
      return Fail(TlsError(tls.cert_file));
    }
    if (SSL_CTX_use_PrivateKey_file(context.get(), tls.key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
      return Fail(TlsError(tls.key_file));
    }
  }
  Session session(SSL_new(context.get()));
  SSL_set_fd(session.get(), fd);
  SSL_set_mode(session.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  if (tls.insecure_skip_verify) return session;
  SSL_set_verify(session.get(), SSL_VERIFY_PEER, nullptr);
  const std::string& name = tls.server_name.empty() ? host : tls.server_name;
  in6_addr ignored{};
  if (::inet_pton(AF_INET, name.c_str(), &ignored) == 1 ||
      ::inet_pton(AF_INET6, name.c_str(), &ignored) == 1) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session.get()), name.c_str());
  } else {
    SSL_ctrl(session.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             const_cast<char*>(name.c_str()));
    SSL_set1_host(session.get(), name.c_str());
  }
  return session;
}

}  // namespace

struct RedisSocket::Impl {
  // Whether to try again, once the socket is ready for what OpenSSL wants.
  Result<void> WaitTls(int outcome, const std::string& what, const Deadline& deadline) const {
    const int error = SSL_get_error(session.get(), outcome);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
      const long verified = SSL_get_verify_result(session.get());
      if (verified != X509_V_OK) {
        return Fail(ErrorCode::kUnavailable, what + ": " + X509_verify_cert_error_string(verified));
      }
      if (ERR_peek_error() == 0) {
        return Fail(ErrorCode::kUnavailable, "the server closed the connection");
      }
      return Fail(TlsError(what));
    }
    return Wait(error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, deadline);
  }
  Result<void> Wait(short events, const Deadline& deadline) const {
    if (deadline.WaitFor(fd.get(), events)) return {};
    return Fail(ErrorCode::kTimeout, "no answer in time");
  }

  Fd fd;
  Session session;  // null without TLS
};

RedisSocket::RedisSocket(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RedisSocket::~RedisSocket() = default;

Result<std::unique_ptr<RedisSocket>> RedisSocket::Connect(const std::string& address,
                                                          const std::optional<RedisTls>& tls,
                                                          const Deadline& deadline) {
  AZX_ASSIGN_OR_RETURN(const Host host, Split(address));
  AZX_ASSIGN_OR_RETURN(const int fd, ConnectTcp(host, deadline));
  auto impl = std::unique_ptr<Impl>(new Impl{.fd = Fd(fd), .session = nullptr});
  if (tls) {
    AZX_ASSIGN_OR_RETURN(impl->session, MakeSession(*tls, host.name, fd));
    for (int done = 0; (done = SSL_connect(impl->session.get())) != 1;) {
      AZX_RETURN_IF_ERROR(impl->WaitTls(done, "TLS handshake", deadline));
    }
  }
  return std::unique_ptr<RedisSocket>(new RedisSocket(std::move(impl)));
}

Result<void> RedisSocket::Write(std::string_view bytes, const Deadline& deadline) {
  while (!bytes.empty()) {
    if (impl_->session != nullptr) {
      const int sent =
          SSL_write(impl_->session.get(), bytes.data(), static_cast<int>(bytes.size()));
      if (sent > 0) {
        bytes.remove_prefix(static_cast<std::size_t>(sent));
      } else {
        AZX_RETURN_IF_ERROR(impl_->WaitTls(sent, "write", deadline));
      }
      continue;
    }
    const ssize_t sent = ::send(impl_->fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      AZX_RETURN_IF_ERROR(impl_->Wait(POLLOUT, deadline));
    } else {
      return Fail(ErrorCode::kUnavailable, SystemError());
    }
  }
  return {};
}

Result<std::string> RedisSocket::Read(const Deadline& deadline) {
  std::string bytes(16 * 1024, '\0');
  for (;;) {
    ssize_t got = 0;
    if (impl_->session != nullptr) {
      const int size = static_cast<int>(bytes.size());
      const int outcome = SSL_read(impl_->session.get(), bytes.data(), size);
      if (outcome <= 0) {
        AZX_RETURN_IF_ERROR(impl_->WaitTls(outcome, "read", deadline));
        continue;
      }
      got = outcome;
    } else {
      got = ::recv(impl_->fd.get(), bytes.data(), bytes.size(), 0);
      if (got < 0 && errno == EAGAIN) {
        AZX_RETURN_IF_ERROR(impl_->Wait(POLLIN, deadline));
        continue;
      }
      if (got < 0) return Fail(ErrorCode::kUnavailable, SystemError());
      if (got == 0) return Fail(ErrorCode::kUnavailable, "the server closed the connection");
    }
    bytes.resize(static_cast<std::size_t>(got));
    return bytes;
  }
}

}  // namespace azexporter::db
