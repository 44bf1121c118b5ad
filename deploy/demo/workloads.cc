#include "workloads.h"

#include <fmt/format.h>

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

// What ReplicaSets and generated names end in; the letters are Kubernetes's own choice.
constexpr std::string_view kSuffixLetters = "bcdfghjklmnpqrstvwxz2456789";

std::string Suffix(std::string_view seed, int length) {
  std::uint64_t hash = 1469598103934665603ULL;
  for (char c : seed) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  std::string out;
  for (int i = 0; i < length; ++i) {
    out += kSuffixLetters[(hash >> 7) % kSuffixLetters.size()];
    hash = hash * 6364136223846793005ULL + 1442695040888963407ULL;
  }
  return out;
}

Json OwnerOf(const Json& owner) {
  Json reference = {{"apiVersion", StringAt(owner, {"apiVersion"})},
                    {"kind", StringAt(owner, {"kind"})},
                    {"name", StringAt(owner, {"metadata", "name"})},
                    {"uid", StringAt(owner, {"metadata", "uid"})},
                    {"controller", true},
                    {"blockOwnerDeletion", true}};
  Json references = Json::array();
  references.push_back(std::move(reference));
  return references;
}

Json Object(std::string_view api_version, std::string_view kind, const std::string& name,
            std::int64_t created_ms) {
  const bool namespaced = Type(api_version, kind).namespaced;
  Json object = {{"kind", kind}, {"apiVersion", api_version}};
  object["metadata"]["name"] = name;
  if (namespaced) object["metadata"]["namespace"] = kNamespace;
  object["metadata"]["creationTimestamp"] = Rfc3339(created_ms);
  return object;
}

struct PodPlan {
  std::string name;
  std::string node;
  Json labels;
  Json owners;
  Json spec;            // containers and constraints, as the template has them
  std::string claim{};  // of the data volume; empty: none
};

// Running and ready since it was created.
class Builder {
 public:
  Builder(Store& store, std::int64_t now_ms) : store_(store), now_ms_(now_ms) {}

  Result<void> AddNamespaces();
  Result<void> AddManifests(const std::vector<Json>& manifests);
  Result<void> AddDefinitions();
  Result<void> AddDeploymentPods();
  Result<void> AddPostgres();
  Result<void> AddRedis();
  Result<void> AddEndpointSlices();

 private:
  Result<void> AddPod(PodPlan plan);
  Result<void> AddClaim(const std::string& name, const std::string& zone, const std::string& size,
                        Json labels);
  Result<void> AddRedisRole(const ObjectPtr& cluster, const std::string& role, std::size_t shift);
  void FillDefaults(Json& object);
  Json PodStatus(const PodPlan& plan);

  // The n-th worker of a zone; different offsets keep workloads off each other's nodes.
  std::string Worker(std::size_t zone, std::size_t n) {
    const auto names = WorkerNames(store_, kZones[zone].name);
    return names[n % names.size()];
  }

  Store& store_;
  const std::int64_t now_ms_;
  int pods_ = 0;
};

Result<void> Builder::AddNamespaces() {
  for (const char* name : {"default", "kube-node-lease", "kube-public", "kube-system"}) {
    Json ns = Object("v1", "Namespace", name, now_ms_ - 42 * kDayMs);
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
    Json definition = Object("apiextensions.k8s.io/v1", "CustomResourceDefinition",
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

Json Builder::PodStatus(const PodPlan& plan) {
  const std::string started = Rfc3339(now_ms_ - kPodAgeMs + 4'000);
  Json status = {{"phase", "Running"}, {"conditions", Json::array()}};
  for (const char* type :
       {"PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"}) {
    status["conditions"].push_back({{"type", type},
                                    {"status", "True"},
                                    {"lastProbeTime", nullptr},
                                    {"lastTransitionTime", started}});
  }
  const ObjectPtr node = store_.Get(NodeKey(plan.node));
  const std::string host = StringAt(node->at("status").at("addresses").at(0), {"address"});
  const std::string ip = fmt::format("10.244.{}.{}", pods_ / 200, 10 + pods_ % 200);
  status["hostIP"] = host;
  status["hostIPs"] = Json::array();
  status["hostIPs"].push_back(Json::object({{"ip", host}}));
  status["podIP"] = ip;
  status["podIPs"] = Json::array();
  status["podIPs"].push_back(Json::object({{"ip", ip}}));
  status["startTime"] = Rfc3339(now_ms_ - kPodAgeMs);
  status["containerStatuses"] = Json::array();
  for (const Json& container : plan.spec.at("containers")) {
    const std::string image = StringAt(container, {"image"});
    status["containerStatuses"].push_back(
        {{"name", StringAt(container, {"name"})},
         {"state", {{"running", {{"startedAt", started}}}}},
         {"lastState", Json::object()},
         {"ready", true},
         {"restartCount", 0},
         {"image", image},
         {"imageID", image},
         {"containerID", "containerd://" + Suffix(plan.name + image, 32)},
         {"started", true}});
  }
  status["qosClass"] = "Burstable";
  return status;
}

Result<void> Builder::AddPod(PodPlan plan) {
  Json pod = Object("v1", "Pod", plan.name, now_ms_ - kPodAgeMs);
  pod["metadata"]["labels"] = plan.labels;
  pod["metadata"]["ownerReferences"] = plan.owners;
  pod["status"] = PodStatus(plan);
  Json& spec = pod["spec"];
  spec = std::move(plan.spec);
  if (!plan.claim.empty()) {
    Json volume = {{"name", "data"}, {"persistentVolumeClaim", {{"claimName", plan.claim}}}};
    spec["volumes"] = Json::array();
    spec["volumes"].push_back(std::move(volume));
  }
  spec["restartPolicy"] = "Always";
  spec["terminationGracePeriodSeconds"] = 30;
  spec["dnsPolicy"] = "ClusterFirst";
  spec["serviceAccountName"] = "default";
  spec["nodeName"] = plan.node;
  spec["schedulerName"] = "default-scheduler";
  spec["tolerations"] = Json::array();
  for (const char* key : {"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"}) {
    spec["tolerations"].push_back({{"key", key},
                                   {"operator", "Exists"},
                                   {"effect", "NoExecute"},
                                   {"tolerationSeconds", 300}});
  }
  ++pods_;
  AZX_RETURN_IF_ERROR(store_.Apply(std::move(pod)));
  return {};
}

Result<void> Builder::AddDeploymentPods() {
  const simulator::ResourceType& deployments = Type("apps/v1", "Deployment");
  for (const ObjectPtr& deployment : store_.List(deployments, kNamespace).items) {
    const std::string name = StringAt(*deployment, {"metadata", "name"});
    const std::string hash = Suffix(Dump(deployment->at("spec").at("template")), 10);
    const std::int64_t replicas = IntAt(*deployment, {"spec", "replicas"}, 1);
    Json set = Object("apps/v1", "ReplicaSet", name + "-" + hash, now_ms_ - kPodAgeMs);
    set["spec"]["replicas"] = replicas;
    set["spec"]["selector"] = deployment->at("spec").at("selector");
    set["spec"]["selector"]["matchLabels"]["pod-template-hash"] = hash;
    set["spec"]["template"] = deployment->at("spec").at("template");
    Json labels = set["spec"]["template"]["metadata"]["labels"];
    labels["pod-template-hash"] = hash;
    set["spec"]["template"]["metadata"]["labels"] = labels;
    set["metadata"]["labels"] = labels;
    set["metadata"]["generation"] = 1;
    set["metadata"]["annotations"]["deployment.kubernetes.io/desired-replicas"] =
        std::to_string(replicas);
    set["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = "1";
    set["metadata"]["ownerReferences"] = OwnerOf(*deployment);
    AZX_ASSIGN_OR_RETURN(const ObjectPtr stored, store_.Apply(std::move(set)));
    for (std::size_t i = 0; i < static_cast<std::size_t>(replicas); ++i) {
      const std::string pod = fmt::format("{}-{}-{}", name, hash, Suffix(std::to_string(i), 5));
      AZX_RETURN_IF_ERROR(AddPod({.name = pod,
                                  .node = Worker(i % kZones.size(), i / kZones.size()),
                                  .labels = labels,
                                  .owners = OwnerOf(*stored),
                                  .spec = deployment->at("spec").at("template").at("spec")}));
    }
  }
  return {};
}

// A bound claim and its volume, which lives in one zone as all EBS volumes do.
Result<void> Builder::AddClaim(const std::string& name, const std::string& zone,
                               const std::string& size, Json labels) {
  const std::string volume_name =
      fmt::format("pvc-{}-{}", Suffix(name, 8), Suffix(name + zone, 12));
  Json claim = Object("v1", "PersistentVolumeClaim", name, now_ms_ - kManifestAgeMs);
  claim["metadata"]["labels"] = std::move(labels);
  claim["metadata"]["annotations"]["pv.kubernetes.io/bind-completed"] = "yes";
  claim["spec"] = {{"accessModes", Json::array({"ReadWriteOnce"})},
                   {"resources", {{"requests", {{"storage", size}}}}},
                   {"volumeName", volume_name},
                   {"storageClassName", "gp3-regional"},
                   {"volumeMode", "Filesystem"}};
  claim["status"] = {{"phase", "Bound"},
                     {"accessModes", Json::array({"ReadWriteOnce"})},
                     {"capacity", {{"storage", size}}}};
  AZX_ASSIGN_OR_RETURN(const ObjectPtr stored, store_.Apply(std::move(claim)));

  Json volume = Object("v1", "PersistentVolume", volume_name, now_ms_ - kManifestAgeMs);
  volume["metadata"]["annotations"]["pv.kubernetes.io/provisioned-by"] = "ebs.csi.aws.com";
  Json expression = {
      {"key", "topology.kubernetes.io/zone"}, {"operator", "In"}, {"values", Json::array({zone})}};
  Json term = Json::object();
  term["matchExpressions"] = Json::array();
  term["matchExpressions"].push_back(std::move(expression));
  volume["spec"] = {{"capacity", {{"storage", size}}},
                    {"csi",
                     {{"driver", "ebs.csi.aws.com"},
                      {"volumeHandle", "vol-" + Suffix(name, 17)},
                      {"fsType", "ext4"}}},
                    {"accessModes", Json::array({"ReadWriteOnce"})},
                    {"claimRef",
                     {{"kind", "PersistentVolumeClaim"},
                      {"namespace", kNamespace},
                      {"name", name},
                      {"uid", StringAt(*stored, {"metadata", "uid"})},
                      {"apiVersion", "v1"}}},
                    {"persistentVolumeReclaimPolicy", "Delete"},
                    {"storageClassName", "gp3-regional"},
                    {"volumeMode", "Filesystem"}};
  volume["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"] = Json::array();
  volume["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"].push_back(std::move(term));
  volume["status"]["phase"] = "Bound";
  AZX_RETURN_IF_ERROR(store_.Apply(std::move(volume)));
  return {};
}

Json DatabaseSpec(const std::string& container, const std::string& image, int port,
                  const char* memory) {
  Json spec = Json::object();
  Json entry = {{"name", container},
                {"image", image},
                {"resources", {{"requests", {{"cpu", "500m"}, {"memory", memory}}}}}};
  Json container_port = {{"containerPort", port}, {"protocol", "TCP"}};
  entry["ports"] = Json::array();
  entry["ports"].push_back(std::move(container_port));
  spec["containers"] = Json::array();
  spec["containers"].push_back(std::move(entry));
  return spec;
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
      const std::string role = i == 0 ? "primary" : "replica";
      const std::string zone(kZones[i].name);
      Json labels = {{"cnpg.io/cluster", name},
                     {"cnpg.io/instanceName", instance},
                     {"cnpg.io/instanceRole", role},
                     {"cnpg.io/podRole", "instance"},
                     {"role", role}};
      AZX_RETURN_IF_ERROR(AddClaim(instance, zone, size, labels));
      AZX_RETURN_IF_ERROR(AddPod(
          {.name = instance,
           .node = Worker(i, 3),
           .labels = labels,
           .owners = OwnerOf(*cluster),
           .spec = DatabaseSpec("postgres", "ghcr.io/cloudnative-pg/postgresql:16.4", 5432, "2Gi"),
           .claim = instance}));
      names.push_back(instance);
      topology[instance]["topology.kubernetes.io/zone"] = zone;
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

  Json set = Object("apps/v1", "StatefulSet", name, now_ms_ - kManifestAgeMs);
  set["metadata"]["labels"] = labels;
  set["metadata"]["ownerReferences"] = OwnerOf(*cluster);
  set["metadata"]["generation"] = 1;
  set["spec"]["replicas"] = kZones.size();
  set["spec"]["selector"]["matchLabels"] = labels;
  set["spec"]["serviceName"] = name + "-headless";
  set["spec"]["template"]["metadata"]["labels"] = labels;
  set["spec"]["template"]["spec"] = spec;
  AZX_ASSIGN_OR_RETURN(const ObjectPtr stored, store_.Apply(std::move(set)));
  for (std::size_t i = 0; i < kZones.size(); ++i) {
    const std::size_t zone = (i + shift) % kZones.size();
    const std::string pod = fmt::format("{}-{}", name, i);
    const std::string claim = fmt::format("{}-{}", name, pod);
    Json pod_labels = labels;
    pod_labels["apps.kubernetes.io/pod-index"] = std::to_string(i);
    pod_labels["statefulset.kubernetes.io/pod-name"] = pod;
    AZX_RETURN_IF_ERROR(AddClaim(claim, std::string(kZones[zone].name), size, labels));
    AZX_RETURN_IF_ERROR(AddPod({.name = pod,
                                .node = Worker(zone, 4),
                                .labels = pod_labels,
                                .owners = OwnerOf(*stored),
                                .spec = spec,
                                .claim = claim}));
  }
  return {};
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
    Json slice = Object("discovery.k8s.io/v1", "EndpointSlice", name + "-" + Suffix(name, 5),
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

Result<void> Materialise(Store& store, const std::vector<Json>& manifests, std::int64_t now_ms) {
  Builder builder(store, now_ms);
  AZX_RETURN_IF_ERROR(builder.AddNamespaces());
  AZX_RETURN_IF_ERROR(builder.AddDefinitions());
  AZX_RETURN_IF_ERROR(builder.AddManifests(manifests));
  AZX_RETURN_IF_ERROR(builder.AddDeploymentPods());
  AZX_RETURN_IF_ERROR(builder.AddPostgres());
  AZX_RETURN_IF_ERROR(builder.AddRedis());
  return builder.AddEndpointSlices();
}

}  // namespace azexporter::platform
