// The controllers that keep pods in number: Deployment, ReplicaSet, StatefulSet, and the
// CloudNativePG operator. A changed pod template is not rolled out.
// Semantics: kubernetes.io/docs/concepts/workloads/controllers/{replicaset,statefulset}.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <tuple>

#include "controllers/controllers.h"
#include "pods.h"
#include "region.h"

namespace azexporter::platform {

using simulator::Find;
using simulator::IntAt;
using simulator::Json;
using simulator::ObjectPtr;
using simulator::StringAt;

namespace {

std::vector<ObjectPtr> OwnedBy(const World& world, const simulator::ResourceType& type,
                               const Json& owner) {
  const std::string uid = StringAt(owner, {"metadata", "uid"});
  std::vector<ObjectPtr> owned =
      world.store.List(type, StringAt(owner, {"metadata", "namespace"})).items;
  std::erase_if(owned, [&](const ObjectPtr& object) {
    const Json* owners = Find(*object, {"metadata", "ownerReferences"});
    return owners == nullptr || owners->empty() || StringAt(owners->front(), {"uid"}) != uid;
  });
  return owned;
}

void RunDeployment(World& world, const Json& deployment) {
  const simulator::ResourceType& sets = Type("apps/v1", "ReplicaSet");
  const auto owned = OwnedBy(world, sets, deployment);
  if (owned.empty()) {
    (void)world.store.Create(NewReplicaSet(deployment, world.NowMs()));
    return;
  }
  const std::int64_t replicas = IntAt(deployment, {"spec", "replicas"}, 1);
  (void)world.store.Modify(KeyFor(sets, *owned.front()), [&](Json& set) {
    set["spec"]["replicas"] = replicas;
    set["metadata"]["annotations"]["deployment.kubernetes.io/desired-replicas"] =
        std::to_string(replicas);
  });
}

// Which of several pods goes first when there are too many: one that is on no node, one that is not
// ready, one that shares its node with most of its kind, the youngest.
std::vector<ObjectPtr> FirstToGo(std::vector<ObjectPtr> pods) {
  std::map<std::string, int> on_node;
  for (const ObjectPtr& pod : pods) ++on_node[StringAt(*pod, {"spec", "nodeName"})];
  const auto rank = [&](const ObjectPtr& pod) {
    const std::string node = StringAt(*pod, {"spec", "nodeName"});
    return std::make_tuple(!node.empty(), IsReady(*pod), -on_node[node]);
  };
  std::stable_sort(pods.begin(), pods.end(), [&](const ObjectPtr& a, const ObjectPtr& b) {
    if (rank(a) != rank(b)) return rank(a) < rank(b);
    return StringAt(*a, {"metadata", "creationTimestamp"}) >
           StringAt(*b, {"metadata", "creationTimestamp"});
  });
  return pods;
}

// A terminating pod counts no more: its replacement is made at once.
void RunReplicaSet(World& world, const Json& set) {
  auto pods = OwnedBy(world, Type("v1", "Pod"), set);
  std::erase_if(pods, [](const ObjectPtr& pod) { return IsTerminating(*pod); });
  const std::int64_t wanted = IntAt(set, {"spec", "replicas"}, 1);
  const auto count = static_cast<std::int64_t>(pods.size());
  const std::string name = StringAt(set, {"metadata", "name"});
  for (std::int64_t i = count; i < wanted; ++i) {
    const std::string suffix = NameSuffix(fmt::format("{}/{}", name, ++world.serial), 5);
    (void)world.store.Create(ReplicaSetPod(set, name + "-" + suffix, world.NowMs()));
  }
  if (count <= wanted) return;
  const auto order = FirstToGo(std::move(pods));
  for (std::int64_t i = 0; i < count - wanted; ++i) {
    Terminate(world, *order[static_cast<std::size_t>(i)], "");
  }
}

// One after the other, each when those before it are ready; from the end when there are too many. A
// pod that does not end keeps its name and place, and nothing is made in its stead.
void RunStatefulSet(World& world, const Json& set) {
  const simulator::ResourceType& pods = Type("v1", "Pod");
  const std::int64_t wanted = IntAt(set, {"spec", "replicas"}, 1);
  const std::string ns = StringAt(set, {"metadata", "namespace"});
  const std::string name = StringAt(set, {"metadata", "name"});
  for (const ObjectPtr& pod : OwnedBy(world, pods, set)) {
    const std::string pod_name = StringAt(*pod, {"metadata", "name"});
    std::int64_t ordinal = -1;
    std::from_chars(pod_name.data() + name.size() + 1, pod_name.data() + pod_name.size(), ordinal);
    if (ordinal >= wanted) Terminate(world, *pod, "");
  }
  for (std::int64_t i = 0; i < wanted; ++i) {
    const ObjectPtr pod = world.store.Get({&pods, ns, fmt::format("{}-{}", name, i)});
    if (pod == nullptr) (void)world.store.Create(StatefulSetPod(set, i, world.NowMs()));
    if (pod == nullptr || !IsReady(*pod)) return;
  }
}

// The operator makes an instance anew whose pod is gone; its volume is still there.
void RunPostgresCluster(World& world, const Json& cluster) {
  const Json* names = Find(cluster, {"status", "instanceNames"});
  if (names == nullptr) return;
  const std::string primary = StringAt(cluster, {"status", "currentPrimary"});
  for (const Json& name : *names) {
    const auto instance = name.get<std::string>();
    const simulator::ObjectKey key{&Type("v1", "Pod"), StringAt(cluster, {"metadata", "namespace"}),
                                   instance};
    if (world.store.Get(key) != nullptr) continue;
    (void)world.store.Create(PostgresPod(cluster, instance, instance == primary, world.NowMs()));
  }
}

}  // namespace

void RunReplicas(World& world) {
  const auto each = [&world](std::string_view api_version, std::string_view kind, auto run) {
    for (const ObjectPtr& object : world.store.List(Type(api_version, kind), "").items) {
      run(world, *object);
    }
  };
  each("apps/v1", "Deployment", RunDeployment);
  each("apps/v1", "ReplicaSet", RunReplicaSet);
  each("apps/v1", "StatefulSet", RunStatefulSet);
  each("postgresql.cnpg.io/v1", "Cluster", RunPostgresCluster);
}

}  // namespace azexporter::platform
