#pragma once

// The pods of one namespace by their labels, so that a selector is asked once for all pods that
// have the same labels, and only for those that have one of the pairs it demands.
//
// Thread safety: immutable after construction.

#include <optional>
#include <vector>

#include "azexporter/kube/cluster_state.h"
#include "label_index.h"
#include "namespace_pods.h"

namespace azexporter::zones {

struct LabelSet {
  const kube::StringMap* labels = nullptr;
  std::vector<const SeenPod*> pods;
};

class LabelSets {
 public:
  // Takes the pods that are neither finished nor terminating: the only ones that the scheduler and
  // budgets count. The pods must outlive this.
  explicit LabelSets(const std::vector<SeenPod>& pods);

  const std::vector<LabelSet>& sets() const { return sets_; }
  std::vector<const LabelSet*> Matching(const kube::LabelSelector& selector) const;
  // An absent selector matches nothing.
  std::vector<const LabelSet*> Matching(const std::optional<kube::LabelSelector>& selector) const;

 private:
  std::vector<LabelSet> sets_;
  LabelIndex index_;
};

}  // namespace azexporter::zones
