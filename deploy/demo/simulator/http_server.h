#pragma once

// A small HTTP/1.1 server for loopback, plain or TLS: one thread a connection, bodies whole or
// streamed, and a stop that is immediate even when streams are open. cpp-httplib parses and frames;
// nothing of it shows here.
//
// Thread safety: thread-safe; the handler is called from many threads at once.

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "azexporter/base/result.h"
#include "simulator/certificate.h"

namespace azexporter::simulator {

// The other end of a connection.
class Client {
 public:
  virtual ~Client() = default;

  // False when the client went away or the server stops.
  virtual bool Alive() = 0;
  // Signalled when the server stops.
  virtual const std::stop_token& stop() const = 0;
};

struct HttpRequest {
  std::string method;
  std::string target;  // as sent: path and query, percent-encoded
  std::string path;    // percent-decoded, without the query
  std::vector<std::pair<std::string, std::string>> query;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  // Whom the answer goes to, valid until the handler returns. Null only for requests that a test
  // made up.
  Client* client = nullptr;

  // The first value; empty when absent.
  std::string Query(std::string_view name) const;
  bool HasQuery(std::string_view name) const;
  // Names are compared without regard to case.
  std::string Header(std::string_view name) const;
};

// The receiving end of a streamed body.
class BodyStream : public Client {
 public:
  // One chunk on the wire. False when the client went away.
  virtual bool Write(std::string_view chunk) = 0;
};

enum class StreamEnd {
  kComplete,  // a proper end: the final chunk
  kCut,       // the connection is closed in the middle of the body
};

struct HttpResponse {
  int status = 200;  // 0: the connection is closed without an answer
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  // When set, writes the body chunk by chunk in place of `body`.
  std::function<StreamEnd(BodyStream&)> stream;
};

struct HttpServerOptions {
  std::string address = "127.0.0.1";  // loopback only
  int port = 0;                       // 0: a free one
  // Connections served at once; more wait their turn. An open stream or idle connection holds one.
  std::size_t threads = 128;
  // When set, TLS with this certificate.
  const Certificate* certificate = nullptr;  // only read by Start
};

using HttpHandler = std::function<HttpResponse(const HttpRequest&)>;

class HttpServer {
 public:
  // kBadData for an address that is not loopback; kUnavailable when the port is taken.
  static base::Result<std::unique_ptr<HttpServer>> Start(const HttpServerOptions& options,
                                                         HttpHandler handler);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  int port() const;
  // "http://127.0.0.1:34567" or "https://...".
  std::string url() const;
  // Ends every connection and waits for their threads; from then on connections are refused. May be
  // called again.
  void Stop();
  // Serves again on the same port, which meanwhile is given to nobody who does not name it.
  // kUnavailable when somebody does. REQUIRES: stopped, and no call of another method at the same
  // time.
  base::Result<void> Resume();

 private:
  struct Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace azexporter::simulator
