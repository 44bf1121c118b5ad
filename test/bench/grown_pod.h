#pragma once

#include <string>

#include "simulator/json.h"

namespace azexporter::bench {

// Pods of a simulated cluster have 4 KB; in life they have 9, a third of it managedFields.
inline simulator::Json Grown(const simulator::Json& pod) {
  using simulator::Json;
  Json grown = pod;
  std::string fields;
  for (int i = 0; fields.size() < 2'900; ++i) {
    fields += "\"f:field" + std::to_string(i) + "\":{\".\":{},\"f:name\":{}},";
  }
  fields.pop_back();
  grown["metadata"]["managedFields"] = {
      {{"manager", "kube-controller-manager"},
       {"operation", "Update"},
       {"fieldsType", "FieldsV1"},
       {"fieldsV1", simulator::ParseJson("{" + fields + "}").value()}}};
  Json& env = grown["spec"]["containers"][0]["env"];
  for (int i = 0; i < 30; ++i) {
    env.push_back({{"name", "SETTING_" + std::to_string(i)},
                   {"value", "value-of-setting-" + std::to_string(i)}});
  }
  return grown;
}

}  // namespace azexporter::bench
