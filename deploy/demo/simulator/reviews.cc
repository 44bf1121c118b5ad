#include "simulator/reviews.h"

#include <fmt/format.h>

#include <span>

#include "simulator/protobuf.h"

namespace azexporter::simulator {
namespace {

constexpr std::int64_t kDefaultLifetimeSeconds = 3600;
constexpr std::int64_t kMinLifetimeSeconds = 600;

// The fields of the specs, as protobuf numbers them.
// Source: generated.proto of k8s.io/api/authorization/v1 and k8s.io/api/authentication/v1.
using Type = ProtobufField::Type;

constexpr ProtobufField kResourceAttributes[] = {
    {1, "namespace"}, {2, "verb"},        {3, "group"}, {4, "version"},
    {5, "resource"},  {6, "subresource"}, {7, "name"}};
constexpr ProtobufField kPathAttributes[] = {{1, "path"}, {2, "verb"}};
constexpr ProtobufField kAccessSpec[] = {
    {1, "resourceAttributes", Type::kMessage, kResourceAttributes},
    {2, "nonResourceAttributes", Type::kMessage, kPathAttributes}};
constexpr ProtobufField kRulesSpec[] = {{1, "namespace"}};
constexpr ProtobufField kTokenSpec[] = {{1, "audiences", Type::kTexts},
                                        {4, "expirationSeconds", Type::kInteger}};

std::span<const ProtobufField> SpecFields(const ResourcePath& path) {
  if (path.subresource == "token") return kTokenSpec;
  if (path.type->kind == "SelfSubjectAccessReview") return kAccessSpec;
  if (path.type->kind == "SelfSubjectRulesReview") return kRulesSpec;
  return {};
}

base::Result<Json> ReadBody(const ResourcePath& path, const std::string& body) {
  if (body.empty()) return Json::object();
  if (!IsKubernetesProtobuf(body)) return ParseJson(body);
  const ProtobufField object[] = {{2, "spec", Type::kMessage, SpecFields(path)}};
  return DecodeKubernetesProtobuf(body, object);
}

Json Answer(const ResourcePath& path, Json metadata, Json spec, Json status) {
  Json out = {{"kind", path.type->kind},
              {"apiVersion", path.type->ApiVersion(path.version)},
              {"metadata", std::move(metadata)}};
  if (!spec.is_null()) out["spec"] = std::move(spec);
  out["status"] = std::move(status);
  return out;
}

// The request that a SelfSubjectAccessReview asks about.
RequestInfo AskedAbout(const Json& spec) {
  RequestInfo info;
  const Json* resource = Find(spec, {"resourceAttributes"});
  if (resource == nullptr) {
    info.verb = StringAt(spec, {"nonResourceAttributes", "verb"});
    info.path = StringAt(spec, {"nonResourceAttributes", "path"});
    return info;
  }
  info.is_resource = true;
  info.verb = StringAt(*resource, {"verb"});
  info.group = StringAt(*resource, {"group"});
  info.version = StringAt(*resource, {"version"});
  info.resource = StringAt(*resource, {"resource"});
  info.subresource = StringAt(*resource, {"subresource"});
  info.ns = StringAt(*resource, {"namespace"});
  info.name = StringAt(*resource, {"name"});
  return info;
}

ApiResult<Json> AccessReview(const ReviewContext& context, const ResourcePath& path, Json spec) {
  if (spec.contains("resourceAttributes") == spec.contains("nonResourceAttributes")) {
    return tl::unexpected(Invalid(
        path.type->group, path.type->kind, "", "spec.resourceAttributes", "FieldValueInvalid",
        "Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be "
        "specified"));
  }
  const Decision decision = context.authorization == Authorization::kAlwaysAllow
                                ? Decision{.allowed = true}
                                : Authorize(context.store, context.user, AskedAbout(spec));
  Json status = {{"allowed", decision.allowed}};
  if (!decision.reason.empty()) status["reason"] = decision.reason;
  return Answer(path, {{"creationTimestamp", nullptr}}, std::move(spec), std::move(status));
}

ApiResult<Json> RulesReview(const ReviewContext& context, const ResourcePath& path,
                            const Json& spec) {
  const std::string ns = StringAt(spec, {"namespace"});
  if (ns.empty()) return tl::unexpected(BadRequest("no namespace on request"));
  return Answer(path, {{"creationTimestamp", nullptr}}, Json::object(),
                RulesReviewStatus(context.store, context.user, ns));
}

Json SelfReview(const ReviewContext& context, const ResourcePath& path) {
  Json user = {{"username", context.user.name}};
  if (!context.user.uid.empty()) user["uid"] = context.user.uid;
  user["groups"] = context.user.groups;
  return Answer(path, {{"creationTimestamp", Rfc3339(context.now_ms)}}, Json(),
                {{"userInfo", std::move(user)}});
}

ApiResult<Json> TokenRequest(const ReviewContext& context, const ResourcePath& path,
                             const Json& spec) {
  const std::int64_t seconds = IntAt(spec, {"expirationSeconds"}, kDefaultLifetimeSeconds);
  if (seconds < kMinLifetimeSeconds) {
    return tl::unexpected(
        Invalid("authentication.k8s.io", "TokenRequest", path.name, "spec.expirationSeconds",
                "FieldValueInvalid",
                fmt::format("Invalid value: {}: may not specify a duration less than 10 minutes",
                            seconds)));
  }
  const auto issued = context.tokens.Issue(path.ns, path.name, seconds);
  if (!issued) return tl::unexpected(ObjectNotFound(*path.type, path.name));
  Json audiences = Json::array({"https://kubernetes.default.svc.cluster.local"});
  if (const Json* asked = Find(spec, {"audiences"}); asked != nullptr && !asked->empty()) {
    audiences = *asked;
  }
  return Json{
      {"kind", "TokenRequest"},
      {"apiVersion", "authentication.k8s.io/v1"},
      {"metadata",
       {{"name", path.name},
        {"namespace", path.ns},
        {"creationTimestamp", Rfc3339(context.now_ms)}}},
      {"spec",
       {{"audiences", std::move(audiences)},
        {"expirationSeconds", seconds},
        {"boundObjectRef", nullptr}}},
      {"status", {{"token", issued->token}, {"expirationTimestamp", Rfc3339(issued->expires_ms)}}}};
}

}  // namespace

bool IsReview(const ResourcePath& path) {
  if (path.type->create_only) return path.name.empty();
  return path.type->kind == "ServiceAccount" && path.subresource == "token";
}

ApiResult<Json> AnswerReview(const ReviewContext& context, const ResourcePath& path,
                             const HttpRequest& request) {
  const auto body = ReadBody(path, request.body);
  if (!body || !body->is_object()) {
    return tl::unexpected(BadRequest("the object provided is unrecognized: not an object"));
  }
  const Json* given = Find(*body, {"spec"});
  Json spec = given != nullptr && given->is_object() ? *given : Json::object();
  if (path.subresource == "token") return TokenRequest(context, path, spec);
  if (path.type->kind == "SelfSubjectAccessReview") {
    return AccessReview(context, path, std::move(spec));
  }
  if (path.type->kind == "SelfSubjectRulesReview") return RulesReview(context, path, spec);
  return SelfReview(context, path);
}

}  // namespace azexporter::simulator
