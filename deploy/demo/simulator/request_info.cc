#include "simulator/request_info.h"

#include <algorithm>

#include "simulator/selectors.h"

namespace azexporter::simulator {
namespace {

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lower;
}

bool IsTrue(std::string_view value) { return value == "1" || value == "true" || value == "True"; }

// The verb before it is known whether one object or a collection is meant.
std::string_view VerbOfMethod(std::string_view method) {
  if (method == "POST") return "create";
  if (method == "PUT") return "update";
  if (method == "PATCH") return "patch";
  if (method == "DELETE") return "delete";
  return "get";
}

// A list or watch of one name counts as that name, so that resourceNames can grant it.
std::string NameInSelector(const HttpRequest& request) {
  const auto selector = FieldSelector::Parse(request.Query("fieldSelector"));
  return selector ? selector->Required("metadata.name") : std::string();
}

// `parts` are what follows the version: [namespaces/NS/]RESOURCE[/NAME[/SUBRESOURCE]].
void ReadResource(const std::vector<std::string>& parts, RequestInfo& info) {
  std::size_t at = 0;
  if (parts[0] == "namespaces" && parts.size() > 1) {
    info.ns = parts[1];
    // "namespaces/x/status" is about the namespace itself.
    const bool itself = parts.size() == 2 || parts[2] == "status" || parts[2] == "finalize";
    if (!itself) at = 2;
  }
  info.resource = parts[at];
  if (parts.size() > at + 1) info.name = parts[at + 1];
  if (parts.size() > at + 2) info.subresource = parts[at + 2];
}

}  // namespace

std::vector<std::string> PathSegments(std::string_view path) {
  std::vector<std::string> segments;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view segment = path.substr(0, slash);
    if (!segment.empty()) segments.emplace_back(segment);
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
  }
  return segments;
}

bool RequestInfo::IsWrite() const {
  return verb != "get" && verb != "list" && verb != "watch" && verb != "head";
}

std::string RequestInfo::QualifiedResource() const {
  return group.empty() ? resource : resource + "." + group;
}

RequestInfo RequestInfoOf(const HttpRequest& request) {
  RequestInfo info{.verb = LowerCase(request.method), .path = request.path};
  std::vector<std::string> parts = PathSegments(request.path);
  if (parts.size() >= 3 && parts[0] == "api") {
    info.version = parts[1];
    parts.erase(parts.begin(), parts.begin() + 2);
  } else if (parts.size() >= 4 && parts[0] == "apis") {
    info.group = parts[1];
    info.version = parts[2];
    parts.erase(parts.begin(), parts.begin() + 3);
  } else {
    return info;
  }
  info.is_resource = true;
  ReadResource(parts, info);
  info.verb = VerbOfMethod(request.method);
  if (!info.name.empty()) return info;
  if (info.verb == "get") {
    info.verb = IsTrue(request.Query("watch")) ? "watch" : "list";
    info.name = NameInSelector(request);
  } else if (info.verb == "delete") {
    info.verb = "deletecollection";
  }
  return info;
}

}  // namespace azexporter::simulator
