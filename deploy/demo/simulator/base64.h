#pragma once

// Base64 in the two forms that Kubernetes uses.

#include <cstddef>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace azexporter::simulator {

// The standard alphabet with padding, as kubeconfig carries certificates.
std::string Base64(std::string_view bytes);

// The URL alphabet without padding, as continue tokens and JSON web tokens are written.
std::string Base64Url(std::string_view bytes);
// The bytes, or the place of the first character that is not in the alphabet.
tl::expected<std::string, std::size_t> FromBase64Url(std::string_view text);

}  // namespace azexporter::simulator
