#include "simulator/tokens.h"

#include <fmt/format.h>

#include "simulator/base64.h"

namespace azexporter::simulator {
namespace {

const ResourceType& AccountType() { return *FindKind("v1", "ServiceAccount"); }

}  // namespace

std::string Tokens::Uid(const std::string& ns, const std::string& name) const {
  const ObjectPtr account = store_.Get({&AccountType(), ns, name});
  return account == nullptr ? std::string() : StringAt(*account, {"metadata", "uid"});
}

base::Result<IssuedToken> Tokens::Issue(const std::string& ns, const std::string& name,
                                        std::int64_t lifetime_seconds) {
  const std::string uid = Uid(ns, name);
  if (uid.empty()) {
    return base::Fail(base::ErrorCode::kNotFound,
                      fmt::format("serviceaccounts \"{}\" not found", name));
  }
  const std::int64_t now_ms = clock_.NowMs();
  const std::int64_t expires_ms = now_ms + lifetime_seconds * 1000;
  const Json header = {{"alg", "RS256"}, {"kid", "simulator"}};
  const Json claims = {
      {"aud", Json::array({"https://kubernetes.default.svc.cluster.local"})},
      {"exp", expires_ms / 1000},
      {"iat", now_ms / 1000},
      {"iss", "https://kubernetes.default.svc.cluster.local"},
      {"kubernetes.io", {{"namespace", ns}, {"serviceaccount", {{"name", name}, {"uid", uid}}}}},
      {"nbf", now_ms / 1000},
      {"sub", fmt::format("system:serviceaccount:{}:{}", ns, name)}};
  base::MutexLock lock(mu_);
  const std::string noise = fmt::format("{:016x}{:016x}", random_(), random_());
  std::string token =
      fmt::format("{}.{}.{}", Base64Url(Dump(header)), Base64Url(Dump(claims)), Base64Url(noise));
  owners_[token] = {.ns = ns, .name = name, .uid = uid, .expires_ms = expires_ms};
  return IssuedToken{.token = std::move(token), .expires_ms = expires_ms};
}

std::optional<UserInfo> Tokens::UserOf(std::string_view token) const {
  Owner owner;
  {
    base::MutexLock lock(mu_);
    const auto found = owners_.find(token);
    if (found == owners_.end()) return std::nullopt;
    owner = found->second;
  }
  if (clock_.NowMs() >= owner.expires_ms || Uid(owner.ns, owner.name) != owner.uid) {
    return std::nullopt;
  }
  return ServiceAccountUser(owner.ns, owner.name, owner.uid);
}

}  // namespace azexporter::simulator
