// README's table of metrics against the table of collectors, both ways: a family that is not told
// of, or one that is told of and not there, is a failure with its name.

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "azexporter/base/file.h"
#include "azexporter/collect/collector.h"

namespace azexporter::collect {
namespace {

using Catalogue = std::map<std::string, std::set<std::string>>;  // families with their labels

constexpr std::string_view kWordCharacters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";

std::set<std::string> WordsOf(std::string_view text) {
  std::set<std::string> words;
  for (std::size_t at = text.find_first_of(kWordCharacters); at != std::string_view::npos;
       at = text.find_first_of(kWordCharacters, at)) {
    const std::size_t end = std::min(text.find_first_not_of(kWordCharacters, at), text.size());
    words.emplace(text.substr(at, end - at));
    at = end;
  }
  return words;
}

// The first two cells of each row of the table under "## Metrics". What azexporter says of itself
// and of its alerts comes from no collector, and is left out.
Catalogue Told() {
  const auto readme = base::ReadFile(std::string(AZX_SOURCE_DIR) + "/README.md");
  EXPECT_TRUE(readme) << readme.error().message();
  if (!readme) return {};
  std::string_view section = *readme;
  section.remove_prefix(std::min(section.find("\n## Metrics\n"), section.size()));
  section = section.substr(0, section.find("\n## ", 1));
  Catalogue told;
  for (std::size_t at = section.find("\n| `"); at != std::string_view::npos;
       at = section.find("\n| `", at + 1)) {
    const std::size_t names = at + 3;
    const std::size_t labels = section.find(" | ", names);
    const std::size_t meaning = section.find(" | ", labels + 2);
    for (const std::string& name : WordsOf(section.substr(names, labels - names))) {
      if (name.starts_with("azexporter_") || name == "az_alerts" || name.starts_with('_')) continue;
      EXPECT_TRUE(told.emplace(name, WordsOf(section.substr(labels, meaning - labels))).second)
          << name << " is told of twice";
    }
  }
  return told;
}

TEST(CatalogueTest, TheReadmeTellsOfEachFamilyAndOfNoOther) {
  const Catalogue told = Told();
  std::set<std::string> there;
  for (const Collector& collector : Collectors()) {
    for (const model::MetricDesc& desc : collector.families) {
      const std::string name(desc.name);
      there.insert(name);
      const auto found = told.find(name);
      if (found == told.end()) {
        ADD_FAILURE() << "README.md does not tell of " << name;
        continue;
      }
      const std::set<std::string> labels(desc.label_names.begin(), desc.label_names.end());
      EXPECT_EQ(found->second, labels) << "of " << name;
    }
  }
  for (const auto& [name, labels] : told) {
    EXPECT_TRUE(there.contains(name)) << "README.md tells of " << name << ", which is not there";
  }
}

}  // namespace
}  // namespace azexporter::collect
