#include "azexporter/model/label_codec.h"

#include <charconv>
#include <vector>

namespace azexporter::model {
namespace {

void Append(std::string& text, std::string_view part) {
  text.append(std::to_string(part.size())).append(1, ':').append(part);
}

// Takes a part off the front; false where there is none.
bool Take(std::string_view& text, std::string_view& part) {
  std::size_t size = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), size);
  if (end.ec != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(end.ptr - text.data()));
  if (text.empty() || text.front() != ':' || text.size() - 1 < size) return false;
  part = text.substr(1, size);
  text.remove_prefix(1 + size);
  return true;
}

}  // namespace

std::string EncodeLabels(const Labels& labels) {
  std::string text;
  for (const Label label : labels) {
    Append(text, label.name);
    Append(text, label.value);
  }
  return text;
}

base::Result<Labels> DecodeLabels(std::string_view text) {
  const std::string_view whole = text;
  std::vector<Label> labels;
  while (!text.empty()) {
    Label label;
    if (!Take(text, label.name) || !Take(text, label.value)) {
      return base::BadData("no labels: \"" + std::string(whole) + "\"");
    }
    labels.push_back(label);
  }
  return Labels::Of(std::move(labels));
}

}  // namespace azexporter::model
