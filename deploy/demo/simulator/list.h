#pragma once

// GET of one object, LIST and its pages.
//
// A page's continue token names the version of the first page, so that all pages together are one
// moment's state; when that moment is forgotten the answer is 410 with a token for the rest of the
// list as it is now.
// Semantics:
// kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks and
// #resource-versions.

#include "simulator/api_request.h"
#include "simulator/json_document.h"

namespace azexporter::simulator {

// The body of a LIST in the asked representation.
ApiResult<JsonDocument> ListBody(const Store& store, const ResourcePath& path,
                                 const ListOptions& options, Representation representation,
                                 std::int64_t now_ms);

// The body of a GET.
ApiResult<JsonDocument> GetBody(const Store& store, const ResourcePath& path,
                                Representation representation, std::int64_t now_ms,
                                std::string_view include_object);

}  // namespace azexporter::simulator
