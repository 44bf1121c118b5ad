#include "azexporter/kube/access.h"

#include <algorithm>
#include <optional>

#include "azexporter/base/file.h"
#include "azexporter/base/text.h"
#include "azexporter/base/yaml.h"
#include "base64.h"

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

Result<std::string> TextInBase64(const YamlNode& node) {
  AZX_ASSIGN_OR_RETURN(std::string text, node.AsString());
  std::optional<std::string> decoded = DecodeBase64(std::move(text));
  if (!decoded) return Fail(node.ErrorHere("not base64"));
  return std::move(*decoded);
}

// What `key`-data holds inline goes to `inlined`, else the file that `key` names to `file`.
Result<void> ReadPem(const YamlNode& map, const std::string& key, std::string& inlined,
                     std::string& file) {
  if (const YamlNode* data = Find(map, key + "-data")) {
    AZX_ASSIGN_OR_RETURN(inlined, TextInBase64(*data));
    return {};
  }
  const YamlNode* named = Find(map, key);
  if (named == nullptr) return {};
  file = base::RelativeTo(named->file(), named->scalar());
  // Said now, with its place, rather than with the first request.
  if (auto text = base::ReadFile(file); !text) {
    return Fail(named->ErrorHere(key + ": " + text.error().message()));
  }
  return {};
}

// Files that are read as one: of what several say the first counts.
class Kubeconfig {
 public:
  static Result<Kubeconfig> Read(const std::string& paths) {
    Kubeconfig config;
    std::optional<base::Error> missing;
    for (std::size_t begin = 0; begin <= paths.size();) {
      const std::size_t end = std::min(paths.find(':', begin), paths.size());
      const std::string path = paths.substr(begin, end - begin);
      begin = end + 1;
      if (path.empty() && !config.files_.empty()) continue;
      auto text = base::ReadFile(path);
      if (!text) {
        if (!missing) missing = text.error();
        continue;
      }
      AZX_ASSIGN_OR_RETURN(YamlNode root, YamlNode::Parse(*text, path));
      if (!root.is_map()) return Fail(root.ErrorHere("not a kubeconfig: expected a map"));
      config.files_.push_back(std::move(root));
    }
    if (config.files_.empty()) return Fail(*missing);
    return config;
  }

  Result<std::string> CurrentContext() const {
    for (const YamlNode& file : files_) {
      AZX_ASSIGN_OR_RETURN(std::string name, Text(file, "current-context"));
      if (!name.empty()) return name;
    }
    return Fail(files_.front().ErrorHere("no current-context, and no context was named"));
  }

  // The map under `inner` of the element of list `key` whose name is `name`.
  Result<const YamlNode*> Named(std::string_view key, std::string_view inner,
                                const std::string& name) const {
    for (const YamlNode& file : files_) {
      const YamlNode* list = Find(file, key);
      if (list == nullptr) continue;
      for (const YamlNode& item : list->items()) {
        const YamlNode* item_name = Find(item, "name");
        if (item_name == nullptr || item_name->scalar() != name) continue;
        if (const YamlNode* found = Find(item, inner)) return found;
        return Fail(item.ErrorHere("\"" + name + "\" has no " + std::string(inner)));
      }
    }
    return Fail(files_.front().ErrorHere("no \"" + name + "\" under " + std::string(key)));
  }

 private:
  std::vector<YamlNode> files_;
};

Result<void> ReadCluster(const YamlNode& cluster, ClusterAccess& access) {
  AZX_ASSIGN_OR_RETURN(access.server, Text(cluster, "server"));
  if (!net::IsHttpUrl(access.server)) {
    return Fail(cluster.ErrorHere("server is not a http or https URL: \"" + access.server + "\""));
  }
  while (access.server.ends_with('/')) access.server.pop_back();
  AZX_RETURN_IF_ERROR(
      ReadPem(cluster, "certificate-authority", access.tls.ca_pem, access.tls_files.ca));
  AZX_ASSIGN_OR_RETURN(access.proxy_url, Text(cluster, "proxy-url"));
  AZX_ASSIGN_OR_RETURN(access.tls.server_name, Text(cluster, "tls-server-name"));
  if (const YamlNode* skip = Find(cluster, "insecure-skip-tls-verify")) {
    AZX_ASSIGN_OR_RETURN(access.tls.insecure_skip_verify, skip->AsBool());
    const bool has_ca = !access.tls.ca_pem.empty() || !access.tls_files.ca.empty();
    if (access.tls.insecure_skip_verify && has_ca) {
      return Fail(skip->ErrorHere("insecure-skip-tls-verify with a certificate-authority"));
    }
  }
  return {};
}

Result<void> ReadExec(const YamlNode& exec, ClusterAccess& access) {
  ExecPlugin& plugin = access.exec.emplace();
  AZX_ASSIGN_OR_RETURN(plugin.api_version, Text(exec, "apiVersion"));
  if (plugin.api_version != "client.authentication.k8s.io/v1" &&
      plugin.api_version != "client.authentication.k8s.io/v1beta1") {
    return Fail(
        exec.ErrorHere("exec: apiVersion must be client.authentication.k8s.io/v1 or "
                       "client.authentication.k8s.io/v1beta1, not \"" +
                       plugin.api_version + "\""));
  }
  AZX_ASSIGN_OR_RETURN(std::string command, Text(exec, "command"));
  if (command.empty()) return Fail(exec.ErrorHere("exec: command is missing"));
  // One with a slash is seen from the file, one without is searched on PATH.
  if (command.find('/') != std::string::npos) command = base::RelativeTo(exec.file(), command);
  plugin.command.push_back(std::move(command));
  if (const YamlNode* arguments = Find(exec, "args")) {
    AZX_ASSIGN_OR_RETURN(const auto texts, arguments->AsStringList());
    plugin.command.insert(plugin.command.end(), texts.begin(), texts.end());
  }
  if (const YamlNode* environment = Find(exec, "env")) {
    for (const YamlNode& item : environment->items()) {
      AZX_ASSIGN_OR_RETURN(std::string name, Text(item, "name"));
      AZX_ASSIGN_OR_RETURN(std::string value, Text(item, "value"));
      plugin.environment.emplace_back(std::move(name), std::move(value));
    }
  }
  if (const YamlNode* provide = Find(exec, "provideClusterInfo")) {
    AZX_ASSIGN_OR_RETURN(plugin.provide_cluster_info, provide->AsBool());
  }
  AZX_ASSIGN_OR_RETURN(plugin.install_hint, Text(exec, "installHint"));
  AZX_ASSIGN_OR_RETURN(const std::string mode, Text(exec, "interactiveMode"));
  if (mode == "Always") {
    return Fail(exec.ErrorHere("exec: interactiveMode Always needs somebody at a terminal"));
  }
  return {};
}

Result<void> ReadImpersonation(const YamlNode& user, net::HttpHeaders& headers) {
  AZX_ASSIGN_OR_RETURN(const std::string as, Text(user, "as"));
  if (!as.empty()) headers.emplace_back("Impersonate-User", as);
  AZX_ASSIGN_OR_RETURN(const std::string uid, Text(user, "as-uid"));
  if (!uid.empty()) headers.emplace_back("Impersonate-Uid", uid);
  if (const YamlNode* groups = Find(user, "as-groups")) {
    AZX_ASSIGN_OR_RETURN(const auto names, groups->AsStringList());
    for (const std::string& name : names) headers.emplace_back("Impersonate-Group", name);
  }
  if (const YamlNode* extra = Find(user, "as-user-extra")) {
    for (const auto& [key, values] : extra->entries()) {
      AZX_ASSIGN_OR_RETURN(const auto texts, values.AsStringList());
      const std::string name = "Impersonate-Extra-" + base::UrlEscape(base::Lower(key.scalar()));
      for (const std::string& text : texts) headers.emplace_back(name, text);
    }
  }
  if (as.empty() && !headers.empty()) {
    return Fail(user.ErrorHere("as-uid, as-groups and as-user-extra need \"as\""));
  }
  return {};
}

Result<void> ReadUser(const YamlNode& user, ClusterAccess& access) {
  if (const YamlNode* provider = Find(user, "auth-provider")) {
    return Fail(provider->ErrorHere(
        "auth-provider is not supported, as in Kubernetes since 1.26; use exec"));
  }
  AZX_ASSIGN_OR_RETURN(access.bearer_token, Text(user, "token"));
  AZX_ASSIGN_OR_RETURN(access.token_file, Text(user, "tokenFile"));
  if (!access.token_file.empty()) {
    access.token_file = base::RelativeTo(user.file(), access.token_file);
  }
  AZX_ASSIGN_OR_RETURN(access.username, Text(user, "username"));
  AZX_ASSIGN_OR_RETURN(access.password, Text(user, "password"));
  AZX_RETURN_IF_ERROR(
      ReadPem(user, "client-certificate", access.tls.client_cert_pem, access.tls_files.cert));
  AZX_RETURN_IF_ERROR(ReadPem(user, "client-key", access.tls.client_key_pem, access.tls_files.key));
  if (const YamlNode* exec = Find(user, "exec")) AZX_RETURN_IF_ERROR(ReadExec(*exec, access));
  return ReadImpersonation(user, access.impersonation);
}

}  // namespace

Result<ClusterAccess> LoadKubeconfig(const std::string& paths, const std::string& context) {
  AZX_ASSIGN_OR_RETURN(const Kubeconfig config, Kubeconfig::Read(paths));
  std::string name = context;
  if (name.empty()) {
    AZX_ASSIGN_OR_RETURN(name, config.CurrentContext());
  }
  AZX_ASSIGN_OR_RETURN(const YamlNode* chosen, config.Named("contexts", "context", name));
  AZX_ASSIGN_OR_RETURN(std::string cluster_name, Text(*chosen, "cluster"));
  AZX_ASSIGN_OR_RETURN(std::string user_name, Text(*chosen, "user"));

  ClusterAccess access;
  access.source = "kubeconfig " + paths + " (context " + name + ")";
  AZX_ASSIGN_OR_RETURN(const YamlNode* cluster, config.Named("clusters", "cluster", cluster_name));
  AZX_RETURN_IF_ERROR(ReadCluster(*cluster, access));
  if (!user_name.empty()) {
    AZX_ASSIGN_OR_RETURN(const YamlNode* user, config.Named("users", "user", user_name));
    AZX_RETURN_IF_ERROR(ReadUser(*user, access));
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
  access.tls_files.ca = folder + "/ca.crt";
  AZX_RETURN_IF_ERROR(base::ReadFile(access.tls_files.ca));
  return access;
}

}  // namespace azexporter::kube
