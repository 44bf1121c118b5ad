#include "operator_objects.h"

#include <algorithm>
#include <iterator>

namespace azexporter::app {

bool IsFinal(const kube::ClusterState& cluster, std::string_view resource) {
  const kube::ResourceHealth* health = cluster.HealthOf(resource);
  return health != nullptr && (health->absent || health->from_file);
}

bool AreListed(const kube::ClusterState& cluster, std::string_view resource) {
  const std::string_view all[] = {resource, kube::Pod::kResource, kube::Node::kResource};
  return std::all_of(std::begin(all), std::end(all), [&cluster](std::string_view one) {
    const kube::ResourceHealth* health = cluster.HealthOf(one);
    return health != nullptr && health->synced;
  });
}

std::map<std::string, std::string> DatabaseNames(
    const std::vector<const kube::ObjectMeta*>& objects) {
  std::map<std::string_view, int> namesakes;
  for (const kube::ObjectMeta* meta : objects) ++namesakes[meta->name];
  std::map<std::string, std::string> names;
  for (const kube::ObjectMeta* meta : objects) {
    const std::string full = meta->ns + "/" + meta->name;
    names[full] = namesakes[meta->name] > 1 ? full : meta->name;
  }
  return names;
}

}  // namespace azexporter::app
