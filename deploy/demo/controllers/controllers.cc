#include "controllers/controllers.h"

#include <algorithm>

#include "region.h"

namespace azexporter::platform {

using simulator::Find;
using simulator::Json;
using simulator::ObjectKey;
using simulator::ObjectPtr;
using simulator::Rfc3339;
using simulator::StringAt;

namespace {

// Each round lets one controller see what the others did. A cluster that has not settled after this
// many is looked at again a moment later.
constexpr int kMostRounds = 20;

void ForgetTimersOf(World& world) {
  std::set<std::string> alive;
  for (const ObjectPtr& pod : AllPods(world)) alive.insert(StringAt(*pod, {"metadata", "uid"}));
  std::erase_if(world.timers, [&](const auto& timer) {
    return !alive.contains(timer.first.substr(0, timer.first.find(' ')));
  });
}

void RememberObjects(World& world) {
  std::vector<ObjectPtr> seen;
  for (const simulator::ResourceType& type : simulator::AllResources()) {
    for (const ObjectPtr& object : world.store.List(type, "").items) {
      static_cast<void>(*object);
      seen.push_back(object);
    }
  }
  world.looked_at = std::move(seen);
}

}  // namespace

bool World::IsDue(const Json& pod, std::string_view what, std::int64_t delay_ms) {
  const std::string key = StringAt(pod, {"metadata", "uid"}) + " " + std::string(what);
  const auto wait_ms = static_cast<std::int64_t>(static_cast<double>(delay_ms) / pace);
  const auto [timer, fresh] = timers.try_emplace(key, NowMs() + wait_ms);
  if (timer->second > NowMs()) return false;
  timers.erase(timer);
  return true;
}

void Settle(World& world) {
  const std::int64_t start = world.store.resource_version();
  for (int round = 0; round < kMostRounds; ++round) {
    const std::int64_t before = world.store.resource_version();
    RunNodeLifecycle(world);
    RunDrain(world);
    RunReplicas(world);
    RunScheduler(world);
    RunKubelets(world);
    RunStatus(world);
    if (world.store.resource_version() == before) break;
  }
  ForgetTimersOf(world);
  if (world.looked_at.empty() || world.store.resource_version() != start) RememberObjects(world);
}

bool IsTerminating(const Json& pod) {
  return Find(pod, {"metadata", "deletionTimestamp"}) != nullptr;
}

bool IsReady(const Json& pod) {
  const Json* conditions = Find(pod, {"status", "conditions"});
  if (conditions == nullptr) return false;
  return std::any_of(conditions->begin(), conditions->end(), [](const Json& condition) {
    return StringAt(condition, {"type"}) == "Ready" && StringAt(condition, {"status"}) == "True";
  });
}

void SetReady(Json& pod, bool ready, std::int64_t now_ms) {
  Json* condition = ConditionOf(pod, "Ready");
  const char* status = ready ? "True" : "False";
  if (condition == nullptr || StringAt(*condition, {"status"}) == status) return;
  (*condition)["status"] = status;
  (*condition)["lastTransitionTime"] = Rfc3339(now_ms);
}

bool IsCordoned(const Json& node) {
  const Json* flag = Find(node, {"spec", "unschedulable"});
  return flag != nullptr && *flag == true;
}

Json* ConditionOf(Json& object, std::string_view type) {
  for (Json& condition : object["status"]["conditions"]) {
    if (StringAt(condition, {"type"}) == type) return &condition;
  }
  return nullptr;
}

ObjectKey KeyFor(const simulator::ResourceType& type, const Json& object) {
  return {&type, StringAt(object, {"metadata", "namespace"}),
          StringAt(object, {"metadata", "name"})};
}

std::vector<ObjectPtr> AllPods(const World& world) {
  return world.store.List(Type("v1", "Pod"), "").items;
}

void Terminate(World& world, const Json& pod, std::string_view reason) {
  constexpr std::int64_t kGraceSeconds = 30;
  const std::int64_t now_ms = world.NowMs();
  (void)world.store.Modify(KeyFor(Type("v1", "Pod"), pod), [&](Json& object) {
    if (IsTerminating(object)) return;
    object["metadata"]["deletionTimestamp"] = Rfc3339(now_ms + kGraceSeconds * 1000);
    object["metadata"]["deletionGracePeriodSeconds"] = kGraceSeconds;
    if (reason.empty()) return;
    object["status"]["conditions"].push_back({{"type", "DisruptionTarget"},
                                              {"status", "True"},
                                              {"lastProbeTime", nullptr},
                                              {"lastTransitionTime", Rfc3339(now_ms)},
                                              {"reason", reason}});
  });
}

}  // namespace azexporter::platform
