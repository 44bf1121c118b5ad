#include "decode.h"

#include <simdjson.h>

#include <algorithm>
#include <optional>

namespace azexporter::kube {
namespace {

namespace od = simdjson::ondemand;
using base::BadData;
using base::Fail;
using base::Result;

tl::unexpected<base::Error> WrongType(std::string_view field, simdjson::error_code code) {
  return BadData(std::string(field) + ": " + simdjson::error_message(code));
}

// Calls `visit(key, value)` for each field; a visit that fails ends the walk.
template <class Visit>
Result<void> ForEachField(od::object object, Visit visit) {
  for (auto field : object) {
    std::string_view key;
    if (auto error = field.unescaped_key().get(key)) return WrongType("field name", error);
    od::value value;
    if (auto error = field.value().get(value)) return WrongType(key, error);
    AZX_RETURN_IF_ERROR(visit(key, value));
  }
  return {};
}

template <class Visit>
Result<void> ForEachField(std::string_view name, od::value value, Visit visit) {
  if (value.is_null()) return {};
  od::object object;
  if (auto error = value.get_object().get(object)) return WrongType(name, error);
  return ForEachField(object, visit);
}

template <class Visit>
Result<void> ForEachItem(std::string_view name, od::value value, Visit visit) {
  if (value.is_null()) return {};
  od::array array;
  if (auto error = value.get_array().get(array)) return WrongType(name, error);
  for (auto item : array) {
    od::value element;
    if (auto error = item.get(element)) return WrongType(name, error);
    AZX_RETURN_IF_ERROR(visit(element));
  }
  return {};
}

Result<void> Read(std::string_view name, od::value value, std::string& out) {
  if (value.is_null()) return {};
  std::string_view text;
  if (auto error = value.get_string().get(text)) return WrongType(name, error);
  out = text;
  return {};
}

Result<void> Read(std::string_view name, od::value value, bool& out) {
  if (value.is_null()) return {};
  if (auto error = value.get_bool().get(out)) return WrongType(name, error);
  return {};
}

Result<void> Read(std::string_view name, od::value value, StringMap& out) {
  AZX_RETURN_IF_ERROR(ForEachField(name, value, [&](std::string_view key, od::value text) {
    std::string copy;
    out.emplace_back(std::string(key), std::string());
    return Read(key, text, out.back().second);
  }));
  std::sort(out.begin(), out.end());
  return {};
}

Result<void> Read(std::string_view name, od::value value, ConditionStatus& out) {
  std::string text;
  AZX_RETURN_IF_ERROR(Read(name, value, text));
  out = text == "True"    ? ConditionStatus::kTrue
        : text == "False" ? ConditionStatus::kFalse
                          : ConditionStatus::kUnknown;
  return {};
}

// metadata, for every kind. `owners` and `resource_version` are optional extras.
Result<void> ReadMeta(od::value value, bool annotations, ObjectMeta& meta,
                      std::vector<Owner>* owners, std::string* resource_version) {
  return ForEachField("metadata", value, [&](std::string_view key, od::value v) -> Result<void> {
    if (key == "name") return Read("metadata.name", v, meta.name);
    if (key == "namespace") return Read("metadata.namespace", v, meta.ns);
    if (key == "uid") return Read("metadata.uid", v, meta.uid);
    if (key == "labels") return Read("metadata.labels", v, meta.labels);
    if (key == "annotations" && annotations) {
      return Read("metadata.annotations", v, meta.annotations);
    }
    if (key == "resourceVersion" && resource_version != nullptr) {
      return Read("metadata.resourceVersion", v, *resource_version);
    }
    if (key == "deletionTimestamp") {
      meta.terminating = !v.is_null();
      return {};
    }
    if (key == "ownerReferences" && owners != nullptr) {
      return ForEachItem("metadata.ownerReferences", v, [&](od::value item) {
        Owner& owner = owners->emplace_back();
        return ForEachField("ownerReference", item,
                            [&](std::string_view k, od::value ov) -> Result<void> {
                              if (k == "kind") return Read(k, ov, owner.kind);
                              if (k == "name") return Read(k, ov, owner.name);
                              if (k == "controller") return Read(k, ov, owner.controller);
                              return {};
                            });
      });
    }
    return {};
  });
}

Result<void> ReadNodeSpec(od::value value, Node& node) {
  return ForEachField("spec", value, [&](std::string_view key, od::value v) -> Result<void> {
    if (key == "unschedulable") return Read("spec.unschedulable", v, node.unschedulable);
    if (key != "taints") return {};
    return ForEachItem("spec.taints", v, [&](od::value item) {
      Taint& taint = node.taints.emplace_back();
      return ForEachField("taint", item, [&](std::string_view k, od::value tv) -> Result<void> {
        if (k == "key") return Read(k, tv, taint.key);
        if (k == "value") return Read(k, tv, taint.value);
        if (k == "effect") return Read(k, tv, taint.effect);
        return {};
      });
    });
  });
}

Result<void> ReadNodeStatus(od::value value, Node& node) {
  return ForEachField("status", value, [&](std::string_view key, od::value v) -> Result<void> {
    if (key != "conditions") return {};
    return ForEachItem("status.conditions", v, [&](od::value item) {
      NodeCondition& condition = node.conditions.emplace_back();
      return ForEachField("condition", item, [&](std::string_view k, od::value cv) -> Result<void> {
        if (k == "type") return Read(k, cv, condition.type);
        if (k == "status") return Read(k, cv, condition.status);
        return {};
      });
    });
  });
}

Result<void> ReadPodSpec(od::value value, Pod& pod) {
  auto spec = std::make_shared<PodSpec>();
  AZX_RETURN_IF_ERROR(
      ForEachField("spec", value, [&](std::string_view key, od::value v) -> Result<void> {
        if (key == "nodeName") return Read("spec.nodeName", v, pod.node_name);
        if (key == "priorityClassName")
          return Read("spec.priorityClassName", v, spec->priority_class);
        if (key == "hostNetwork") return Read("spec.hostNetwork", v, spec->host_network);
        return {};
      }));
  pod.spec = std::move(spec);
  return {};
}

Result<void> ReadPodPhase(od::value value, PodPhase& phase) {
  std::string text;
  AZX_RETURN_IF_ERROR(Read("status.phase", value, text));
  for (PodPhase candidate : {PodPhase::kPending, PodPhase::kRunning, PodPhase::kSucceeded,
                             PodPhase::kFailed, PodPhase::kUnknown}) {
    if (PodPhaseName(candidate) == text) phase = candidate;
  }
  return {};
}

Result<void> ReadPodStatus(od::value value, Pod& pod) {
  return ForEachField("status", value, [&](std::string_view key, od::value v) -> Result<void> {
    if (key == "phase") return ReadPodPhase(v, pod.phase);
    if (key == "hostIP") return Read("status.hostIP", v, pod.host_ip);
    if (key == "podIP") return Read("status.podIP", v, pod.pod_ip);
    if (key != "conditions") return {};
    return ForEachItem("status.conditions", v, [&](od::value item) -> Result<void> {
      std::string type;
      ConditionStatus status = ConditionStatus::kUnknown;
      AZX_RETURN_IF_ERROR(
          ForEachField("condition", item, [&](std::string_view k, od::value cv) -> Result<void> {
            if (k == "type") return Read(k, cv, type);
            if (k == "status") return Read(k, cv, status);
            return {};
          }));
      if (type == "Ready") pod.ready = status;
      return {};
    });
  });
}

Result<void> ReadField(std::string_view key, od::value v, Node& node, std::string* version) {
  if (key == "metadata") return ReadMeta(v, /*annotations=*/true, node.meta, nullptr, version);
  if (key == "spec") return ReadNodeSpec(v, node);
  if (key == "status") return ReadNodeStatus(v, node);
  return {};
}

Result<void> ReadField(std::string_view key, od::value v, Pod& pod, std::string* version) {
  if (key == "metadata") return ReadMeta(v, /*annotations=*/false, pod.meta, &pod.owners, version);
  if (key == "spec") return ReadPodSpec(v, pod);
  if (key == "status") return ReadPodStatus(v, pod);
  return {};
}

Result<void> ReadField(std::string_view key, od::value v, ConfigMap& map, std::string* version) {
  if (key == "metadata") return ReadMeta(v, /*annotations=*/false, map.meta, nullptr, version);
  if (key == "data") return Read("data", v, map.data);
  return {};
}

template <class T>
Result<T> ReadObject(od::object json, std::string* version) {
  T object;
  auto read = ForEachField(
      json, [&](std::string_view key, od::value v) { return ReadField(key, v, object, version); });
  if (read && object.meta.name.empty()) read = BadData("metadata.name is missing");
  if (read) return object;
  const std::string slash = object.meta.ns.empty() ? "" : "/";
  return Fail(read.error().WithContext(std::string(T::kResource) + " " + object.meta.ns + slash +
                                       object.meta.name));
}

template <class T>
Result<T> ReadObject(od::value value, std::string* version) {
  od::object json;
  if (auto error = value.get_object().get(json)) return WrongType(T::kResource, error);
  return ReadObject<T>(json, version);
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

template <class T>
Result<void> ReadEventObject(od::value value, DecodedEvent<T>& event) {
  switch (event.type) {
    case EventType::kAdded:
    case EventType::kModified:
    case EventType::kDeleted: {
      AZX_ASSIGN_OR_RETURN(event.object, ReadObject<T>(value, &event.resource_version));
      return {};
    }
    case EventType::kBookmark: {
      ObjectMeta meta;
      return ForEachField("object", value, [&](std::string_view key, od::value v) -> Result<void> {
        if (key != "metadata") return {};
        return ReadMeta(v, false, meta, nullptr, &event.resource_version);
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

Result<void> ReadMixedObject(od::value value, MixedObjects& into);

Result<void> ReadMixedItems(od::value value, MixedObjects& into) {
  return ForEachItem("items", value, [&](od::value item) -> Result<void> {
    if (auto read = ReadMixedObject(item, into); !read) {
      into.item_errors.push_back(read.error().message());
    }
    return {};
  });
}

template <class T>
Result<void> AppendObject(std::string_view json, std::vector<T>& out) {
  std::string copy(json);
  od::parser parser;
  AZX_ASSIGN_OR_RETURN(od::document document, Open(parser, copy));
  AZX_ASSIGN_OR_RETURN(od::object root, RootObject(document));
  AZX_ASSIGN_OR_RETURN(T object, ReadObject<T>(root, nullptr));
  out.push_back(std::move(object));
  return {};
}

// The kind decides how to read on, and may stand after what it decides about: hence the second pass
// over the object's text.
Result<void> ReadMixedObject(od::value value, MixedObjects& into) {
  std::string_view json;
  if (auto error = simdjson::to_json_string(value).get(json)) return WrongType("item", error);
  std::string copy(json);
  return DecodeMixed(copy, into);
}

}  // namespace

template <class T>
Result<DecodedList<T>> DecodeList(std::string& body) {
  od::parser parser;
  AZX_ASSIGN_OR_RETURN(od::document document, Open(parser, body));
  AZX_ASSIGN_OR_RETURN(od::object root, RootObject(document));
  DecodedList<T> list;
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
          auto object = ReadObject<T>(item, nullptr);
          if (object) {
            list.items.push_back(std::move(*object));
          } else {
            list.item_errors.push_back(object.error().message());
          }
          return {};
        });
      }));
  if (!has_items) return BadData("the answer is not a list: it has no \"items\"");
  return list;
}

template <class T>
Result<DecodedEvent<T>> DecodeEvent(std::string& line) {
  od::parser parser;
  AZX_ASSIGN_OR_RETURN(od::document document, Open(parser, line));
  AZX_ASSIGN_OR_RETURN(od::object root, RootObject(document));
  DecodedEvent<T> event;
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
          return ReadEventObject(value, event);
        }
        return {};
      }));
  if (!has_object) return BadData("a watch event without \"type\" followed by \"object\"");
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
  od::parser parser;
  AZX_ASSIGN_OR_RETURN(od::document document, Open(parser, body));
  AZX_ASSIGN_OR_RETURN(od::object root, RootObject(document));
  std::string kind;
  AZX_RETURN_IF_ERROR(
      ForEachField(root, [&](std::string_view key, od::value value) -> Result<void> {
        return key == "kind" ? Read(key, value, kind) : Result<void>();
      }));
  if (kind == "Node") return AppendObject(body, into.nodes);
  if (kind == "Pod") return AppendObject(body, into.pods);
  if (kind == "ConfigMap") return AppendObject(body, into.config_maps);
  if (!kind.ends_with("List")) return {};  // a kind that is not in use
  AZX_ASSIGN_OR_RETURN(od::document again, Open(parser, body));
  AZX_ASSIGN_OR_RETURN(od::object list, RootObject(again));
  return ForEachField(list, [&](std::string_view key, od::value value) -> Result<void> {
    return key == "items" ? ReadMixedItems(value, into) : Result<void>();
  });
}

template Result<DecodedList<Node>> DecodeList(std::string&);
template Result<DecodedList<Pod>> DecodeList(std::string&);
template Result<DecodedList<ConfigMap>> DecodeList(std::string&);
template Result<DecodedEvent<Node>> DecodeEvent(std::string&);
template Result<DecodedEvent<Pod>> DecodeEvent(std::string&);
template Result<DecodedEvent<ConfigMap>> DecodeEvent(std::string&);

}  // namespace azexporter::kube
