#pragma once

// Private to `exposition`.

#include <string>
#include <string_view>

#include "azexporter/base/result.h"

namespace azexporter::exposition {

// kBadData about the protobuf message of that name.
inline tl::unexpected<base::Error> Malformed(std::string_view message) {
  return base::BadData("malformed protobuf: " + std::string(message) +
                       " is cut short or has a field of the wrong type");
}

}  // namespace azexporter::exposition
