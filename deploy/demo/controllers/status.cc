// The endpoint slice, workload and disruption controllers: statuses that follow from pods.

#include "controllers/controllers.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <vector>

#include "region.h"
#include "simulator/selectors.h"

namespace azexporter::platform {

using simulator::Find;
using simulator::IntAt;
using simulator::Json;
using simulator::LabelSelector;
using simulator::ObjectPtr;
using simulator::Rfc3339;
using simulator::Store;
using simulator::StringAt;

namespace {

std::vector<ObjectPtr> PodsIn(const Store& store, std::string_view ns,
                              const LabelSelector& selector) {
  std::vector<ObjectPtr> pods = store.List(Type("v1", "Pod"), ns).items;
  std::erase_if(pods, [&](const ObjectPtr& pod) {
    return !selector.Matches(Find(*pod, {"metadata", "labels"}));
  });
  return pods;
}

std::int64_t CountReady(const std::vector<ObjectPtr>& pods) {
  return std::count_if(pods.begin(), pods.end(),
                       [](const ObjectPtr& pod) { return IsReady(*pod) && !IsTerminating(*pod); });
}

// How many pods there should be: what their controllers ask for, else how many there are.
std::int64_t ExpectedPods(const Store& store, const std::vector<ObjectPtr>& pods) {
  std::set<std::string> seen;
  std::int64_t expected = 0;
  for (const ObjectPtr& pod : pods) {
    const Json* owners = Find(*pod, {"metadata", "ownerReferences"});
    const Json owner = owners != nullptr && !owners->empty() ? owners->front() : Json::object();
    const std::string kind = StringAt(owner, {"kind"});
    if (kind != "ReplicaSet" && kind != "StatefulSet") {
      ++expected;
      continue;
    }
    if (!seen.insert(StringAt(owner, {"uid"})).second) continue;
    const ObjectPtr set =
        store.Get({&Type("apps/v1", kind), StringAt(*pod, {"metadata", "namespace"}),
                   StringAt(owner, {"name"})});
    if (set != nullptr) expected += IntAt(*set, {"spec", "replicas"}, 1);
  }
  return expected;
}

// An integer, or a percentage of `total` rounded up, as budgets round.
std::int64_t Scaled(const Json& value, std::int64_t total) {
  if (value.is_number_integer()) return value.get<std::int64_t>();
  const std::string text = value.is_string() ? value.get<std::string>() : std::string();
  std::int64_t percent = 0;
  std::from_chars(text.data(), text.data() + text.size(), percent);
  return (percent * total + 99) / 100;
}

void ReconcileBudgets(Store& store, std::int64_t now_ms) {
  const simulator::ResourceType& type = Type("policy/v1", "PodDisruptionBudget");
  for (const ObjectPtr& budget : store.List(type, "").items) {
    const auto pods = PodsIn(store, StringAt(*budget, {"metadata", "namespace"}),
                             LabelSelector::FromObject(Find(*budget, {"spec", "selector"})));
    const std::int64_t expected = ExpectedPods(store, pods);
    const Json* least = Find(*budget, {"spec", "minAvailable"});
    const Json* most = Find(*budget, {"spec", "maxUnavailable"});
    const std::int64_t desired = least != nullptr  ? Scaled(*least, expected)
                                 : most != nullptr ? expected - Scaled(*most, expected)
                                                   : expected;
    const std::int64_t healthy = CountReady(pods);
    const std::int64_t allowed = std::max<std::int64_t>(0, healthy - desired);
    const std::string condition = allowed > 0 ? "True" : "False";
    (void)store.Modify(KeyFor(type, *budget), [&](Json& object) {
      Json& status = object["status"];
      const Json* before = Find(status, {"conditions"});
      const bool same = before != nullptr && StringAt(before->front(), {"status"}) == condition;
      Json entry = {{"type", "DisruptionAllowed"},
                    {"status", condition},
                    {"observedGeneration", IntAt(object, {"metadata", "generation"}, 1)},
                    {"lastTransitionTime",
                     same ? StringAt(before->front(), {"lastTransitionTime"}) : Rfc3339(now_ms)},
                    {"reason", allowed > 0 ? "SufficientPods" : "InsufficientPods"},
                    {"message", ""}};
      status = {{"observedGeneration", IntAt(object, {"metadata", "generation"}, 1)},
                {"disruptionsAllowed", allowed},
                {"currentHealthy", healthy},
                {"desiredHealthy", desired},
                {"expectedPods", expected}};
      status["conditions"] = Json::array();
      status["conditions"].push_back(std::move(entry));
    });
  }
}

Json DeploymentCondition(const Json& status, const std::string& type, bool holds,
                         const char* reason, const char* message, std::int64_t now_ms) {
  std::string since = Rfc3339(now_ms);
  if (const Json* conditions = Find(status, {"conditions"})) {
    for (const Json& condition : *conditions) {
      if (StringAt(condition, {"type"}) == type &&
          StringAt(condition, {"status"}) == (holds ? "True" : "False")) {
        since = StringAt(condition, {"lastTransitionTime"});
      }
    }
  }
  return {{"type", type},
          {"status", holds ? "True" : "False"},
          {"lastUpdateTime", since},
          {"lastTransitionTime", since},
          {"reason", reason},
          {"message", message}};
}

void SetWorkloadStatus(Json& object, std::int64_t pods, std::int64_t ready, std::int64_t now_ms) {
  const std::string kind = StringAt(object, {"kind"});
  const std::int64_t wanted = IntAt(object, {"spec", "replicas"}, 1);
  const Json before = object.value("status", Json::object());
  Json status = {{"observedGeneration", IntAt(object, {"metadata", "generation"}, 1)},
                 {"replicas", pods}};
  if (kind == "ReplicaSet") status["fullyLabeledReplicas"] = pods;
  if (kind != "ReplicaSet") status["updatedReplicas"] = pods;
  status["readyReplicas"] = ready;
  status["availableReplicas"] = ready;
  if (kind == "StatefulSet") status["currentReplicas"] = pods;
  if (kind == "Deployment") {
    if (ready < wanted) status["unavailableReplicas"] = wanted - ready;
    // A quarter of the replicas may be unavailable, rounded down: the default strategy.
    const bool enough = ready >= wanted - wanted / 4;
    status["conditions"] = Json::array();
    status["conditions"].push_back(
        DeploymentCondition(before, "Available", enough,
                            enough ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable",
                            enough ? "Deployment has minimum availability."
                                   : "Deployment does not have minimum availability.",
                            now_ms));
    status["conditions"].push_back(
        DeploymentCondition(before, "Progressing", true, "NewReplicaSetAvailable",
                            "The ReplicaSet has successfully progressed.", now_ms));
  }
  object["status"] = std::move(status);
}

void ReconcileWorkloads(Store& store, std::int64_t now_ms) {
  for (const char* kind : {"ReplicaSet", "StatefulSet", "Deployment"}) {
    const simulator::ResourceType& type = Type("apps/v1", kind);
    for (const ObjectPtr& workload : store.List(type, "").items) {
      auto pods = PodsIn(store, StringAt(*workload, {"metadata", "namespace"}),
                         LabelSelector::FromObject(Find(*workload, {"spec", "selector"})));
      std::erase_if(pods, [](const ObjectPtr& pod) { return IsTerminating(*pod); });
      (void)store.Modify(KeyFor(type, *workload), [&](Json& object) {
        SetWorkloadStatus(object, static_cast<std::int64_t>(pods.size()), CountReady(pods), now_ms);
      });
    }
  }
}

Json EndpointFor(const Store& store, const Json& pod) {
  const std::string node = StringAt(pod, {"spec", "nodeName"});
  const bool serving = IsReady(pod);
  const bool terminating = IsTerminating(pod);
  Json endpoint = Json::object();
  endpoint["addresses"] = Json::array({StringAt(pod, {"status", "podIP"})});
  endpoint["conditions"] = {
      {"ready", serving && !terminating}, {"serving", serving}, {"terminating", terminating}};
  endpoint["targetRef"] = {{"kind", "Pod"},
                           {"namespace", StringAt(pod, {"metadata", "namespace"})},
                           {"name", StringAt(pod, {"metadata", "name"})},
                           {"uid", StringAt(pod, {"metadata", "uid"})}};
  endpoint["nodeName"] = node;
  endpoint["zone"] = ZoneOfNode(store, node);
  return endpoint;
}

void ReconcileEndpoints(Store& store) {
  const simulator::ResourceType& type = Type("discovery.k8s.io/v1", "EndpointSlice");
  for (const ObjectPtr& slice : store.List(type, "").items) {
    const std::string ns = StringAt(*slice, {"metadata", "namespace"});
    const ObjectPtr service =
        store.Get({&Type("v1", "Service"), ns,
                   StringAt(*slice, {"metadata", "labels", "kubernetes.io/service-name"})});
    if (service == nullptr) continue;
    const Json* labels = Find(*service, {"spec", "selector"});
    if (labels == nullptr) continue;  // its endpoints are written by hand
    const Json selector = {{"matchLabels", *labels}};
    Json endpoints = Json::array();
    for (const ObjectPtr& pod : PodsIn(store, ns, LabelSelector::FromObject(&selector))) {
      if (StringAt(*pod, {"status", "podIP"}).empty()) continue;
      endpoints.push_back(EndpointFor(store, *pod));
    }
    (void)store.Modify(KeyFor(type, *slice),
                       [&](Json& object) { object["endpoints"] = endpoints; });
  }
}

}  // namespace

void RunStatus(World& world) {
  ReconcileEndpoints(world.store);
  ReconcileWorkloads(world.store, world.NowMs());
  ReconcileBudgets(world.store, world.NowMs());
}

}  // namespace azexporter::platform
