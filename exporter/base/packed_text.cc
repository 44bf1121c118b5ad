#include "azexporter/base/packed_text.h"

#include "azexporter/base/check.h"

namespace azexporter::base {

void PackedText::AppendTo(std::string& out) const {
  MutexLock lock(mu_);
  if (packed_.bytes.empty()) {
    out += text_;
  } else {
    AZX_CHECK(AppendInflated(packed_, out), "Deflate made it");
  }
}

void PackedText::AddTo(GzipJoiner& joiner) const {
  // Less than this is compressed faster, and better, together with its neighbours.
  constexpr std::size_t kPackedFrom = 16 << 10;
  MutexLock lock(mu_);
  if (size_ < kPackedFrom) return joiner.Add(text_);
  if (packed_.bytes.empty()) {
    packed_ = Deflate(text_);
    text_ = std::string();
  }
  joiner.Add(packed_);
}

}  // namespace azexporter::base
