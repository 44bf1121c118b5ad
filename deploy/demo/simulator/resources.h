#pragma once

// The table of resources that the simulator serves. Everything that differs by resource (paths,
// discovery, list kinds, whether items carry their kind) is read from here.

#include <array>
#include <span>
#include <string>
#include <string_view>

namespace azexporter::simulator {

struct ResourceType {
  std::string_view group;  // empty: the core group
  // Served versions, the preferred one first; unused places are empty. Objects are kept in the
  // preferred version and told in the version that was asked for, as a CRD without conversion.
  std::array<std::string_view, 3> versions;
  std::string_view plural;
  std::string_view kind;
  bool namespaced;
  bool custom;  // a CustomResourceDefinition: list items carry kind and apiVersion
  std::string_view short_name;
  bool in_all;  // belongs to kubectl's category "all"
  bool has_status;
  bool create_only = false;  // answers a question: created, never kept

  std::string Singular() const;  // the kind in lower case
  std::string ListKind() const { return std::string(kind) + "List"; }
  // "v1" or "apps/v1".
  std::string ApiVersion(std::string_view version) const;
  std::string ApiVersion() const { return ApiVersion(versions[0]); }
  // "pods" or "deployments.apps", as error messages name it.
  std::string Qualified() const;
  bool Serves(std::string_view version) const;
};

std::span<const ResourceType> AllResources();

// nullptr when nothing of that name is served.
const ResourceType* FindResource(std::string_view group, std::string_view version,
                                 std::string_view plural);
const ResourceType* FindKind(std::string_view api_version, std::string_view kind);

}  // namespace azexporter::simulator
