#pragma once

// From what Kubernetes sends to objects. Private to `kube`.
//
// Lists and watch events are walked field by field in one pass; what is not in use is skipped.
// A field of an unexpected type is an error of that object, whose neighbours are kept.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/base/result.h"
#include "azexporter/kube/objects.h"
#include "azexporter/kube/wire_schema.h"
#include "resources.h"

namespace azexporter::kube {

// What one page of a list, or one event of a watch, came to: what is alike for all resources first.
struct ListHead {
  std::vector<std::string> item_errors;  // "pods platform-03/web-1: spec.nodeName: ..."
  std::string resource_version;
  std::string continue_token;  // empty on the last page
};

template <class T>
struct DecodedList : ListHead {
  Objects<T> items;
};

enum class EventType { kAdded, kModified, kDeleted, kBookmark, kError };

struct EventHead {
  EventType type = EventType::kError;
  std::string resource_version;  // of all types but kError
  // Of a bookmark: all objects there were when the watch began have been told.
  bool initial_events_end = false;
  int error_code = 0;  // of kError: the code of the Status, 410 among others
  std::string error_message;
};

template <class T>
struct DecodedEvent : EventHead {
  Object<T> object;  // of the first three types
};

// Reads one body after the other, and keeps in between what serves the next: values that many
// objects have alike become one, in this list and in others; the JSON parser's memory.
// One thread only.
class Decoder {
 public:
  Decoder();
  ~Decoder();
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  // `body` may be changed.
  template <class T>
  base::Result<DecodedList<T>> List(std::string& body, Encoding encoding);
  // One line of a watch in JSON, one frame of it in protobuf.
  template <class T>
  base::Result<DecodedEvent<T>> Event(std::string& frame, Encoding encoding);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The message of a Status body ("pods is forbidden: ..."); the trimmed text where it is none.
std::string StatusMessage(std::string body, Encoding encoding);

// The objects of a `kubectl get -o json` answer: a List or a single object, kinds mixed; or of an
// API server's answer, whose items do not name their kind.
struct MixedObjects {
  WithAllResources<ObjectLists> lists;
  std::vector<std::string> item_errors;
};
base::Result<void> DecodeMixed(std::string& body, MixedObjects& into);

}  // namespace azexporter::kube
