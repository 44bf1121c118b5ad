#include "azexporter/kube/access.h"

#include <openssl/evp.h>

#include "azexporter/base/file.h"
#include "azexporter/base/yaml.h"

namespace azexporter::kube {
namespace {

using base::BadData;
using base::Fail;
using base::Result;
using base::YamlMap;
using base::YamlNode;

// A kubeconfig is another program's file: keys that are not in use are passed over.
const YamlNode* Find(const YamlNode& map, std::string_view key) {
  for (const auto& [name, value] : map.entries()) {
    if (name.scalar() == key && !value.is_null()) return &value;
  }
  return nullptr;
}

Result<std::string> Text(const YamlNode& map, std::string_view key) {
  const YamlNode* node = Find(map, key);
  return node == nullptr ? Result<std::string>(std::string()) : node->AsString();
}

Result<std::string> DecodeBase64(const YamlNode& node) {
  AZX_ASSIGN_OR_RETURN(std::string text, node.AsString());
  std::erase_if(text, [](char c) { return c == '\n' || c == '\r' || c == ' '; });
  std::string out(text.size() / 4 * 3 + 3, '\0');
  const int length = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                     reinterpret_cast<const unsigned char*>(text.data()),
                                     static_cast<int>(text.size()));
  if (length < 0 || text.size() % 4 != 0) return Fail(node.ErrorHere("not base64"));
  // EVP_DecodeBlock counts the padding as zero bytes.
  std::size_t padding = 0;
  if (text.ends_with("==")) {
    padding = 2;
  } else if (text.ends_with("=")) {
    padding = 1;
  }
  out.resize(static_cast<std::size_t>(length) - padding);
  return out;
}

// The PEM that `key`-data holds inline or that the file named by `key` holds.
Result<std::string> Pem(const YamlNode& map, const std::string& key, const std::string& path) {
  if (const YamlNode* data = Find(map, key + "-data")) return DecodeBase64(*data);
  const YamlNode* file = Find(map, key);
  if (file == nullptr) return std::string();
  auto text = base::ReadFile(base::RelativeTo(path, file->scalar()));
  if (!text) return Fail(file->ErrorHere(key + ": " + text.error().message()));
  return text;
}

// The map under `inner` of the element of list `key` whose name is `name`.
Result<const YamlNode*> Named(const YamlNode& root, std::string_view key, std::string_view inner,
                              const std::string& name) {
  const YamlNode* list = Find(root, key);
  if (list != nullptr) {
    for (const YamlNode& item : list->items()) {
      const YamlNode* item_name = Find(item, "name");
      if (item_name == nullptr || item_name->scalar() != name) continue;
      if (const YamlNode* found = Find(item, inner)) return found;
      return Fail(item.ErrorHere("\"" + name + "\" has no " + std::string(inner)));
    }
  }
  return Fail(root.ErrorHere("no \"" + name + "\" under " + std::string(key)));
}

Result<void> ReadCluster(const YamlNode& cluster, const std::string& path, ClusterAccess& access) {
  AZX_ASSIGN_OR_RETURN(access.server, Text(cluster, "server"));
  if (!net::IsHttpUrl(access.server)) {
    return Fail(cluster.ErrorHere("server is not a http or https URL: \"" + access.server + "\""));
  }
  while (access.server.ends_with('/')) access.server.pop_back();
  AZX_ASSIGN_OR_RETURN(access.tls.ca_pem, Pem(cluster, "certificate-authority", path));
  AZX_ASSIGN_OR_RETURN(access.proxy_url, Text(cluster, "proxy-url"));
  if (const YamlNode* skip = Find(cluster, "insecure-skip-tls-verify")) {
    AZX_ASSIGN_OR_RETURN(access.tls.insecure_skip_verify, skip->AsBool());
  }
  if (const YamlNode* name = Find(cluster, "tls-server-name")) {
    return Fail(name->ErrorHere("tls-server-name is not supported"));
  }
  return {};
}

Result<void> ReadUser(const YamlNode& user, const std::string& path, ClusterAccess& access) {
  for (std::string_view key : {"exec", "auth-provider", "as"}) {
    if (const YamlNode* plugin = Find(user, key)) {
      return Fail(plugin->ErrorHere("\"" + std::string(key) +
                                    "\" is not supported; use a token or a client certificate"));
    }
  }
  AZX_ASSIGN_OR_RETURN(access.bearer_token, Text(user, "token"));
  AZX_ASSIGN_OR_RETURN(access.token_file, Text(user, "tokenFile"));
  if (!access.token_file.empty()) access.token_file = base::RelativeTo(path, access.token_file);
  AZX_ASSIGN_OR_RETURN(access.username, Text(user, "username"));
  AZX_ASSIGN_OR_RETURN(access.password, Text(user, "password"));
  AZX_ASSIGN_OR_RETURN(access.tls.client_cert_pem, Pem(user, "client-certificate", path));
  AZX_ASSIGN_OR_RETURN(access.tls.client_key_pem, Pem(user, "client-key", path));
  return {};
}

}  // namespace

Result<ClusterAccess> LoadKubeconfig(const std::string& path, const std::string& context) {
  AZX_ASSIGN_OR_RETURN(std::string text, base::ReadFile(path));
  AZX_ASSIGN_OR_RETURN(YamlNode root, YamlNode::Parse(text, path));
  if (!root.is_map()) return Fail(root.ErrorHere("not a kubeconfig: expected a map"));
  std::string name = context;
  if (name.empty()) {
    AZX_ASSIGN_OR_RETURN(name, Text(root, "current-context"));
    if (name.empty()) return Fail(root.ErrorHere("no current-context, and no context was named"));
  }
  AZX_ASSIGN_OR_RETURN(const YamlNode* chosen, Named(root, "contexts", "context", name));
  AZX_ASSIGN_OR_RETURN(std::string cluster_name, Text(*chosen, "cluster"));
  AZX_ASSIGN_OR_RETURN(std::string user_name, Text(*chosen, "user"));

  ClusterAccess access;
  access.source = "kubeconfig " + path + " (context " + name + ")";
  AZX_ASSIGN_OR_RETURN(const YamlNode* cluster, Named(root, "clusters", "cluster", cluster_name));
  AZX_RETURN_IF_ERROR(ReadCluster(*cluster, path, access));
  if (!user_name.empty()) {
    AZX_ASSIGN_OR_RETURN(const YamlNode* user, Named(root, "users", "user", user_name));
    AZX_RETURN_IF_ERROR(ReadUser(*user, path, access));
  }
  return access;
}

Result<ClusterAccess> InClusterAccess(const std::string& host, const std::string& port,
                                      const std::string& folder) {
  if (host.empty() || port.empty()) {
    return Fail(
        base::ErrorCode::kNotFound,
        "not in a cluster: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set");
  }
  ClusterAccess access;
  const bool ipv6 = host.find(':') != std::string::npos;
  access.server = "https://" + (ipv6 ? "[" + host + "]" : host) + ":" + port;
  access.token_file = folder + "/token";
  access.source = "service account";
  AZX_RETURN_IF_ERROR(base::ReadFile(access.token_file));
  AZX_ASSIGN_OR_RETURN(access.tls.ca_pem, base::ReadFile(folder + "/ca.crt"));
  return access;
}

}  // namespace azexporter::kube
