#pragma once

// The resources that are only ever created and never kept: questions about oneself
// (SelfSubjectAccessReview, SelfSubjectRulesReview, SelfSubjectReview) and the TokenRequest of a
// service account.
// Semantics: kubernetes.io/docs/reference/kubernetes-api/authorization-resources and
// kubernetes.io/docs/reference/kubernetes-api/authentication-resources.

#include "simulator/api_request.h"
#include "simulator/authorizer.h"
#include "simulator/tokens.h"

namespace azexporter::simulator {

enum class Authorization {
  kAlwaysAllow,  // whoever is let in may do everything
  kRbac,
};

struct ReviewContext {
  const Store& store;
  Tokens& tokens;
  const UserInfo& user;
  Authorization authorization = Authorization::kAlwaysAllow;
  std::int64_t now_ms = 0;
};

// Whether a POST to this path is one of them.
bool IsReview(const ResourcePath& path);

// The body of the 201. REQUIRES: IsReview(path).
ApiResult<Json> AnswerReview(const ReviewContext& context, const ResourcePath& path,
                             const HttpRequest& request);

}  // namespace azexporter::simulator
