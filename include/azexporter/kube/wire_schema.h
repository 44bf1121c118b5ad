#pragma once

// The shapes of Kubernetes's protobuf messages, as far as they are read: numbers, names and types
// of fields. A field that is not listed is passed over by its length, managedFields among them.
// Source: the generated.proto files of k8s.io/api and k8s.io/apimachinery; the envelope:
// kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding.
//
// Thread safety: constants.

#include <cstdint>
#include <span>
#include <string_view>

namespace azexporter::kube {

struct WireMessage;

struct WireField {
  enum class Type {
    kText,
    kBool,
    kInteger,
    kMessage,
    kInline,       // a message whose fields JSON shows as its parent's
    kQuantity,     // {1: text}; JSON has the text
    kIntOrString,  // {1: 0 or 1, 2: integer, 3: text}; JSON has one or the other
    kTime,         // {1: seconds, 2: nanoseconds}, Time or MicroTime; JSON has RFC 3339
    kRaw,          // {1: bytes}: an object in an envelope of its own
  };
  enum class Count { kOne, kMany, kMap };  // a map: many {1: key, 2: value}; keys are texts

  std::uint32_t number = 0;
  std::string_view name;  // as in JSON
  Type type = Type::kText;
  const WireMessage* message = nullptr;  // of kMessage and kInline
  Count count = Count::kOne;
};

struct WireMessage {
  std::span<const WireField> fields;  // in order of their numbers

  // nullptr where the field is not read.
  const WireField* Find(std::uint32_t number) const;
};

// Before every object on its own: "k8s\0", then a message of kEnvelope.
inline constexpr std::string_view kWireMagic{"k8s\0", 4};
inline constexpr std::string_view kWireContentType = "application/vnd.kubernetes.protobuf";

enum class Encoding { kJson, kProtobuf };
// By the Content-Type of an answer.
Encoding EncodingOf(std::string_view content_type);

namespace wire {
extern const WireMessage kEnvelope;    // raw
extern const WireMessage kListMeta;    // resourceVersion, continue
extern const WireMessage kStatus;      // message, code
extern const WireMessage kWatchEvent;  // type, object
// Of a bookmark: an object of which only the metadata is said.
extern const WireMessage kMetadataOnly;
}  // namespace wire

// The message of a kind ("apps/v1", "Deployment"); nullptr: it is not among those that are read in
// protobuf. A list of them is {1: ListMeta, 2: many of them}.
const WireMessage* WireMessageOf(std::string_view api_version, std::string_view kind);

}  // namespace azexporter::kube
