#pragma once

#include <algorithm>
#include <string>
#include <utility>

#include "azexporter/kube/object_meta.h"

namespace azexporter::test {

// REQUIRES: the object does not have the label.
inline void AddLabel(kube::ObjectMeta& meta, std::string key, std::string value) {
  kube::StringMap& labels = meta.labels.Edit();
  labels.emplace_back(std::move(key), std::move(value));
  std::sort(labels.begin(), labels.end());
}

}  // namespace azexporter::test
