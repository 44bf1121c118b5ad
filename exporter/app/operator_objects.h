#pragma once

// What the databases of operators are found by, whatever the operator. Private to `app`.
//
// Thread safety: pure functions.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/kube/cluster_state.h"

namespace azexporter::app {

// It is known that there are no such objects, or a file is all there is to be known.
bool IsFinal(const kube::ClusterState& cluster, std::string_view resource);
// Objects of this custom resource were listed, and nodes and pods as well.
bool AreListed(const kube::ClusterState& cluster, std::string_view resource);

// What the database cluster of each object is called, by "NAMESPACE/NAME": NAME, or all of it where
// several of them have the name.
std::map<std::string, std::string> DatabaseNames(
    const std::vector<const kube::ObjectMeta*>& objects);

}  // namespace azexporter::app
