#include "azexporter/base/check.h"
#include "kube/decode.h"
#include "kube/frame_reader.h"
#include "targets.h"

namespace azexporter::fuzz {
namespace {

using kube::Decoder;
using kube::Encoding;

template <class T>
void ReadAs(std::string_view bytes, Encoding encoding) {
  Decoder decoder;
  std::string list(bytes);
  if (const auto read = decoder.List<T>(list, encoding)) {
    for (const auto& object : read->items) {
      AZX_CHECK(!object->meta.name.empty(), "an object without a name");
    }
  }
  // As a watch that comes in pieces.
  kube::FrameReader frames(encoding);
  const auto on_frame = [&](std::string& frame) {
    if (const auto event = decoder.Event<T>(frame, encoding)) {
      const bool has_object =
          event->type != kube::EventType::kBookmark && event->type != kube::EventType::kError;
      AZX_CHECK(has_object == (event->object != nullptr), "an event without its object");
    }
    return true;
  };
  constexpr std::size_t kPiece = 7;
  for (std::size_t begin = 0; begin < bytes.size(); begin += kPiece) {
    if (!frames.Feed(bytes.substr(begin, kPiece), on_frame)) break;
  }
}

}  // namespace

void ReadKubernetes(std::string_view bytes) {
  if (bytes.empty()) return;
  // The first byte says as what.
  const auto choice = static_cast<unsigned char>(bytes.front());
  bytes.remove_prefix(1);
  const Encoding encoding = (choice & 1) != 0 ? Encoding::kProtobuf : Encoding::kJson;
  switch (choice >> 1 & 7) {
    case 0:
      return ReadAs<kube::Node>(bytes, encoding);
    case 1:
      return ReadAs<kube::StatefulSet>(bytes, encoding);
    case 2:
      return ReadAs<kube::PodDisruptionBudget>(bytes, encoding);
    case 3:
      return ReadAs<kube::PersistentVolume>(bytes, encoding);
    case 4:
      return ReadAs<kube::EndpointSlice>(bytes, encoding);
    case 5:
      return ReadAs<kube::PrometheusRule>(bytes, Encoding::kJson);
    case 6: {
      kube::MixedObjects objects;
      std::string body(bytes);
      static_cast<void>(kube::DecodeMixed(body, objects));
      return;
    }
    default:
      return ReadAs<kube::Pod>(bytes, encoding);
  }
}

}  // namespace azexporter::fuzz
