#pragma once

// Reading the values of a map into what they configure, where they are there. Private to `config`.
//
// Thread safety: pure functions.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/base/result.h"
#include "azexporter/base/yaml.h"
#include "azexporter/config/config.h"
#include "azexporter/model/relabel.h"
#include "azexporter/notify/targets.h"
#include "azexporter/remote/sender.h"

namespace azexporter::config {

using base::Fail;
using base::Result;
using base::YamlMap;
using base::YamlNode;

Result<void> ReadText(YamlMap& map, std::string_view key, std::string& out);
// A relative path is seen from the folder of the file.
Result<void> ReadPath(YamlMap& map, std::string_view key, std::string& out);
// A duration of at least `least_ms`.
Result<void> ReadDuration(YamlMap& map, std::string_view key, std::int64_t least_ms,
                          std::int64_t& out);

Result<void> ReadBool(YamlMap& map, std::string_view key, bool& out);
Result<kube::StringMap> ReadStringMap(const YamlNode& node);
// The keys `selector` (a map of labels, or "app=web,tier=front") and `namespaces`.
Result<void> ReadSelection(YamlMap& map, ObjectSelection& selection);
// "KEY" is not supported yet: of the first of these keys that the map has.
Result<void> RefuseNotYet(const YamlNode& map, std::span<const std::string_view> keys);

// Decodes the map under `key`, where it is there, and refuses what `decode` did not read.
template <class Decode>
Result<void> ReadSection(YamlMap& parent, std::string_view key, Decode decode) {
  const YamlNode* node = parent.Find(key);
  if (node == nullptr) return {};
  AZX_ASSIGN_OR_RETURN(YamlMap map, YamlMap::Of(*node));
  AZX_RETURN_IF_ERROR(decode(map));
  return map.CheckAllRead();
}

template <class Decode>
Result<void> ReadList(YamlMap& parent, std::string_view key, Decode decode) {
  const YamlNode* node = parent.Find(key);
  if (node == nullptr) return {};
  if (node->kind() != YamlNode::Kind::kSequence) {
    return Fail(node->ErrorHere(std::string(key) + " must be a list"));
  }
  for (const YamlNode& item : node->items()) {
    AZX_ASSIGN_OR_RETURN(YamlMap map, YamlMap::Of(item));
    AZX_RETURN_IF_ERROR(decode(item, map));
    AZX_RETURN_IF_ERROR(map.CheckAllRead());
  }
  return {};
}

// ca_file, cert_file, key_file and insecure_skip_verify of a tls_config, into the members of these
// names. `node` is the map that `map` reads.
template <class Out>
Result<void> ReadTlsFiles(const YamlNode& node, YamlMap& map, Out& out) {
  AZX_RETURN_IF_ERROR(ReadPath(map, "ca_file", out.ca_file));
  AZX_RETURN_IF_ERROR(ReadPath(map, "cert_file", out.cert_file));
  AZX_RETURN_IF_ERROR(ReadPath(map, "key_file", out.key_file));
  AZX_RETURN_IF_ERROR(ReadBool(map, "insecure_skip_verify", out.insecure_skip_verify));
  if (out.cert_file.empty() == out.key_file.empty()) return {};
  return Fail(node.ErrorHere("give both cert_file and key_file, or neither"));
}
// A password that stands in the file itself.
Result<void> RefusePassword(YamlMap& map);

// A list of relabel_config.
Result<void> ReadRelabelRules(YamlMap& parent, std::string_view key, model::RelabelRules& rules);

// The keys of an HTTP client as Prometheus has them, as far as they are understood: credentials,
// tls_config, proxy_url, follow_redirects, http_headers. `node` is the map that `map` reads.
Result<void> ReadHttpClient(const YamlNode& node, YamlMap& map, notify::Alertmanager& out);

// The keys `postgres` and `redis`.
Result<void> ReadDatabases(YamlMap& root, Config& config);
// The key `alerting`.
Result<void> ReadAlerting(YamlMap& root, notify::AlertingOptions& alerting);
// url, headers, basic_auth, authorization and tls_config of a server.
Result<void> ReadEndpoint(const YamlNode& node, YamlMap& map, remote::Endpoint& out);
// The key `datasource`.
Result<void> ReadDatasource(YamlMap& root, std::optional<Datasource>& out);
// The key `remote_write`.
Result<void> ReadRemoteWrite(YamlMap& root, std::vector<remote::WriteTarget>& targets);

}  // namespace azexporter::config
