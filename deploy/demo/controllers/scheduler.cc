// kube-scheduler, as far as zones matter: filters by cordon, taints, selectors, affinity, volumes,
// room, anti-affinity and topology spread; prefers the emptiest topology.
// Semantics: kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/,
// assign-pod-node/ and taint-and-toleration/.

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <tuple>

#include "controllers/controllers.h"
#include "pods.h"
#include "quantity.h"
#include "region.h"
#include "simulator/selectors.h"

namespace azexporter::platform {

using simulator::Find;
using simulator::IntAt;
using simulator::Json;
using simulator::LabelSelector;
using simulator::ObjectPtr;
using simulator::Rfc3339;
using simulator::StringAt;

namespace {

constexpr const char* kRequired = "requiredDuringSchedulingIgnoredDuringExecution";

std::string LabelOf(const Json& object, const std::string& key) {
  return StringAt(object, {"metadata", "labels", key});
}

bool Contains(const Json& list, const std::string& text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

// In, NotIn, Exists and DoesNotExist of a node selector term.
bool MatchesExpression(const Json& expression, const Json& node) {
  const std::string key = StringAt(expression, {"key"});
  const std::string op = StringAt(expression, {"operator"});
  const bool has = Find(node, {"metadata", "labels", key}) != nullptr;
  const Json* values = Find(expression, {"values"});
  const bool in = has && values != nullptr && Contains(*values, LabelOf(node, key));
  if (op == "In") return in;
  if (op == "NotIn") return !in;
  if (op == "Exists") return has;
  return op == "DoesNotExist" && !has;
}

// Any term suffices, and every expression of it counts.
bool MatchesTerms(const Json* terms, const Json& node) {
  if (terms == nullptr) return true;
  return std::any_of(terms->begin(), terms->end(), [&](const Json& term) {
    const Json* expressions = Find(term, {"matchExpressions"});
    return expressions != nullptr &&
           std::all_of(expressions->begin(), expressions->end(),
                       [&](const Json& e) { return MatchesExpression(e, node); });
  });
}

bool MatchesAffinity(const Json& pod, const Json& node) {
  if (const Json* selector = Find(pod, {"spec", "nodeSelector"})) {
    for (const auto& [key, value] : selector->items()) {
      if (LabelOf(node, key) != value) return false;
    }
  }
  return MatchesTerms(
      Find(pod, {"spec", "affinity", "nodeAffinity", kRequired, "nodeSelectorTerms"}), node);
}

bool Tolerates(const Json& pod, const Json& taint) {
  const Json* tolerations = Find(pod, {"spec", "tolerations"});
  if (tolerations == nullptr) return false;
  return std::any_of(tolerations->begin(), tolerations->end(), [&](const Json& toleration) {
    const std::string key = StringAt(toleration, {"key"});
    const std::string effect = StringAt(toleration, {"effect"});
    const bool same_value = StringAt(toleration, {"operator"}) == "Exists" ||
                            StringAt(toleration, {"value"}) == StringAt(taint, {"value"});
    return (key.empty() || key == StringAt(taint, {"key"})) &&
           (effect.empty() || effect == StringAt(taint, {"effect"})) && same_value;
  });
}

// The taint that keeps the pod away; nullptr: none.
const Json* UntoleratedTaint(const Json& pod, const Json& node) {
  const Json* taints = Find(node, {"spec", "taints"});
  if (taints == nullptr) return nullptr;
  for (const Json& taint : *taints) {
    if (StringAt(taint, {"effect"}) != "PreferNoSchedule" && !Tolerates(pod, taint)) return &taint;
  }
  return nullptr;
}

// One pod that wants a node, and what the cluster looks like to it.
class Placement {
 public:
  Placement(const World& world, const Json& pod) : world_(world), pod_(pod) {
    nodes_ = world.store.List(Type("v1", "Node"), "").items;
    for (const ObjectPtr& other : AllPods(world)) {
      if (!StringAt(*other, {"spec", "nodeName"}).empty()) bound_.push_back(other);
    }
    for (const ObjectPtr& node : nodes_) by_name_[StringAt(*node, {"metadata", "name"})] = node;
    ReadVolume();
  }

  // The best node's name; nullopt, and why() says why not.
  std::optional<std::string> Choose() {
    std::vector<ObjectPtr> fitting;
    for (const ObjectPtr& node : nodes_) {
      const std::string reason = WhyNot(*node);
      if (reason.empty()) fitting.push_back(node);
      if (!reason.empty()) ++reasons_[reason];
    }
    if (fitting.empty()) return std::nullopt;
    const auto best = std::min_element(
        fitting.begin(), fitting.end(),
        [&](const ObjectPtr& a, const ObjectPtr& b) { return Cost(*a) < Cost(*b); });
    return StringAt(**best, {"metadata", "name"});
  }

  // As the scheduler puts it into the PodScheduled condition.
  std::string why() const {
    std::string text;
    for (const auto& [reason, count] : reasons_) {
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, reason);
    }
    return fmt::format("0/{} nodes are available: {}.", nodes_.size(), text);
  }

 private:
  void ReadVolume() {
    const std::string claim = ClaimOf(pod_);
    if (claim.empty()) return;
    const ObjectPtr bound =
        world_.store.Get({&Type("v1", "PersistentVolumeClaim"), Namespace(), claim});
    if (bound == nullptr) return;
    volume_ = world_.store.Get(
        {&Type("v1", "PersistentVolume"), "", StringAt(*bound, {"spec", "volumeName"})});
  }

  std::string Namespace() const { return StringAt(pod_, {"metadata", "namespace"}); }

  // Empty: the node fits. The texts are the scheduler's.
  std::string WhyNot(const Json& node) const {
    if (IsCordoned(node)) return "node(s) were unschedulable";
    if (const Json* taint = UntoleratedTaint(pod_, node)) {
      return fmt::format("node(s) had untolerated taint {{{}: {}}}", StringAt(*taint, {"key"}),
                         StringAt(*taint, {"value"}));
    }
    if (!MatchesAffinity(pod_, node)) {
      return "node(s) didn't match Pod's node affinity/selector";
    }
    if (volume_ != nullptr &&
        !MatchesTerms(Find(*volume_, {"spec", "nodeAffinity", "required", "nodeSelectorTerms"}),
                      node)) {
      return "node(s) had volume node affinity conflict";
    }
    for (const char* resource : {"cpu", "memory", "pods"}) {
      if (!HasRoom(node, resource)) return fmt::format("Insufficient {}", resource);
    }
    if (!KeepsApart(node)) return "node(s) didn't match pod anti-affinity rules";
    if (!KeepsSpread(node)) return "node(s) didn't match pod topology spread constraints";
    return {};
  }

  static double Requested(const Json& pod, const std::string& resource) {
    if (resource == "pods") return 1;
    double sum = 0;
    for (const Json& container : pod.at("spec").at("containers")) {
      sum += ParseQuantity(StringAt(container, {"resources", "requests", resource}));
    }
    return sum;
  }

  bool HasRoom(const Json& node, const std::string& resource) const {
    const std::string name = StringAt(node, {"metadata", "name"});
    double used = Requested(pod_, resource);
    for (const ObjectPtr& pod : bound_) {
      if (StringAt(*pod, {"spec", "nodeName"}) == name) used += Requested(*pod, resource);
    }
    return used <= ParseQuantity(StringAt(node, {"status", "allocatable", resource}));
  }

  const Json* NodeOf(const Json& pod) const {
    const auto found = by_name_.find(StringAt(pod, {"spec", "nodeName"}));
    return found == by_name_.end() ? nullptr : &*found->second;
  }

  bool SelectedBy(const Json& pod, const Json* selector) const {
    return StringAt(pod, {"metadata", "namespace"}) == Namespace() &&
           LabelSelector::FromObject(selector).Matches(Find(pod, {"metadata", "labels"}));
  }

  bool KeepsApart(const Json& node) const {
    const Json* terms = Find(pod_, {"spec", "affinity", "podAntiAffinity", kRequired});
    if (terms == nullptr) return true;
    for (const Json& term : *terms) {
      const std::string key = StringAt(term, {"topologyKey"});
      for (const ObjectPtr& other : bound_) {
        const Json* there = NodeOf(*other);
        if (there != nullptr && LabelOf(*there, key) == LabelOf(node, key) &&
            SelectedBy(*other, Find(term, {"labelSelector"}))) {
          return false;
        }
      }
    }
    return true;
  }

  // Pods of the constraint in each of its domains. A domain is one that a node which matches the
  // pod's affinity has; taints and cordons take none away (nodeTaintsPolicy: Ignore), so that a
  // lost zone still counts with 0.
  std::map<std::string, std::int64_t> Domains(const Json& constraint) const {
    const std::string key = StringAt(constraint, {"topologyKey"});
    std::map<std::string, std::int64_t> domains;
    for (const ObjectPtr& node : nodes_) {
      if (!LabelOf(*node, key).empty() && MatchesAffinity(pod_, *node))
        domains[LabelOf(*node, key)];
    }
    for (const ObjectPtr& other : bound_) {
      const Json* node = NodeOf(*other);
      if (node == nullptr || IsTerminating(*other) || !MatchesAffinity(pod_, *node)) continue;
      const auto domain = domains.find(LabelOf(*node, key));
      if (domain != domains.end() && SelectedBy(*other, Find(constraint, {"labelSelector"}))) {
        ++domain->second;
      }
    }
    return domains;
  }

  bool KeepsSpread(const Json& node) const {
    const Json* constraints = Find(pod_, {"spec", "topologySpreadConstraints"});
    if (constraints == nullptr) return true;
    for (const Json& constraint : *constraints) {
      if (StringAt(constraint, {"whenUnsatisfiable"}) != "DoNotSchedule") continue;
      const auto domains = Domains(constraint);
      const auto own = domains.find(LabelOf(node, StringAt(constraint, {"topologyKey"})));
      if (own == domains.end()) return false;
      std::int64_t least = std::numeric_limits<std::int64_t>::max();
      for (const auto& [domain, count] : domains) least = std::min(least, count);
      if (static_cast<std::int64_t>(domains.size()) < IntAt(constraint, {"minDomains"}, 1)) {
        least = 0;
      }
      const std::int64_t self = SelectedBy(pod_, Find(constraint, {"labelSelector"})) ? 1 : 0;
      if (own->second + self - least > IntAt(constraint, {"maxSkew"}, 1)) return false;
    }
    return true;
  }

  // The fewest of its kind in the zone, then on the node, then the fewest pods at all.
  std::tuple<std::int64_t, std::int64_t, std::int64_t, std::string> Cost(const Json& node) const {
    const std::string name = StringAt(node, {"metadata", "name"});
    const std::string zone = ZoneOfNode(world_.store, name);
    const Json* owners = Find(pod_, {"metadata", "ownerReferences"});
    std::int64_t in_zone = 0;
    std::int64_t on_node = 0;
    std::int64_t all = 0;
    for (const ObjectPtr& other : bound_) {
      const std::string there = StringAt(*other, {"spec", "nodeName"});
      const Json* theirs = Find(*other, {"metadata", "ownerReferences"});
      const bool kin = owners != nullptr && theirs != nullptr && *owners == *theirs;
      if (there == name) ++all;
      if (kin && there == name) ++on_node;
      if (kin && ZoneOfNode(world_.store, there) == zone) ++in_zone;
    }
    return {in_zone, on_node, all, name};
  }

  const World& world_;
  const Json& pod_;
  std::vector<ObjectPtr> nodes_;
  std::map<std::string, ObjectPtr> by_name_;
  std::vector<ObjectPtr> bound_;
  ObjectPtr volume_;
  std::map<std::string, int> reasons_;
};

void MarkUnschedulable(World& world, const Json& pod, const std::string& why) {
  (void)world.store.Modify(KeyFor(Type("v1", "Pod"), pod), [&](Json& object) {
    const Json* before = ConditionOf(object, "PodScheduled");
    const std::string since =
        before == nullptr ? Rfc3339(world.NowMs()) : StringAt(*before, {"lastTransitionTime"});
    object["status"]["conditions"] = Json::array();
    object["status"]["conditions"].push_back({{"type", "PodScheduled"},
                                              {"status", "False"},
                                              {"lastProbeTime", nullptr},
                                              {"lastTransitionTime", since},
                                              {"reason", "Unschedulable"},
                                              {"message", why}});
  });
}

// A volume is made where its first pod runs (WaitForFirstConsumer).
void ProvideVolume(World& world, const Json& pod, const std::string& node) {
  const std::string claim = ClaimOf(pod);
  const simulator::ObjectKey key{&Type("v1", "PersistentVolumeClaim"), std::string(kNamespace),
                                 claim};
  if (claim.empty() || world.store.Get(key) != nullptr) return;
  (void)AddClaim(world.store, claim, ZoneOfNode(world.store, node), "25Gi",
                 pod.at("metadata").at("labels"), world.NowMs());
}

}  // namespace

void RunScheduler(World& world) {
  for (const ObjectPtr& pod : AllPods(world)) {
    if (!StringAt(*pod, {"spec", "nodeName"}).empty() || IsTerminating(*pod)) continue;
    Placement placement(world, *pod);
    const auto node = placement.Choose();
    if (!node) {
      MarkUnschedulable(world, *pod, placement.why());
      continue;
    }
    ProvideVolume(world, *pod, *node);
    (void)world.store.Modify(KeyFor(Type("v1", "Pod"), *pod),
                             [&](Json& object) { BindPod(object, *node, world.NowMs()); });
  }
}

}  // namespace azexporter::platform
