#pragma once

// Text for HTML and XML.

#include <string>
#include <string_view>

namespace azexporter::base {

// `text` as it stands between tags or in an attribute in double quotes. Control characters, which
// XML does not allow even escaped, become blanks.
std::string EscapeXml(std::string_view text);

}  // namespace azexporter::base
