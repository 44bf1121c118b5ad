#pragma once

// What a template asks for, as far as it stands in its text. Private to `rules`.
//
// Thread safety: pure functions.

#include <string>
#include <vector>

#include "template_tree.h"

namespace azexporter::rules::text_template {

// The literal arguments of `query`, given to it or piped into it.
std::vector<std::string> Queries(const Tree& tree);

}  // namespace azexporter::rules::text_template
