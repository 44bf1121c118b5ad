#include "azexporter/net/client_files.h"

#include <algorithm>

#include "azexporter/base/file.h"
#include "azexporter/base/text.h"

namespace azexporter::net {
namespace {

base::Result<void> ReadOptional(const std::string& path, std::string& out) {
  out.clear();
  if (path.empty()) return {};
  AZX_ASSIGN_OR_RETURN(out, base::ReadFile(path));
  return {};
}

}  // namespace

base::Result<std::string> ReadSecret(const std::string& path) {
  std::string text;
  AZX_RETURN_IF_ERROR(ReadOptional(path, text));
  std::string secret(base::Trim(text));
  const bool one_line = std::none_of(secret.begin(), secret.end(), [](char c) {
    return static_cast<unsigned char>(c) < ' ' && c != '\t';
  });
  if (one_line) return secret;
  return base::Fail(base::ErrorCode::kUnavailable, path + ": must be one line");
}

base::Result<void> ReadTlsFiles(const TlsFiles& files, TlsOptions& out) {
  AZX_RETURN_IF_ERROR(ReadOptional(files.ca, out.ca_pem));
  AZX_RETURN_IF_ERROR(ReadOptional(files.cert, out.client_cert_pem));
  return ReadOptional(files.key, out.client_key_pem);
}

HttpClient& KeptClient::For(const HttpClientOptions& options) {
  if (!client_ || options_ != options) {
    options_ = options;
    client_ = std::make_unique<HttpClient>(options);
  }
  return *client_;
}

}  // namespace azexporter::net
