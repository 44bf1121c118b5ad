#include "simulator/protobuf.h"

#include <algorithm>
#include <optional>
#include <string>

namespace azexporter::simulator {

using base::BadData;
using base::Result;

namespace {

constexpr std::string_view kMagic("k8s\0", 4);
// The envelope's field that holds the object.
constexpr ProtobufField kEnvelope[] = {{.number = 2, .name = "raw"}};

constexpr std::uint64_t kVarint = 0;
constexpr std::uint64_t kFixed64 = 1;
constexpr std::uint64_t kBytes = 2;
constexpr std::uint64_t kFixed32 = 5;

struct RawField {
  std::uint64_t number = 0;
  std::uint64_t integer = 0;  // of a varint
  std::string_view bytes;     // of text and messages
};

std::optional<std::uint64_t> TakeVarint(std::string_view& in) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && !in.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(in.front());
    in.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

std::optional<RawField> TakeField(std::string_view& in) {
  const auto key = TakeVarint(in);
  if (!key) return std::nullopt;
  RawField field{.number = *key >> 3};
  std::uint64_t size = 0;
  switch (*key & 7) {
    case kVarint: {
      const auto value = TakeVarint(in);
      if (!value) return std::nullopt;
      field.integer = *value;
      return field;
    }
    case kBytes: {
      const auto length = TakeVarint(in);
      if (!length) return std::nullopt;
      size = *length;
      break;
    }
    case kFixed64:
      size = 8;
      break;
    case kFixed32:
      size = 4;
      break;
    default:
      return std::nullopt;
  }
  if (size > in.size()) return std::nullopt;
  field.bytes = in.substr(0, size);
  in.remove_prefix(size);
  return field;
}

Result<Json> Decode(std::string_view in, std::span<const ProtobufField> fields) {
  Json out = Json::object();
  while (!in.empty()) {
    const auto raw = TakeField(in);
    if (!raw) return BadData("a protobuf message that is cut short");
    const auto known = std::find_if(fields.begin(), fields.end(), [&](const ProtobufField& field) {
      return field.number == raw->number;
    });
    if (known == fields.end()) continue;
    Json& member = out[std::string(known->name)];
    switch (known->type) {
      case ProtobufField::Type::kText:
        // Unset text is sent as empty, where JSON has no member at all.
        if (raw->bytes.empty()) {
          out.erase(std::string(known->name));
        } else {
          member = raw->bytes;
        }
        break;
      case ProtobufField::Type::kTexts:
        member.push_back(raw->bytes);
        break;
      case ProtobufField::Type::kInteger:
        member = static_cast<std::int64_t>(raw->integer);
        break;
      case ProtobufField::Type::kMessage: {
        AZX_ASSIGN_OR_RETURN(member, Decode(raw->bytes, known->message));
        break;
      }
    }
  }
  return out;
}

}  // namespace

bool IsKubernetesProtobuf(std::string_view body) { return body.starts_with(kMagic); }

Result<Json> DecodeKubernetesProtobuf(std::string_view body,
                                      std::span<const ProtobufField> fields) {
  if (!IsKubernetesProtobuf(body)) return BadData("not in Kubernetes' protobuf envelope");
  AZX_ASSIGN_OR_RETURN(const Json envelope, Decode(body.substr(kMagic.size()), kEnvelope));
  return Decode(envelope.contains("raw") ? envelope["raw"].get_ref<const std::string&>() : "",
                fields);
}

}  // namespace azexporter::simulator
