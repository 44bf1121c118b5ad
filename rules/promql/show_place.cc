// Where in a query a message points, drawn for people.

#include <algorithm>
#include <charconv>
#include <optional>

#include "azexporter/base/utf8.h"
#include "azexporter/promql/parser.h"

namespace azexporter::promql {
namespace {

struct Place {
  std::size_t line = 0;  // both 1-based; columns count bytes
  std::size_t column = 0;
};

// "12:5" at the front of `text`, followed by `end`.
std::optional<Place> ReadPlace(std::string_view text, char end) {
  Place place;
  const char* const last = text.data() + text.size();
  const auto line = std::from_chars(text.data(), last, place.line);
  if (line.ec != std::errc() || line.ptr == last || *line.ptr != ':') return std::nullopt;
  const auto column = std::from_chars(line.ptr + 1, last, place.column);
  if (column.ec != std::errc() || column.ptr == last || *column.ptr != end) return std::nullopt;
  if (place.line == 0 || place.column == 0) return std::nullopt;
  return place;
}

std::optional<Place> FindPlace(std::string_view message) {
  if (const auto place = ReadPlace(message, ':')) return place;
  const std::size_t paren = message.rfind('(');
  return paren == std::string_view::npos ? std::nullopt : ReadPlace(message.substr(paren + 1), ')');
}

// As wide as `text`, where a character is one column wide: tabs stay tabs.
std::string BlanksLike(std::string_view text) {
  std::string blanks;
  while (!text.empty()) {
    blanks += text.front() == '\t' ? '\t' : ' ';
    text.remove_prefix(std::max<std::size_t>(base::Utf8Length(text), 1));
  }
  return blanks;
}

}  // namespace

std::string ShowPlace(std::string_view query, std::string_view message) {
  const auto place = FindPlace(message);
  if (!place) return "";
  for (std::size_t skipped = 1; skipped < place->line; ++skipped) {
    const std::size_t end = query.find('\n');
    if (end == std::string_view::npos) return "";
    query.remove_prefix(end + 1);
  }
  const std::string_view line = query.substr(0, query.find('\n'));
  // The place may be just behind the line: something is missing there.
  if (place->column > line.size() + 1) return "";
  const std::string margin = "  ";
  return margin + std::string(line) + "\n" + margin +
         BlanksLike(line.substr(0, place->column - 1)) + "^\n";
}

}  // namespace azexporter::promql
