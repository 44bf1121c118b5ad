#include "quantity.h"

#include <charconv>
#include <utility>

namespace azexporter::platform {

double ParseQuantity(std::string_view text) {
  constexpr std::pair<std::string_view, double> kSuffixes[] = {{"Ki", 1024.0},
                                                               {"Mi", 1024.0 * 1024},
                                                               {"Gi", 1024.0 * 1024 * 1024},
                                                               {"Ti", 1024.0 * 1024 * 1024 * 1024},
                                                               {"m", 1e-3},
                                                               {"k", 1e3},
                                                               {"M", 1e6},
                                                               {"G", 1e9},
                                                               {"T", 1e12},
                                                               {"", 1}};
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return 0;
  const std::string_view suffix = text.substr(static_cast<std::size_t>(end - text.data()));
  for (const auto& [name, factor] : kSuffixes) {
    if (suffix == name) return number * factor;
  }
  return 0;
}

}  // namespace azexporter::platform
