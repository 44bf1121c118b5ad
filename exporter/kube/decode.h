#pragma once

// From Kubernetes JSON to objects. Private to `kube`.
//
// Lists and watch events are walked field by field in one pass; what is not in use is skipped.
// A field of an unexpected type is an error of that object, whose neighbours are kept.

#include <string>
#include <string_view>
#include <vector>

#include "azexporter/base/result.h"
#include "azexporter/kube/objects.h"
#include "resources.h"
#include "value_pool.h"

namespace azexporter::kube {

// What one page of a list, or one line of a watch, came to: what is alike for all resources first.
struct ListHead {
  std::vector<std::string> item_errors;  // "pods platform-03/web-1: spec.nodeName: ..."
  std::string resource_version;
  std::string continue_token;  // empty on the last page
};

template <class T>
struct DecodedList : ListHead {
  std::vector<T> items;
};

// `pools`: where what is equal in this list and in others becomes one object.
template <class T>
base::Result<DecodedList<T>> DecodeList(std::string& body, ValuePools& pools);

enum class EventType { kAdded, kModified, kDeleted, kBookmark, kError };

struct EventHead {
  EventType type = EventType::kError;
  std::string resource_version;  // of all types but kError
  int error_code = 0;            // of kError: the code of the Status, 410 among others
  std::string error_message;
};

template <class T>
struct DecodedEvent : EventHead {
  T object;  // of the first three types
};

template <class T>
base::Result<DecodedEvent<T>> DecodeEvent(std::string& line, ValuePools& pools);

// The message of a Status body ("pods is forbidden: ..."); the trimmed text where it is none.
std::string StatusMessage(std::string body);

// The objects of a `kubectl get -o json` answer: a List or a single object, kinds mixed; or of an
// API server's answer, whose items do not name their kind.
struct MixedObjects {
  WithAllResources<Vectors> lists;
  std::vector<std::string> item_errors;
};
base::Result<void> DecodeMixed(std::string& body, MixedObjects& into);

}  // namespace azexporter::kube
