#pragma once

// What is remembered of the custom resources that a selection takes. Private to `app`.
//
// Thread safety: as the map.

#include <map>
#include <string>
#include <utility>

#include "azexporter/config/config.h"
#include "azexporter/kube/object_list.h"

namespace azexporter::app {

// Brings `known`, by "NAMESPACE/NAME", to what there is of the selection: what is gone is
// forgotten, and `read` is called with each that is new or another object than before, after its
// Known::object was set. Whether there was any change.
template <class Known, class T, class Read>
bool TakeSelected(const kube::ObjectList<T>& objects, const config::ObjectSelection& selection,
                  std::map<std::string, Known>& known, Read read) {
  bool changed = false;
  std::map<std::string, Known> now;
  for (const auto& object : objects) {
    if (!selection.Selects(object->meta)) continue;
    const std::string name = object->meta.ns + "/" + object->meta.name;
    Known& entry = now[name];
    if (const auto before = known.find(name); before != known.end()) {
      entry = std::move(before->second);
    }
    if (std::exchange(entry.object, object) == object) continue;
    read(entry);
    changed = true;
  }
  changed = changed || now.size() != known.size();
  known = std::move(now);
  return changed;
}

}  // namespace azexporter::app
