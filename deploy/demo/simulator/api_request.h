#pragma once

// What a request asks of the API: which resource, in which form, which part of it. Parsing only;
// list.h, watch.h and write.h answer.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "simulator/http_server.h"
#include "simulator/resources.h"
#include "simulator/selectors.h"
#include "simulator/status.h"
#include "simulator/store.h"

namespace azexporter::simulator {

struct ResourcePath {
  const ResourceType* type = nullptr;
  std::string version;      // as asked: "v1", "v1beta1"
  std::string ns;           // empty: all namespaces, or cluster-scoped
  std::string name;         // empty: the collection
  std::string subresource;  // "status", "eviction"; usually empty

  ObjectKey Key() const { return {type, ns, name}; }
};

// nullopt when the path names nothing that is served.
std::optional<ResourcePath> ParseResourcePath(std::string_view path);

enum class Representation { kObject, kTable, kPartialMetadata };

// The best of what the Accept header allows; 406 when it allows none.
ApiResult<Representation> Negotiate(std::string_view accept);

struct ListOptions {
  LabelSelector labels;
  FieldSelector fields;
  std::int64_t limit = 0;  // 0: everything
  std::string continue_token;
  std::string resource_version;  // "" newest, "0" any, or a number
  std::string version_match;     // "", "Exact" or "NotOlderThan"
  std::string include_object;    // of Table rows: "", "None", "Metadata" or "Object"
  bool watch = false;
  bool bookmarks = false;
  std::optional<bool> send_initial_events;
  std::int64_t timeout_seconds = 0;  // 0: the server chooses
  bool expired = false;              // the version that is asked for counts as forgotten

  // REQUIRES: resource_version is "", "0" or a number, which ParseListOptions sees to.
  std::int64_t Version() const;
  bool Selects(const ObjectPtr& object) const;
};

ApiResult<ListOptions> ParseListOptions(const HttpRequest& request, const ResourcePath& path);

// An object as the asked version of its resource tells it.
// kBare: without kind and apiVersion, as in lists of built-in resources.
enum class KindFields { kWith, kBare };
Json Render(const Json& object, const ResourcePath& path, KindFields kind_fields);
// The same of a stored object, appended to a text; mostly copied from its own.
void AppendObject(std::string& out, const ObjectPtr& object, const ResourcePath& path,
                  KindFields kind_fields);
// metadata only, as a PartialObjectMetadata.
void AppendMetadata(std::string& out, const ObjectPtr& object);
Json RenderMetadata(const Json& object);

}  // namespace azexporter::simulator
