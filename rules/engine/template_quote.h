#pragma once

// Characters and quoted texts as Go prints them. Private to `rules`.
// Semantics: pkg.go.dev/strconv.
//
// Thread safety: pure functions.

#include <cstdint>
#include <string>
#include <string_view>

#include "azexporter/base/result.h"

namespace azexporter::rules::text_template {

struct FormatSpec;

// The character that `text` starts with, U+FFFD where it starts with none, and its bytes; 0 bytes
// of an empty text.
struct Rune {
  char32_t code = 0;
  std::size_t bytes = 0;
};
Rune FirstRune(std::string_view text);
std::size_t RuneCount(std::string_view text);
std::string_view FirstRunes(std::string_view text, std::size_t count);
// U+FFFD where `value` is no character.
char32_t RuneOf(std::int64_t value);

// Letters and case beyond ASCII are those of Latin-1, Latin Extended-A, Greek and Cyrillic; what
// lies outside of these, and of punctuation and symbols, counts as a letter without case.
bool IsLetterOrDigit(char32_t code);
char32_t UpperOf(char32_t code);
char32_t LowerOf(char32_t code);

// %q: "a\tb"; with plus in ASCII; with sharp in backquotes where it can be.
std::string Quote(std::string_view text, const FormatSpec& spec);
std::string QuoteRune(char32_t code, const FormatSpec& spec);
// %x of a string; with a space between bytes, with "0x".
std::string HexBytes(std::string_view bytes, const FormatSpec& spec, bool upper);
// %U: "U+00E9"; with sharp "U+00E9 'é'".
std::string UnicodeText(std::int64_t value, const FormatSpec& spec);

// What a quoted text with its quotes (", ` or ') means. kBadData "invalid syntax".
base::Result<std::string> Unquote(std::string_view quoted);

}  // namespace azexporter::rules::text_template
