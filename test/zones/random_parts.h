#pragma once

// Parts of random clusters, the same ones on every machine.

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "azexporter/kube/pod_spec.h"

namespace azexporter::test {

class Dice {
 public:
  explicit Dice(std::uint32_t seed) : engine_(seed) {}
  int Below(int n) { return static_cast<int>(engine_() % static_cast<std::uint32_t>(n)); }
  bool OneIn(int n) { return Below(n) == 0; }
  template <class T>
  const T& Of(const std::vector<T>& choices) {
    return choices[static_cast<std::size_t>(Below(static_cast<int>(choices.size())))];
  }

 private:
  std::mt19937 engine_;  // its numbers are the same everywhere
};

inline const std::vector<std::string> kKeys = {"topology.kubernetes.io/zone",
                                               "kubernetes.io/hostname", "rack"};

inline kube::StringMap RandomLabels(Dice& dice) {
  std::map<std::string, std::string> labels;
  for (const char* key : {"app", "hash", "tier"}) {
    if (!dice.OneIn(4)) labels[key] = dice.Of<std::string>({"1", "2"});
  }
  return {labels.begin(), labels.end()};
}

inline std::optional<kube::LabelSelector> RandomSelector(Dice& dice) {
  if (dice.OneIn(10)) return std::nullopt;
  kube::LabelSelector selector;
  if (!dice.OneIn(3)) selector.match_labels = {{"app", dice.Of<std::string>({"1", "2"})}};
  if (dice.OneIn(3)) {
    const kube::SelectorOp op =
        dice.Of<kube::SelectorOp>({kube::SelectorOp::kIn, kube::SelectorOp::kNotIn});
    selector.requirements.push_back({"tier", op, {dice.Of<std::string>({"1", "2"})}});
  }
  if (dice.OneIn(5)) selector.requirements.push_back({"hash", kube::SelectorOp::kExists, {}});
  return selector;
}

inline kube::TopologySpreadConstraint RandomConstraint(Dice& dice) {
  kube::TopologySpreadConstraint constraint;
  constraint.topology_key = dice.Of(kKeys);
  constraint.max_skew = 1 + dice.Below(3);
  constraint.selector = RandomSelector(dice);
  if (dice.OneIn(3)) constraint.when_unsatisfiable = kube::WhenUnsatisfiable::kScheduleAnyway;
  if (dice.OneIn(3)) constraint.min_domains = 1 + dice.Below(4);
  if (dice.OneIn(3)) constraint.node_affinity_policy = kube::NodeInclusionPolicy::kIgnore;
  if (dice.OneIn(3)) constraint.node_taints_policy = kube::NodeInclusionPolicy::kHonor;
  if (dice.OneIn(3)) constraint.match_label_keys = {"hash"};
  return constraint;
}

}  // namespace azexporter::test
