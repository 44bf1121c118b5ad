#include "region.h"

#include <fmt/format.h>

#include "azexporter/base/check.h"

namespace azexporter::platform {

using simulator::Find;
using simulator::Json;
using simulator::ObjectPtr;
using simulator::Rfc3339;
using simulator::StringAt;

namespace {

constexpr std::int64_t kDayMs = 24LL * 3600 * 1000;
constexpr std::string_view kZoneLabel = "topology.kubernetes.io/zone";
constexpr std::string_view kControlPlaneLabel = "node-role.kubernetes.io/control-plane";

struct NodeSpec {
  const Zone& zone;
  std::size_t zone_index = 0;
  int number = 0;  // within the zone
  bool control_plane = false;
};

// 16 hexadecimal digits that depend on the text alone, for ids that only need to differ.
std::string Digits(std::string_view text) {
  std::uint64_t hash = 1469598103934665603ULL;
  for (char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return fmt::format("{:016x}", hash);
}

Json Labels(const NodeSpec& spec, const std::string& name) {
  const std::string type = spec.control_plane ? "m5.large" : "m5.xlarge";
  Json labels = {{"beta.kubernetes.io/arch", "amd64"},
                 {"beta.kubernetes.io/instance-type", type},
                 {"beta.kubernetes.io/os", "linux"},
                 {"failure-domain.beta.kubernetes.io/region", kRegion},
                 {"failure-domain.beta.kubernetes.io/zone", spec.zone.name},
                 {"kubernetes.io/arch", "amd64"},
                 {"kubernetes.io/hostname", name},
                 {"kubernetes.io/os", "linux"}};
  if (spec.control_plane) labels[std::string(kControlPlaneLabel)] = "";
  labels["node.kubernetes.io/instance-type"] = type;
  labels["topology.ebs.csi.aws.com/zone"] = spec.zone.name;
  labels["topology.kubernetes.io/region"] = kRegion;
  labels[std::string(kZoneLabel)] = spec.zone.name;
  return labels;
}

Json Conditions(std::int64_t since_ms, std::int64_t heartbeat_ms) {
  struct Row {
    const char *type, *status, *reason, *message;
  };
  constexpr Row kRows[] = {
      {"MemoryPressure", "False", "KubeletHasSufficientMemory",
       "kubelet has sufficient memory available"},
      {"DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"},
      {"PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"},
      {"Ready", "True", "KubeletReady", "kubelet is posting ready status"}};
  Json conditions = Json::array();
  for (const Row& row : kRows) {
    conditions.push_back({{"type", row.type},
                          {"status", row.status},
                          {"lastHeartbeatTime", Rfc3339(heartbeat_ms)},
                          {"lastTransitionTime", Rfc3339(since_ms)},
                          {"reason", row.reason},
                          {"message", row.message}});
  }
  return conditions;
}

Json Resources(const char* cpu, const char* memory, const char* storage) {
  return {{"cpu", cpu},           {"ephemeral-storage", storage},
          {"hugepages-1Gi", "0"}, {"hugepages-2Mi", "0"},
          {"memory", memory},     {"pods", "58"}};
}

Json Status(const NodeSpec& spec, const std::string& name, const std::string& ip,
            std::int64_t created_ms, std::int64_t now_ms) {
  const std::string digits = Digits(name);
  Json status = Json::object();
  status["capacity"] = spec.control_plane ? Resources("2", "7945284Ki", "52416492Ki")
                                          : Resources("4", "15992348Ki", "104845292Ki");
  status["allocatable"] = spec.control_plane ? Resources("1930m", "7254068Ki", "47233297124")
                                             : Resources("3920m", "14975516Ki", "95551679124");
  status["conditions"] = Conditions(created_ms + 20'000, now_ms);
  status["addresses"] = Json::array({{{"type", "InternalIP"}, {"address", ip}},
                                     {{"type", "InternalDNS"}, {"address", name}},
                                     {{"type", "Hostname"}, {"address", name}}});
  status["daemonEndpoints"]["kubeletEndpoint"]["Port"] = 10250;
  status["nodeInfo"] = {{"machineID", "ec2" + digits + digits.substr(0, 13)},
                        {"systemUUID", "ec2" + digits.substr(3) + digits},
                        {"bootID", digits.substr(0, 8) + "-0000-4000-8000-" + digits.substr(4)},
                        {"kernelVersion", "6.1.115-126.197.amzn2023.x86_64"},
                        {"osImage", "Amazon Linux 2023.6.20241121"},
                        {"containerRuntimeVersion", "containerd://1.7.23"},
                        {"kubeletVersion", "v1.32.3"},
                        {"kubeProxyVersion", "v1.32.3"},
                        {"operatingSystem", "linux"},
                        {"architecture", "amd64"}};
  return status;
}

Json MakeNode(const NodeSpec& spec, std::int64_t now_ms) {
  const int host = spec.control_plane ? 4 + spec.number : 20 + spec.number;
  const std::string ip = fmt::format("10.{}.0.{}", spec.zone_index * 16, host);
  const std::string name = fmt::format("ip-10-{}-0-{}.ec2.internal", spec.zone_index * 16, host);
  const std::int64_t created_ms = now_ms - (spec.control_plane ? 42 : 35) * kDayMs;
  Json node = {{"kind", "Node"}, {"apiVersion", "v1"}};
  node["metadata"] = {{"name", name},
                      {"creationTimestamp", Rfc3339(created_ms)},
                      {"labels", Labels(spec, name)},
                      {"annotations",
                       {{"alpha.kubernetes.io/provided-node-ip", ip},
                        {"node.alpha.kubernetes.io/ttl", "0"},
                        {"volumes.kubernetes.io/controller-managed-attach-detach", "true"}}}};
  node["spec"] = Json::object();
  node["spec"]["providerID"] = fmt::format("aws:///{}/i-0{}", spec.zone.name, Digits(name));
  if (spec.control_plane) {
    Json taint = {{"key", kControlPlaneLabel}, {"effect", "NoSchedule"}};
    node["spec"]["taints"] = Json::array();
    node["spec"]["taints"].push_back(std::move(taint));
  }
  node["status"] = Status(spec, name, ip, created_ms, now_ms);
  return node;
}

}  // namespace

std::vector<Json> RegionNodes(std::int64_t now_ms) {
  std::vector<Json> nodes;
  for (std::size_t i = 0; i < kZones.size(); ++i) {
    const Zone& zone = kZones[i];
    for (int n = 0; n < zone.control_planes; ++n) {
      nodes.push_back(
          MakeNode({.zone = zone, .zone_index = i, .number = n, .control_plane = true}, now_ms));
    }
    for (int n = 0; n < zone.workers; ++n) {
      nodes.push_back(MakeNode({.zone = zone, .zone_index = i, .number = n}, now_ms));
    }
  }
  return nodes;
}

const simulator::ResourceType& Type(std::string_view api_version, std::string_view kind) {
  const simulator::ResourceType* type = simulator::FindKind(api_version, kind);
  AZX_CHECK(type != nullptr, "the platform is made of resources that the simulator serves");
  return *type;
}

simulator::ObjectKey NodeKey(const std::string& name) { return {&Type("v1", "Node"), "", name}; }

std::vector<std::string> NodeNames(const simulator::Store& store, std::string_view zone) {
  std::vector<std::string> names;
  for (const ObjectPtr& node : store.List(Type("v1", "Node"), "").items) {
    if (StringAt(*node, {"metadata", "labels", kZoneLabel}) == zone) {
      names.push_back(StringAt(*node, {"metadata", "name"}));
    }
  }
  return names;
}

std::vector<std::string> WorkerNames(const simulator::Store& store, std::string_view zone) {
  std::vector<std::string> names = NodeNames(store, zone);
  std::erase_if(names, [&](const std::string& name) {
    const ObjectPtr node = store.Get(NodeKey(name));
    return Find(*node, {"metadata", "labels", kControlPlaneLabel}) != nullptr;
  });
  return names;
}

std::string ZoneOfNode(const simulator::Store& store, const std::string& node) {
  const ObjectPtr object = store.Get(NodeKey(node));
  return object == nullptr ? std::string() : StringAt(*object, {"metadata", "labels", kZoneLabel});
}

}  // namespace azexporter::platform
