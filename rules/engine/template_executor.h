#pragma once

// Walks the tree of a template over the data of an alert. Private to `rules`.
// Semantics: golang.org/src/text/template/exec.go.
//
// Thread safety: pure functions.

#include <string>

#include "azexporter/base/result.h"
#include "azexporter/rules/template.h"
#include "template_tree.h"

namespace azexporter::rules::text_template {

// kExecution, as Go has it: `template: NAME:LINE:COLUMN: executing "NAME" at <...>: ...`.
base::Result<std::string> Execute(const Tree& tree, const TemplateData& data);

}  // namespace azexporter::rules::text_template
