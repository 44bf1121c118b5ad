#pragma once

// What each path answers, as functions of a request; the envelope, the status code and the headers
// are written once, in server.cc. Private to `web`.

#include <map>
#include <string>

#include "azexporter/web/server.h"

namespace azexporter::web {

// What a handler sees of a request.
struct Request {
  std::multimap<std::string, std::string> params;  // of the URL and of a form body, decoded
  std::map<std::string, std::string> path_params;  // "name" of /api/v1/label/<name>/values

  // The first value, "" where there is none.
  std::string Param(const std::string& name) const;
  std::vector<std::string> Params(const std::string& name) const;
};

// The answer of an API path: the JSON of "data", with what goes beside it.
struct ApiData {
  std::string json;
  std::vector<std::string> warnings;
  std::vector<std::string> infos;
};

using ApiHandler = base::Result<ApiData> (*)(const ServerDeps&, const ServerOptions&,
                                             const Request&);

struct ApiRoute {
  const char* path;  // a pattern; ":name" stands for one segment
  ApiHandler handler;
};

// Every path below /api/v1.
std::span<const ApiRoute> ApiRoutes();

// The page at "/".
std::string RenderStatusPage(const ServerDeps& deps, const ServerOptions& options);

}  // namespace azexporter::web
