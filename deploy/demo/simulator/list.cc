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

ApiResult<Snapshot> StateFor(const Store& store, const ResourcePath& path,
                             const ListOptions& options,
                             const std::optional<ContinueToken>& token) {
  const std::int64_t newest = store.resource_version();
  if (token && token->version >= 0) {
    if (token->version > newest) return tl::unexpected(VersionInFuture(token->version, newest));
    auto state = options.expired ? std::nullopt : store.At(*path.type, token->version);
    if (!state) return tl::unexpected(ExpiredToken(*token));
    return std::move(*state);
  }
  const std::int64_t asked = options.Version();
  if (!token && asked > newest) return tl::unexpected(VersionInFuture(asked, newest));
  // A version with a limit and no match means Exact, for the sake of old clients.
  const bool exact = options.version_match == "Exact" ||
                     (options.version_match.empty() && options.limit > 0 && asked > 0);
  if (!token && exact) {
    auto state = options.expired ? std::nullopt : store.At(*path.type, asked);
    if (!state) {
      return tl::unexpected(Expired("The resourceVersion for the provided list is too old."));
    }
    return std::move(*state);
  }
  return store.Now(*path.type);
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

// The objects that are asked for, one page at most, and in `metadata` how to go on.
std::vector<ObjectPtr> TakePage(const Snapshot& state, const ResourcePath& path,
                                const ListOptions& options,
                                const std::optional<ContinueToken>& token, Json& metadata) {
  // Tokens name paths inside the listed collection.
  const std::string prefix = path.ns.empty() ? std::string() : path.ns + "/";
  const auto limit = static_cast<std::size_t>(std::max<std::int64_t>(options.limit, 0));
  std::vector<ObjectPtr> items;
  bool more = false;
  state.objects.VisitFrom(prefix + (token ? token->start : ""), [&](const ObjectPtr& object) {
    if (!object.path().starts_with(prefix)) return false;
    if (!options.Selects(object)) return true;
    more = limit > 0 && items.size() == limit;
    if (!more) items.push_back(object);
    return !more;
  });
  if (!more) return items;
  const std::string& last = items.back().path();
  metadata["continue"] = EncodeToken({.version = state.resource_version,
                                      .start = (token ? "" : "/") + last.substr(prefix.size())});
  if (options.labels.empty() && options.fields.empty()) {
    // '0' is what comes after '/': where the namespace's paths end.
    const std::size_t end =
        path.ns.empty() ? state.objects.size() : state.objects.Rank(path.ns + "0");
    metadata["remainingItemCount"] = end - state.objects.Rank(last) - 1;
  }
  return items;
}

std::string KindAndVersion(std::string_view kind, std::string_view api_version) {
  return fmt::format("{{\"kind\":\"{}\",\"apiVersion\":\"{}\",", kind, api_version);
}

JsonDocument Wrap(const ResourcePath& path, std::vector<ObjectPtr> items, Json metadata) {
  const ResourceType& type = *path.type;
  JsonDocument document{.items = std::move(items)};
  document.append_item = [path](std::string& out, const ObjectPtr& object) {
    AppendObject(out, object, path, path.type->custom ? KindFields::kWith : KindFields::kBare);
  };
  if (type.custom) {
    // Lists of custom resources have their keys in alphabetical order and always a continue.
    Json sorted = {{"continue", metadata.value("continue", "")}};
    metadata.erase("continue");
    sorted.update(metadata);
    document.head =
        fmt::format("{{\"apiVersion\":\"{}\",\"items\":[", type.ApiVersion(path.version));
    document.tail =
        fmt::format("],\"kind\":\"{}\",\"metadata\":{}}}", type.ListKind(), Dump(sorted));
    return document;
  }
  document.head = KindAndVersion(type.ListKind(), type.ApiVersion(path.version)) +
                  fmt::format("\"metadata\":{},\"items\":[", Dump(metadata));
  document.tail = "]}";
  return document;
}

JsonDocument MetadataList(std::vector<ObjectPtr> items, const Json& metadata) {
  return {.head = KindAndVersion("PartialObjectMetadataList", "meta.k8s.io/v1") +
                  fmt::format("\"metadata\":{},\"items\":[", Dump(metadata)),
          .items = std::move(items),
          .append_item = &AppendMetadata,
          .tail = "]}"};
}

}  // namespace

ApiResult<JsonDocument> ListBody(const Store& store, const ResourcePath& path,
                                 const ListOptions& options, Representation representation,
                                 std::int64_t now_ms) {
  if (auto checked = CheckOptions(options); !checked) return tl::unexpected(checked.error());
  std::optional<ContinueToken> token;
  if (!options.continue_token.empty()) {
    auto decoded = DecodeToken(options.continue_token);
    if (!decoded) return tl::unexpected(decoded.error());
    token = std::move(*decoded);
  }
  const auto state = StateFor(store, path, options, token);
  if (!state) return tl::unexpected(state.error());
  Json metadata = {{"resourceVersion", std::to_string(state->resource_version)}};
  std::vector<ObjectPtr> items = TakePage(*state, path, options, token, metadata);
  switch (representation) {
    case Representation::kTable:
      return JsonDocument{
          .head = Dump(MakeTable(path, items, std::move(metadata),
                                 {.now_ms = now_ms, .include_object = options.include_object}))};
    case Representation::kPartialMetadata:
      return MetadataList(std::move(items), metadata);
    case Representation::kObject:
      break;
  }
  return Wrap(path, std::move(items), std::move(metadata));
}

ApiResult<JsonDocument> GetBody(const Store& store, const ResourcePath& path,
                                Representation representation, std::int64_t now_ms,
                                std::string_view include_object) {
  const ObjectPtr object = store.Get(path.Key());
  if (object == nullptr) return tl::unexpected(ObjectNotFound(*path.type, path.name));
  JsonDocument document;
  switch (representation) {
    case Representation::kTable:
      document.head =
          Dump(MakeTable(path, {&object, 1},
                         {{"resourceVersion", StringAt(*object, {"metadata", "resourceVersion"})}},
                         {.now_ms = now_ms, .include_object = std::string(include_object)}));
      return document;
    case Representation::kPartialMetadata:
      AppendMetadata(document.head, object);
      return document;
    case Representation::kObject:
      break;
  }
  AppendObject(document.head, object, path, KindFields::kWith);
  return document;
}

}  // namespace azexporter::simulator
