#include "simulator/wire_answer.h"

#include <algorithm>

#include "azexporter/base/protobuf_writer.h"
#include "azexporter/base/time_text.h"
#include "simulator/api_request.h"

namespace azexporter::simulator {
namespace {

using base::protobuf::AppendAnyNumber;
using base::protobuf::AppendBytes;
using kube::WireField;
using kube::WireMessage;

constexpr std::uint32_t kNumberOfUnknown = 1000;

std::string TextOf(const Json& json) {
  return json.is_string() ? json.get<std::string>() : Dump(json);
}

std::string EncodeIntOrString(const Json& json) {
  std::string out;
  if (json.is_string()) {
    AppendAnyNumber(out, 1, 1);
    AppendBytes(out, 3, TextOf(json));
  } else {
    AppendAnyNumber(out, 1, 0);
    AppendAnyNumber(out, 2, static_cast<std::uint64_t>(json.get<std::int64_t>()));
  }
  return out;
}

std::string EncodeTime(const Json& json) {
  std::string out;
  if (auto ms = base::ParseTimeMs(TextOf(json))) {
    AppendAnyNumber(out, 1, static_cast<std::uint64_t>(*ms / 1'000));
    AppendAnyNumber(out, 2, static_cast<std::uint64_t>(*ms % 1'000 * 1'000'000));
  }
  return out;
}

void AppendOne(std::string& out, std::uint32_t number, const WireField& field, const Json& json) {
  using Type = WireField::Type;
  switch (field.type) {
    case Type::kText:
      return AppendBytes(out, number, TextOf(json));
    case Type::kBool:
      return AppendAnyNumber(out, number, json.get<bool>() ? 1 : 0);
    case Type::kInteger:
      return AppendAnyNumber(out, number, static_cast<std::uint64_t>(json.get<std::int64_t>()));
    case Type::kMessage:
    case Type::kInline:
      return AppendBytes(out, number, EncodeWire(json, *field.message));
    case Type::kQuantity: {
      std::string quantity;
      AppendBytes(quantity, 1, TextOf(json));
      return AppendBytes(out, number, quantity);
    }
    case Type::kIntOrString:
      return AppendBytes(out, number, EncodeIntOrString(json));
    case Type::kTime:
      return AppendBytes(out, number, EncodeTime(json));
    case Type::kRaw: {
      std::string raw;
      AppendBytes(raw, 1, EncodeWireBody(json));
      return AppendBytes(out, number, raw);
    }
  }
}

void AppendField(std::string& out, const WireField& field, const Json& json) {
  switch (field.count) {
    case WireField::Count::kOne:
      return AppendOne(out, field.number, field, json);
    case WireField::Count::kMany:
      for (const Json& item : json) AppendOne(out, field.number, field, item);
      return;
    case WireField::Count::kMap:
      for (const auto& [key, value] : json.items()) {
        std::string entry;
        AppendBytes(entry, 1, key);
        AppendOne(entry, 2, field, value);
        AppendBytes(out, field.number, entry);
      }
      return;
  }
}

bool Knows(const WireMessage& message, std::string_view name) {
  return std::any_of(message.fields.begin(), message.fields.end(), [&](const WireField& field) {
    return field.type == WireField::Type::kInline ? Knows(*field.message, name)
                                                  : field.name == name;
  });
}

std::string Enveloped(const Json& object, std::string_view raw) {
  std::string type_meta;
  AppendBytes(type_meta, 1, StringAt(object, {"apiVersion"}));
  AppendBytes(type_meta, 2, StringAt(object, {"kind"}));
  std::string out(kube::kWireMagic);
  AppendBytes(out, 1, type_meta);
  AppendBytes(out, 2, raw);
  AppendBytes(out, 3, "");
  AppendBytes(out, 4, "");
  return out;
}

// Turns lines of a watch into frames.
class WireStream final : public BodyStream {
 public:
  explicit WireStream(BodyStream& out) : out_(out) {}

  bool Write(std::string_view chunk) override {
    pending_ += chunk;
    while (true) {
      const std::size_t end = pending_.find('\n');
      if (end == std::string::npos) return true;
      const auto event = ParseJson(std::string_view(pending_).substr(0, end));
      pending_.erase(0, end + 1);
      if (!event) return false;
      if (!out_.Write(EncodeWireEvent(*event))) return false;
    }
  }
  bool Alive() override { return out_.Alive(); }
  const std::stop_token& stop() const override { return out_.stop(); }

 private:
  BodyStream& out_;
  std::string pending_;
};

// Keeps what is written.
class CollectedBody final : public BodyStream {
 public:
  bool Write(std::string_view chunk) override {
    text += chunk;
    return true;
  }
  bool Alive() override { return true; }
  const std::stop_token& stop() const override { return stop_; }

  std::string text;

 private:
  std::stop_token stop_;
};

}  // namespace

std::string EncodeWire(const Json& object, const WireMessage& message) {
  std::string out;
  for (const WireField& field : message.fields) {
    if (field.type == WireField::Type::kInline) {
      Json own = Json::object();
      for (const auto& [name, value] : object.items()) {
        if (Knows(*field.message, name)) own[name] = value;
      }
      AppendBytes(out, field.number, EncodeWire(own, *field.message));
      continue;
    }
    const auto member = object.find(field.name);
    if (member != object.end() && !member->is_null()) AppendField(out, field, *member);
  }
  std::uint32_t unknown = kNumberOfUnknown;
  for (const auto& [name, value] : object.items()) {
    if (!Knows(message, name)) AppendBytes(out, unknown++, Dump(value));
  }
  return out;
}

std::string EncodeWireEvent(const Json& event) {
  const std::string body = EncodeWire(event, kube::wire::kWatchEvent);
  std::string frame;
  for (int shift = 24; shift >= 0; shift -= 8) frame += static_cast<char>(body.size() >> shift);
  return frame + body;
}

std::string EncodeWireBody(const Json& object) {
  const std::string api_version = StringAt(object, {"apiVersion"});
  const std::string kind = StringAt(object, {"kind"});
  if (kind == "Status") return Enveloped(object, EncodeWire(object, kube::wire::kStatus));
  if (const WireMessage* message = kube::WireMessageOf(api_version, kind)) {
    return Enveloped(object, EncodeWire(object, *message));
  }
  const WireMessage* item =
      kind.ends_with("List")
          ? kube::WireMessageOf(api_version, std::string_view(kind).substr(0, kind.size() - 4))
          : nullptr;
  if (item == nullptr) return "";
  std::string list;
  AppendBytes(list, 1, EncodeWire(object.value("metadata", Json::object()), kube::wire::kListMeta));
  for (const Json& object_json : object.value("items", Json::array())) {
    AppendBytes(list, 2, EncodeWire(object_json, *item));
  }
  return Enveloped(object, list);
}

void EncodeAsAsked(const HttpRequest& request, HttpResponse& response) {
  if (request.method != "GET" || response.content_type != "application/json" ||
      !request.Header("Accept").starts_with(kube::kWireContentType)) {
    return;
  }
  const auto path = ParseResourcePath(request.path);
  if (!path ||
      kube::WireMessageOf(path->type->ApiVersion(path->version), path->type->kind) == nullptr) {
    return;
  }
  if (request.HasQuery("watch") && response.stream) {
    response.content_type = std::string(kube::kWireContentType) + ";stream=watch";
    response.stream = [stream = std::move(response.stream)](BodyStream& body) {
      WireStream wire(body);
      return stream(wire);
    };
    return;
  }
  if (response.stream) {
    CollectedBody collected;
    static_cast<void>(response.stream(collected));
    response.body = std::move(collected.text);
    response.stream = nullptr;
  }
  const auto object = ParseJson(response.body);
  if (!object) return;
  std::string body = EncodeWireBody(*object);
  if (body.empty()) return;
  response.body = std::move(body);
  response.content_type = kube::kWireContentType;
}

}  // namespace azexporter::simulator
