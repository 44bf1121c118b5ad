#pragma once

// How to reach a cluster: from a kubeconfig file or from the service account of the pod azexporter
// runs in.

#include <string>

#include "azexporter/base/result.h"
#include "azexporter/net/http_client.h"

namespace azexporter::kube {

struct ClusterAccess {
  std::string server;  // https://host:port, without a slash at the end
  net::TlsOptions tls;
  std::string bearer_token;
  std::string token_file;  // read again for each request, since tokens rotate; wins over the above
  std::string username;    // basic authentication
  std::string password;
  std::string proxy_url;
  std::string source;  // for messages: "kubeconfig /etc/kc (context prod)", "service account"
};

// The cluster of `context`, or of current-context where it is empty. Errors name the file, line and
// column, and what of the file is not supported (exec and auth-provider plugins).
base::Result<ClusterAccess> LoadKubeconfig(const std::string& path, const std::string& context);

// From the mounted service account. `host` and `port` are KUBERNETES_SERVICE_HOST and _PORT; the
// folder is /var/run/secrets/kubernetes.io/serviceaccount but in tests.
base::Result<ClusterAccess> InClusterAccess(const std::string& host, const std::string& port,
                                            const std::string& folder);

}  // namespace azexporter::kube
