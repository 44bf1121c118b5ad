#pragma once

// Kubernetes's resource quantities: "100m", "1.5Gi", "1e3", "12E".
// Semantics: kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "azexporter/base/result.h"

namespace azexporter::kube {

// In whole units or in thousandths, fractions rounded away from zero, as Kubernetes does; what
// exceeds 64 bits is held at their end. kBadData for what is no quantity.
base::Result<std::int64_t> ParseQuantity(std::string_view text);
base::Result<std::int64_t> ParseQuantityMilli(std::string_view text);

// Amounts of the resources of a node or a pod.
struct Resources {
  std::int64_t cpu_milli = 0;
  std::int64_t memory_bytes = 0;
  // How many pods a node takes. A pod does not ask for it; it counts for one.
  std::int64_t pods = 0;
  // ephemeral-storage (bytes), hugepages-*, extended resources, in whole units, sorted by name.
  std::vector<std::pair<std::string, std::int64_t>> others;

  // By the resource's name; cpu in thousandths. 0 where absent.
  std::int64_t Get(std::string_view name) const;
  void Set(std::string_view name, std::int64_t amount);
  // `other`'s amounts on top of these; sums are held at the end of 64 bits.
  void Add(const Resources& other);
  // For each resource the larger of both.
  void RaiseTo(const Resources& other);
  bool operator==(const Resources&) const = default;
};

}  // namespace azexporter::kube
