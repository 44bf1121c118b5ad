#include "pods.h"

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

// What ReplicaSets and generated names end in; the letters are Kubernetes's own choice.
constexpr std::string_view kSuffixLetters = "bcdfghjklmnpqrstvwxz2456789";

// A pod of this owner, pending.
Json NewPod(const Json& owner, const std::string& name, Json labels, Json spec,
            const std::string& claim, std::int64_t now_ms) {
  Json pod = NewObject("v1", "Pod", name, now_ms);
  pod["metadata"]["namespace"] = StringAt(owner, {"metadata", "namespace"});
  pod["metadata"]["labels"] = std::move(labels);
  pod["metadata"]["ownerReferences"] = OwnerOf(owner);
  if (!claim.empty()) {
    Json volume = {{"name", "data"}, {"persistentVolumeClaim", {{"claimName", claim}}}};
    spec["volumes"] = Json::array();
    spec["volumes"].push_back(std::move(volume));
  }
  spec["restartPolicy"] = "Always";
  spec["terminationGracePeriodSeconds"] = 30;
  spec["dnsPolicy"] = "ClusterFirst";
  spec["serviceAccountName"] = "default";
  spec["schedulerName"] = "default-scheduler";
  spec["tolerations"] = Json::array();
  for (const char* key : {"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"}) {
    spec["tolerations"].push_back({{"key", key},
                                   {"operator", "Exists"},
                                   {"effect", "NoExecute"},
                                   {"tolerationSeconds", 300}});
  }
  pod["spec"] = std::move(spec);
  pod["status"] = {{"phase", "Pending"}, {"qosClass", "Burstable"}};
  return pod;
}

}  // namespace

std::string NameSuffix(std::string_view seed, int length) {
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

Json NewObject(std::string_view api_version, std::string_view kind, const std::string& name,
               std::int64_t created_ms) {
  const bool namespaced = Type(api_version, kind).namespaced;
  Json object = {{"kind", kind}, {"apiVersion", api_version}};
  object["metadata"]["name"] = name;
  if (namespaced) object["metadata"]["namespace"] = kNamespace;
  object["metadata"]["creationTimestamp"] = Rfc3339(created_ms);
  return object;
}

Json NewReplicaSet(const Json& deployment, std::int64_t now_ms) {
  const Json& pod_template = deployment.at("spec").at("template");
  const std::string hash = NameSuffix(Dump(pod_template), 10);
  const std::int64_t replicas = IntAt(deployment, {"spec", "replicas"}, 1);
  Json set = NewObject("apps/v1", "ReplicaSet",
                       StringAt(deployment, {"metadata", "name"}) + "-" + hash, now_ms);
  set["metadata"]["namespace"] = StringAt(deployment, {"metadata", "namespace"});
  set["spec"]["replicas"] = replicas;
  set["spec"]["selector"] = deployment.at("spec").at("selector");
  set["spec"]["selector"]["matchLabels"]["pod-template-hash"] = hash;
  set["spec"]["template"] = pod_template;
  Json labels = pod_template.at("metadata").at("labels");
  labels["pod-template-hash"] = hash;
  set["spec"]["template"]["metadata"]["labels"] = labels;
  set["metadata"]["labels"] = labels;
  set["metadata"]["generation"] = 1;
  set["metadata"]["annotations"]["deployment.kubernetes.io/desired-replicas"] =
      std::to_string(replicas);
  set["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = "1";
  set["metadata"]["ownerReferences"] = OwnerOf(deployment);
  return set;
}

Json ReplicaSetPod(const Json& replica_set, const std::string& name, std::int64_t now_ms) {
  const Json& pod_template = replica_set.at("spec").at("template");
  return NewPod(replica_set, name, pod_template.at("metadata").at("labels"),
                pod_template.at("spec"), "", now_ms);
}

Json StatefulSetPod(const Json& stateful_set, std::int64_t ordinal, std::int64_t now_ms) {
  const Json& pod_template = stateful_set.at("spec").at("template");
  const std::string set = StringAt(stateful_set, {"metadata", "name"});
  const std::string name = fmt::format("{}-{}", set, ordinal);
  Json labels = pod_template.at("metadata").at("labels");
  labels["apps.kubernetes.io/pod-index"] = std::to_string(ordinal);
  labels["statefulset.kubernetes.io/pod-name"] = name;
  return NewPod(stateful_set, name, std::move(labels), pod_template.at("spec"),
                fmt::format("{}-{}", set, name), now_ms);
}

Json PostgresPod(const Json& cluster, const std::string& instance, bool primary,
                 std::int64_t now_ms) {
  const std::string name = StringAt(cluster, {"metadata", "name"});
  const std::string role = primary ? "primary" : "replica";
  Json labels = {{"cnpg.io/cluster", name},
                 {"cnpg.io/instanceName", instance},
                 {"cnpg.io/instanceRole", role},
                 {"cnpg.io/podRole", "instance"},
                 {"role", role}};
  Json spec = DatabaseSpec("postgres", "ghcr.io/cloudnative-pg/postgresql:16.4", 5432, "2Gi");
  Json term = {{"labelSelector", {{"matchLabels", {{"cnpg.io/cluster", name}}}}},
               {"topologyKey", StringAt(cluster, {"spec", "affinity", "topologyKey"})}};
  Json terms = Json::array();
  terms.push_back(std::move(term));
  spec["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"] =
      std::move(terms);
  return NewPod(cluster, instance, std::move(labels), std::move(spec), instance, now_ms);
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

void BindPod(Json& pod, const std::string& node, std::int64_t now_ms) {
  pod["spec"]["nodeName"] = node;
  pod["status"]["conditions"] = Json::array();
  pod["status"]["conditions"].push_back({{"type", "PodScheduled"},
                                         {"status", "True"},
                                         {"lastProbeTime", nullptr},
                                         {"lastTransitionTime", Rfc3339(now_ms)}});
}

void StartPod(Json& pod, const Json& node, int serial, std::int64_t now_ms) {
  const std::string started = Rfc3339(now_ms);
  Json status = {{"phase", "Running"}, {"conditions", Json::array()}};
  for (const char* type :
       {"PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"}) {
    status["conditions"].push_back({{"type", type},
                                    {"status", "True"},
                                    {"lastProbeTime", nullptr},
                                    {"lastTransitionTime", started}});
  }
  const std::string host = StringAt(node.at("status").at("addresses").at(0), {"address"});
  const std::string ip = fmt::format("10.244.{}.{}", serial / 200 % 250, 10 + serial % 200);
  status["hostIP"] = host;
  status["hostIPs"] = Json::array();
  status["hostIPs"].push_back(Json::object({{"ip", host}}));
  status["podIP"] = ip;
  status["podIPs"] = Json::array();
  status["podIPs"].push_back(Json::object({{"ip", ip}}));
  status["startTime"] = started;
  status["containerStatuses"] = Json::array();
  for (const Json& container : pod.at("spec").at("containers")) {
    const std::string image = StringAt(container, {"image"});
    status["containerStatuses"].push_back(
        {{"name", StringAt(container, {"name"})},
         {"state", {{"running", {{"startedAt", started}}}}},
         {"lastState", Json::object()},
         {"ready", true},
         {"restartCount", 0},
         {"image", image},
         {"imageID", image},
         {"containerID",
          "containerd://" + NameSuffix(StringAt(pod, {"metadata", "name"}) + image, 32)},
         {"started", true}});
  }
  status["qosClass"] = "Burstable";
  pod["status"] = std::move(status);
}

std::string ClaimOf(const Json& pod) {
  const Json* volumes = Find(pod, {"spec", "volumes"});
  if (volumes == nullptr || volumes->empty()) return {};
  return StringAt(volumes->front(), {"persistentVolumeClaim", "claimName"});
}

Result<void> AddClaim(Store& store, const std::string& name, const std::string& zone,
                      const std::string& size, Json labels, std::int64_t now_ms) {
  const std::string volume_name =
      fmt::format("pvc-{}-{}", NameSuffix(name, 8), NameSuffix(name + zone, 12));
  Json claim = NewObject("v1", "PersistentVolumeClaim", name, now_ms);
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
  AZX_ASSIGN_OR_RETURN(const ObjectPtr stored, store.Apply(std::move(claim)));

  Json volume = NewObject("v1", "PersistentVolume", volume_name, now_ms);
  volume["metadata"]["annotations"]["pv.kubernetes.io/provisioned-by"] = "ebs.csi.aws.com";
  Json expression = {
      {"key", "topology.kubernetes.io/zone"}, {"operator", "In"}, {"values", Json::array({zone})}};
  Json term = Json::object();
  term["matchExpressions"] = Json::array();
  term["matchExpressions"].push_back(std::move(expression));
  volume["spec"] = {{"capacity", {{"storage", size}}},
                    {"csi",
                     {{"driver", "ebs.csi.aws.com"},
                      {"volumeHandle", "vol-" + NameSuffix(name, 17)},
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
  AZX_RETURN_IF_ERROR(store.Apply(std::move(volume)));
  return {};
}

}  // namespace azexporter::platform
