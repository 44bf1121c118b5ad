#pragma once

// What azexporter needs to know of UTF-8: where a character ends, and whether a text is valid.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace azexporter::base {

// Bytes of the well-formed character that `text` starts with; 0 when it starts with none. Overlong
// forms, surrogates and code points past U+10FFFF are not well-formed.
std::size_t Utf8Length(std::string_view text);

bool IsValidUtf8(std::string_view text);

// Appends one code point. A surrogate or a value past U+10FFFF is written as U+FFFD.
void AppendUtf8(std::string& out, std::uint32_t code_point);

}  // namespace azexporter::base
