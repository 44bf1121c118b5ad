#pragma once

// Cuts the body of a watch into its events. Private to `kube`.
//
// In JSON an event is a line, in protobuf four bytes of length (highest first) and so many bytes.

#include <cstddef>
#include <string>
#include <string_view>

#include "azexporter/base/function_ref.h"
#include "azexporter/kube/wire_schema.h"

namespace azexporter::kube {

class FrameReader {
 public:
  explicit FrameReader(Encoding encoding) : encoding_(encoding) {}

  // Calls `on_frame` with each event that is complete. False where it said so, or an event is too
  // long; then nothing more is fed.
  bool Feed(std::string_view chunk, base::FunctionRef<bool(std::string& frame)> on_frame);

  Encoding encoding() const { return encoding_; }
  bool too_long() const { return too_long_; }

  // An object of Kubernetes is limited to 1.5 MiB in etcd.
  static constexpr std::size_t kMostBytes = 64 << 20;

 private:
  bool FeedLines(std::string_view chunk, base::FunctionRef<bool(std::string& frame)> on_frame);
  bool FeedFrames(std::string_view chunk, base::FunctionRef<bool(std::string& frame)> on_frame);

  const Encoding encoding_;
  std::string pending_;  // of protobuf: without its length, once that is known
  std::size_t length_ = kNoLength;
  bool too_long_ = false;

  static constexpr std::size_t kNoLength = static_cast<std::size_t>(-1);
};

}  // namespace azexporter::kube
