#pragma once

// A place in a page of text, and what the text formats are made of: names, quoted strings, numbers.
// Private to `exposition`.
//
// Thread safety: thread-compatible.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "azexporter/base/result.h"

namespace azexporter::exposition {

class TextCursor {
 public:
  explicit TextCursor(std::string_view text) : text_(text) {}

  std::size_t at() const { return at_; }
  bool AtEnd() const { return at_ == text_.size(); }
  // '\0' at the end; such a byte in the text is no different, and is never part of anything.
  char Peek() const { return AtEnd() ? '\0' : text_[at_]; }

  bool Take(char c);
  bool Take(std::string_view word);
  void TakeBlanks();  // spaces and tabs
  // Up to the next line feed or one of `stops`.
  std::string_view TakeUntil(std::string_view stops);
  // The rest of the line, without its line feed, which stays.
  std::string_view TakeLine() { return TakeUntil(""); }

  // [a-zA-Z_][a-zA-Z0-9_]*, with ':' where `colons`; "" where there is none.
  std::string_view TakeName(bool colons);
  // A string in double quotes with \\, \" and \n; other backslashes stand for themselves.
  base::Result<std::string> TakeQuoted();

  // kBadData "LINE:COLUMN: message", here or at another place.
  tl::unexpected<base::Error> Fail(std::string_view message) const { return FailAt(at_, message); }
  tl::unexpected<base::Error> FailAt(std::size_t at, std::string_view message) const;

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

// \\ and \n as HELP has them; and \" in OpenMetrics.
std::string UnescapeHelp(std::string_view text, bool quotes);

}  // namespace azexporter::exposition
