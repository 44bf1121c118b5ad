#include "credentials.h"

#include <simdjson.h>

#include "azexporter/base/json_writer.h"
#include "azexporter/base/run_program.h"
#include "azexporter/base/text.h"
#include "azexporter/base/time_text.h"

namespace azexporter::kube {
namespace {

using base::BadData;
using base::Result;

std::string TextAt(const simdjson::dom::element& element, std::string_view pointer) {
  std::string_view text;
  return element.at_pointer(pointer).get(text) == simdjson::SUCCESS ? std::string(text) : "";
}

std::string LastLine(std::string_view text) {
  const auto lines = base::SplitLines(base::Trim(text));
  return lines.empty() ? "" : std::string(lines.back());
}

}  // namespace

Result<ExecCredential> ParseExecCredential(std::string_view json, const std::string& api_version) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (auto error = parser.parse(simdjson::padded_string(json)).get(root)) {
    return BadData(std::string("not an ExecCredential: ") + simdjson::error_message(error));
  }
  const std::string kind = TextAt(root, "/kind");
  if (kind != "ExecCredential") return BadData("not an ExecCredential but \"" + kind + "\"");
  if (const std::string version = TextAt(root, "/apiVersion"); version != api_version) {
    return BadData("an ExecCredential of \"" + version + "\", asked for was \"" + api_version +
                   "\"");
  }
  ExecCredential credential{.token = TextAt(root, "/status/token"),
                            .client_cert_pem = TextAt(root, "/status/clientCertificateData"),
                            .client_key_pem = TextAt(root, "/status/clientKeyData"),
                            .expires_ms = {}};
  if (credential.token.empty() && credential.client_cert_pem.empty()) {
    return BadData("an ExecCredential with neither token nor clientCertificateData");
  }
  if (credential.client_cert_pem.empty() != credential.client_key_pem.empty()) {
    return BadData("an ExecCredential with only one of clientCertificateData and clientKeyData");
  }
  if (const std::string expires = TextAt(root, "/status/expirationTimestamp"); !expires.empty()) {
    auto time = base::ParseTimeMs(expires);
    if (!time) return base::Fail(time.error().WithContext("status.expirationTimestamp"));
    credential.expires_ms = *time;
  }
  return credential;
}

std::string ExecInfo(const ClusterAccess& access) {
  base::JsonWriter json;
  json.BeginObject().Key("kind").String("ExecCredential");
  json.Key("apiVersion").String(access.exec->api_version);
  json.Key("spec").BeginObject().Key("interactive").Bool(false);
  if (access.exec->provide_cluster_info) {
    json.Key("cluster").BeginObject().Key("server").String(access.server);
    if (!access.tls.server_name.empty()) json.Key("tls-server-name").String(access.tls.server_name);
    if (access.tls.insecure_skip_verify) json.Key("insecure-skip-tls-verify").Bool(true);
    if (!access.proxy_url.empty()) json.Key("proxy-url").String(access.proxy_url);
    json.EndObject();
  }
  json.EndObject().EndObject();
  return json.Take();
}

Result<void> Credentials::RunPluginLocked(const std::stop_token& stop) {
  const ExecPlugin& plugin = *access_.exec;
  base::ProgramCall call{.command = plugin.command, .environment = plugin.environment};
  call.environment.emplace_back("KUBERNETES_EXEC_INFO", ExecInfo(access_));
  const std::string what = "exec plugin " + plugin.command.front();
  auto outcome = base::RunProgram(call, stop);
  if (!outcome) {
    const bool missing = outcome.error().code() == base::ErrorCode::kNotFound;
    const std::string hint =
        missing && !plugin.install_hint.empty() ? "; " + plugin.install_hint : "";
    return base::Fail(outcome.error().code(), "exec plugin " + outcome.error().message() + hint);
  }
  if (outcome->exit_code != 0) {
    std::string said = LastLine(outcome->errors);
    return base::Fail(base::ErrorCode::kUnavailable, what + " ended with " +
                                                         std::to_string(outcome->exit_code) +
                                                         (said.empty() ? "" : ": " + said));
  }
  auto credential = ParseExecCredential(outcome->output, plugin.api_version);
  if (!credential) return base::Fail(credential.error().WithContext(what));
  given_ = std::move(*credential);
  ++generation_;
  return {};
}

Result<Credentials::Shown> Credentials::Get(const std::stop_token& stop) {
  Shown shown;
  shown.tls = access_.tls;
  net::TlsOptions of_files;
  AZX_RETURN_IF_ERROR(net::ReadTlsFiles(access_.tls_files, of_files));
  if (!of_files.ca_pem.empty()) shown.tls.ca_pem = std::move(of_files.ca_pem);
  if (!of_files.client_cert_pem.empty()) {
    shown.tls.client_cert_pem = std::move(of_files.client_cert_pem);
  }
  if (!of_files.client_key_pem.empty()) {
    shown.tls.client_key_pem = std::move(of_files.client_key_pem);
  }
  shown.bearer_token = access_.bearer_token;
  if (!access_.token_file.empty()) {
    AZX_ASSIGN_OR_RETURN(shown.bearer_token, net::ReadSecret(access_.token_file));
  }
  if (!shown.bearer_token.empty()) return shown;
  if (!access_.username.empty()) {
    shown.basic_auth = access_.username + ":" + access_.password;
    return shown;
  }
  if (!access_.exec) return shown;
  base::MutexLock lock(mu_);
  // A little early, so that it does not run out on its way.
  constexpr std::int64_t kEarlyMs = 10'000;
  if (!given_ || (given_->expires_ms && clock_.NowMs() > *given_->expires_ms - kEarlyMs)) {
    AZX_RETURN_IF_ERROR(RunPluginLocked(stop));
  }
  shown.bearer_token = given_->token;
  if (!given_->client_cert_pem.empty()) {
    shown.tls.client_cert_pem = given_->client_cert_pem;
    shown.tls.client_key_pem = given_->client_key_pem;
  }
  shown.generation = generation_;
  return shown;
}

bool Credentials::Refused(const Shown& shown) {
  base::MutexLock lock(mu_);
  if (shown.generation == 0) return false;
  if (shown.generation == generation_) given_.reset();
  return true;
}

}  // namespace azexporter::kube
