#pragma once

// Requests to the Kubernetes API: authentication, and errors that say what the server said.
//
// Thread safety: thread-safe.

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "azexporter/base/clock.h"
#include "azexporter/base/mutex.h"
#include "azexporter/base/result.h"
#include "azexporter/kube/access.h"
#include "azexporter/kube/wire_schema.h"
#include "azexporter/net/http_client.h"

namespace azexporter::kube {

// What kept a request from its answer.
struct ApiFailure {
  base::Error error;                // "GET https://...: 403 Forbidden: nodes is forbidden: ..."
  int http_status = 0;              // 0: no answer at all
  std::int64_t retry_after_ms = 0;  // from Retry-After; 0: not given
};

template <class T>
using ApiResult = tl::expected<T, ApiFailure>;

// What a request may be answered in.
enum class Accept {
  kJson,
  kProtobufOrJson,  // the server chooses: protobuf for its own resources, JSON for custom ones
};

struct ApiAnswer {
  std::string body;
  Encoding encoding = Encoding::kJson;
};

class Credentials;

class ApiClient {
 public:
  // `transport`: nullptr for the network.
  explicit ApiClient(ClusterAccess access, std::shared_ptr<net::HttpTransport> transport = nullptr);
  ~ApiClient();
  ApiClient(const ApiClient&) = delete;
  ApiClient& operator=(const ApiClient&) = delete;

  const ClusterAccess& access() const { return access_; }

  // GET of `path` (with its query). A status other than 200 is a failure.
  ApiResult<ApiAnswer> Get(const std::string& path, Accept accept, std::int64_t timeout_ms,
                           std::stop_token stop);

  // A request that changes something, with a body of JSON. A status other than 200 and 201 is a
  // failure.
  struct WriteRequest {
    std::string method;  // POST, PUT
    std::string path;
    std::string body;
    std::int64_t timeout_ms = 30'000;
  };
  ApiResult<std::string> Write(WriteRequest write, std::stop_token stop);

  // GET of a watch; `on_frame` takes each complete event, which it may change, and ends the watch
  // by returning false. `idle_timeout_ms` without a byte is a failure (kTimeout); the server
  // closing it is not.
  using FrameHandler = std::function<bool(std::string& frame, Encoding encoding)>;
  ApiResult<void> Watch(const std::string& path, Accept accept, std::int64_t idle_timeout_ms,
                        const FrameHandler& on_frame, std::stop_token stop);

 private:
  // Sends a request; what the server refuses with 401 is sent once more with fresh credentials.
  // `on_chunk`: empty for a whole answer.
  ApiResult<net::HttpResponse> Send(net::HttpRequest request, const net::ChunkHandler& on_chunk,
                                    const std::stop_token& stop);
  net::HttpRequest MakeRequest(const std::string& path, Accept accept) const;
  // The one with these certificates.
  std::shared_ptr<net::HttpTransport> TransportFor(const net::TlsOptions& tls);

  const ClusterAccess access_;
  const base::SystemClock clock_;
  const std::unique_ptr<Credentials> credentials_;
  const std::shared_ptr<net::HttpTransport> given_transport_;  // null: the network
  base::Mutex mu_;
  std::shared_ptr<net::HttpTransport> transport_ AZX_GUARDED_BY(mu_);
  net::TlsOptions transport_tls_ AZX_GUARDED_BY(mu_);
};

}  // namespace azexporter::kube
