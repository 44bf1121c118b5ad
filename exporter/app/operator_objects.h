#pragma once

// What the databases of operators are found by, whatever the operator. Private to `app`.
//
// Thread safety: pure functions.

#include <map>
#include <string>
#include <string_view>

#include "azexporter/kube/cluster_state.h"

namespace azexporter::app {

// Whether objects of this custom resource were listed, and nodes and pods as well. `complete`
// becomes true by that, or when it is known that there are none, or a file is all there is.
bool AreListed(const kube::ClusterState& cluster, std::string_view resource, bool& complete);

// What the database cluster of each object is called, by "NAMESPACE/NAME": NAME, or all of it where
// several of them have the name.
template <class Known>
std::map<std::string, std::string> DatabaseNames(const std::map<std::string, Known>& objects) {
  std::map<std::string_view, int> namesakes;
  for (const auto& [full, known] : objects) ++namesakes[known.object->meta.name];
  std::map<std::string, std::string> names;
  for (const auto& [full, known] : objects) {
    const std::string& name = known.object->meta.name;
    names[full] = namesakes[name] > 1 ? full : name;
  }
  return names;
}

}  // namespace azexporter::app
