#pragma once

// Kubernetes quantities: "250m", "512Mi", "100", "1.5G".
// Source: kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/.

#include <string_view>

namespace azexporter::platform {

// 0 for an empty or malformed text.
double ParseQuantity(std::string_view text);

}  // namespace azexporter::platform
