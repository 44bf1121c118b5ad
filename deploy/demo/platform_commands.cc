// What each command does (commands.h).

#include <fmt/format.h>

#include <charconv>

#include "azexporter/base/duration.h"
#include "platform_impl.h"
#include "pods.h"
#include "region.h"

namespace azexporter::platform {

using base::ErrorCode;
using base::Fail;
using base::Result;
using simulator::Find;
using simulator::Json;
using simulator::ObjectKey;
using simulator::ObjectPtr;
using simulator::StringAt;

namespace {

// "NAMESPACE/NAME", or a name in the documented namespace.
ObjectKey KeyOf(const simulator::ResourceType& type, const std::string& text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string::npos) return {&type, std::string(kNamespace), text};
  return {&type, text.substr(0, slash), text.substr(slash + 1)};
}

base::Result<void> NotFound(std::string_view what, std::string_view name) {
  return Fail(ErrorCode::kNotFound, fmt::format("no {} \"{}\"", what, name));
}

}  // namespace

Result<void> Platform::Impl::Do(std::string_view line) {
  AZX_ASSIGN_OR_RETURN(const Command command, ParseCommand(line));
  base::MutexLock lock(mu);
  AZX_RETURN_IF_ERROR(CarryOutLocked(command));
  if (documented) SettleLocked();
  return {};
}

Result<void> Platform::Impl::CarryOutLocked(const Command& command) {
  switch (command.verb) {
    case Verb::kZoneDown:
    case Verb::kZoneUp:
    case Verb::kZoneCordon:
    case Verb::kZoneUncordon:
    case Verb::kZoneDrain:
    case Verb::kZoneRemove:
    case Verb::kZoneLatency:
    case Verb::kZoneHealth:
      return ZoneCommandLocked(command);
    case Verb::kNodeDown:
    case Verb::kNodeUp:
    case Verb::kNodeStall:
    case Verb::kNodeCordon:
    case Verb::kNodeUncordon:
    case Verb::kNodeDrain:
    case Verb::kNodeDelete:
      return NodeCommandLocked(command);
    case Verb::kScale:
      return ScaleLocked(command);
    case Verb::kPodDelete:
    case Verb::kPodMove:
      return PodCommandLocked(command);
    case Verb::kDatabaseStop:
    case Verb::kDatabaseStart:
    case Verb::kDatabasePromote:
    case Verb::kDatabaseRejoin:
    case Verb::kDatabasePause:
    case Verb::kDatabaseResume:
    case Verb::kDatabaseCut:
    case Verb::kDatabaseJoin:
      return DatabaseCommandLocked(command);
    case Verb::kFault:
    case Verb::kFaultClear:
    case Verb::kApiRestart:
    case Verb::kApiCheckpoint:
    case Verb::kApiRestore:
    case Verb::kApiCompact:
    case Verb::kApiCloseWatches:
      return ApiCommandLocked(command);
  }
  return {};
}

Result<ZoneEndpoint*> Platform::Impl::Endpoint(std::string_view zone) {
  const auto found = endpoints.find(zone);
  if (found == endpoints.end()) {
    return Fail(ErrorCode::kNotFound, fmt::format("no zone \"{}\" in {}", zone, kRegion));
  }
  return found->second.get();
}

Result<void> Platform::Impl::ZoneCommandLocked(const Command& command) {
  const std::string& zone = command.arguments[0];
  AZX_ASSIGN_OR_RETURN(ZoneEndpoint * endpoint, Endpoint(zone));
  const auto each_node = [&](void (*act)(World&, const std::string&)) AZX_REQUIRES(mu) {
    for (const std::string& node : NodeNames(store, zone)) act(world, node);
  };
  if (command.verb == Verb::kZoneDown) {
    AZX_RETURN_IF_ERROR(endpoint->Silence());
    if (databases != nullptr) databases->LoseZone(zone);
    if (redis != nullptr) redis->LoseZone(zone);
    each_node(SilenceNode);
    lost_zones.insert(zone);
  } else if (command.verb == Verb::kZoneUp) {
    AZX_RETURN_IF_ERROR(endpoint->Restore());
    if (databases != nullptr) databases->RestoreZone(zone);
    if (redis != nullptr) redis->RestoreZone(zone);
    RestoreNodesLocked(zone);
    each_node(WakeNode);
    lost_zones.erase(zone);
  } else if (command.verb == Verb::kZoneUncordon) {
    each_node(UncordonNode);
  } else if (command.verb == Verb::kZoneCordon) {
    each_node(CordonNode);
  } else if (command.verb == Verb::kZoneDrain) {
    each_node(CordonNode);
    for (const std::string& node : NodeNames(store, zone)) world.draining_nodes.insert(node);
  } else if (command.verb == Verb::kZoneRemove) {
    RemoveNodesLocked(zone);
  } else if (command.verb == Verb::kZoneLatency) {
    const auto latency_ms = base::ParseDurationMs(command.arguments[1]);
    if (!latency_ms) {
      return base::BadData(
          fmt::format("latency \"{}\": must be a duration like 800ms", command.arguments[1]));
    }
    endpoint->SetLatency(*latency_ms * 1000);
  } else if (command.arguments[1] == "silent") {
    return endpoint->Silence();
  } else if (command.arguments[1] == "up") {
    return endpoint->Restore();
  } else {
    return base::BadData(fmt::format("health \"{}\": must be up or silent", command.arguments[1]));
  }
  return {};
}

void Platform::Impl::RemoveNodesLocked(std::string_view zone) {
  std::vector<Json>& removed = removed_nodes[std::string(zone)];
  for (const std::string& name : NodeNames(store, zone)) {
    if (auto node = store.Delete(NodeKey(name))) removed.push_back(**node);
    world.silent_nodes.erase(name);
    world.draining_nodes.erase(name);
  }
}

// New machines under the old names.
void Platform::Impl::RestoreNodesLocked(std::string_view zone) {
  const auto found = removed_nodes.find(zone);
  if (found == removed_nodes.end()) return;
  for (Json& node : found->second) {
    for (const char* field : {"uid", "creationTimestamp", "resourceVersion"}) {
      node["metadata"].erase(field);
    }
    (void)store.Create(std::move(node));
  }
  removed_nodes.erase(found);
}

Result<void> Platform::Impl::NodeCommandLocked(const Command& command) {
  const std::string& node = command.arguments[0];
  if (store.Get(NodeKey(node)) == nullptr) return NotFound("node", node);
  if (command.verb == Verb::kNodeDown) SilenceNode(world, node);
  if (command.verb == Verb::kNodeUp) WakeNode(world, node);
  if (command.verb == Verb::kNodeStall) world.stalled_nodes.insert(node);
  if (command.verb == Verb::kNodeUncordon) UncordonNode(world, node);
  if (command.verb == Verb::kNodeCordon || command.verb == Verb::kNodeDrain) {
    CordonNode(world, node);
  }
  if (command.verb == Verb::kNodeDrain) world.draining_nodes.insert(node);
  if (command.verb == Verb::kNodeDelete) {
    AZX_RETURN_IF_ERROR(store.Delete(NodeKey(node)));
    world.silent_nodes.erase(node);
    world.draining_nodes.erase(node);
  }
  return {};
}

Result<void> Platform::Impl::ScaleLocked(const Command& command) {
  const std::string& kind = command.arguments[0];
  const std::string& name = command.arguments[1];
  const std::string& text = command.arguments[2];
  if (kind != "deployment" && kind != "statefulset") {
    return base::BadData(
        fmt::format("scale {}: only a deployment or a statefulset is scaled", kind));
  }
  int replicas = -1;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, replicas);
  if (parsed.ec != std::errc() || parsed.ptr != end || replicas < 0) {
    return base::BadData(fmt::format("scale {}: \"{}\" is no number of replicas", name, text));
  }
  const ObjectKey key =
      KeyOf(Type("apps/v1", kind == "deployment" ? "Deployment" : "StatefulSet"), name);
  AZX_RETURN_IF_ERROR(
      store.Modify(key, [&](Json& object) { object["spec"]["replicas"] = replicas; }));
  return {};
}

Result<void> Platform::Impl::PodCommandLocked(const Command& command) {
  const ObjectPtr pod = store.Get(KeyOf(Type("v1", "Pod"), command.arguments[0]));
  if (pod == nullptr) return NotFound("pod", command.arguments[0]);
  if (command.verb == Verb::kPodDelete) {
    Terminate(world, *pod, "");
    return {};
  }
  const std::string& node = command.arguments[1];
  if (store.Get(NodeKey(node)) == nullptr) return NotFound("node", node);
  const Json* owners = Find(*pod, {"metadata", "ownerReferences"});
  if (owners == nullptr || StringAt(owners->front(), {"kind"}) != "ReplicaSet") {
    return Fail(ErrorCode::kExecution,
                fmt::format("pod {} keeps its place: only a ReplicaSet's pods are moved",
                            command.arguments[0]));
  }
  // Pods do not move. The next one of its controller is made first, there, and this one ends.
  const std::string set_name = StringAt(owners->front(), {"name"});
  const ObjectPtr set = store.Get(
      {&Type("apps/v1", "ReplicaSet"), StringAt(*pod, {"metadata", "namespace"}), set_name});
  if (set == nullptr) return NotFound("replicaset", set_name);
  const std::string suffix = NameSuffix(fmt::format("{}/{}", set_name, ++world.serial), 5);
  Json moved = ReplicaSetPod(*set, set_name + "-" + suffix, clock.NowMs());
  BindPod(moved, node, clock.NowMs());
  AZX_RETURN_IF_ERROR(store.Create(std::move(moved)));
  Terminate(world, *pod, "");
  return {};
}

Result<void> Platform::Impl::DatabaseCommandLocked(const Command& command) {
  if (databases == nullptr) {
    return Fail(ErrorCode::kExecution, "the platform runs without a database (--database)");
  }
  const std::string& instance = command.arguments[0];
  ended_with_pod.erase(instance);
  if (redis->Has(instance)) {
    if (command.verb == Verb::kDatabaseStop) return redis->StopServer(instance);
    if (command.verb == Verb::kDatabaseStart) return redis->StartServer(instance);
    return Fail(ErrorCode::kExecution,
                fmt::format("{} is a Redis node, which can be stopped and started", instance));
  }
  switch (command.verb) {
    case Verb::kDatabaseStop:
      return databases->StopServer(instance);
    case Verb::kDatabaseStart:
      return databases->StartServer(instance);
    case Verb::kDatabasePromote:
      return databases->Promote(instance);
    case Verb::kDatabaseRejoin:
      return databases->Rejoin(instance);
    case Verb::kDatabasePause:
      return databases->PauseReplay(instance);
    case Verb::kDatabaseResume:
      return databases->ResumeReplay(instance);
    case Verb::kDatabaseCut:
      return databases->CutStream(instance);
    default:
      return databases->JoinStream(instance);
  }
}

Result<void> Platform::Impl::ApiCommandLocked(const Command& command) {
  switch (command.verb) {
    case Verb::kFault:
      AZX_RETURN_IF_ERROR(api->faults().Add(command.arguments[0]));
      return {};
    case Verb::kFaultClear:
      api->faults().ClearAll();
      return {};
    case Verb::kApiCompact:
      store.Compact();
      return {};
    case Verb::kApiCloseWatches:
      api->CloseWatches();
      return {};
    case Verb::kApiCheckpoint:
      checkpoint = store.TakeCheckpoint();
      return {};
    case Verb::kApiRestore:
      if (!checkpoint) {
        return Fail(ErrorCode::kExecution, "nothing to restore: no \"api checkpoint\" before");
      }
      store.RestoreCheckpoint(*checkpoint);
      return api->Restart();
    default:
      return api->Restart();
  }
}

}  // namespace azexporter::platform
