#include "simulator/protobuf.h"

#include <algorithm>
#include <string>

#include "azexporter/base/protobuf_reader.h"
#include "azexporter/kube/wire_schema.h"

namespace azexporter::simulator {

using base::BadData;
using base::Result;

namespace {

// The envelope's field that holds the object.
constexpr ProtobufField kEnvelope[] = {{.number = 2, .name = "raw"}};

Result<Json> Decode(std::string_view in, std::span<const ProtobufField> fields) {
  Json out = Json::object();
  base::protobuf::FieldReader reader(in);
  for (base::protobuf::Field raw; reader.Next(raw);) {
    const auto known = std::find_if(fields.begin(), fields.end(), [&](const ProtobufField& field) {
      return field.number == raw.number;
    });
    if (known == fields.end()) continue;
    Json& member = out[std::string(known->name)];
    switch (known->type) {
      case ProtobufField::Type::kText:
        // Unset text is sent as empty, where JSON has no member at all.
        if (raw.bytes.empty()) {
          out.erase(std::string(known->name));
        } else {
          member = raw.bytes;
        }
        break;
      case ProtobufField::Type::kTexts:
        member.push_back(raw.bytes);
        break;
      case ProtobufField::Type::kInteger:
        member = static_cast<std::int64_t>(raw.value);
        break;
      case ProtobufField::Type::kMessage: {
        AZX_ASSIGN_OR_RETURN(member, Decode(raw.bytes, known->message));
        break;
      }
    }
  }
  if (reader.failed()) return BadData("a protobuf message that is cut short");
  return out;
}

}  // namespace

bool IsKubernetesProtobuf(std::string_view body) { return body.starts_with(kube::kWireMagic); }

Result<Json> DecodeKubernetesProtobuf(std::string_view body,
                                      std::span<const ProtobufField> fields) {
  if (!IsKubernetesProtobuf(body)) return BadData("not in Kubernetes' protobuf envelope");
  AZX_ASSIGN_OR_RETURN(const Json envelope,
                       Decode(body.substr(kube::kWireMagic.size()), kEnvelope));
  return Decode(envelope.contains("raw") ? envelope["raw"].get_ref<const std::string&>() : "",
                fields);
}

}  // namespace azexporter::simulator
