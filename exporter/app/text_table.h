#pragma once

// Rows of text, padded into columns. Private to `app`.
//
// Thread safety: thread-compatible.

#include <string>
#include <utility>
#include <vector>

namespace azexporter::app {

class TextTable {
 public:
  explicit TextTable(std::vector<std::string> header) { Add(std::move(header)); }

  void Add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  // Only the header.
  bool empty() const { return rows_.size() == 1; }
  // A line a row, without blanks at its end.
  std::string ToString() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace azexporter::app
