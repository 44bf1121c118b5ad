#pragma once

// Labels as text for files: each name and each value with its length before it,
// "4:zone10:us-east-1a". Equal labels have equal text, whatever is in them.
//
// Thread safety: pure functions.

#include <string>
#include <string_view>

#include "azexporter/base/result.h"
#include "azexporter/model/labels.h"

namespace azexporter::model {

std::string EncodeLabels(const Labels& labels);
// kBadData when EncodeLabels did not write it.
base::Result<Labels> DecodeLabels(std::string_view text);

}  // namespace azexporter::model
