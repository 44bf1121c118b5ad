#pragma once

// The little of protobuf that kubectl forces upon us: from 1.32 on it sends reviews and token
// requests in no other form. A message is described by a table of the fields that matter; the rest
// is skipped.
// Semantics: protobuf.dev/programming-guides/encoding and
// kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding.

#include <span>
#include <string_view>

#include "azexporter/base/result.h"
#include "simulator/json.h"

namespace azexporter::simulator {

struct ProtobufField {
  enum class Type { kText, kTexts, kInteger, kMessage };

  std::uint64_t number = 0;
  std::string_view name;  // of the JSON member
  Type type = Type::kText;
  std::span<const ProtobufField> message{};  // of kMessage
};

// Whether a body is an object in Kubernetes' protobuf envelope.
bool IsKubernetesProtobuf(std::string_view body);
// The object inside the envelope. kBadData when it is cut short.
base::Result<Json> DecodeKubernetesProtobuf(std::string_view body,
                                            std::span<const ProtobufField> fields);

}  // namespace azexporter::simulator
