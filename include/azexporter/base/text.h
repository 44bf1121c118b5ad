#pragma once

// Small changes of text that many modules make. All of it is about ASCII: other bytes stay.
//
// Thread safety: pure functions.

#include <string>
#include <string_view>
#include <vector>

namespace azexporter::base {

// Without the `blanks` at both ends.
std::string_view Trim(std::string_view text, std::string_view blanks = " \t\r\n");

std::string Lower(std::string text);
std::string Upper(std::string text);

// The lines without their ends; a last one that is empty is none.
std::vector<std::string_view> SplitLines(std::string_view text);

// %XX for everything but letters, digits and -_.~
std::string UrlEscape(std::string_view text);
// The same with + for a space, as forms and queries have it.
std::string QueryEscape(std::string_view text);

}  // namespace azexporter::base
