#pragma once

// A JSON body in pieces, so that a list of any length is served without being one text in memory.

#include <functional>
#include <string>
#include <vector>

#include "simulator/http_server.h"
#include "simulator/object.h"

namespace azexporter::simulator {

struct JsonDocument {
  std::string head;  // everything when there are no items
  std::vector<ObjectPtr> items;
  // Appends one item to a text; between two items stands a comma.
  std::function<void(std::string& out, const ObjectPtr& item)> append_item;
  std::string tail;

  // Bytes, roughly.
  std::size_t SizeHint() const;
  // The whole, compact, on one line without its end.
  std::string Text() const;
  // The same in chunks, with the end of the line. False when the client went away.
  bool Write(BodyStream& out) const;
};

}  // namespace azexporter::simulator
