#pragma once

// How to reach a cluster: from kubeconfig files or from the service account of the pod azexporter
// runs in.
// Source: kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/ and
// kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "azexporter/base/result.h"
#include "azexporter/net/client_files.h"
#include "azexporter/net/http_client.h"

namespace azexporter::kube {

// A program that gives out credentials.
struct ExecPlugin {
  std::string api_version;           // client.authentication.k8s.io/v1 or v1beta1
  std::vector<std::string> command;  // with its arguments
  std::vector<std::pair<std::string, std::string>> environment;
  bool provide_cluster_info = false;
  std::string install_hint;  // for who lacks the program
};

struct ClusterAccess {
  std::string server;  // https://host:port, without a slash at the end
  net::TlsOptions tls;
  net::TlsFiles tls_files;  // read again for each request; win over what stands in `tls`
  std::string bearer_token;
  std::string token_file;  // read again for each request, since tokens rotate; wins over the above
  std::string username;    // basic authentication
  std::string password;
  std::optional<ExecPlugin> exec;  // asked where there is none of these
  net::HttpHeaders impersonation;  // whom to act as
  std::string proxy_url;
  std::string source;  // for messages: "kubeconfig /etc/kc (context prod)", "service account"
};

// The cluster of `context`, or of current-context where it is empty. `paths` are files separated by
// colons, as in KUBECONFIG: what several of them say counts as the first says it, and one that is
// not there is passed over as long as another is. Errors name the file, line and column, and what
// of the file is not supported (auth-provider plugins).
base::Result<ClusterAccess> LoadKubeconfig(const std::string& paths, const std::string& context);

// From the mounted service account. `host` and `port` are KUBERNETES_SERVICE_HOST and _PORT; the
// folder is /var/run/secrets/kubernetes.io/serviceaccount but in tests.
base::Result<ClusterAccess> InClusterAccess(const std::string& host, const std::string& port,
                                            const std::string& folder);

}  // namespace azexporter::kube
