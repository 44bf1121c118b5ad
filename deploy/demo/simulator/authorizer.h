#pragma once

// Who may do what: role-based access control from the Role, ClusterRole, RoleBinding and
// ClusterRoleBinding objects in a store, judged as the real authoriser does. Rules only grant; what
// nothing grants is refused, and a binding to a role that does not exist grants nothing.
// Semantics: kubernetes.io/docs/reference/access-authn-authz/rbac.
//
// Thread safety: free functions of a thread-safe store.

#include <string>
#include <vector>

#include "simulator/request_info.h"
#include "simulator/store.h"

namespace azexporter::simulator {

struct UserInfo {
  std::string name;  // "system:serviceaccount:monitoring:zone-exporter"
  std::string uid;   // empty for users that are no objects
  std::vector<std::string> groups;

  bool InGroup(std::string_view group) const;
};

// A request without credentials.
UserInfo AnonymousUser();
// The group system:masters may do everything, whatever the objects say.
UserInfo MasterUser(std::string name);
UserInfo ServiceAccountUser(std::string_view ns, std::string_view name, std::string uid);

struct Decision {
  bool allowed = false;
  // Allowed: "RBAC: allowed by ClusterRoleBinding ...", empty for system:masters. Refused: which
  // roles could not be found; usually empty.
  std::string reason;
};

Decision Authorize(const Store& store, const UserInfo& user, const RequestInfo& info);

// The status of a SelfSubjectRulesReview: what is granted in `ns` and cluster-wide.
Json RulesReviewStatus(const Store& store, const UserInfo& user, const std::string& ns);

// Adds what a real server comes with, unless it is there: the roles of discovery and health for
// everybody and of reviews about oneself for all who have credentials.
base::Result<void> AddBootstrapPolicy(Store& store);

}  // namespace azexporter::simulator
