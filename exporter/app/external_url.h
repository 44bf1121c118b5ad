#pragma once

// The URL under which others see this program: links in alerts begin with it. Private to `app`.

#include <string>
#include <string_view>

#include "azexporter/base/result.h"

namespace azexporter::app {

// What --web.external-url may be: an http or https URL, without a query or fragment, user or
// password. The result has no slash at its end.
base::Result<std::string> CheckExternalUrl(std::string_view url);

// Without the flag: this host's name with the port that is listened on.
std::string DefaultExternalUrl(std::string_view listen_url);

}  // namespace azexporter::app
