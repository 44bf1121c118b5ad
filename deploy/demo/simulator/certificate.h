#pragma once

// A self-signed certificate for 127.0.0.1 and localhost, made anew at every start. kubectl sends
// its token over TLS only, hence TLS on loopback.

#include <string>
#include <string_view>

#include "azexporter/base/result.h"

namespace azexporter::simulator {

struct Certificate {
  std::string certificate_pem;  // also the authority that clients trust
  std::string private_key_pem;
};

base::Result<Certificate> MakeLoopbackCertificate();

// Standard base64 with padding, as kubeconfig carries certificates.
std::string Base64(std::string_view bytes);

}  // namespace azexporter::simulator
