#include "simulator/api_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "simulator/json_text.h"
#include "simulator/request_info.h"

namespace azexporter::simulator {
namespace {

bool IsTrue(std::string_view value) { return value == "1" || value == "true" || value == "True"; }

std::optional<std::int64_t> ToInt(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Which fields a kind can be selected by, beyond metadata.name and metadata.namespace.
// Source: ToSelectableFields of each registry in kubernetes/kubernetes 1.32.
bool KnowsField(const ResourceType& type, std::string_view field) {
  if (field == "metadata.name") return true;
  if (field == "metadata.namespace") return type.namespaced;
  if (type.kind == "Pod") {
    constexpr std::string_view kPodFields[] = {"spec.nodeName",
                                               "spec.restartPolicy",
                                               "spec.schedulerName",
                                               "spec.serviceAccountName",
                                               "status.phase",
                                               "status.podIP",
                                               "status.nominatedNodeName",
                                               "spec.hostNetwork"};
    return std::find(std::begin(kPodFields), std::end(kPodFields), field) != std::end(kPodFields);
  }
  if (type.kind == "Node") return field == "spec.unschedulable";
  if (type.kind == "Namespace") return field == "status.phase";
  if (type.kind == "Event") {
    return field.substr(0, 15) == "involvedObject." || field == "reason" || field == "type";
  }
  return false;
}

ApiResult<void> ParseVersions(const HttpRequest& request, ListOptions& options) {
  options.resource_version = request.Query("resourceVersion");
  options.version_match = request.Query("resourceVersionMatch");
  if (!options.resource_version.empty()) {
    const auto version = ToInt(options.resource_version);
    if (!version || *version < 0) {
      return tl::unexpected(BadRequest(
          fmt::format("Invalid value: \"{}\": strconv.ParseUint: parsing \"{}\": invalid syntax",
                      options.resource_version, options.resource_version)));
    }
  }
  return {};
}

}  // namespace

std::optional<ResourcePath> ParseResourcePath(std::string_view path) {
  std::vector<std::string> rest = PathSegments(path);
  std::string group;
  ResourcePath out;
  if (rest.size() >= 3 && rest[0] == "api") {
    out.version = rest[1];
    rest.erase(rest.begin(), rest.begin() + 2);
  } else if (rest.size() >= 4 && rest[0] == "apis") {
    group = rest[1];
    out.version = rest[2];
    rest.erase(rest.begin(), rest.begin() + 3);
  } else {
    return std::nullopt;
  }
  // ".../namespaces/x/pods" is pods in x; ".../namespaces/x/status" is about the namespace itself.
  if (rest[0] == "namespaces" && rest.size() >= 3 &&
      FindResource(group, out.version, rest[2]) != nullptr) {
    out.ns = rest[1];
    rest.erase(rest.begin(), rest.begin() + 2);
  }
  out.type = FindResource(group, out.version, rest[0]);
  if (out.type == nullptr || rest.size() > 3) return std::nullopt;
  if (rest.size() >= 2) out.name = rest[1];
  if (rest.size() == 3) out.subresource = rest[2];
  if (!out.type->namespaced && !out.ns.empty()) return std::nullopt;
  if (out.type->namespaced && out.ns.empty() && !out.name.empty()) return std::nullopt;
  return out;
}

ApiResult<Representation> Negotiate(std::string_view accept) {
  if (accept.empty()) return Representation::kObject;
  while (!accept.empty()) {
    const std::size_t comma = accept.find(',');
    std::string_view range = accept.substr(0, comma);
    accept = comma == std::string_view::npos ? std::string_view() : accept.substr(comma + 1);
    while (!range.empty() && range.front() == ' ') range.remove_prefix(1);
    const std::string_view media = range.substr(0, range.find(';'));
    if (media != "application/json" && media != "*/*" && media != "application/*") continue;
    if (range.find("as=Table") != std::string_view::npos) return Representation::kTable;
    if (range.find("as=PartialObjectMetadata") != std::string_view::npos) {
      return Representation::kPartialMetadata;
    }
    if (range.find("as=") == std::string_view::npos) return Representation::kObject;
  }
  return tl::unexpected(NotAcceptable());
}

std::int64_t ListOptions::Version() const {
  return resource_version.empty() ? 0 : ToInt(resource_version).value_or(0);
}

bool ListOptions::Selects(const ObjectPtr& object) const {
  return (labels.empty() || labels.MatchesText(RawAt(object.text(), {"metadata", "labels"}))) &&
         (fields.empty() || fields.Matches(object.text()));
}

ApiResult<ListOptions> ParseListOptions(const HttpRequest& request, const ResourcePath& path) {
  ListOptions options;
  auto labels = LabelSelector::Parse(request.Query("labelSelector"));
  if (!labels) return tl::unexpected(BadRequest(labels.error().message()));
  options.labels = std::move(*labels);
  auto fields = FieldSelector::Parse(request.Query("fieldSelector"));
  if (!fields) return tl::unexpected(BadRequest(fields.error().message()));
  options.fields = std::move(*fields);
  for (const std::string& field : options.fields.Fields()) {
    if (KnowsField(*path.type, field)) continue;
    return tl::unexpected(BadRequest(fmt::format(
        "Unable to find \"{}, Resource={}\" that match label selector \"{}\", field selector "
        "\"{}\": field label not supported: {}",
        path.type->group.empty() ? "/v1" : path.type->ApiVersion(path.version), path.type->plural,
        request.Query("labelSelector"), request.Query("fieldSelector"), field)));
  }
  options.limit = ToInt(request.Query("limit")).value_or(0);
  options.continue_token = request.Query("continue");
  options.include_object = request.Query("includeObject");
  options.watch = IsTrue(request.Query("watch"));
  options.bookmarks = IsTrue(request.Query("allowWatchBookmarks"));
  options.timeout_seconds = ToInt(request.Query("timeoutSeconds")).value_or(0);
  if (request.HasQuery("sendInitialEvents")) {
    options.send_initial_events = IsTrue(request.Query("sendInitialEvents"));
  }
  if (auto parsed = ParseVersions(request, options); !parsed) {
    return tl::unexpected(parsed.error());
  }
  return options;
}

Json Render(const Json& object, const ResourcePath& path, KindFields kind_fields) {
  Json out = object;
  if (kind_fields == KindFields::kBare) {
    out.erase("kind");
    out.erase("apiVersion");
  } else {
    out["apiVersion"] = path.type->ApiVersion(path.version);
  }
  return out;
}

void AppendObject(std::string& out, const ObjectPtr& object, const ResourcePath& path,
                  KindFields kind_fields) {
  const std::string& text = object.text();
  if (kind_fields == KindFields::kWith && path.version == path.type->versions[0]) {
    out += text;
    return;
  }
  const std::string kind = fmt::format("{{\"kind\":\"{}\",\"apiVersion\":\"{}\",", path.type->kind,
                                       path.type->ApiVersion());
  if (kind_fields == KindFields::kBare && text.starts_with(kind)) {
    out += '{';
    out.append(text, kind.size());
    return;
  }
  out += Dump(Render(*object, path, kind_fields));
}

void AppendMetadata(std::string& out, const ObjectPtr& object) {
  out += R"({"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":)";
  out += RawAt(object.text(), {"metadata"});
  out += '}';
}

Json RenderMetadata(const Json& object) {
  return {{"kind", "PartialObjectMetadata"},
          {"apiVersion", "meta.k8s.io/v1"},
          {"metadata", object.at("metadata")}};
}

}  // namespace azexporter::simulator
