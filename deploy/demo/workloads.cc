#include "workloads.h"

#include <fmt/format.h>

#include <array>

#include "pods.h"
#include "region.h"

namespace azexporter::platform {

using base::Result;
using simulator::Dump;
using simulator::Find;
using simulator::IntAt;
using simulator::Json;
using simulator::ObjectPtr;
using simulator::Rfc3339;
using simulator::Store;
using simulator::StringAt;

namespace {

constexpr std::int64_t kHourMs = 3600LL * 1000;
constexpr std::int64_t kDayMs = 24 * kHourMs;
constexpr std::int64_t kManifestAgeMs = 21 * kDayMs;
constexpr std::int64_t kPodAgeMs = 6 * kDayMs;

// Running and ready since it was created.
class Builder {
 public:
  explicit Builder(World& world) : world_(world), store_(world.store), now_ms_(world.NowMs()) {}

  Result<void> AddNamespaces();
  Result<void> AddManifests(const std::vector<Json>& manifests);
  Result<void> AddDefinitions();
  Result<void> AddDeploymentPods();
  Result<void> AddPostgres();
  Result<void> AddRedis();
  Result<void> AddEndpointSlices();

 private:
  Result<void> AddPod(Json pod, const std::string& node);
  Result<void> AddRedisRole(const ObjectPtr& cluster, const std::string& role, std::size_t shift);
  struct ServiceIs {
    std::string name;
    Json selector;
    int port = 0;
    bool headless = false;
  };
  // As an operator makes them for what it runs.
  Result<void> AddService(const ObjectPtr& owner, const ServiceIs& is);
  void FillDefaults(Json& object);

  // The n-th worker of a zone; different offsets keep workloads off each other's nodes.
  std::string Worker(std::size_t zone, std::size_t n) {
    const auto names = WorkerNames(store_, kZones[zone].name);
    return names[n % names.size()];
  }

  World& world_;
  Store& store_;
  const std::int64_t now_ms_;
  int services_ = 0;
};

Result<void> Builder::AddPod(Json pod, const std::string& node) {
  BindPod(pod, node, now_ms_ - kPodAgeMs);
  StartPod(pod, *store_.Get(NodeKey(node)), world_.serial++, now_ms_ - kPodAgeMs);
  AZX_RETURN_IF_ERROR(store_.Apply(std::move(pod)));
  return {};
}

Result<void> Builder::AddNamespaces() {
  for (const char* name : {"default", "kube-node-lease", "kube-public", "kube-system"}) {
    Json ns = NewObject("v1", "Namespace", name, now_ms_ - 42 * kDayMs);
    FillDefaults(ns);
    AZX_RETURN_IF_ERROR(store_.Apply(std::move(ns)));
  }
  for (Json& node : RegionNodes(now_ms_)) AZX_RETURN_IF_ERROR(store_.Apply(std::move(node)));
  return {};
}

// The fields that admission and controllers add to what a manifest says.
void Builder::FillDefaults(Json& object) {
  const std::string kind = StringAt(object, {"kind"});
  Json& metadata = object["metadata"];
  if (!metadata.contains("creationTimestamp")) {
    metadata["creationTimestamp"] = Rfc3339(now_ms_ - kManifestAgeMs);
  }
  if (object.contains("spec")) metadata["generation"] = 1;
  if (kind == "Namespace") {
    metadata["labels"]["kubernetes.io/metadata.name"] = StringAt(object, {"metadata", "name"});
    object["spec"]["finalizers"] = Json::array({"kubernetes"});
    object["status"]["phase"] = "Active";
  }
  if (kind == "Deployment") {
    metadata["annotations"]["deployment.kubernetes.io/revision"] = "1";
    object["spec"]["strategy"] = {
        {"type", "RollingUpdate"},
        {"rollingUpdate", {{"maxUnavailable", "25%"}, {"maxSurge", "25%"}}}};
    object["spec"]["revisionHistoryLimit"] = 10;
    object["spec"]["progressDeadlineSeconds"] = 600;
  }
  if (kind == "Service") {
    object["spec"]["clusterIP"] = "10.111.53.114";
    object["spec"]["clusterIPs"] = Json::array({"10.111.53.114"});
    object["spec"]["sessionAffinity"] = "None";
    object["spec"]["ipFamilies"] = Json::array({"IPv4"});
    object["spec"]["ipFamilyPolicy"] = "SingleStack";
    object["spec"]["internalTrafficPolicy"] = "Cluster";
    object["status"]["loadBalancer"] = Json::object();
  }
  if (kind == "PersistentVolumeClaim") object["status"]["phase"] = "Pending";
}

Result<void> Builder::AddManifests(const std::vector<Json>& manifests) {
  for (Json object : manifests) {
    FillDefaults(object);
    if (auto applied = store_.Apply(std::move(object)); !applied) {
      return base::Fail(applied.error().WithContext("apply manifest"));
    }
  }
  return {};
}

// A CustomResourceDefinition for each custom resource of the table.
Result<void> Builder::AddDefinitions() {
  for (const simulator::ResourceType& type : simulator::AllResources()) {
    if (!type.custom) continue;
    Json names = {{"plural", type.plural},
                  {"singular", type.Singular()},
                  {"kind", type.kind},
                  {"listKind", type.ListKind()}};
    Json definition = NewObject("apiextensions.k8s.io/v1", "CustomResourceDefinition",
                                type.Qualified(), now_ms_ - 42 * kDayMs);
    definition["spec"] = {{"group", type.group}, {"names", names}, {"scope", "Namespaced"}};
    definition["spec"]["versions"] = Json::array();
    for (std::string_view version : type.versions) {
      if (version.empty()) continue;
      definition["spec"]["versions"].push_back(
          {{"name", version}, {"served", true}, {"storage", version == type.versions[0]}});
    }
    Json established = {{"type", "Established"},
                        {"status", "True"},
                        {"lastTransitionTime", Rfc3339(now_ms_ - 42 * kDayMs)},
                        {"reason", "InitialNamesAccepted"},
                        {"message", "the initial names have been accepted"}};
    definition["status"]["conditions"] = Json::array();
    definition["status"]["conditions"].push_back(std::move(established));
    definition["status"]["acceptedNames"] = std::move(names);
    definition["status"]["storedVersions"] = Json::array({type.versions[0]});
    AZX_RETURN_IF_ERROR(store_.Apply(std::move(definition)));
  }
  return {};
}

Result<void> Builder::AddDeploymentPods() {
  const simulator::ResourceType& deployments = Type("apps/v1", "Deployment");
  for (const ObjectPtr& deployment : store_.List(deployments, kNamespace).items) {
    const std::int64_t replicas = IntAt(*deployment, {"spec", "replicas"}, 1);
    AZX_ASSIGN_OR_RETURN(const ObjectPtr stored,
                         store_.Apply(NewReplicaSet(*deployment, now_ms_ - kPodAgeMs)));
    const std::string set = StringAt(*stored, {"metadata", "name"});
    for (std::size_t i = 0; i < static_cast<std::size_t>(replicas); ++i) {
      const std::string pod = fmt::format("{}-{}", set, NameSuffix(std::to_string(i), 5));
      AZX_RETURN_IF_ERROR(AddPod(ReplicaSetPod(*stored, pod, now_ms_ - kPodAgeMs),
                                 Worker(i % kZones.size(), i / kZones.size())));
    }
  }
  return {};
}

// One instance a zone, the first one the primary, labelled as CloudNativePG does.
Result<void> Builder::AddPostgres() {
  const simulator::ResourceType& clusters = Type("postgresql.cnpg.io/v1", "Cluster");
  for (const ObjectPtr& cluster : store_.List(clusters, kNamespace).items) {
    const std::string name = StringAt(*cluster, {"metadata", "name"});
    const std::string size = StringAt(*cluster, {"spec", "storage", "size"});
    Json names = Json::array();
    Json topology = Json::object();
    for (std::size_t i = 0; i < kZones.size(); ++i) {
      const std::string instance = fmt::format("{}-{}", name, i + 1);
      const std::string zone(kZones[i].name);
      Json pod = PostgresPod(*cluster, instance, /*primary=*/i == 0, now_ms_ - kPodAgeMs);
      AZX_RETURN_IF_ERROR(AddClaim(store_, instance, zone, size, pod.at("metadata").at("labels"),
                                   now_ms_ - kManifestAgeMs));
      AZX_RETURN_IF_ERROR(AddPod(std::move(pod), Worker(i, 3)));
      names.push_back(instance);
      topology[instance]["topology.kubernetes.io/zone"] = zone;
    }
    // For writing, for reading from standbys, and for reading from any.
    for (const auto& [suffix, label, value] : {std::array{"rw", "cnpg.io/instanceRole", "primary"},
                                               std::array{"ro", "cnpg.io/instanceRole", "replica"},
                                               std::array{"r", "cnpg.io/podRole", "instance"}}) {
      AZX_RETURN_IF_ERROR(
          AddService(cluster, {.name = name + "-" + suffix,
                               .selector = {{"cnpg.io/cluster", name}, {label, value}},
                               .port = 5432}));
    }
    Json ready = {{"type", "Ready"},
                  {"status", "True"},
                  {"reason", "ClusterIsReady"},
                  {"message", "Cluster is Ready"},
                  {"lastTransitionTime", Rfc3339(now_ms_ - kPodAgeMs)}};
    AZX_RETURN_IF_ERROR(store_.Modify({&clusters, std::string(kNamespace), name}, [&](Json& c) {
      Json& status = c["status"];
      status = {{"currentPrimary", names[0]},
                {"instanceNames", names},
                {"instances", kZones.size()},
                {"instancesStatus", {{"healthy", names}}},
                {"phase", "Cluster in healthy state"},
                {"readyInstances", kZones.size()},
                {"targetPrimary", names[0]},
                {"topology", {{"instances", topology}, {"successfullyExtracted", true}}}};
      status["conditions"] = Json::array();
      status["conditions"].push_back(ready);
    }));
  }
  return {};
}

Result<void> Builder::AddService(const ObjectPtr& owner, const ServiceIs& is) {
  Json service = NewObject("v1", "Service", is.name, now_ms_ - kManifestAgeMs);
  service["metadata"]["labels"] = is.selector;
  service["metadata"]["ownerReferences"] = OwnerOf(*owner);
  const std::string ip = is.headless ? "None" : fmt::format("10.111.54.{}", ++services_);
  Json port = {{"name", "database"}, {"port", is.port}, {"protocol", "TCP"}};
  port["targetPort"] = is.port;
  service["spec"] = {{"clusterIP", ip},
                     {"clusterIPs", Json::array({ip})},
                     {"internalTrafficPolicy", "Cluster"},
                     {"ipFamilies", Json::array({"IPv4"})},
                     {"ipFamilyPolicy", "SingleStack"},
                     {"selector", is.selector},
                     {"sessionAffinity", "None"},
                     {"type", "ClusterIP"}};
  service["spec"]["ports"] = Json::array();
  service["spec"]["ports"].push_back(std::move(port));
  service["status"]["loadBalancer"] = Json::object();
  AZX_RETURN_IF_ERROR(store_.Apply(std::move(service)));
  return {};
}

Result<void> Builder::AddRedisRole(const ObjectPtr& cluster, const std::string& role,
                                   std::size_t shift) {
  const std::string name = fmt::format("{}-{}", StringAt(*cluster, {"metadata", "name"}), role);
  const Json labels = {{"app", name}, {"redis_setup_type", "cluster"}, {"role", role}};
  const std::string size = StringAt(*cluster, {"spec", "storage", "volumeClaimTemplate", "spec",
                                               "resources", "requests", "storage"});
  Json spec = DatabaseSpec(name, "quay.io/opstree/redis:v7.0.12", 6379, "512Mi");
  const Json* settings =
      Find(*cluster, {"spec", role == "leader" ? "redisLeader" : "redisFollower"});
  const Json* constraints =
      settings == nullptr ? nullptr : Find(*settings, {"topologySpreadConstraints"});
  if (constraints != nullptr) spec["topologySpreadConstraints"] = *constraints;

  Json set = NewObject("apps/v1", "StatefulSet", name, now_ms_ - kManifestAgeMs);
  set["metadata"]["labels"] = labels;
  set["metadata"]["ownerReferences"] = OwnerOf(*cluster);
  set["metadata"]["generation"] = 1;
  set["spec"]["replicas"] = kZones.size();
  set["spec"]["selector"]["matchLabels"] = labels;
  set["spec"]["serviceName"] = name + "-headless";
  set["spec"]["template"]["metadata"]["labels"] = labels;
  set["spec"]["template"]["spec"] = spec;
  // The operator names the template as the set.
  Json claim = {{"apiVersion", "v1"}, {"kind", "PersistentVolumeClaim"}};
  claim["metadata"]["name"] = name;
  claim["spec"] = *Find(*cluster, {"spec", "storage", "volumeClaimTemplate", "spec"});
  claim["status"]["phase"] = "Pending";
  set["spec"]["volumeClaimTemplates"] = Json::array();
  set["spec"]["volumeClaimTemplates"].push_back(std::move(claim));
  AZX_ASSIGN_OR_RETURN(const ObjectPtr stored, store_.Apply(std::move(set)));
  for (std::size_t i = 0; i < kZones.size(); ++i) {
    const std::size_t zone = (i + shift) % kZones.size();
    Json pod = StatefulSetPod(*stored, static_cast<std::int64_t>(i), now_ms_ - kPodAgeMs);
    AZX_RETURN_IF_ERROR(AddClaim(store_, ClaimOf(pod), std::string(kZones[zone].name), size, labels,
                                 now_ms_ - kManifestAgeMs));
    AZX_RETURN_IF_ERROR(AddPod(std::move(pod), Worker(zone, 4)));
  }
  constexpr int kPort = 6379;
  AZX_RETURN_IF_ERROR(AddService(cluster, {.name = name, .selector = labels, .port = kPort}));
  return AddService(
      cluster, {.name = name + "-headless", .selector = labels, .port = kPort, .headless = true});
}

// Three leaders, one a zone, and as many followers, each in another zone than its leader.
Result<void> Builder::AddRedis() {
  const simulator::ResourceType& clusters =
      Type("redis.redis.opstreelabs.in/v1beta2", "RedisCluster");
  for (const ObjectPtr& cluster : store_.List(clusters, kNamespace).items) {
    AZX_RETURN_IF_ERROR(AddRedisRole(cluster, "leader", 0));
    AZX_RETURN_IF_ERROR(AddRedisRole(cluster, "follower", 1));
    const std::string name = StringAt(*cluster, {"metadata", "name"});
    AZX_RETURN_IF_ERROR(store_.Modify({&clusters, std::string(kNamespace), name}, [](Json& c) {
      c["status"] = {{"readyFollowerReplicas", kZones.size()},
                     {"readyLeaderReplicas", kZones.size()},
                     {"reason", "RedisCluster is ready"},
                     {"state", "Ready"}};
    }));
  }
  return {};
}

Result<void> Builder::AddEndpointSlices() {
  for (const ObjectPtr& service : store_.List(Type("v1", "Service"), kNamespace).items) {
    const std::string name = StringAt(*service, {"metadata", "name"});
    Json slice = NewObject("discovery.k8s.io/v1", "EndpointSlice", name + "-" + NameSuffix(name, 5),
                           now_ms_ - kManifestAgeMs);
    slice["metadata"]["generateName"] = name + "-";
    slice["metadata"]["labels"] = {
        {"endpointslice.kubernetes.io/managed-by", "endpointslice-controller.k8s.io"},
        {"kubernetes.io/service-name", name}};
    slice["metadata"]["ownerReferences"] = OwnerOf(*service);
    slice["addressType"] = "IPv4";
    slice["endpoints"] = Json::array();
    slice["ports"] = Json::array();
    for (const Json& port : service->at("spec").at("ports")) {
      slice["ports"].push_back({{"name", StringAt(port, {"name"})},
                                {"protocol", StringAt(port, {"protocol"})},
                                {"port", IntAt(port, {"targetPort"})}});
    }
    AZX_RETURN_IF_ERROR(store_.Apply(std::move(slice)));
  }
  return {};
}

}  // namespace

Result<void> Materialise(World& world, const std::vector<Json>& manifests) {
  Builder builder(world);
  AZX_RETURN_IF_ERROR(builder.AddNamespaces());
  AZX_RETURN_IF_ERROR(builder.AddDefinitions());
  AZX_RETURN_IF_ERROR(builder.AddManifests(manifests));
  AZX_RETURN_IF_ERROR(builder.AddDeploymentPods());
  AZX_RETURN_IF_ERROR(builder.AddPostgres());
  AZX_RETURN_IF_ERROR(builder.AddRedis());
  return builder.AddEndpointSlices();
}

}  // namespace azexporter::platform
