#include "simulator/write.h"

#include <fmt/format.h>

#include "simulator/eviction.h"
#include "simulator/patch.h"

namespace azexporter::simulator {

using base::ErrorCode;

namespace {

bool IsDryRun(const HttpRequest& request) { return request.Query("dryRun") == "All"; }

// The body as an object of the path's resource, with the path's namespace and name filled in.
ApiResult<Json> ReadObject(const ResourcePath& path, const HttpRequest& request) {
  auto object = ParseJson(request.body);
  if (!object || !object->is_object()) {
    return tl::unexpected(BadRequest("the object provided is unrecognized: not a JSON object"));
  }
  const ResourceType& type = *path.type;
  const std::string kind = StringAt(*object, {"kind"});
  if (!kind.empty() && kind != type.kind) {
    return tl::unexpected(BadRequest(
        fmt::format("{} in version \"{}\" cannot be handled as a {}: no kind \"{}\" is registered",
                    kind, path.version, type.kind, kind)));
  }
  (*object)["kind"] = type.kind;
  (*object)["apiVersion"] = type.ApiVersion(path.version);
  Json& metadata = (*object)["metadata"];
  if (!metadata.is_object()) metadata = Json::object();
  const std::string ns = StringAt(*object, {"metadata", "namespace"});
  if (type.namespaced && !ns.empty() && ns != path.ns) {
    return tl::unexpected(
        BadRequest("the namespace of the provided object does not match the namespace sent on the "
                   "request"));
  }
  if (type.namespaced) metadata["namespace"] = path.ns;
  const std::string name = StringAt(*object, {"metadata", "name"});
  if (!path.name.empty() && !name.empty() && name != path.name) {
    return tl::unexpected(BadRequest(fmt::format(
        "the name of the object ({}) does not match the name on the URL ({})", name, path.name)));
  }
  if (!path.name.empty()) metadata["name"] = path.name;
  return std::move(*object);
}

ApiError FromStore(const base::Error& error, const ResourcePath& path, std::string_view name) {
  if (error.code() == ErrorCode::kNotFound) return ObjectNotFound(*path.type, name);
  if (error.code() == ErrorCode::kBadData) {
    return Invalid(path.type->group, path.type->kind, name, "metadata.name", "FieldValueRequired",
                   "Required value: " + error.message());
  }
  return Internal(error.message());
}

ApiResult<WriteAnswer> Create(Store& store, const ResourcePath& path, const HttpRequest& request) {
  auto object = ReadObject(path, request);
  if (!object) return tl::unexpected(object.error());
  if (path.type->namespaced) {
    const ResourceType* namespaces = FindKind("v1", "Namespace");
    if (store.Get({namespaces, "", path.ns}) == nullptr) {
      return tl::unexpected(ObjectNotFound(*namespaces, path.ns));
    }
  }
  const std::string prefix = StringAt(*object, {"metadata", "generateName"});
  if (StringAt(*object, {"metadata", "name"}).empty() && !prefix.empty()) {
    (*object)["metadata"]["name"] = fmt::format("{}{:05x}", prefix, store.resource_version());
  }
  if (auto valid = Validate(*path.type, *object); !valid) return tl::unexpected(valid.error());
  (*object)["metadata"].erase("resourceVersion");
  if (object->contains("spec")) (*object)["metadata"]["generation"] = 1;
  const std::string name = StringAt(*object, {"metadata", "name"});
  if (IsDryRun(request)) return WriteAnswer{201, std::move(*object)};
  auto created = store.Create(std::move(*object));
  if (!created) {
    if (created.error().code() == ErrorCode::kExecution) {
      return tl::unexpected(AlreadyExists(*path.type, name));
    }
    return tl::unexpected(FromStore(created.error(), path, name));
  }
  return WriteAnswer{201, Render(**created, path, KindFields::kWith)};
}

// The main resource leaves the status alone; the status subresource leaves all else alone.
void KeepOtherHalf(Json& object, const Json& current, std::string_view subresource) {
  const Json* status = Find(current, {"status"});
  if (subresource == "status") {
    Json merged = current;
    if (const Json* new_status = Find(object, {"status"})) merged["status"] = *new_status;
    object = std::move(merged);
  } else if (status != nullptr) {
    object["status"] = *status;
  }
}

ApiResult<WriteAnswer> Commit(Store& store, const ResourcePath& path, const HttpRequest& request,
                              Json object, std::string_view expected_version) {
  if (auto valid = Validate(*path.type, object); !valid) return tl::unexpected(valid.error());
  if (IsDryRun(request)) return WriteAnswer{200, std::move(object)};
  auto written = store.Replace(std::move(object), expected_version);
  if (written) return WriteAnswer{200, Render(**written, path, KindFields::kWith)};
  if (written.error().code() == ErrorCode::kExecution) {
    return tl::unexpected(Conflict(*path.type, path.name));
  }
  return tl::unexpected(FromStore(written.error(), path, path.name));
}

ApiResult<WriteAnswer> Put(Store& store, const ResourcePath& path, const HttpRequest& request) {
  auto object = ReadObject(path, request);
  if (!object) return tl::unexpected(object.error());
  const ObjectPtr current = store.Get(path.Key());
  if (current == nullptr) return tl::unexpected(ObjectNotFound(*path.type, path.name));
  const std::string expected = StringAt(*object, {"metadata", "resourceVersion"});
  KeepOtherHalf(*object, *current, path.subresource);
  return Commit(store, path, request, std::move(*object), expected);
}

ApiResult<WriteAnswer> Patch(Store& store, const ResourcePath& path, const HttpRequest& request) {
  const std::string content_type = request.Header("Content-Type");
  // Another writer may come in between reading and writing; then the patch is applied anew.
  constexpr int kAttempts = 5;
  for (int attempt = 0;; ++attempt) {
    const ObjectPtr current = store.Get(path.Key());
    if (current == nullptr && content_type.starts_with("application/apply-patch")) {
      return Create(store, path, request);
    }
    if (current == nullptr) return tl::unexpected(ObjectNotFound(*path.type, path.name));
    auto patched = ApplyPatch(*current, content_type, request.body);
    if (!patched) return tl::unexpected(patched.error());
    const std::string version = StringAt(*current, {"metadata", "resourceVersion"});
    if (StringAt(*patched, {"metadata", "resourceVersion"}) != version) {
      return tl::unexpected(Conflict(*path.type, path.name));
    }
    KeepOtherHalf(*patched, *current, path.subresource);
    auto answer = Commit(store, path, request, std::move(*patched), version);
    if (answer || answer.error().code != 409 || attempt == kAttempts) return answer;
  }
}

ApiResult<WriteAnswer> Delete(Store& store, const ResourcePath& path, const HttpRequest& request) {
  const ObjectPtr current = store.Get(path.Key());
  if (current == nullptr) return tl::unexpected(ObjectNotFound(*path.type, path.name));
  if (!IsDryRun(request)) {
    if (auto deleted = store.Delete(path.Key()); !deleted) {
      return tl::unexpected(FromStore(deleted.error(), path, path.name));
    }
  }
  Json details = Json::object();
  details["name"] = path.name;
  if (!path.type->group.empty()) details["group"] = path.type->group;
  details["kind"] = path.type->plural;
  details["uid"] = StringAt(*current, {"metadata", "uid"});
  Json body = {{"kind", "Status"},
               {"apiVersion", "v1"},
               {"metadata", Json::object()},
               {"status", "Success"},
               {"details", std::move(details)}};
  return WriteAnswer{200, std::move(body)};
}

}  // namespace

ApiResult<void> Validate(const ResourceType& type, const Json& object) {
  if (type.kind != "PodDisruptionBudget") return {};
  if (Find(object, {"spec", "minAvailable"}) == nullptr ||
      Find(object, {"spec", "maxUnavailable"}) == nullptr) {
    return {};
  }
  return tl::unexpected(Invalid(
      type.group, type.kind, StringAt(object, {"metadata", "name"}), "spec", "FieldValueInvalid",
      fmt::format("Invalid value: {}: minAvailable and maxUnavailable cannot be both set",
                  Dump(object.at("spec")))));
}

ApiResult<WriteAnswer> HandleWrite(Store& store, const ResourcePath& path,
                                   const HttpRequest& request) {
  // Typed Go clients may send protobuf, which is not read here.
  const std::string content_type = request.Header("Content-Type");
  if (content_type.find("protobuf") != std::string::npos && path.subresource != "eviction") {
    return tl::unexpected(
        ApiError{415, "UnsupportedMediaType",
                 "the body of the request was in an unknown format - accepted media types include: "
                 "application/json",
                 Json::object()});
  }
  if (path.type->kind == "Pod" && path.subresource == "eviction" && request.method == "POST") {
    if (auto evicted = Evict(store, path, IsDryRun(request)); !evicted) {
      return tl::unexpected(evicted.error());
    }
    Json body = {{"kind", "Status"},
                 {"apiVersion", "v1"},
                 {"metadata", Json::object()},
                 {"status", "Success"},
                 {"code", 201}};
    return WriteAnswer{201, std::move(body)};
  }
  const bool known = path.subresource.empty() || path.subresource == "status";
  const bool place_missing = path.type->namespaced && path.ns.empty();
  if (known && !place_missing) {
    if (request.method == "POST" && path.name.empty()) return Create(store, path, request);
    if (request.method == "PUT" && !path.name.empty()) return Put(store, path, request);
    if (request.method == "PATCH" && !path.name.empty()) return Patch(store, path, request);
    if (request.method == "DELETE" && !path.name.empty() && path.subresource.empty()) {
      return Delete(store, path, request);
    }
  }
  return tl::unexpected(MethodNotAllowed());
}

}  // namespace azexporter::simulator
