#pragma once

// What every Kubernetes object has: a name, labels, owners.
//
// Thread safety: values.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "azexporter/kube/shared.h"

namespace azexporter::kube {

// Sorted by key.
using StringMap = std::vector<std::pair<std::string, std::string>>;

// "" where the key is absent.
std::string_view Lookup(const StringMap& map, std::string_view key);
// nullptr where the key is absent.
const std::string* Find(const StringMap& map, std::string_view key);

// A pod's labels all match `selector` (key=value pairs). An empty selector matches every pod.
bool MatchesLabels(const StringMap& labels, const StringMap& selector);

// Names of audit checks, or "all", that are not to be told of the object.
inline constexpr std::string_view kAuditIgnoreAnnotation = "azexporter.io/audit-ignore";

struct ObjectMeta {
  std::string name;
  std::string ns;  // namespace; empty for objects of the cluster
  std::string uid;
  Shared<StringMap> labels;
  // Decoded for nodes, and for Services those in use; kAuditIgnoreAnnotation for all but pods,
  // ConfigMaps and custom resources.
  StringMap annotations;
  std::int64_t created_ms = 0;  // wall time, of creationTimestamp; 0: not given
  bool terminating = false;     // a deletionTimestamp is set

  bool operator==(const ObjectMeta&) const = default;
};

struct Owner {
  std::string kind;
  std::string name;
  bool controller = false;

  bool operator==(const Owner&) const = default;
};

// The owner that controls the object, nullptr where it has none.
const Owner* ControllerOf(const std::vector<Owner>& owners);

}  // namespace azexporter::kube
