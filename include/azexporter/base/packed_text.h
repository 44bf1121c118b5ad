#pragma once

// A text that is kept for long and sent again and again: as it is until somebody first asks for it
// compressed, from then on compressed alone. Who wants it as it is gets it unpacked each time. A
// short one stays as it is.
//
// Thread safety: thread-safe.

#include <cstddef>
#include <string>
#include <utility>

#include "azexporter/base/gzip.h"
#include "azexporter/base/mutex.h"

namespace azexporter::base {

class PackedText {
 public:
  explicit PackedText(std::string text) : size_(text.size()), text_(std::move(text)) {}

  std::size_t size() const { return size_; }  // of the text
  void AppendTo(std::string& out) const;
  void AddTo(GzipJoiner& joiner) const;

 private:
  const std::size_t size_;
  mutable Mutex mu_;
  // One of the two holds the text.
  mutable std::string text_ AZX_GUARDED_BY(mu_);
  mutable DeflatedPart packed_ AZX_GUARDED_BY(mu_);
};

}  // namespace azexporter::base
