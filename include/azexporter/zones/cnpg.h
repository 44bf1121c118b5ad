#pragma once

// What the operator CloudNativePG says of a PostgreSQL cluster in its Cluster object.
// Field meanings: github.com/cloudnative-pg/cloudnative-pg, api/v1/cluster_types.go.
//
// Thread safety: values; the function is pure.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "azexporter/base/result.h"
#include "azexporter/kube/custom_objects.h"

namespace azexporter::zones {

struct CnpgStatus {
  std::string cluster;  // the database cluster, as in metrics: "orders-db"
  std::string ns;
  std::string name;                // of the object
  std::int64_t instances = 0;      // wanted: spec.instances
  std::int64_t ready = 0;          // of them, as the operator sees it
  std::string phase;               // "Cluster in healthy state"; empty: not told yet
  std::string current_primary;     // an instance; empty: none
  std::string target_primary;      // which one the operator wants
  bool hibernated = false;         // its pods are gone on purpose
  std::vector<std::string> names;  // of the instances that there are to be, with pod or without
  // By instance, as the operator last saw it.
  std::map<std::string, std::string, std::less<>> zones;

  // The primary is being moved, or has failed over and not arrived.
  bool switching() const { return current_primary != target_primary; }

  friend bool operator==(const CnpgStatus&, const CnpgStatus&) = default;
};

// `cluster` is the name of the object. What a new Cluster does not have yet is empty. kBadData,
// naming the object, where it is not what the operator writes.
base::Result<CnpgStatus> ReadCnpgCluster(const kube::CnpgCluster& object);

}  // namespace azexporter::zones
