#include "decode.h"

#include <array>

#include "decode_fields.h"

namespace azexporter::kube {
namespace {

using base::BadData;
using base::Fail;
using base::FunctionRef;
using base::Result;

// Not templates, so that the walks are compiled once and not for each resource.
using ObjectReader = FunctionRef<Result<void>(Value object)>;

Result<void> ReadFields(std::string_view resource, Value value, const ObjectMeta& meta,
                        FieldVisit read_field) {
  auto read = ForEachField(resource, value, read_field);
  if (read && meta.name.empty()) read = BadData("metadata.name is missing");
  if (read) return {};
  if (meta.name.empty()) return Fail(read.error().WithContext(resource));
  const std::string slash = meta.ns.empty() ? "" : "/";
  return Fail(read.error().WithContext(std::string(resource) + " " + meta.ns + slash + meta.name));
}

// The whole text of an object, and its metadata.
Result<void> ReadCustom(std::string_view resource, Value value, CustomObject& object,
                        DecodeContext context) {
  std::string_view raw;
  simdjson::error_code error = simdjson::INCORRECT_TYPE;
  if (od::object* outermost = value.json_object()) {
    error = outermost->raw_json().get(raw);
  } else if (od::value* json = value.json()) {
    error = simdjson::to_json_string(*json).get(raw);
  }
  if (error != simdjson::SUCCESS) return WrongType(resource, error);
  object.json = raw;
  od::parser parser;
  const simdjson::padded_string padded(object.json);
  od::document document;
  od::object root;
  if ((error = parser.iterate(padded).get(document)) != simdjson::SUCCESS ||
      (error = document.get_object().get(root)) != simdjson::SUCCESS) {
    return WrongType(resource, error);
  }
  return ReadFields(resource, root, object.meta,
                    [&](std::string_view key, Value v) -> Result<void> {
                      if (key != "metadata") return {};
                      return ReadMeta(v, {.meta = object.meta,
                                          .annotations = MetaFields::Annotations::kAll,
                                          .resource_version = context.resource_version});
                    });
}

template <class T>
Result<Object<T>> ReadObject(Value value, DecodeContext context) {
  auto object = std::make_shared<T>();
  if constexpr (kIsCustom<T>) {
    AZX_RETURN_IF_ERROR(ReadCustom(T::kResource, value, *object, context));
  } else {
    AZX_RETURN_IF_ERROR(ReadFields(
        T::kResource, value, object->meta,
        [&](std::string_view key, Value v) { return ReadField(key, v, *object, context); }));
  }
  return object;
}

// The object of a body, whatever it is encoded in. What it gives out lives as long as both.
class Body {
 public:
  explicit Body(od::parser& parser) : parser_(parser) {}

  Result<Value> Json(std::string& body) {
    // On-demand parsing reads up to SIMDJSON_PADDING bytes past the end.
    body.reserve(body.size() + simdjson::SIMDJSON_PADDING);
    if (auto error =
            parser_.iterate(simdjson::padded_string_view(body.data(), body.size(), body.capacity()))
                .get(document_)) {
      return BadData(std::string("not JSON: ") + simdjson::error_message(error));
    }
    od::object object;
    if (auto error = document_.get_object().get(object)) {
      return BadData(std::string("not a JSON object: ") + simdjson::error_message(error));
    }
    return Value(object);
  }

 private:
  od::parser& parser_;
  od::document document_;
};

// What is in the envelope around an object in protobuf.
Result<std::string_view> OpenEnvelope(std::string_view body) {
  if (!body.starts_with(kWireMagic)) return BadData("not a Kubernetes object in protobuf");
  std::string_view raw;
  AZX_RETURN_IF_ERROR(WireValue(wire::kEnvelope, body.substr(kWireMagic.size()))
                          .ForEachField([&](std::string_view key, WireValue value) -> Result<void> {
                            if (key != "raw") return {};
                            AZX_ASSIGN_OR_RETURN(raw, value.Text());
                            return {};
                          }));
  return raw;
}

template <class T>
const WireMessage& MessageOf() {
  static const WireMessage* const message =
      WireMessageOf(ResourceOf<T>::kApi, ResourceOf<T>::kKind);
  static const WireMessage none{};
  return message == nullptr ? none : *message;
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

Result<void> ReadBookmark(Value value, EventHead& event) {
  return ForEachField("object", value, [&](std::string_view key, Value v) -> Result<void> {
    if (key != "metadata") return {};
    ObjectMeta meta;
    AZX_RETURN_IF_ERROR(ReadMeta(v, {.meta = meta,
                                     .annotations = MetaFields::Annotations::kAll,
                                     .resource_version = &event.resource_version}));
    event.initial_events_end = Lookup(meta.annotations, "k8s.io/initial-events-end") == "true";
    return {};
  });
}

Result<void> ReadStatus(Value value, EventHead& event) {
  return ForEachField("object", value, [&](std::string_view key, Value v) -> Result<void> {
    if (key == "message") return Read(key, v, event.error_message);
    if (key != "code") return {};
    std::int64_t code = 0;
    AZX_RETURN_IF_ERROR(Read(key, v, code));
    event.error_code = static_cast<int>(code);
    return {};
  });
}

Result<void> ReadEventObject(Value value, EventHead& event, ObjectReader read_object) {
  switch (event.type) {
    case EventType::kAdded:
    case EventType::kModified:
    case EventType::kDeleted:
      return read_object(value);
    case EventType::kBookmark:
      return ReadBookmark(value, event);
    case EventType::kError:
      return ReadStatus(value, event);
  }
  return {};
}

// The message that the object of an event is encoded as.
const WireMessage& EventMessage(EventType type, const WireMessage& object) {
  if (type == EventType::kBookmark) return wire::kMetadataOnly;
  return type == EventType::kError ? wire::kStatus : object;
}

Result<void> WalkList(Value root, ListHead& list, ObjectReader read_item) {
  // A list in protobuf that is empty does not mention its items.
  bool has_items = root.protobuf() != nullptr;
  AZX_RETURN_IF_ERROR(
      ForEachField("list", root, [&](std::string_view key, Value value) -> Result<void> {
        if (key == "metadata") {
          return ForEachField(key, value, [&](std::string_view k, Value v) -> Result<void> {
            if (k == "resourceVersion") return Read(k, v, list.resource_version);
            if (k == "continue") return Read(k, v, list.continue_token);
            return {};
          });
        }
        if (key != "items") return {};
        has_items = true;
        return ForEachItem(key, value, [&](Value item) -> Result<void> {
          if (auto read = read_item(item); !read) {
            list.item_errors.push_back(read.error().message());
          }
          return {};
        });
      }));
  if (!has_items) return BadData("the answer is not a list: it has no \"items\"");
  return {};
}

// `message`: of the object, where it is one of the resource.
Result<void> WalkEvent(Value root, const WireMessage& message, EventHead& event,
                       ObjectReader read_object) {
  bool typed = false;
  bool has_object = false;
  AZX_RETURN_IF_ERROR(
      ForEachField("event", root, [&](std::string_view key, Value value) -> Result<void> {
        if (key == "type") {
          std::string name;
          AZX_RETURN_IF_ERROR(Read(key, value, name));
          AZX_ASSIGN_OR_RETURN(event.type, EventTypeOf(name));
          typed = true;
        } else if (key == "object" && typed) {
          has_object = true;
          if (value.protobuf() == nullptr) return ReadEventObject(value, event, read_object);
          AZX_ASSIGN_OR_RETURN(const std::string_view enveloped, value.protobuf()->Text());
          AZX_ASSIGN_OR_RETURN(const std::string_view raw, OpenEnvelope(enveloped));
          return ReadEventObject(WireValue(EventMessage(event.type, message), raw), event,
                                 read_object);
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
    return ReadAsAny(body, type, static_cast<WithAllResources<ObjectLists>*>(nullptr));
  }

 private:
  Result<void> ReadType(std::string& body, TypeMeta& type) {
    od::parser parser;
    Body reader(parser);
    AZX_ASSIGN_OR_RETURN(const Value root, reader.Json(body));
    return ForEachField("object", root, [&](std::string_view key, Value value) -> Result<void> {
      if (key == "kind") return kube::Read(key, value, type.kind);
      if (key == "apiVersion") return kube::Read(key, value, type.api_version);
      return {};
    });
  }

  Result<void> ReadItems(std::string& body, const TypeMeta& of_items) {
    od::parser parser;
    Body reader(parser);
    AZX_ASSIGN_OR_RETURN(const Value list, reader.Json(body));
    return ForEachField("list", list, [&](std::string_view key, Value value) -> Result<void> {
      if (key != "items") return {};
      return ForEachItem(key, value, [&](Value item) -> Result<void> {
        std::string_view json;
        if (auto error = simdjson::to_json_string(*item.json()).get(json))
          return WrongType("item", error);
        std::string copy(json);
        if (auto read = Read(copy, of_items); !read) {
          into_.item_errors.push_back(read.error().message());
        }
        return {};
      });
    });
  }

  template <class... T>
  Result<void> ReadAsAny(std::string& body, const TypeMeta& type, ObjectLists<T...>*) {
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
    result = api == Resource::kApi || kIsCustom<T>
                 ? Append<T>(body)
                 : BadData(std::string(T::kResource) + ": " + type.api_version + " is not read, " +
                           std::string(Resource::kApi) + " is");
    return true;
  }

  template <class T>
  Result<void> Append(std::string& body) {
    od::parser parser;
    Body reader(parser);
    AZX_ASSIGN_OR_RETURN(const Value root, reader.Json(body));
    AZX_ASSIGN_OR_RETURN(auto object, ReadObject<T>(root, {pools_}));
    std::get<Objects<T>>(into_.lists).push_back(std::move(object));
    return {};
  }

  MixedObjects& into_;
  ValuePools pools_;
};

}  // namespace

struct Decoder::Impl {
  ValuePools pools;
  od::parser parser;
};

Decoder::Decoder() : impl_(std::make_unique<Impl>()) {}
Decoder::~Decoder() = default;

template <class T>
Result<DecodedList<T>> Decoder::List(std::string& body, Encoding encoding) {
  const std::array fields = {
      WireField{1, "metadata", WireField::Type::kMessage, &wire::kListMeta},
      WireField{2, "items", WireField::Type::kMessage, &MessageOf<T>(), WireField::Count::kMany}};
  const WireMessage message{fields};
  Body reader(impl_->parser);
  DecodedList<T> list;
  const auto walk = [&](Value root) {
    return WalkList(root, list, [&](Value item) -> Result<void> {
      AZX_ASSIGN_OR_RETURN(auto object, ReadObject<T>(item, {impl_->pools}));
      list.items.push_back(std::move(object));
      return {};
    });
  };
  if (encoding == Encoding::kJson) {
    AZX_ASSIGN_OR_RETURN(const Value root, reader.Json(body));
    AZX_RETURN_IF_ERROR(walk(root));
  } else {
    AZX_ASSIGN_OR_RETURN(const std::string_view raw, OpenEnvelope(body));
    AZX_RETURN_IF_ERROR(walk(WireValue(message, raw)));
  }
  return list;
}

template <class T>
Result<DecodedEvent<T>> Decoder::Event(std::string& frame, Encoding encoding) {
  Body reader(impl_->parser);
  DecodedEvent<T> event;
  const auto walk = [&](Value root) {
    return WalkEvent(root, MessageOf<T>(), event, [&](Value value) -> Result<void> {
      AZX_ASSIGN_OR_RETURN(event.object,
                           ReadObject<T>(value, {impl_->pools, &event.resource_version}));
      return {};
    });
  };
  if (encoding == Encoding::kJson) {
    AZX_ASSIGN_OR_RETURN(const Value root, reader.Json(frame));
    AZX_RETURN_IF_ERROR(walk(root));
  } else {
    AZX_RETURN_IF_ERROR(walk(WireValue(wire::kWatchEvent, frame)));
  }
  return event;
}

std::string StatusMessage(std::string body, Encoding encoding) {
  EventHead status;
  if (encoding == Encoding::kProtobuf) {
    if (auto raw = OpenEnvelope(body)) {
      static_cast<void>(ReadStatus(WireValue(wire::kStatus, *raw), status));
    }
    return status.error_message;
  }
  od::parser parser;
  Body reader(parser);
  if (auto root = reader.Json(body); root && ReadStatus(*root, status)) {
    if (!status.error_message.empty()) return status.error_message;
  }
  constexpr std::size_t kLongest = 200;
  std::string message = body.substr(0, kLongest);
  while (!message.empty() && (message.back() == '\n' || message.back() == '\r')) message.pop_back();
  return message;
}

Result<void> DecodeMixed(std::string& body, MixedObjects& into) {
  return MixedReader(into).Read(body, {});
}

#define AZX_INSTANTIATE(T)                                                  \
  template Result<DecodedList<T>> Decoder::List<T>(std::string&, Encoding); \
  template Result<DecodedEvent<T>> Decoder::Event<T>(std::string&, Encoding);
AZX_FOR_ALL_RESOURCES(AZX_INSTANTIATE)
#undef AZX_INSTANTIATE

}  // namespace azexporter::kube
