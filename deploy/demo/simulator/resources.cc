#include "simulator/resources.h"

#include <algorithm>

namespace azexporter::simulator {
namespace {

constexpr ResourceType kResources[] = {
    {"", {"v1"}, "configmaps", "ConfigMap", true, false, "cm", false, false},
    {"", {"v1"}, "events", "Event", true, false, "ev", false, false},
    {"", {"v1"}, "namespaces", "Namespace", false, false, "ns", false, true},
    {"", {"v1"}, "nodes", "Node", false, false, "no", false, true},
    {"",
     {"v1"},
     "persistentvolumeclaims",
     "PersistentVolumeClaim",
     true,
     false,
     "pvc",
     false,
     true},
    {"", {"v1"}, "persistentvolumes", "PersistentVolume", false, false, "pv", false, true},
    {"", {"v1"}, "pods", "Pod", true, false, "po", true, true},
    {"", {"v1"}, "secrets", "Secret", true, false, "", false, false},
    {"", {"v1"}, "serviceaccounts", "ServiceAccount", true, false, "sa", false, false},
    {"", {"v1"}, "services", "Service", true, false, "svc", true, true},
    {"apps", {"v1"}, "daemonsets", "DaemonSet", true, false, "ds", true, true},
    {"apps", {"v1"}, "deployments", "Deployment", true, false, "deploy", true, true},
    {"apps", {"v1"}, "replicasets", "ReplicaSet", true, false, "rs", true, true},
    {"apps", {"v1"}, "statefulsets", "StatefulSet", true, false, "sts", true, true},
    {"authentication.k8s.io",
     {"v1"},
     "selfsubjectreviews",
     "SelfSubjectReview",
     false,
     false,
     "",
     false,
     false,
     true},
    {"authorization.k8s.io",
     {"v1"},
     "selfsubjectaccessreviews",
     "SelfSubjectAccessReview",
     false,
     false,
     "",
     false,
     false,
     true},
    {"authorization.k8s.io",
     {"v1"},
     "selfsubjectrulesreviews",
     "SelfSubjectRulesReview",
     false,
     false,
     "",
     false,
     false,
     true},
    {"batch", {"v1"}, "jobs", "Job", true, false, "", true, true},
    {"policy",
     {"v1"},
     "poddisruptionbudgets",
     "PodDisruptionBudget",
     true,
     false,
     "pdb",
     false,
     true},
    {"rbac.authorization.k8s.io",
     {"v1"},
     "clusterrolebindings",
     "ClusterRoleBinding",
     false,
     false,
     "",
     false,
     false},
    {"rbac.authorization.k8s.io",
     {"v1"},
     "clusterroles",
     "ClusterRole",
     false,
     false,
     "",
     false,
     false},
    {"rbac.authorization.k8s.io",
     {"v1"},
     "rolebindings",
     "RoleBinding",
     true,
     false,
     "",
     false,
     false},
    {"rbac.authorization.k8s.io", {"v1"}, "roles", "Role", true, false, "", false, false},
    {"storage.k8s.io", {"v1"}, "storageclasses", "StorageClass", false, false, "sc", false, false},
    {"apiextensions.k8s.io",
     {"v1"},
     "customresourcedefinitions",
     "CustomResourceDefinition",
     false,
     false,
     "crd",
     false,
     true},
    {"coordination.k8s.io", {"v1"}, "leases", "Lease", true, false, "", false, false},
    {"discovery.k8s.io", {"v1"}, "endpointslices", "EndpointSlice", true, false, "", false, false},
    {"elbv2.k8s.aws",
     {"v1beta1"},
     "targetgroupbindings",
     "TargetGroupBinding",
     true,
     true,
     "",
     false,
     true},
    {"monitoring.coreos.com",
     {"v1"},
     "prometheusrules",
     "PrometheusRule",
     true,
     true,
     "",
     false,
     true},
    {"networking.istio.io",
     {"v1", "v1beta1", "v1alpha3"},
     "destinationrules",
     "DestinationRule",
     true,
     true,
     "",
     false,
     true},
    {"postgresql.cnpg.io", {"v1"}, "clusters", "Cluster", true, true, "", false, true},
    {"redis.redis.opstreelabs.in",
     {"v1beta2", "v1beta1"},
     "redisclusters",
     "RedisCluster",
     true,
     true,
     "",
     false,
     true},
};

}  // namespace

std::string ResourceType::Singular() const {
  std::string lower(kind);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lower;
}

std::string ResourceType::ApiVersion(std::string_view version) const {
  return group.empty() ? std::string(version) : std::string(group) + "/" + std::string(version);
}

std::string ResourceType::Qualified() const {
  return group.empty() ? std::string(plural) : std::string(plural) + "." + std::string(group);
}

bool ResourceType::Serves(std::string_view version) const {
  return !version.empty() && std::find(versions.begin(), versions.end(), version) != versions.end();
}

std::span<const ResourceType> AllResources() { return kResources; }

const ResourceType* FindResource(std::string_view group, std::string_view version,
                                 std::string_view plural) {
  for (const ResourceType& type : kResources) {
    if (type.group == group && type.plural == plural && type.Serves(version)) return &type;
  }
  return nullptr;
}

const ResourceType* FindKind(std::string_view api_version, std::string_view kind) {
  const std::size_t slash = api_version.find('/');
  const std::string_view group =
      slash == std::string_view::npos ? std::string_view() : api_version.substr(0, slash);
  const std::string_view version =
      slash == std::string_view::npos ? api_version : api_version.substr(slash + 1);
  for (const ResourceType& type : kResources) {
    if (type.group == group && type.kind == kind && type.Serves(version)) return &type;
  }
  return nullptr;
}

}  // namespace azexporter::simulator
