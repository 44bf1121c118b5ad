#include "operator_objects.h"

#include <algorithm>
#include <iterator>

namespace azexporter::app {

bool AreListed(const kube::ClusterState& cluster, std::string_view resource, bool& complete) {
  const kube::ResourceHealth* health = cluster.HealthOf(resource);
  if (health != nullptr && (health->absent || health->from_file)) complete = true;
  const std::string_view all[] = {resource, kube::Pod::kResource, kube::Node::kResource};
  const bool listed = std::all_of(std::begin(all), std::end(all), [&](std::string_view one) {
    const kube::ResourceHealth* of_one = cluster.HealthOf(one);
    return of_one != nullptr && of_one->synced;
  });
  if (listed) complete = true;
  return listed;
}

}  // namespace azexporter::app
