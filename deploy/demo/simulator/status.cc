#include "simulator/status.h"

#include <fmt/format.h>

namespace azexporter::simulator {
namespace {

Json DetailsOf(const ResourceType& type, std::string_view name) {
  Json details = Json::object();
  if (!name.empty()) details["name"] = name;
  if (!type.group.empty()) details["group"] = type.group;
  details["kind"] = type.plural;
  return details;
}

}  // namespace

Json StatusBody(const ApiError& error) {
  Json body = {{"kind", "Status"}, {"apiVersion", "v1"}, {"metadata", Json::object()}};
  if (!error.continue_token.empty()) body["metadata"]["continue"] = error.continue_token;
  body["status"] = "Failure";
  body["message"] = error.message;
  if (!error.reason.empty()) body["reason"] = error.reason;
  if (!error.details.is_null()) body["details"] = error.details;
  body["code"] = error.code;
  return body;
}

ApiError Unauthorized() { return {401, "Unauthorized", "Unauthorized"}; }

ApiError Forbidden(const RequestInfo& info, std::string_view user, std::string_view reason) {
  const std::string why = reason.empty() ? std::string() : fmt::format(": {}", reason);
  if (!info.is_resource) {
    return {403, "Forbidden",
            fmt::format("forbidden: User \"{}\" cannot {} path \"{}\"{}", user, info.verb,
                        info.path, why),
            Json::object()};
  }
  const std::string object = info.name.empty() ? std::string() : fmt::format(" \"{}\"", info.name);
  const std::string resource =
      info.subresource.empty() ? info.resource : info.resource + "/" + info.subresource;
  const std::string scope =
      info.ns.empty() ? "at the cluster scope" : fmt::format("in the namespace \"{}\"", info.ns);
  Json details = Json::object();
  if (!info.name.empty()) details["name"] = info.name;
  if (!info.group.empty()) details["group"] = info.group;
  details["kind"] = info.resource;
  return {403, "Forbidden",
          fmt::format("{}{} is forbidden: User \"{}\" cannot {} resource \"{}\" in API group "
                      "\"{}\" {}{}",
                      info.QualifiedResource(), object, user, info.verb, resource, info.group,
                      scope, why),
          std::move(details)};
}

ApiError ObjectNotFound(const ResourceType& type, std::string_view name) {
  return {404, "NotFound", fmt::format("{} \"{}\" not found", type.Qualified(), name),
          DetailsOf(type, name)};
}

ApiError AlreadyExists(const ResourceType& type, std::string_view name) {
  return {409, "AlreadyExists", fmt::format("{} \"{}\" already exists", type.Qualified(), name),
          DetailsOf(type, name)};
}

ApiError Conflict(const ResourceType& type, std::string_view name) {
  return {409, "Conflict",
          fmt::format("Operation cannot be fulfilled on {} \"{}\": the object has been modified; "
                      "please apply your changes to the latest version and try again",
                      type.Qualified(), name),
          DetailsOf(type, name)};
}

ApiError Invalid(std::string_view group, std::string_view kind, std::string_view name,
                 std::string_view field, std::string_view cause, std::string_view message) {
  const std::string qualified =
      group.empty() ? std::string(kind) : fmt::format("{}.{}", kind, group);
  Json details = Json::object();
  if (!name.empty()) details["name"] = name;
  if (!group.empty()) details["group"] = group;
  details["kind"] = kind;
  details["causes"] = Json::array({{{"reason", cause}, {"message", message}, {"field", field}}});
  return {422, "Invalid",
          fmt::format("{} \"{}\" is invalid: {}: {}", qualified, name, field, message),
          std::move(details)};
}

ApiError BadRequest(std::string message) { return {400, "BadRequest", std::move(message)}; }

ApiError MethodNotAllowed() {
  return {405, "MethodNotAllowed",
          "the server does not allow this method on the requested resource", Json::object()};
}

ApiError NotAcceptable() {
  return {406, "NotAcceptable",
          "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, "
          "application/vnd.kubernetes.protobuf, application/json;stream=watch, "
          "application/vnd.kubernetes.protobuf;stream=watch",
          Json::object()};
}

ApiError Expired(std::string message) { return {410, "Expired", std::move(message)}; }

ApiError VersionInFuture(std::int64_t asked, std::int64_t current) {
  Json details = {{"causes", Json::array({{{"reason", "ResourceVersionTooLarge"},
                                           {"message", "Too large resource version"}}})},
                  {"retryAfterSeconds", 1}};
  return {504, "Timeout",
          fmt::format("Timeout: Too large resource version: {}, current: {}", asked, current),
          std::move(details)};
}

ApiError Internal(std::string message) { return {500, "InternalError", std::move(message)}; }

}  // namespace azexporter::simulator
