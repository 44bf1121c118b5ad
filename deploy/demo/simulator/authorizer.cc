#include "simulator/authorizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

namespace azexporter::simulator {
namespace {

constexpr std::string_view kApiVersion = "rbac.authorization.k8s.io/v1";

// Whether the array at `field` of a rule holds a string that `matches`.
template <class Predicate>
bool AnyOf(const Json& rule, std::string_view field, Predicate matches) {
  const Json* list = Find(rule, {field});
  return list != nullptr && list->is_array() &&
         std::any_of(list->begin(), list->end(), [&](const Json& item) {
           return item.is_string() && matches(item.get_ref<const std::string&>());
         });
}

bool IsEmpty(const Json& rule, std::string_view field) {
  const Json* list = Find(rule, {field});
  return list == nullptr || list->empty();
}

bool ListsOrStar(const Json& rule, std::string_view field, std::string_view wanted) {
  return AnyOf(rule, field, [&](std::string_view item) { return item == "*" || item == wanted; });
}

// "pods" does not cover "pods/eviction"; "*" covers everything, "*/status" each status.
bool CoversResource(const Json& rule, const RequestInfo& info) {
  const std::string whole =
      info.subresource.empty() ? info.resource : info.resource + "/" + info.subresource;
  return AnyOf(rule, "resources", [&](std::string_view item) {
    return item == "*" || item == whole ||
           (!info.subresource.empty() && item == "*/" + info.subresource);
  });
}

// A request without a name, such as create or a whole list, is never covered by named rules.
bool CoversName(const Json& rule, const RequestInfo& info) {
  return IsEmpty(rule, "resourceNames") ||
         AnyOf(rule, "resourceNames", [&](std::string_view item) { return item == info.name; });
}

// "/healthz", "/api/*" (a star at the end only) or "*".
bool CoversPath(const Json& rule, std::string_view path) {
  return AnyOf(rule, "nonResourceURLs", [&](std::string_view item) {
    return item == path ||
           (item.ends_with('*') && path.starts_with(item.substr(0, item.size() - 1)));
  });
}

bool Covers(const Json& rule, const RequestInfo& info) {
  if (!ListsOrStar(rule, "verbs", info.verb)) return false;
  if (!info.is_resource) return CoversPath(rule, info.path);
  return ListsOrStar(rule, "apiGroups", info.group) && CoversResource(rule, info) &&
         CoversName(rule, info);
}

// `ns`: of the binding, where a service account lives that names none.
bool IsSubject(const Json& subject, const UserInfo& user, const std::string& ns) {
  const std::string kind = StringAt(subject, {"kind"});
  const std::string name = StringAt(subject, {"name"});
  if (kind == "User") return name == user.name;
  if (kind == "Group") return user.InGroup(name);
  if (kind != "ServiceAccount") return false;
  const std::string own = StringAt(subject, {"namespace"});
  const std::string& where = own.empty() ? ns : own;
  return !where.empty() && user.name == fmt::format("system:serviceaccount:{}:{}", where, name);
}

std::string Describe(const Json& subject, const std::string& ns) {
  const std::string kind = StringAt(subject, {"kind"});
  const std::string name = StringAt(subject, {"name"});
  if (kind != "ServiceAccount") return fmt::format("{} \"{}\"", kind, name);
  const std::string own = StringAt(subject, {"namespace"});
  return fmt::format("{} \"{}/{}\"", kind, name, own.empty() ? ns : own);
}

// `ns` is empty for a ClusterRoleBinding.
std::string Describe(const Json& binding, const Json& subject, const std::string& ns) {
  std::string name = StringAt(binding, {"metadata", "name"});
  if (!ns.empty()) name += "/" + ns;
  return fmt::format("{} \"{}\" of {} \"{}\" to {}", StringAt(binding, {"kind"}), name,
                     StringAt(binding, {"roleRef", "kind"}), StringAt(binding, {"roleRef", "name"}),
                     Describe(subject, ns));
}

// Goes through the rules that apply to a user.
class RuleWalk {
 public:
  // Called with a rule and a function that describes where it comes from; true ends the walk.
  using Visit = std::function<bool(const Json& rule, const std::function<std::string()>& source)>;

  RuleWalk(const Store& store, const UserInfo& user) : store_(store), user_(user) {}

  // The rules of cluster-wide bindings, then those of `ns` unless it is empty. True when `visit`
  // ended the walk.
  bool Run(const std::string& ns, const Visit& visit) {
    return RunBindings("ClusterRoleBinding", {}, visit) ||
           (!ns.empty() && RunBindings("RoleBinding", ns, visit));
  }

  // The roles that were not found: "x not found" or "[x not found, y not found]"; empty if none.
  std::string Errors() const {
    if (errors_.size() < 2) return errors_.empty() ? std::string() : errors_.front();
    return fmt::format("[{}]", fmt::join(errors_, ", "));
  }

 private:
  bool RunBindings(std::string_view kind, const std::string& ns, const Visit& visit) {
    for (const ObjectPtr& binding : store_.List(*FindKind(kApiVersion, kind), ns).items) {
      if (RunBinding(*binding, ns, visit)) return true;
    }
    return false;
  }

  bool RunBinding(const Json& binding, const std::string& ns, const Visit& visit) {
    const Json* subjects = Find(binding, {"subjects"});
    if (subjects == nullptr || !subjects->is_array()) return false;
    const auto subject =
        std::find_if(subjects->begin(), subjects->end(),
                     [&](const Json& candidate) { return IsSubject(candidate, user_, ns); });
    if (subject == subjects->end()) return false;
    const ObjectPtr role = RoleOf(binding, ns);
    const Json* rules = role == nullptr ? nullptr : Find(*role, {"rules"});
    if (rules == nullptr || !rules->is_array()) return false;
    return std::any_of(rules->begin(), rules->end(), [&](const Json& rule) {
      return visit(rule, [&] { return Describe(binding, *subject, ns); });
    });
  }

  // A RoleBinding may refer to a ClusterRole, whose rules then hold in its namespace.
  ObjectPtr RoleOf(const Json& binding, const std::string& ns) {
    const std::string kind = StringAt(binding, {"roleRef", "kind"});
    const std::string name = StringAt(binding, {"roleRef", "name"});
    const ResourceType* type = FindKind(kApiVersion, kind);
    const bool usable = kind == "ClusterRole" || (kind == "Role" && !ns.empty());
    const ObjectPtr role =
        usable ? store_.Get({type, kind == "Role" ? ns : std::string(), name}) : nullptr;
    if (!usable) errors_.push_back(fmt::format("unsupported role reference kind: \"{}\"", kind));
    if (usable && role == nullptr) {
      errors_.push_back(
          fmt::format("{}.rbac.authorization.k8s.io \"{}\" not found", type->Singular(), name));
    }
    return role;
  }

  const Store& store_;
  const UserInfo& user_;
  std::vector<std::string> errors_;
};

struct BootstrapRole {
  std::string_view name;
  std::string_view rules;   // JSON
  std::string_view groups;  // JSON: the groups that it is bound to
};

// Source: the default roles of
// kubernetes.io/docs/reference/access-authn-authz/rbac/#discovery-roles and of system:basic-user.
constexpr BootstrapRole kBootstrap[] = {
    {"cluster-admin",
     R"([{"verbs":["*"],"apiGroups":["*"],"resources":["*"]},
         {"verbs":["*"],"nonResourceURLs":["*"]}])",
     R"(["system:masters"])"},
    {"system:basic-user",
     R"([{"verbs":["create"],"apiGroups":["authorization.k8s.io"],
          "resources":["selfsubjectaccessreviews","selfsubjectrulesreviews"]},
         {"verbs":["create"],"apiGroups":["authentication.k8s.io"],
          "resources":["selfsubjectreviews"]}])",
     R"(["system:authenticated"])"},
    {"system:discovery",
     R"([{"verbs":["get"],"nonResourceURLs":["/api","/api/*","/apis","/apis/*","/healthz","/livez",
          "/openapi","/openapi/*","/readyz","/version","/version/"]}])",
     R"(["system:authenticated"])"},
    {"system:public-info-viewer",
     R"([{"verbs":["get"],
          "nonResourceURLs":["/healthz","/livez","/readyz","/version","/version/"]}])",
     R"(["system:authenticated","system:unauthenticated"])"},
    {"system:service-account-issuer-discovery",
     R"([{"verbs":["get"],"nonResourceURLs":["/.well-known/openid-configuration",
          "/.well-known/openid-configuration/","/openid/v1/jwks","/openid/v1/jwks/"]}])",
     R"(["system:serviceaccounts"])"},
};

Json BootstrapObject(std::string_view kind, std::string_view name) {
  return {{"kind", kind},
          {"apiVersion", kApiVersion},
          {"metadata",
           {{"name", name}, {"labels", {{"kubernetes.io/bootstrapping", "rbac-defaults"}}}}}};
}

}  // namespace

bool UserInfo::InGroup(std::string_view group) const {
  return std::find(groups.begin(), groups.end(), group) != groups.end();
}

UserInfo AnonymousUser() { return {"system:anonymous", "", {"system:unauthenticated"}}; }

UserInfo MasterUser(std::string name) {
  return {std::move(name), "", {"system:masters", "system:authenticated"}};
}

UserInfo ServiceAccountUser(std::string_view ns, std::string_view name, std::string uid) {
  return {fmt::format("system:serviceaccount:{}:{}", ns, name),
          std::move(uid),
          {"system:serviceaccounts", fmt::format("system:serviceaccounts:{}", ns),
           "system:authenticated"}};
}

Decision Authorize(const Store& store, const UserInfo& user, const RequestInfo& info) {
  if (user.InGroup("system:masters")) return {.allowed = true};
  Decision decision;
  RuleWalk walk(store, user);
  decision.allowed = walk.Run(info.ns, [&](const Json& rule, const auto& source) {
    if (!Covers(rule, info)) return false;
    decision.reason = "RBAC: allowed by " + source();
    return true;
  });
  const std::string errors = walk.Errors();
  if (!decision.allowed && !errors.empty()) decision.reason = "RBAC: " + errors;
  return decision;
}

Json RulesReviewStatus(const Store& store, const UserInfo& user, const std::string& ns) {
  Json resource_rules = Json::array();
  Json path_rules = Json::array();
  const auto copy = [](const Json& rule, std::initializer_list<std::string_view> fields) {
    Json out = Json::object();
    for (std::string_view field : fields) {
      if (!IsEmpty(rule, field)) out[std::string(field)] = *Find(rule, {field});
    }
    return out;
  };
  RuleWalk walk(store, user);
  walk.Run(ns, [&](const Json& rule, const auto&) {
    if (!IsEmpty(rule, "resources")) {
      resource_rules.push_back(copy(rule, {"verbs", "apiGroups", "resources", "resourceNames"}));
    }
    if (!IsEmpty(rule, "nonResourceURLs")) {
      path_rules.push_back(copy(rule, {"verbs", "nonResourceURLs"}));
    }
    return false;
  });
  Json status = {{"resourceRules", std::move(resource_rules)},
                 {"nonResourceRules", std::move(path_rules)},
                 {"incomplete", false}};
  if (std::string errors = walk.Errors(); !errors.empty()) status["evaluationError"] = errors;
  return status;
}

base::Result<void> AddBootstrapPolicy(Store& store) {
  for (const BootstrapRole& row : kBootstrap) {
    if (store.Get({FindKind(kApiVersion, "ClusterRole"), "", std::string(row.name)}) != nullptr) {
      continue;
    }
    Json role = BootstrapObject("ClusterRole", row.name);
    AZX_ASSIGN_OR_RETURN(role["rules"], ParseJson(row.rules));
    AZX_RETURN_IF_ERROR(store.Apply(std::move(role)));
    Json binding = BootstrapObject("ClusterRoleBinding", row.name);
    AZX_ASSIGN_OR_RETURN(const Json groups, ParseJson(row.groups));
    for (const Json& group : groups) {
      binding["subjects"].push_back(
          {{"kind", "Group"}, {"apiGroup", "rbac.authorization.k8s.io"}, {"name", group}});
    }
    binding["roleRef"] = {
        {"apiGroup", "rbac.authorization.k8s.io"}, {"kind", "ClusterRole"}, {"name", row.name}};
    AZX_RETURN_IF_ERROR(store.Apply(std::move(binding)));
  }
  return {};
}

}  // namespace azexporter::simulator
