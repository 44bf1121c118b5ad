#include "simulator/discovery.h"

#include <algorithm>
#include <vector>

#include "simulator/resources.h"

namespace azexporter::simulator {
namespace {

// The groups in the order of the table, each once, without the core group.
std::vector<std::string_view> Groups() {
  std::vector<std::string_view> groups;
  for (const ResourceType& type : AllResources()) {
    if (type.group.empty()) continue;
    if (std::find(groups.begin(), groups.end(), type.group) == groups.end()) {
      groups.push_back(type.group);
    }
  }
  return groups;
}

// The served versions of a group, the preferred one first.
std::vector<std::string_view> VersionsOf(std::string_view group) {
  std::vector<std::string_view> versions;
  for (const ResourceType& type : AllResources()) {
    if (type.group != group) continue;
    for (std::string_view version : type.versions) {
      if (version.empty()) continue;
      if (std::find(versions.begin(), versions.end(), version) == versions.end()) {
        versions.push_back(version);
      }
    }
  }
  return versions;
}

Json Verbs(const ResourceType& type) {
  if (type.create_only) return Json::array({"create"});
  if (type.custom) {
    return {"delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"};
  }
  if (type.kind == "Namespace") {
    return {"create", "delete", "get", "list", "patch", "update", "watch"};
  }
  return {"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"};
}

const Json& StatusVerbs() {
  static const Json verbs = {"get", "patch", "update"};
  return verbs;
}

std::string GroupVersion(std::string_view group, std::string_view version) {
  return group.empty() ? std::string(version) : std::string(group) + "/" + std::string(version);
}

Json PlainGroup(std::string_view group) {
  Json versions = Json::array();
  for (std::string_view version : VersionsOf(group)) {
    versions.push_back({{"groupVersion", GroupVersion(group, version)}, {"version", version}});
  }
  Json out = Json::object();
  out["name"] = group;
  out["preferredVersion"] = versions.front();
  out["versions"] = std::move(versions);
  return out;
}

// Built-in resources leave group and version of their kind out; custom ones tell them.
Json ResponseKind(const ResourceType& type, std::string_view version) {
  return {{"group", type.custom ? type.group : std::string_view()},
          {"version", type.custom ? version : std::string_view()},
          {"kind", type.kind}};
}

Json AggregatedResource(const ResourceType& type, std::string_view version) {
  Json out = {{"resource", type.plural},
              {"responseKind", ResponseKind(type, version)},
              {"scope", type.namespaced ? "Namespaced" : "Cluster"},
              {"singularResource", type.Singular()},
              {"verbs", Verbs(type)}};
  if (!type.short_name.empty()) out["shortNames"] = Json::array({type.short_name});
  if (type.in_all) out["categories"] = Json::array({"all"});
  if (type.has_status) {
    out["subresources"] = Json::array({{{"subresource", "status"},
                                        {"responseKind", ResponseKind(type, version)},
                                        {"verbs", StatusVerbs()}}});
  }
  return out;
}

Json AggregatedGroup(std::string_view group) {
  Json versions = Json::array();
  for (std::string_view version : VersionsOf(group)) {
    Json resources = Json::array();
    for (const ResourceType& type : AllResources()) {
      if (type.group == group && type.Serves(version)) {
        resources.push_back(AggregatedResource(type, version));
      }
    }
    versions.push_back(
        {{"version", version}, {"resources", std::move(resources)}, {"freshness", "Current"}});
  }
  Json metadata = Json::object();
  if (!group.empty()) metadata["name"] = group;
  metadata["creationTimestamp"] = nullptr;
  Json out = Json::object();
  out["metadata"] = std::move(metadata);
  out["versions"] = std::move(versions);
  return out;
}

Json AggregatedList(Json items) {
  Json out = {{"kind", "APIGroupDiscoveryList"},
              {"apiVersion", "apidiscovery.k8s.io/v2"},
              {"metadata", Json::object()}};
  out["items"] = std::move(items);
  return out;
}

}  // namespace

Json VersionBody() {
  return {{"major", "1"},        {"minor", "32"},           {"gitVersion", "v1.32.0+azexporter"},
          {"gitCommit", ""},     {"gitTreeState", "clean"}, {"buildDate", "1970-01-01T00:00:00Z"},
          {"goVersion", "none"}, {"compiler", "gcc"},       {"platform", "linux/amd64"}};
}

Json CoreVersionsBody(DiscoveryForm form, std::string_view server) {
  if (form == DiscoveryForm::kAggregated) {
    Json items = Json::array();
    items.push_back(AggregatedGroup(""));
    return AggregatedList(std::move(items));
  }
  Json address = {{"clientCIDR", "0.0.0.0/0"}, {"serverAddress", server}};
  Json out = {{"kind", "APIVersions"}, {"versions", Json::array({"v1"})}};
  out["serverAddressByClientCIDRs"] = Json::array();
  out["serverAddressByClientCIDRs"].push_back(std::move(address));
  return out;
}

Json GroupsBody(DiscoveryForm form) {
  Json groups = Json::array();
  for (std::string_view group : Groups()) {
    groups.push_back(form == DiscoveryForm::kAggregated ? AggregatedGroup(group)
                                                        : PlainGroup(group));
  }
  if (form == DiscoveryForm::kAggregated) return AggregatedList(std::move(groups));
  Json out = {{"kind", "APIGroupList"}, {"apiVersion", "v1"}};
  out["groups"] = std::move(groups);
  return out;
}

std::optional<Json> GroupBody(std::string_view group) {
  if (group.empty() || VersionsOf(group).empty()) return std::nullopt;
  Json out = {{"kind", "APIGroup"}, {"apiVersion", "v1"}};
  out.update(PlainGroup(group));
  return out;
}

std::optional<Json> ResourcesBody(std::string_view group, std::string_view version) {
  Json resources = Json::array();
  for (const ResourceType& type : AllResources()) {
    if (type.group != group || !type.Serves(version)) continue;
    Json resource = {{"name", type.plural},
                     {"singularName", type.Singular()},
                     {"namespaced", type.namespaced},
                     {"kind", type.kind},
                     {"verbs", Verbs(type)}};
    if (!type.short_name.empty()) resource["shortNames"] = Json::array({type.short_name});
    if (type.in_all) resource["categories"] = Json::array({"all"});
    resources.push_back(std::move(resource));
    if (type.kind == "Pod") {
      resources.push_back({{"name", "pods/eviction"},
                           {"singularName", ""},
                           {"namespaced", true},
                           {"group", "policy"},
                           {"version", "v1"},
                           {"kind", "Eviction"},
                           {"verbs", Json::array({"create"})}});
    }
    if (type.kind == "ServiceAccount") {
      resources.push_back({{"name", "serviceaccounts/token"},
                           {"singularName", ""},
                           {"namespaced", true},
                           {"group", "authentication.k8s.io"},
                           {"version", "v1"},
                           {"kind", "TokenRequest"},
                           {"verbs", Json::array({"create"})}});
    }
    if (!type.has_status) continue;
    resources.push_back({{"name", std::string(type.plural) + "/status"},
                         {"singularName", ""},
                         {"namespaced", type.namespaced},
                         {"kind", type.kind},
                         {"verbs", StatusVerbs()}});
  }
  if (resources.empty()) return std::nullopt;
  Json out = {{"kind", "APIResourceList"}};
  if (!group.empty()) out["apiVersion"] = "v1";
  out["groupVersion"] = GroupVersion(group, version);
  out["resources"] = std::move(resources);
  return out;
}

}  // namespace azexporter::simulator
