// The kubelets: they start what is bound to them and end what is to end. A silent one does neither.

#include "controllers/controllers.h"
#include "pods.h"
#include "region.h"

namespace azexporter::platform {

using simulator::Json;
using simulator::ObjectPtr;
using simulator::StringAt;

namespace {

// From the binding to Ready, and from the request to end to the end, of a pod that does both
// willingly.
constexpr std::int64_t kStartMs = 4'000;
constexpr std::int64_t kEndMs = 2'000;

}  // namespace

void RunKubelets(World& world) {
  const simulator::ResourceType& pods = Type("v1", "Pod");
  for (const ObjectPtr& pod : AllPods(world)) {
    const std::string name = StringAt(*pod, {"spec", "nodeName"});
    if (name.empty()) {
      // On no kubelet: there is nothing to wait for.
      if (IsTerminating(*pod)) (void)world.store.Delete(KeyFor(pods, *pod));
      continue;
    }
    const ObjectPtr node = world.store.Get(NodeKey(name));
    if (node == nullptr || world.silent_nodes.contains(name)) continue;
    if (IsTerminating(*pod)) {
      if (world.IsDue(*pod, "end", kEndMs)) (void)world.store.Delete(KeyFor(pods, *pod));
    } else if (StringAt(*pod, {"status", "phase"}) == "Pending" &&
               world.IsDue(*pod, "start", kStartMs)) {
      const int serial = world.serial++;
      (void)world.store.Modify(KeyFor(pods, *pod), [&](Json& object) {
        StartPod(object, *node, serial, world.NowMs());
      });
    }
  }
}

}  // namespace azexporter::platform
