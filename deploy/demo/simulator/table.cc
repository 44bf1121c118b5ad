#include "simulator/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <vector>

namespace azexporter::simulator {
namespace {

using Cell = std::function<Json(const Json& object, const TableOptions& options)>;

struct Column {
  std::string_view name;
  std::string_view type;    // "string", "integer"
  std::string_view format;  // "name" for the name column
  std::string_view description;
  int priority;  // 1: only with kubectl get -o wide
  Cell cell;
};

constexpr std::string_view kNone = "<none>";

std::string OrNone(std::string text) { return text.empty() ? std::string(kNone) : text; }

Json Name(const Json& object, const TableOptions&) {
  return StringAt(object, {"metadata", "name"});
}

Json Age(const Json& object, const TableOptions& options) {
  const std::string created = StringAt(object, {"metadata", "creationTimestamp"});
  return created.empty() ? std::string("<unknown>")
                         : HumanDuration(options.now_ms - ParseRfc3339Ms(created));
}

Cell Text(std::vector<std::string> path) {
  return [path = std::move(path)](const Json& object, const TableOptions&) -> Json {
    const Json* at = &object;
    for (const std::string& key : path) {
      at = Find(*at, {key});
      if (at == nullptr) return kNone;
    }
    return at->is_string() ? OrNone(at->get<std::string>()) : Dump(*at);
  };
}

Cell Number(std::vector<std::string> path) {
  return [path = std::move(path)](const Json& object, const TableOptions&) -> Json {
    const Json* at = &object;
    for (const std::string& key : path) {
      at = Find(*at, {key});
      if (at == nullptr) return 0;
    }
    return at->is_number() ? *at : Json(0);
  };
}

Json NodeStatus(const Json& node, const TableOptions&) {
  std::string status = "Unknown";
  if (const Json* conditions = Find(node, {"status", "conditions"})) {
    for (const Json& condition : *conditions) {
      if (StringAt(condition, {"type"}) != "Ready") continue;
      status = StringAt(condition, {"status"}) == "True" ? "Ready" : "NotReady";
    }
  }
  const Json* unschedulable = Find(node, {"spec", "unschedulable"});
  if (unschedulable != nullptr && *unschedulable == true) status += ",SchedulingDisabled";
  return status;
}

Json NodeRoles(const Json& node, const TableOptions&) {
  constexpr std::string_view kPrefix = "node-role.kubernetes.io/";
  std::vector<std::string> roles;
  if (const Json* labels = Find(node, {"metadata", "labels"})) {
    for (const auto& [key, value] : labels->items()) {
      if (key.starts_with(kPrefix)) roles.push_back(key.substr(kPrefix.size()));
      if (key == "kubernetes.io/role") roles.push_back(value.get<std::string>());
    }
  }
  std::sort(roles.begin(), roles.end());
  return OrNone(fmt::format("{}", fmt::join(roles, ",")));
}

Cell NodeAddress(std::string type) {
  return [type = std::move(type)](const Json& node, const TableOptions&) -> Json {
    const Json* addresses = Find(node, {"status", "addresses"});
    if (addresses == nullptr) return kNone;
    for (const Json& address : *addresses) {
      if (StringAt(address, {"type"}) == type) return StringAt(address, {"address"});
    }
    return kNone;
  };
}

const Json& ContainerStatuses(const Json& pod) {
  static const Json empty = Json::array();
  const Json* statuses = Find(pod, {"status", "containerStatuses"});
  return statuses == nullptr ? empty : *statuses;
}

Json PodReady(const Json& pod, const TableOptions&) {
  const Json* containers = Find(pod, {"spec", "containers"});
  int ready = 0;
  for (const Json& status : ContainerStatuses(pod)) ready += status.value("ready", false) ? 1 : 0;
  return fmt::format("{}/{}", ready, containers == nullptr ? 0 : containers->size());
}

Json PodStatus(const Json& pod, const TableOptions&) {
  if (!StringAt(pod, {"metadata", "deletionTimestamp"}).empty()) return "Terminating";
  if (const std::string reason = StringAt(pod, {"status", "reason"}); !reason.empty()) {
    return reason;
  }
  for (const Json& status : ContainerStatuses(pod)) {
    const std::string reason = StringAt(status, {"state", "waiting", "reason"});
    if (!reason.empty()) return reason;
  }
  return OrNone(StringAt(pod, {"status", "phase"}));
}

Json PodRestarts(const Json& pod, const TableOptions&) {
  std::int64_t restarts = 0;
  for (const Json& status : ContainerStatuses(pod)) restarts += IntAt(status, {"restartCount"});
  return std::to_string(restarts);
}

Json ReadinessGates(const Json& pod, const TableOptions&) {
  const Json* gates = Find(pod, {"spec", "readinessGates"});
  return gates == nullptr || gates->empty() ? std::string(kNone)
                                            : fmt::format("0/{}", gates->size());
}

// "ready/wanted" of a workload.
Json Ready(const Json& object, const TableOptions&) {
  return fmt::format("{}/{}", IntAt(object, {"status", "readyReplicas"}),
                     IntAt(object, {"spec", "replicas"}, 1));
}

Cell OrNotAvailable(std::vector<std::string> path) {
  return [inner = Text(std::move(path))](const Json& object, const TableOptions& options) -> Json {
    Json value = inner(object, options);
    return value == kNone ? Json("N/A") : value;
  };
}

Json ServicePorts(const Json& service, const TableOptions&) {
  std::vector<std::string> ports;
  if (const Json* list = Find(service, {"spec", "ports"})) {
    for (const Json& port : *list) {
      ports.push_back(fmt::format("{}/{}", IntAt(port, {"port"}), port.value("protocol", "TCP")));
    }
  }
  return OrNone(fmt::format("{}", fmt::join(ports, ",")));
}

const Column kName{"Name", "string", "name", "Name must be unique within a namespace.", 0, &Name};
const Column kAge{"Age", "string", "", "The time since the object was created.", 0, &Age};

Column Plain(std::string_view name, Cell cell, int priority = 0) {
  return {name, "string", "", "", priority, std::move(cell)};
}

std::vector<Column> NodeColumns() {
  return {kName,
          {"Status", "string", "", "The status of the node", 0, &NodeStatus},
          {"Roles", "string", "", "The roles of the node", 0, &NodeRoles},
          kAge,
          {"Version", "string", "", "Kubelet Version reported by the node.", 0,
           Text({"status", "nodeInfo", "kubeletVersion"})},
          Plain("Internal-IP", NodeAddress("InternalIP"), 1),
          Plain("External-IP", NodeAddress("ExternalIP"), 1),
          Plain("OS-Image", Text({"status", "nodeInfo", "osImage"}), 1),
          Plain("Kernel-Version", Text({"status", "nodeInfo", "kernelVersion"}), 1),
          Plain("Container-Runtime", Text({"status", "nodeInfo", "containerRuntimeVersion"}), 1)};
}

std::vector<Column> PodColumns() {
  return {
      kName,
      {"Ready", "string", "", "The aggregate readiness state of this pod.", 0, &PodReady},
      {"Status", "string", "", "The aggregate status of the containers.", 0, &PodStatus},
      {"Restarts", "string", "", "The number of times the containers restarted.", 0, &PodRestarts},
      kAge,
      Plain("IP", Text({"status", "podIP"}), 1),
      Plain("Node", Text({"spec", "nodeName"}), 1),
      Plain("Nominated Node", Text({"status", "nominatedNodeName"}), 1),
      Plain("Readiness Gates", &ReadinessGates, 1)};
}

std::vector<Column> ColumnsOf(const ResourceType& type) {
  const std::string_view kind = type.kind;
  if (type.group.empty() && kind == "Node") return NodeColumns();
  if (type.group.empty() && kind == "Pod") return PodColumns();
  std::vector<Column> columns = {kName};
  const auto add = [&](Column column) { columns.push_back(std::move(column)); };
  if (kind == "Deployment" || kind == "StatefulSet") add(Plain("Ready", &Ready));
  if (kind == "Deployment") {
    add(Plain("Up-to-date", Number({"status", "updatedReplicas"})));
    add(Plain("Available", Number({"status", "availableReplicas"})));
  }
  if (kind == "ReplicaSet") {
    add(Plain("Desired", Number({"spec", "replicas"})));
    add(Plain("Current", Number({"status", "replicas"})));
    add(Plain("Ready", Number({"status", "readyReplicas"})));
  }
  if (kind == "PodDisruptionBudget") {
    add(Plain("Min Available", OrNotAvailable({"spec", "minAvailable"})));
    add(Plain("Max Unavailable", OrNotAvailable({"spec", "maxUnavailable"})));
    add(Plain("Allowed Disruptions", Number({"status", "disruptionsAllowed"})));
  }
  if (kind == "PersistentVolumeClaim" || kind == "Namespace") {
    add(Plain("Status", Text({"status", "phase"})));
  }
  if (kind == "PersistentVolumeClaim") {
    add(Plain("Volume", Text({"spec", "volumeName"})));
    add(Plain("StorageClass", Text({"spec", "storageClassName"})));
  }
  if (kind == "Service") {
    add(Plain("Type", Text({"spec", "type"})));
    add(Plain("Cluster-IP", Text({"spec", "clusterIP"})));
    add(Plain("Port(s)", &ServicePorts));
  }
  columns.push_back(kAge);
  return columns;
}

}  // namespace

Json MakeTable(const ResourcePath& path, std::span<const ObjectPtr> objects, Json metadata,
               const TableOptions& options) {
  const std::vector<Column> columns = ColumnsOf(*path.type);
  Json definitions = Json::array();
  for (const Column& column : columns) {
    definitions.push_back({{"name", column.name},
                           {"type", column.type},
                           {"format", column.format},
                           {"description", column.description},
                           {"priority", column.priority}});
  }
  Json rows = Json::array();
  for (const ObjectPtr& object : objects) {
    Json cells = Json::array();
    for (const Column& column : columns) cells.push_back(column.cell(*object, options));
    Json row = {{"cells", std::move(cells)}};
    if (options.include_object == "Object") {
      row["object"] = Render(*object, path, KindFields::kWith);
    } else if (options.include_object != "None") {
      row["object"] = RenderMetadata(*object);
    }
    rows.push_back(std::move(row));
  }
  Json table = {{"kind", "Table"},
                {"apiVersion", "meta.k8s.io/v1"},
                {"metadata", std::move(metadata)},
                {"columnDefinitions", options.with_columns ? std::move(definitions) : Json()},
                {"rows", std::move(rows)}};
  return table;
}

std::string HumanDuration(std::int64_t ms) {
  const std::int64_t s = ms / 1000;
  if (s < -1) return "<invalid>";
  if (s < 0) return "0s";
  if (s < 120) return fmt::format("{}s", s);
  const std::int64_t m = s / 60;
  const auto two = [](std::int64_t big, char unit, std::int64_t small, char small_unit) {
    return small == 0 ? fmt::format("{}{}", big, unit)
                      : fmt::format("{}{}{}{}", big, unit, small, small_unit);
  };
  if (m < 10) return two(m, 'm', s % 60, 's');
  if (m < 180) return fmt::format("{}m", m);
  const std::int64_t h = m / 60;
  if (h < 8) return two(h, 'h', m % 60, 'm');
  if (h < 48) return fmt::format("{}h", h);
  if (h < 192) return two(h / 24, 'd', h % 24, 'h');
  if (h < 24 * 365 * 2) return fmt::format("{}d", h / 24);
  if (h < 24 * 365 * 8) return two(h / 24 / 365, 'y', h / 24 % 365, 'd');
  return fmt::format("{}y", h / 24 / 365);
}

}  // namespace azexporter::simulator
