#pragma once

// What a request is about, read from its method, path and query alone: the attributes that the
// authoriser judges and that faults are aimed with. Unlike a ResourcePath (api_request.h) it also
// describes resources that are not served: a client without rights learns nothing of what exists.
// Semantics: k8s.io/apiserver/pkg/endpoints/request.RequestInfo.

#include <string>
#include <string_view>
#include <vector>

#include "simulator/http_server.h"

namespace azexporter::simulator {

struct RequestInfo {
  // "get", "list", "watch", "create", "update", "patch", "delete" or "deletecollection"; for a path
  // that is no resource the method in lower case.
  std::string verb;
  std::string path;
  bool is_resource = false;
  // The rest is empty unless is_resource.
  std::string group;
  std::string version;
  std::string resource;     // "pods"
  std::string subresource;  // "status", "eviction"; usually empty
  std::string ns;           // empty: all namespaces, or cluster-scoped
  std::string name;         // a list or watch of metadata.name=X has the name X

  bool IsWrite() const;
  // "pods" or "deployments.apps".
  std::string QualifiedResource() const;
};

RequestInfo RequestInfoOf(const HttpRequest& request);

// The parts of a path between its slashes; empty ones are left out.
std::vector<std::string> PathSegments(std::string_view path);

}  // namespace azexporter::simulator
