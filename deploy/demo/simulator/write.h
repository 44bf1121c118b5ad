#pragma once

// POST, PUT, PATCH and DELETE.
//
// Deletion is immediate: there is no kubelet to wait for, so pods never stay Terminating.

#include "simulator/api_request.h"

namespace azexporter::simulator {

struct WriteAnswer {
  int status = 200;
  Json body;
};

ApiResult<WriteAnswer> HandleWrite(Store& store, const ResourcePath& path,
                                   const HttpRequest& request);

// What a real server refuses beyond the shape of the object: the field checks that the documented
// manifests run into.
ApiResult<void> Validate(const ResourceType& type, const Json& object);

}  // namespace azexporter::simulator
