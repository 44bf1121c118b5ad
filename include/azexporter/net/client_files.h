#pragma once

// What an HTTP client is told by files: certificates and secrets. Who reads them anew for each
// exchange needs no reload when they are rotated.
//
// Thread safety: functions: from any thread; KeptClient: one thread at a time.

#include <memory>
#include <string>

#include "azexporter/base/result.h"
#include "azexporter/net/http_client.h"

namespace azexporter::net {

// A password or token, which goes into one line of a request: without blanks at its ends. "" where
// there is no path. kUnavailable where it cannot be read, or has more lines.
base::Result<std::string> ReadSecret(const std::string& path);

// The contents of files in PEM; an empty path stands for none.
struct TlsFiles {
  std::string ca;
  std::string cert;
  std::string key;
};
base::Result<void> ReadTlsFiles(const TlsFiles& files, TlsOptions& out);

// One client, and its connections, for as long as its options stay the same.
class KeptClient {
 public:
  HttpClient& For(const HttpClientOptions& options);

 private:
  HttpClientOptions options_;
  std::unique_ptr<HttpClient> client_;
};

}  // namespace azexporter::net
