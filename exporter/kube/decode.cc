#include "decode.h"

#include <functional>

#include "decode_fields.h"

namespace azexporter::kube {
namespace {

using base::BadData;
using base::Fail;
using base::Result;

// Not templates, so that the walks are compiled once and not for each resource.
using FieldReader = std::function<Result<void>(std::string_view key, od::value value)>;
using ObjectReader = std::function<Result<void>(od::value object)>;

Result<void> ReadFields(std::string_view resource, od::object json, const ObjectMeta& meta,
                        const FieldReader& read_field) {
  auto read = ForEachField(json, read_field);
  if (read && meta.name.empty()) read = BadData("metadata.name is missing");
  if (read) return {};
  const std::string slash = meta.ns.empty() ? "" : "/";
  return Fail(read.error().WithContext(std::string(resource) + " " + meta.ns + slash + meta.name));
}

template <class T>
Result<T> ReadObject(od::object json, DecodeContext context) {
  T object;
  AZX_RETURN_IF_ERROR(ReadFields(
      T::kResource, json, object.meta,
      [&](std::string_view key, od::value v) { return ReadField(key, v, object, context); }));
  return object;
}

template <class T>
Result<T> ReadObject(od::value value, DecodeContext context) {
  od::object json;
  if (auto error = value.get_object().get(json)) return WrongType(T::kResource, error);
  return ReadObject<T>(json, context);
}

// On-demand parsing reads up to SIMDJSON_PADDING bytes past the end.
Result<od::document> Open(od::parser& parser, std::string& body) {
  body.reserve(body.size() + simdjson::SIMDJSON_PADDING);
  od::document document;
  if (auto error =
          parser.iterate(simdjson::padded_string_view(body.data(), body.size(), body.capacity()))
              .get(document)) {
    return BadData(std::string("not JSON: ") + simdjson::error_message(error));
  }
  return document;
}

Result<od::object> RootObject(od::document& document) {
  od::object object;
  if (auto error = document.get_object().get(object)) {
    return BadData(std::string("not a JSON object: ") + simdjson::error_message(error));
  }
  return object;
}

Result<EventType> EventTypeOf(std::string_view name) {
  constexpr std::pair<std::string_view, EventType> kTypes[] = {
      {"ADDED", EventType::kAdded},     {"MODIFIED", EventType::kModified},
      {"DELETED", EventType::kDeleted}, {"BOOKMARK", EventType::kBookmark},
      {"ERROR", EventType::kError},
  };
  for (const auto& [text, type] : kTypes) {
    if (text == name) return type;
  }
  return BadData("unknown watch event type \"" + std::string(name) + "\"");
}

Result<void> ReadEventObject(od::value value, EventHead& event, const ObjectReader& read_object) {
  switch (event.type) {
    case EventType::kAdded:
    case EventType::kModified:
    case EventType::kDeleted:
      return read_object(value);
    case EventType::kBookmark: {
      ObjectMeta meta;
      return ForEachField("object", value, [&](std::string_view key, od::value v) -> Result<void> {
        if (key != "metadata") return {};
        return ReadMeta(v, {.meta = meta, .resource_version = &event.resource_version});
      });
    }
    case EventType::kError:
      return ForEachField("object", value, [&](std::string_view key, od::value v) -> Result<void> {
        if (key == "message") return Read(key, v, event.error_message);
        if (key != "code") return {};
        std::int64_t code = 0;
        if (auto error = v.get_int64().get(code)) return WrongType(key, error);
        event.error_code = static_cast<int>(code);
        return {};
      });
  }
  return {};
}

Result<void> WalkList(std::string& body, ListHead& list, const ObjectReader& read_item) {
  od::parser parser;
  AZX_ASSIGN_OR_RETURN(od::document document, Open(parser, body));
  AZX_ASSIGN_OR_RETURN(od::object root, RootObject(document));
  bool has_items = false;
  AZX_RETURN_IF_ERROR(
      ForEachField(root, [&](std::string_view key, od::value value) -> Result<void> {
        if (key == "metadata") {
          return ForEachField(key, value, [&](std::string_view k, od::value v) -> Result<void> {
            if (k == "resourceVersion") return Read(k, v, list.resource_version);
            if (k == "continue") return Read(k, v, list.continue_token);
            return {};
          });
        }
        if (key != "items") return {};
        has_items = true;
        return ForEachItem(key, value, [&](od::value item) -> Result<void> {
          if (auto read = read_item(item); !read) {
            list.item_errors.push_back(read.error().message());
          }
          return {};
        });
      }));
  if (!has_items) return BadData("the answer is not a list: it has no \"items\"");
  return {};
}

Result<void> WalkEvent(std::string& line, EventHead& event, const ObjectReader& read_object) {
  od::parser parser;
  AZX_ASSIGN_OR_RETURN(od::document document, Open(parser, line));
  AZX_ASSIGN_OR_RETURN(od::object root, RootObject(document));
  bool typed = false;
  bool has_object = false;
  AZX_RETURN_IF_ERROR(
      ForEachField(root, [&](std::string_view key, od::value value) -> Result<void> {
        if (key == "type") {
          std::string name;
          AZX_RETURN_IF_ERROR(Read(key, value, name));
          AZX_ASSIGN_OR_RETURN(event.type, EventTypeOf(name));
          typed = true;
        } else if (key == "object" && typed) {
          has_object = true;
          return ReadEventObject(value, event, read_object);
        }
        return {};
      }));
  if (!has_object) return BadData("a watch event without \"type\" followed by \"object\"");
  return {};
}

// What an object says it is.
struct TypeMeta {
  std::string api_version;
  std::string kind;
};

std::string_view GroupOf(std::string_view api_version) {
  const std::size_t slash = api_version.find('/');
  return slash == std::string_view::npos ? std::string_view() : api_version.substr(0, slash);
}

class MixedReader {
 public:
  explicit MixedReader(MixedObjects& into) : into_(into) {}

  // The kind decides how to read on, and may stand after what it decides about: hence two passes.
  // `type` is what the list around it says of its items.
  Result<void> Read(std::string& body, TypeMeta type) {
    AZX_RETURN_IF_ERROR(ReadType(body, type));
    if (type.kind == "List") return ReadItems(body, {});
    if (type.kind.ends_with("List")) {
      type.kind.resize(type.kind.size() - 4);
      return ReadItems(body, type);
    }
    return ReadAsAny(body, type, static_cast<WithAllResources<Vectors>*>(nullptr));
  }

 private:
  Result<void> ReadType(std::string& body, TypeMeta& type) {
    od::parser parser;
    AZX_ASSIGN_OR_RETURN(od::document document, Open(parser, body));
    AZX_ASSIGN_OR_RETURN(od::object root, RootObject(document));
    return ForEachField(root, [&](std::string_view key, od::value value) -> Result<void> {
      if (key == "kind") return kube::Read(key, value, type.kind);
      if (key == "apiVersion") return kube::Read(key, value, type.api_version);
      return {};
    });
  }

  Result<void> ReadItems(std::string& body, const TypeMeta& of_items) {
    od::parser parser;
    AZX_ASSIGN_OR_RETURN(od::document document, Open(parser, body));
    AZX_ASSIGN_OR_RETURN(od::object list, RootObject(document));
    return ForEachField(list, [&](std::string_view key, od::value value) -> Result<void> {
      if (key != "items") return {};
      return ForEachItem(key, value, [&](od::value item) -> Result<void> {
        std::string_view json;
        if (auto error = simdjson::to_json_string(item).get(json)) return WrongType("item", error);
        std::string copy(json);
        if (auto read = Read(copy, of_items); !read) {
          into_.item_errors.push_back(read.error().message());
        }
        return {};
      });
    });
  }

  template <class... T>
  Result<void> ReadAsAny(std::string& body, const TypeMeta& type, Vectors<T...>*) {
    Result<void> result;
    // Stops at the first type that the object is of; a kind that is not in use is of none.
    static_cast<void>((... || ReadIf<T>(body, type, result)));
    return result;
  }

  template <class T>
  bool ReadIf(std::string& body, const TypeMeta& type, Result<void>& result) {
    using Resource = ResourceOf<T>;
    // Others have a "Service" too, in a group of their own.
    const std::string_view api = type.api_version.empty() ? Resource::kApi : type.api_version;
    if (type.kind != Resource::kKind || GroupOf(api) != GroupOf(Resource::kApi)) return false;
    result = api == Resource::kApi
                 ? Append<T>(body)
                 : BadData(std::string(T::kResource) + ": " + type.api_version + " is not read, " +
                           std::string(Resource::kApi) + " is");
    return true;
  }

  template <class T>
  Result<void> Append(std::string& body) {
    od::parser parser;
    AZX_ASSIGN_OR_RETURN(od::document document, Open(parser, body));
    AZX_ASSIGN_OR_RETURN(od::object root, RootObject(document));
    AZX_ASSIGN_OR_RETURN(T object, ReadObject<T>(root, {pools_}));
    std::get<std::vector<T>>(into_.lists).push_back(std::move(object));
    return {};
  }

  MixedObjects& into_;
  ValuePools pools_;
};

}  // namespace

template <class T>
Result<DecodedList<T>> DecodeList(std::string& body, ValuePools& pools) {
  DecodedList<T> list;
  AZX_RETURN_IF_ERROR(WalkList(body, list, [&](od::value item) -> Result<void> {
    AZX_ASSIGN_OR_RETURN(T object, ReadObject<T>(item, {pools}));
    list.items.push_back(std::move(object));
    return {};
  }));
  return list;
}

template <class T>
Result<DecodedEvent<T>> DecodeEvent(std::string& line, ValuePools& pools) {
  DecodedEvent<T> event;
  AZX_RETURN_IF_ERROR(WalkEvent(line, event, [&](od::value value) -> Result<void> {
    AZX_ASSIGN_OR_RETURN(event.object, ReadObject<T>(value, {pools, &event.resource_version}));
    return {};
  }));
  return event;
}

std::string StatusMessage(std::string body) {
  std::string message;
  od::parser parser;
  if (auto document = Open(parser, body)) {
    if (auto root = RootObject(*document)) {
      auto read = ForEachField(*root, [&](std::string_view key, od::value value) -> Result<void> {
        return key == "message" ? Read(key, value, message) : Result<void>();
      });
      if (read && !message.empty()) return message;
    }
  }
  constexpr std::size_t kLongest = 200;
  message = body.substr(0, kLongest);
  while (!message.empty() && (message.back() == '\n' || message.back() == '\r')) message.pop_back();
  return message;
}

Result<void> DecodeMixed(std::string& body, MixedObjects& into) {
  return MixedReader(into).Read(body, {});
}

template Result<DecodedList<Node>> DecodeList(std::string&, ValuePools&);
template Result<DecodedList<Pod>> DecodeList(std::string&, ValuePools&);
template Result<DecodedList<ConfigMap>> DecodeList(std::string&, ValuePools&);
template Result<DecodedList<Deployment>> DecodeList(std::string&, ValuePools&);
template Result<DecodedList<ReplicaSet>> DecodeList(std::string&, ValuePools&);
template Result<DecodedList<StatefulSet>> DecodeList(std::string&, ValuePools&);
template Result<DecodedList<DaemonSet>> DecodeList(std::string&, ValuePools&);
template Result<DecodedList<Job>> DecodeList(std::string&, ValuePools&);
template Result<DecodedList<PodDisruptionBudget>> DecodeList(std::string&, ValuePools&);
template Result<DecodedList<PersistentVolume>> DecodeList(std::string&, ValuePools&);
template Result<DecodedList<PersistentVolumeClaim>> DecodeList(std::string&, ValuePools&);
template Result<DecodedList<StorageClass>> DecodeList(std::string&, ValuePools&);
template Result<DecodedList<Service>> DecodeList(std::string&, ValuePools&);
template Result<DecodedList<EndpointSlice>> DecodeList(std::string&, ValuePools&);
template Result<DecodedEvent<Node>> DecodeEvent(std::string&, ValuePools&);
template Result<DecodedEvent<Pod>> DecodeEvent(std::string&, ValuePools&);
template Result<DecodedEvent<ConfigMap>> DecodeEvent(std::string&, ValuePools&);
template Result<DecodedEvent<Deployment>> DecodeEvent(std::string&, ValuePools&);
template Result<DecodedEvent<ReplicaSet>> DecodeEvent(std::string&, ValuePools&);
template Result<DecodedEvent<StatefulSet>> DecodeEvent(std::string&, ValuePools&);
template Result<DecodedEvent<DaemonSet>> DecodeEvent(std::string&, ValuePools&);
template Result<DecodedEvent<Job>> DecodeEvent(std::string&, ValuePools&);
template Result<DecodedEvent<PodDisruptionBudget>> DecodeEvent(std::string&, ValuePools&);
template Result<DecodedEvent<PersistentVolume>> DecodeEvent(std::string&, ValuePools&);
template Result<DecodedEvent<PersistentVolumeClaim>> DecodeEvent(std::string&, ValuePools&);
template Result<DecodedEvent<StorageClass>> DecodeEvent(std::string&, ValuePools&);
template Result<DecodedEvent<Service>> DecodeEvent(std::string&, ValuePools&);
template Result<DecodedEvent<EndpointSlice>> DecodeEvent(std::string&, ValuePools&);

}  // namespace azexporter::kube
