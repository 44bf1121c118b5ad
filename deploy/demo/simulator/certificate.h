#pragma once

// A self-signed certificate for 127.0.0.1 and localhost, made anew at every start. kubectl sends
// its token over TLS only, hence TLS on loopback.

#include <string>

#include "azexporter/base/result.h"

namespace azexporter::simulator {

struct Certificate {
  std::string certificate_pem;  // also the authority that clients trust
  std::string private_key_pem;
};

base::Result<Certificate> MakeLoopbackCertificate();

}  // namespace azexporter::simulator
