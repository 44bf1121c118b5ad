#pragma once

// Which azexporter this is.

#include <string>

namespace azexporter::app {

std::string Version();      // "0.1.0"
std::string Revision();     // the commit it was built from, "" where that is not known
std::string VersionText();  // "azexporter, version 0.1.0 (revision 1a2b3c4)"

}  // namespace azexporter::app
