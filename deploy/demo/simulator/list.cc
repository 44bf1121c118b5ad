#include "simulator/list.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "simulator/base64.h"
#include "simulator/table.h"

namespace azexporter::simulator {
namespace {

struct ContinueToken {
  std::int64_t version = 0;  // -1: the rest of the list as it is now
  std::string start;         // the first path of the next page
};

std::string EncodeToken(const ContinueToken& token) {
  // The end of the last path, then a zero byte: the next possible path.
  const Json json = {{"v", "meta.k8s.io/v1"},
                     {"rv", token.version},
                     {"start", token.start + std::string(1, '\0')}};
  return Base64Url(Dump(json));
}

ApiResult<ContinueToken> DecodeToken(std::string_view text) {
  const auto fail = [](std::string why) {
    return tl::unexpected(
        BadRequest("invalid continue token: continue key is not valid: " + std::move(why)));
  };
  const auto bytes = FromBase64Url(text);
  if (!bytes) return fail(fmt::format("illegal base64 data at input byte {}", bytes.error()));
  const auto json = ParseJson(*bytes);
  if (!json || !json->is_object()) {
    const unsigned first = bytes->empty() ? 0 : static_cast<unsigned char>(bytes->front());
    return fail(
        first >= 0x20 && first < 0x7f
            ? fmt::format("invalid character '{}' looking for beginning of value",
                          static_cast<char>(first))
            : fmt::format("invalid character '\\u{:04x}' looking for beginning of value", first));
  }
  if (StringAt(*json, {"v"}) != "meta.k8s.io/v1") {
    return fail("server does not recognize this encoded version");
  }
  ContinueToken token{.version = IntAt(*json, {"rv"}), .start = StringAt(*json, {"start"})};
  // First pages name their place with a leading slash, later ones without.
  if (token.start.starts_with('/')) token.start.erase(0, 1);
  return token;
}

ApiError ExpiredToken(const ContinueToken& token) {
  ApiError error = Expired(
      "The provided continue parameter is too old to display a consistent list result. You can "
      "start a new list without the continue parameter, or use the continue token in this response "
      "to retrieve the remainder of the results. Continuing with the provided token results in an "
      "inconsistent list - objects that were created, modified, or deleted between the time the "
      "first chunk was returned and now may show up in the list.");
  std::string start = token.start;
  if (!start.empty() && start.back() == '\0') start.pop_back();
  error.continue_token = EncodeToken({.version = -1, .start = start});
  return error;
}

// The path of an object inside the listed collection, as tokens name it.
std::string PathIn(const Json& object, const ResourcePath& path) {
  const std::string name = StringAt(object, {"metadata", "name"});
  return path.type->namespaced && path.ns.empty()
             ? StringAt(object, {"metadata", "namespace"}) + "/" + name
             : name;
}

ApiResult<ObjectList> StateFor(const Store& store, const ResourcePath& path,
                               const ListOptions& options,
                               const std::optional<ContinueToken>& token) {
  if (token && token->version >= 0) {
    if (token->version > store.resource_version()) {
      return tl::unexpected(VersionInFuture(token->version, store.resource_version()));
    }
    if (options.expired) return tl::unexpected(ExpiredToken(*token));
    auto state = store.ListAt(*path.type, path.ns, token->version);
    if (!state) return tl::unexpected(ExpiredToken(*token));
    return std::move(*state);
  }
  const std::int64_t asked = options.Version();
  if (!token && asked > store.resource_version()) {
    return tl::unexpected(VersionInFuture(asked, store.resource_version()));
  }
  // A version with a limit and no match means Exact, for the sake of old clients.
  const bool exact = options.version_match == "Exact" ||
                     (options.version_match.empty() && options.limit > 0 && asked > 0);
  if (!token && exact) {
    auto state = options.expired ? std::nullopt : store.ListAt(*path.type, path.ns, asked);
    if (!state) {
      return tl::unexpected(Expired("The resourceVersion for the provided list is too old."));
    }
    return std::move(*state);
  }
  return store.List(*path.type, path.ns);
}

ApiResult<void> CheckOptions(const ListOptions& options) {
  const auto invalid = [](std::string_view field, std::string_view why) {
    return tl::unexpected(Invalid("meta.k8s.io", "ListOptions", "", field, "FieldValueForbidden",
                                  fmt::format("Forbidden: {}", why)));
  };
  if (options.send_initial_events) {
    return invalid("sendInitialEvents", "sendInitialEvents is forbidden for list");
  }
  if (!options.version_match.empty() && options.resource_version.empty()) {
    return invalid("resourceVersionMatch",
                   "resourceVersionMatch is forbidden unless resourceVersion is provided");
  }
  if (!options.continue_token.empty() && options.Version() > 0) {
    return tl::unexpected(
        BadRequest("specifying resource version is not allowed when using continue"));
  }
  return {};
}

Json Wrap(const ResourcePath& path, std::span<const ObjectPtr> objects, Json metadata) {
  Json items = Json::array();
  for (const ObjectPtr& object : objects) {
    items.push_back(
        Render(*object, path, path.type->custom ? KindFields::kWith : KindFields::kBare));
  }
  if (path.type->custom) {
    // Lists of custom resources have their keys in alphabetical order and always a continue.
    Json sorted = {{"continue", metadata.value("continue", "")}};
    metadata.erase("continue");
    sorted.update(metadata);
    return {{"apiVersion", path.type->ApiVersion(path.version)},
            {"items", std::move(items)},
            {"kind", path.type->ListKind()},
            {"metadata", std::move(sorted)}};
  }
  return {{"kind", path.type->ListKind()},
          {"apiVersion", path.type->ApiVersion(path.version)},
          {"metadata", std::move(metadata)},
          {"items", std::move(items)}};
}

Json MetadataList(std::span<const ObjectPtr> objects, Json metadata) {
  Json items = Json::array();
  for (const ObjectPtr& object : objects) items.push_back(RenderMetadata(*object));
  return {{"kind", "PartialObjectMetadataList"},
          {"apiVersion", "meta.k8s.io/v1"},
          {"metadata", std::move(metadata)},
          {"items", std::move(items)}};
}

// Cuts `items` to one page and says in `metadata` how to go on.
void CutToPage(const ResourcePath& path, const ListOptions& options,
               const std::optional<ContinueToken>& token, std::int64_t version,
               std::vector<ObjectPtr>& items, Json& metadata) {
  const auto limit = static_cast<std::size_t>(options.limit);
  if (options.limit <= 0 || items.size() <= limit) return;
  const std::string last = PathIn(*items[limit - 1], path);
  metadata["continue"] = EncodeToken({.version = version, .start = (token ? "" : "/") + last});
  if (options.labels.empty() && options.fields.empty()) {
    metadata["remainingItemCount"] = items.size() - limit;
  }
  items.resize(limit);
}

}  // namespace

ApiResult<Json> ListBody(const Store& store, const ResourcePath& path, const ListOptions& options,
                         Representation representation, std::int64_t now_ms) {
  if (auto checked = CheckOptions(options); !checked) return tl::unexpected(checked.error());
  std::optional<ContinueToken> token;
  if (!options.continue_token.empty()) {
    auto decoded = DecodeToken(options.continue_token);
    if (!decoded) return tl::unexpected(decoded.error());
    token = std::move(*decoded);
  }
  auto state = StateFor(store, path, options, token);
  if (!state) return tl::unexpected(state.error());
  std::vector<ObjectPtr> items;
  for (ObjectPtr& object : state->items) {
    if (token && PathIn(*object, path) < token->start) continue;
    if (options.Selects(*object)) items.push_back(std::move(object));
  }
  Json metadata = {{"resourceVersion", std::to_string(state->resource_version)}};
  CutToPage(path, options, token, state->resource_version, items, metadata);
  switch (representation) {
    case Representation::kTable:
      return MakeTable(path, items, std::move(metadata),
                       {.now_ms = now_ms, .include_object = options.include_object});
    case Representation::kPartialMetadata:
      return MetadataList(items, std::move(metadata));
    case Representation::kObject:
      break;
  }
  return Wrap(path, items, std::move(metadata));
}

ApiResult<Json> GetBody(const Store& store, const ResourcePath& path, Representation representation,
                        std::int64_t now_ms, std::string_view include_object) {
  const ObjectPtr object = store.Get(path.Key());
  if (object == nullptr) return tl::unexpected(ObjectNotFound(*path.type, path.name));
  switch (representation) {
    case Representation::kTable:
      return MakeTable(path, {&object, 1},
                       {{"resourceVersion", StringAt(*object, {"metadata", "resourceVersion"})}},
                       {.now_ms = now_ms, .include_object = std::string(include_object)});
    case Representation::kPartialMetadata:
      return RenderMetadata(*object);
    case Representation::kObject:
      break;
  }
  return Render(*object, path, KindFields::kWith);
}

}  // namespace azexporter::simulator
