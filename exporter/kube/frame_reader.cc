#include "frame_reader.h"

#include <algorithm>

namespace azexporter::kube {

bool FrameReader::Feed(std::string_view chunk,
                       base::FunctionRef<bool(std::string& frame)> on_frame) {
  return encoding_ == Encoding::kJson ? FeedLines(chunk, on_frame) : FeedFrames(chunk, on_frame);
}

bool FrameReader::FeedLines(std::string_view chunk,
                            base::FunctionRef<bool(std::string& frame)> on_frame) {
  while (!chunk.empty()) {
    const std::size_t end = chunk.find('\n');
    pending_ += chunk.substr(0, end);
    if (end == std::string_view::npos) break;
    chunk.remove_prefix(end + 1);
    if (!pending_.empty() && !on_frame(pending_)) return false;
    pending_.clear();
  }
  too_long_ = pending_.size() > kMostBytes;
  return !too_long_;
}

bool FrameReader::FeedFrames(std::string_view chunk,
                             base::FunctionRef<bool(std::string& frame)> on_frame) {
  constexpr std::size_t kLengthBytes = 4;
  while (true) {
    const std::size_t wanted = length_ == kNoLength ? kLengthBytes : length_;
    const std::size_t taken = std::min(wanted - pending_.size(), chunk.size());
    pending_ += chunk.substr(0, taken);
    chunk.remove_prefix(taken);
    if (pending_.size() < wanted) return true;
    if (length_ == kNoLength) {
      length_ = 0;
      for (const char byte : pending_) length_ = length_ << 8 | static_cast<unsigned char>(byte);
      too_long_ = length_ > kMostBytes;
      if (too_long_) return false;
    } else {
      length_ = kNoLength;
      if (!on_frame(pending_)) return false;
    }
    pending_.clear();
  }
}

}  // namespace azexporter::kube
