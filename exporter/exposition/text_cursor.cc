#include "text_cursor.h"

#include <algorithm>

#include "azexporter/base/utf8.h"

namespace azexporter::exposition {

bool TextCursor::Take(char c) {
  if (AtEnd() || text_[at_] != c) return false;
  ++at_;
  return true;
}

bool TextCursor::Take(std::string_view word) {
  if (!text_.substr(at_).starts_with(word)) return false;
  at_ += word.size();
  return true;
}

void TextCursor::TakeBlanks() {
  while (Peek() == ' ' || Peek() == '\t') ++at_;
}

std::string_view TextCursor::TakeUntil(std::string_view stops) {
  const std::size_t begin = at_;
  while (!AtEnd() && text_[at_] != '\n' && stops.find(text_[at_]) == std::string_view::npos) ++at_;
  return text_.substr(begin, at_ - begin);
}

std::string_view TextCursor::TakeName(bool colons) {
  const std::size_t begin = at_;
  const auto fits = [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (colons && c == ':') ||
           (at_ > begin && c >= '0' && c <= '9');
  };
  while (!AtEnd() && fits(text_[at_])) ++at_;
  return text_.substr(begin, at_ - begin);
}

base::Result<std::string> TextCursor::TakeQuoted() {
  const std::size_t begin = at_;
  if (!Take('"')) return Fail("expected a string in double quotes");
  std::string out;
  for (;;) {
    if (AtEnd() || Peek() == '\n') return FailAt(begin, "the string does not end on its line");
    const char c = text_[at_++];
    if (c == '"') break;
    if (c != '\\') {
      out += c;
      continue;
    }
    const char escaped = Peek();
    if (escaped == 'n') {
      out += '\n';
      ++at_;
    } else if (escaped == '"' || escaped == '\\') {
      out += escaped;
      ++at_;
    } else {
      out += c;
    }
  }
  if (!base::IsValidUtf8(out)) return FailAt(begin, "the string is not valid UTF-8");
  return out;
}

tl::unexpected<base::Error> TextCursor::FailAt(std::size_t at, std::string_view message) const {
  const std::string_view before = text_.substr(0, at);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::size_t line_begin = before.rfind('\n') + 1;  // npos + 1 is 0
  return base::BadData(std::to_string(line) + ":" + std::to_string(at - line_begin + 1) + ": " +
                       std::string(message));
}

std::string UnescapeHelp(std::string_view text, bool quotes) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    if (text[i] == '\\' && (next == '\\' || next == 'n' || (quotes && next == '"'))) {
      out += next == 'n' ? '\n' : next;
      ++i;
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace azexporter::exposition
