// What the node lifecycle controller, the taint eviction controller and the pod garbage collector
// do. Semantics: kubernetes.io/docs/concepts/architecture/nodes/#node-controller and
// kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-based-evictions.

#include <algorithm>
#include <optional>

#include "controllers/controllers.h"
#include "region.h"
#include "simulator/eviction.h"

namespace azexporter::platform {

using simulator::Find;
using simulator::IntAt;
using simulator::Json;
using simulator::ObjectPtr;
using simulator::Rfc3339;
using simulator::StringAt;

namespace {

constexpr std::string_view kUnreachable = "node.kubernetes.io/unreachable";
constexpr std::string_view kUnschedulable = "node.kubernetes.io/unschedulable";
// How long a pod of a node that is gone is left alone.
constexpr std::int64_t kOrphanMs = 40'000;

bool IsTaint(const Json& taint, std::string_view key, std::string_view effect) {
  return StringAt(taint, {"key"}) == key && StringAt(taint, {"effect"}) == effect;
}

void AddTaint(Json& node, std::string_view key, const char* effect, std::int64_t now_ms) {
  Json& taints = node["spec"]["taints"];
  if (!taints.is_array()) taints = Json::array();
  if (std::any_of(taints.begin(), taints.end(),
                  [&](const Json& taint) { return IsTaint(taint, key, effect); })) {
    return;
  }
  taints.push_back({{"key", key}, {"effect", effect}, {"timeAdded", Rfc3339(now_ms)}});
}

void RemoveTaints(Json& node, std::string_view key) {
  if (Find(node, {"spec", "taints"}) == nullptr) return;
  Json kept = Json::array();
  for (const Json& taint : node["spec"]["taints"]) {
    if (StringAt(taint, {"key"}) != key) kept.push_back(taint);
  }
  node["spec"].erase("taints");
  if (!kept.empty()) node["spec"]["taints"] = std::move(kept);
}

void SetUnknown(Json& node, std::int64_t now_ms) {
  for (Json& condition : node["status"]["conditions"]) {
    if (StringAt(condition, {"status"}) == "Unknown") continue;
    condition["status"] = "Unknown";
    condition["lastTransitionTime"] = Rfc3339(now_ms);
    condition["reason"] = "NodeStatusUnknown";
    condition["message"] = "Kubelet stopped posting node status.";
  }
}

void SetHealthy(Json& node, std::int64_t now_ms) {
  const Json healthy = RegionNodes(now_ms).front().at("status").at("conditions");
  for (const Json& expected : healthy) {
    Json* condition = ConditionOf(node, StringAt(expected, {"type"}));
    if (condition == nullptr) continue;
    const bool changed = StringAt(*condition, {"status"}) != StringAt(expected, {"status"});
    const std::string since = StringAt(*condition, {"lastTransitionTime"});
    *condition = expected;
    (*condition)["lastTransitionTime"] = changed ? Rfc3339(now_ms) : since;
  }
}

void SetPodsReady(World& world, std::string_view node, bool ready) {
  for (const ObjectPtr& pod : AllPods(world)) {
    if (StringAt(*pod, {"spec", "nodeName"}) != node) continue;
    (void)world.store.Modify(KeyFor(Type("v1", "Pod"), *pod),
                             [&](Json& object) { SetReady(object, ready, world.NowMs()); });
  }
}

// How long the pod bears unreachable:NoExecute; nullopt: for ever. 0: not at all.
std::optional<std::int64_t> ToleratedMs(const Json& pod) {
  const Json* tolerations = Find(pod, {"spec", "tolerations"});
  if (tolerations == nullptr) return 0;
  for (const Json& toleration : *tolerations) {
    const std::string key = StringAt(toleration, {"key"});
    const std::string effect = StringAt(toleration, {"effect"});
    if (!key.empty() && key != kUnreachable) continue;
    if (!effect.empty() && effect != "NoExecute") continue;
    if (Find(toleration, {"tolerationSeconds"}) == nullptr) return std::nullopt;
    return IntAt(toleration, {"tolerationSeconds"}) * 1000;
  }
  return 0;
}

void EvictFromSilentNodes(World& world) {
  for (const ObjectPtr& pod : AllPods(world)) {
    const std::string node = StringAt(*pod, {"spec", "nodeName"});
    if (node.empty() || IsTerminating(*pod)) continue;
    if (!world.silent_nodes.contains(node)) {
      // Back in time: what remained of the toleration is whole again.
      world.timers.erase(StringAt(*pod, {"metadata", "uid"}) + " evict");
      continue;
    }
    const auto tolerated_ms = ToleratedMs(*pod);
    if (tolerated_ms && world.IsDue(*pod, "evict", *tolerated_ms)) {
      Terminate(world, *pod, "DeletionByTaintManager");
    }
  }
}

// A cordon is a flag; the taint that keeps pods away follows from it, and goes with it.
void TaintCordonedNodes(World& world) {
  for (const ObjectPtr& node : world.store.List(Type("v1", "Node"), "").items) {
    const bool is_cordoned = IsCordoned(*node);
    (void)world.store.Modify(KeyFor(Type("v1", "Node"), *node), [&](Json& object) {
      if (is_cordoned) {
        AddTaint(object, kUnschedulable, "NoSchedule", world.NowMs());
      } else {
        RemoveTaints(object, kUnschedulable);
      }
    });
  }
}

void RemoveOrphans(World& world) {
  for (const ObjectPtr& pod : AllPods(world)) {
    const std::string node = StringAt(*pod, {"spec", "nodeName"});
    if (node.empty() || world.store.Get(NodeKey(node)) != nullptr) continue;
    if (world.IsDue(*pod, "orphan", kOrphanMs)) {
      (void)world.store.Delete(KeyFor(Type("v1", "Pod"), *pod));
    }
  }
}

}  // namespace

void RunNodeLifecycle(World& world) {
  TaintCordonedNodes(world);
  EvictFromSilentNodes(world);
  RemoveOrphans(world);
}

// In the order in which watchers of a real cluster see it.
void SilenceNode(World& world, const std::string& node) {
  if (!world.silent_nodes.insert(node).second) return;
  const std::int64_t now_ms = world.NowMs();
  (void)world.store.Modify(NodeKey(node), [&](Json& object) { SetUnknown(object, now_ms); });
  SetPodsReady(world, node, false);
  for (const char* effect : {"NoSchedule", "NoExecute"}) {
    (void)world.store.Modify(NodeKey(node),
                             [&](Json& object) { AddTaint(object, kUnreachable, effect, now_ms); });
  }
}

void WakeNode(World& world, const std::string& node) {
  world.silent_nodes.erase(node);
  world.stalled_nodes.erase(node);
  const std::int64_t now_ms = world.NowMs();
  (void)world.store.Modify(NodeKey(node), [&](Json& object) { SetHealthy(object, now_ms); });
  (void)world.store.Modify(NodeKey(node), [](Json& object) { RemoveTaints(object, kUnreachable); });
  SetPodsReady(world, node, true);
}

void CordonNode(World& world, const std::string& node) {
  (void)world.store.Modify(NodeKey(node),
                           [](Json& object) { object["spec"]["unschedulable"] = true; });
}

void UncordonNode(World& world, const std::string& node) {
  world.draining_nodes.erase(node);
  (void)world.store.Modify(NodeKey(node),
                           [](Json& object) { object["spec"].erase("unschedulable"); });
}

void RunDrain(World& world) {
  for (const ObjectPtr& pod : AllPods(world)) {
    const std::string node = StringAt(*pod, {"spec", "nodeName"});
    if (!world.draining_nodes.contains(node) || IsTerminating(*pod)) continue;
    const simulator::ResourceType& pods = Type("v1", "Pod");
    const simulator::ResourcePath path{.type = &pods,
                                       .version = "v1",
                                       .ns = StringAt(*pod, {"metadata", "namespace"}),
                                       .name = StringAt(*pod, {"metadata", "name"})};
    if (!simulator::Evict(world.store, path, /*dry_run=*/true)) continue;
    Terminate(world, *pod, "EvictionByEvictionAPI");
    // A pod that ends is healthy no more: the next one asks a budget that knows it.
    RunStatus(world);
  }
}

}  // namespace azexporter::platform
