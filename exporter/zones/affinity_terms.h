#pragma once

// What a term of pod affinity or anti-affinity means for the pod that has it.
//
// Thread safety: may be called from any thread.

#include <optional>
#include <string>
#include <vector>

#include "azexporter/kube/pod_spec.h"

namespace azexporter::zones {

// The selector for a pod with these labels; absent where the term has none: it matches nothing.
std::optional<kube::LabelSelector> EffectiveSelector(const kube::PodAffinityTerm& term,
                                                     const kube::StringMap& labels);

bool EveryNamespace(const kube::PodAffinityTerm& term);

// It looks into other namespaces than the pod's own.
bool LooksOutside(const kube::PodAffinityTerm& term, const std::string& own);

// In order, the pod's own where the term names none. A namespace selector that is not empty is
// taken to select nothing, since namespaces are not watched.
std::vector<std::string> NamespacesOf(const kube::PodAffinityTerm& term, const std::string& own);

}  // namespace azexporter::zones
