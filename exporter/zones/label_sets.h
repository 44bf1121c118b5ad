#pragma once

// The pods of one namespace by their labels, so that a selector is asked once for all pods that
// have the same labels, and only for those that have one of the pairs it demands.
//
// Thread safety: one thread only.

#include <optional>
#include <vector>

#include "azexporter/kube/cluster_state.h"
#include "label_index.h"
#include "namespace_pods.h"

namespace azexporter::zones {

struct LabelSet {
  const kube::StringMap* labels = nullptr;
  std::vector<PodRun> runs;  // in order of names
};

class LabelSets {
 public:
  // The pods must outlive this.
  explicit LabelSets(const std::vector<PodRun>& runs);

  const std::vector<LabelSet>& sets() const { return sets_; }
  std::vector<const LabelSet*> Matching(const kube::LabelSelector& selector) const;
  // An absent selector matches nothing.
  std::vector<const LabelSet*> Matching(const std::optional<kube::LabelSelector>& selector) const;

 private:
  std::vector<LabelSet> sets_;
  mutable LabelIndex index_;  // indexes a key when first asked for
};

}  // namespace azexporter::zones
