#pragma once

// Secrets, each read by its name with one GET: the right to list or watch them, which is the right
// to read them all, is never needed.
// Source: kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/secret-v1.
//
// Thread safety: thread-safe.

#include <cstdint>
#include <stop_token>
#include <string>

#include "azexporter/kube/api_client.h"
#include "azexporter/kube/object_meta.h"

namespace azexporter::kube {

// Its data by key, decoded. kBadData where `ns` or `name` is none that an object may have, or the
// answer is no Secret. No error repeats what a Secret holds.
ApiResult<StringMap> ReadSecret(ApiClient& client, const std::string& ns, const std::string& name,
                                std::int64_t timeout_ms, std::stop_token stop);

}  // namespace azexporter::kube
