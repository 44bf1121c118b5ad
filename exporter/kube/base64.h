#pragma once

// Base64 with padding, as Kubernetes writes bytes into JSON and kubeconfig files. Private to
// `kube`.
//
// Thread safety: pure functions.

#include <optional>
#include <string>

namespace azexporter::kube {

// Blanks and line ends are passed over. nullopt where the rest is not base64.
std::optional<std::string> DecodeBase64(std::string text);

}  // namespace azexporter::kube
