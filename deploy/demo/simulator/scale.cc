#include "simulator/scale.h"

#include <fmt/format.h>

#include <map>
#include <string_view>
#include <vector>

namespace azexporter::simulator {

using base::Result;

namespace {

// JSON with places to be filled in, written as "$name$".
class Template {
 public:
  using Values = std::map<std::string_view, std::string>;

  explicit Template(std::string_view json) {
    const std::string compact = Dump(Json::parse(json));
    std::string_view rest = compact;
    while (!rest.empty()) {
      const std::size_t dollar = rest.find('$');
      pieces_.emplace_back(rest.substr(0, dollar));
      rest = dollar == std::string_view::npos ? std::string_view() : rest.substr(dollar + 1);
    }
  }

  // REQUIRES: `values` has every name.
  std::string Fill(const Values& values) const {
    std::string out;
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
      out += i % 2 == 0 ? pieces_[i] : values.at(pieces_[i]);
    }
    return out;
  }

 private:
  std::vector<std::string> pieces_;  // text and names by turns
};

constexpr std::string_view kNamespace = R"({
  "kind": "Namespace", "apiVersion": "v1",
  "metadata": {"name": "$name$", "uid": "$uid$", "resourceVersion": "$version$",
    "creationTimestamp": "2026-11-22T06:51:18Z",
    "labels": {"kubernetes.io/metadata.name": "$name$"}},
  "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}})";

constexpr std::string_view kNode = R"({
  "kind": "Node", "apiVersion": "v1",
  "metadata": {"name": "$name$", "uid": "$uid$", "resourceVersion": "$version$",
    "creationTimestamp": "2026-11-22T06:51:18Z",
    "labels": {"beta.kubernetes.io/arch": "amd64", "beta.kubernetes.io/os": "linux",
      "kubernetes.io/arch": "amd64", "kubernetes.io/hostname": "$name$",
      "kubernetes.io/os": "linux", "node.kubernetes.io/instance-type": "m5.4xlarge",
      "topology.kubernetes.io/region": "us-east-1", "topology.kubernetes.io/zone": "$zone$"},
    "annotations": {"node.alpha.kubernetes.io/ttl": "0",
      "volumes.kubernetes.io/controller-managed-attach-detach": "true"}},
  "spec": {"providerID": "aws:///$zone$/i-$uid$"},
  "status": {
    "capacity": {"cpu": "16", "ephemeral-storage": "104779756Ki", "memory": "64842308Ki",
      "pods": "110"},
    "allocatable": {"cpu": "15890m", "ephemeral-storage": "95491281146", "memory": "63842308Ki",
      "pods": "110"},
    "conditions": [
      {"type": "MemoryPressure", "status": "False", "lastHeartbeatTime": "2026-11-22T06:51:17Z",
       "lastTransitionTime": "2026-11-22T06:51:17Z", "reason": "KubeletHasSufficientMemory",
       "message": "kubelet has sufficient memory available"},
      {"type": "DiskPressure", "status": "False", "lastHeartbeatTime": "2026-11-22T06:51:17Z",
       "lastTransitionTime": "2026-11-22T06:51:17Z", "reason": "KubeletHasNoDiskPressure",
       "message": "kubelet has no disk pressure"},
      {"type": "PIDPressure", "status": "False", "lastHeartbeatTime": "2026-11-22T06:51:17Z",
       "lastTransitionTime": "2026-11-22T06:51:17Z", "reason": "KubeletHasSufficientPID",
       "message": "kubelet has sufficient PID available"},
      {"type": "Ready", "status": "True", "lastHeartbeatTime": "2026-11-22T06:51:17Z",
       "lastTransitionTime": "2026-11-22T06:51:17Z", "reason": "KubeletReady",
       "message": "kubelet is posting ready status"}],
    "addresses": [{"type": "InternalIP", "address": "$ip$"},
      {"type": "Hostname", "address": "$name$"}],
    "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
    "nodeInfo": {"machineID": "$uid$", "systemUUID": "$uid$", "bootID": "$uid$",
      "kernelVersion": "6.1.115-126.197.amzn2023.x86_64",
      "osImage": "Amazon Linux 2023.6.20241121", "containerRuntimeVersion": "containerd://1.7.23",
      "kubeletVersion": "v1.32.3", "kubeProxyVersion": "v1.32.3", "operatingSystem": "linux",
      "architecture": "amd64"}}})";

// A Deployment and, but for its owner, its ReplicaSet.
constexpr std::string_view kWorkload = R"({
  "kind": "$kind$", "apiVersion": "apps/v1",
  "metadata": {"name": "$name$", "namespace": "$namespace$", "uid": "$uid$",
    "resourceVersion": "$version$", "generation": 1, "creationTimestamp": "2026-11-22T06:51:18Z",
    "labels": {"app": "$app$"}},
  "spec": {"selector": {"matchLabels": {"app": "$app$"}},
    "template": {"metadata": {"labels": {"app": "$app$"}},
      "spec": {"containers": [{"name": "app", "image": "registry.example.com/team/$app$:v1.4.2"}]}}},
  "status": {"observedGeneration": 1}})";

constexpr std::string_view kPod = R"({
  "kind": "Pod", "apiVersion": "v1",
  "metadata": {"name": "$name$", "generateName": "$set$-", "namespace": "$namespace$",
    "uid": "$uid$", "resourceVersion": "$version$", "creationTimestamp": "2026-11-22T06:51:19Z",
    "labels": {"app": "$app$", "app.kubernetes.io/name": "$app$",
      "app.kubernetes.io/part-of": "platform", "pod-template-hash": "6d4cf56db6"},
    "annotations": {"prometheus.io/port": "9090", "prometheus.io/scrape": "true"},
    "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "$set$",
      "uid": "$set_uid$", "controller": true, "blockOwnerDeletion": true}],
    "managedFields": [
      {"manager": "kube-controller-manager", "operation": "Update", "apiVersion": "v1",
       "time": "2026-11-22T06:51:19Z", "fieldsType": "FieldsV1", "fieldsV1": {
         "f:metadata": {"f:generateName": {}, "f:labels": {".": {}, "f:app": {},
           "f:app.kubernetes.io/name": {}, "f:pod-template-hash": {}},
           "f:ownerReferences": {".": {}, "k:{\"uid\":\"$set_uid$\"}": {}}},
         "f:spec": {"f:containers": {"k:{\"name\":\"app\"}": {".": {}, "f:image": {},
           "f:imagePullPolicy": {}, "f:name": {}, "f:readinessProbe": {".": {},
             "f:failureThreshold": {}, "f:httpGet": {".": {}, "f:path": {}, "f:port": {}}},
           "f:resources": {".": {}, "f:limits": {}, "f:requests": {}}}},
           "f:dnsPolicy": {}, "f:restartPolicy": {}, "f:schedulerName": {}}}},
      {"manager": "kubelet", "operation": "Update", "apiVersion": "v1",
       "time": "2026-11-22T06:51:29Z", "fieldsType": "FieldsV1", "fieldsV1": {
         "f:status": {"f:conditions": {"k:{\"type\":\"Ready\"}": {".": {}, "f:lastTransitionTime": {},
           "f:status": {}, "f:type": {}}}, "f:containerStatuses": {}, "f:hostIP": {}, "f:phase": {},
           "f:podIP": {}, "f:startTime": {}}}, "subresource": "status"}]},
  "spec": {
    "volumes": [{"name": "kube-api-access", "projected": {"sources": [
      {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
      {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}}],
      "defaultMode": 420}}],
    "containers": [{"name": "app", "image": "registry.example.com/team/$app$:v1.4.2",
      "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
      "env": [{"name": "LOG_LEVEL", "value": "info"},
        {"name": "POD_IP", "valueFrom": {"fieldRef": {"apiVersion": "v1",
          "fieldPath": "status.podIP"}}}],
      "resources": {"limits": {"memory": "512Mi"}, "requests": {"cpu": "250m", "memory": "256Mi"}},
      "volumeMounts": [{"name": "kube-api-access", "readOnly": true,
        "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}],
      "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080, "scheme": "HTTP"},
        "timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3},
      "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
      "imagePullPolicy": "IfNotPresent"}],
    "restartPolicy": "Always", "terminationGracePeriodSeconds": 30, "dnsPolicy": "ClusterFirst",
    "serviceAccountName": "default", "serviceAccount": "default", "nodeName": "$node$",
    "securityContext": {}, "schedulerName": "default-scheduler",
    "tolerations": [
      {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute",
       "tolerationSeconds": 300},
      {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute",
       "tolerationSeconds": 300}],
    "priority": 0, "enableServiceLinks": true, "preemptionPolicy": "PreemptLowerPriority"},
  "status": {"phase": "Running",
    "conditions": [
      {"type": "Initialized", "status": "True", "lastProbeTime": null,
       "lastTransitionTime": "2026-11-22T06:51:19Z"},
      {"type": "Ready", "status": "True", "lastProbeTime": null,
       "lastTransitionTime": "2026-11-22T06:51:29Z"},
      {"type": "ContainersReady", "status": "True", "lastProbeTime": null,
       "lastTransitionTime": "2026-11-22T06:51:29Z"},
      {"type": "PodScheduled", "status": "True", "lastProbeTime": null,
       "lastTransitionTime": "2026-11-22T06:51:19Z"}],
    "hostIP": "$node_ip$", "podIP": "$ip$", "podIPs": [{"ip": "$ip$"}],
    "startTime": "2026-11-22T06:51:19Z",
    "containerStatuses": [{"name": "app",
      "state": {"running": {"startedAt": "2026-11-22T06:51:21Z"}}, "lastState": {}, "ready": true,
      "restartCount": 0, "image": "registry.example.com/team/$app$:v1.4.2",
      "imageID": "registry.example.com/team/$app$@sha256:$uid$",
      "containerID": "containerd://$uid$", "started": true}],
    "qosClass": "Burstable"}})";

std::string Uid(char kind, int n) { return fmt::format("{:08x}-0000-4000-8000-{:012x}", kind, n); }

std::string Ip(int net, int n) {
  return fmt::format("{}.{}.{}.{}", net, n >> 16, (n >> 8) & 255, n & 255);
}

std::string NamespaceName(int n) { return fmt::format("team-{:03}", n); }
std::string AppName(int deployment) { return fmt::format("service-{:05}", deployment); }
std::string SetName(int deployment) { return AppName(deployment) + "-6d4cf56db6"; }

// The five characters at the end of a pod's name, in the alphabet that Kubernetes draws from.
std::string Suffix(int n) {
  constexpr std::string_view kAlphabet = "bcdfghjklmnpqrstvwxz2456789";
  std::string suffix;
  for (int i = 0; i < 5; ++i) {
    suffix += kAlphabet[static_cast<std::size_t>(n) % kAlphabet.size()];
    n /= static_cast<int>(kAlphabet.size());
  }
  return suffix;
}

class Filler {
 public:
  Filler(Store& store, const ScaleOptions& options)
      : store_(store), options_(options), version_(store.resource_version()) {}

  Result<void> Run() {
    AZX_RETURN_IF_ERROR(AddNamespacesAndNodes());
    AZX_RETURN_IF_ERROR(AddWorkloads());
    const Template pod(kPod);
    for (int n = 0; n < options_.pods; ++n) AZX_RETURN_IF_ERROR(AddPod(pod, n));
    return {};
  }

 private:
  Result<void> Add(const Template& shape, Template::Values values) {
    values["version"] = std::to_string(++version_);
    return store_.LoadText(shape.Fill(values));
  }

  Result<void> AddNamespacesAndNodes() {
    const Template space(kNamespace);
    for (int n = 0; n < options_.namespaces; ++n) {
      AZX_RETURN_IF_ERROR(Add(space, {{"name", NamespaceName(n)}, {"uid", Uid('a', n)}}));
    }
    const Template node(kNode);
    for (int n = 0; n < options_.nodes; ++n) {
      AZX_RETURN_IF_ERROR(
          Add(node,
              {{"name", ScaleNodeName(n)},
               {"uid", Uid('n', n)},
               {"ip", Ip(10, n)},
               {"zone", fmt::format("us-east-1{}", static_cast<char>('a' + n % options_.zones))}}));
    }
    return {};
  }

  Result<void> AddWorkloads() {
    const Template workload(kWorkload);
    const int per = options_.pods_per_deployment;
    for (int d = 0; d < (options_.pods + per - 1) / per; ++d) {
      Template::Values values = {{"kind", "Deployment"},
                                 {"name", AppName(d)},
                                 {"namespace", NamespaceName(d % options_.namespaces)},
                                 {"uid", Uid('d', d)},
                                 {"app", AppName(d)}};
      AZX_RETURN_IF_ERROR(Add(workload, values));
      values["kind"] = "ReplicaSet";
      values["name"] = SetName(d);
      values["uid"] = Uid('r', d);
      AZX_RETURN_IF_ERROR(Add(workload, values));
    }
    return {};
  }

  Result<void> AddPod(const Template& shape, int n) {
    const ObjectKey key = ScalePodKey(options_, n);
    const int deployment = n / options_.pods_per_deployment;
    const int node = n % options_.nodes;
    return Add(shape, {{"name", key.name},
                       {"namespace", key.ns},
                       {"set", SetName(deployment)},
                       {"set_uid", Uid('r', deployment)},
                       {"app", AppName(deployment)},
                       {"uid", Uid('p', n)},
                       {"node", ScaleNodeName(node)},
                       {"node_ip", Ip(10, node)},
                       {"ip", Ip(100, n)}});
  }

  Store& store_;
  const ScaleOptions& options_;
  std::int64_t version_;
};

}  // namespace

std::string ScaleNodeName(int n) {
  return fmt::format("ip-10-{}-{}-{}.ec2.internal", n >> 16, (n >> 8) & 255, n & 255);
}

ObjectKey ScalePodKey(const ScaleOptions& options, int n) {
  const int deployment = n / options.pods_per_deployment;
  return {.type = FindKind("v1", "Pod"),
          .ns = NamespaceName(deployment % options.namespaces),
          .name = SetName(deployment) + "-" + Suffix(n % options.pods_per_deployment)};
}

Result<void> FillStore(Store& store, const ScaleOptions& options) {
  if (options.nodes < 1 || options.zones < 1 || options.zones > 26 || options.pods < 0 ||
      options.pods_per_deployment < 1 || options.namespaces < 1) {
    return base::BadData("a cluster needs a node, a zone (at most 26) and a namespace");
  }
  return Filler(store, options).Run();
}

}  // namespace azexporter::simulator
