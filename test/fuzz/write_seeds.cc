// azx_fuzz_seeds FOLDER: writes the seeds of every target to FOLDER/<target>/, and FOLDER/words, a
// dictionary for libFuzzer.

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "seeds.h"
#include "targets.h"

namespace {

// As libFuzzer's dictionaries quote: "\x0A".
std::string Quoted(std::string_view word) {
  std::string text = "\"";
  for (const char c : word) text += fmt::format("\\x{:02X}", static_cast<unsigned char>(c));
  return text + "\"";
}

}  // namespace

int main(int argc, char** argv) {
  namespace fuzz = azexporter::fuzz;
  if (argc != 2) {
    fmt::print(stderr, "usage: azx_fuzz_seeds FOLDER\n");
    return 1;
  }
  const std::filesystem::path folder(argv[1]);
  for (const fuzz::Target& target : fuzz::Targets()) {
    std::filesystem::create_directories(folder / target.name);
    int number = 0;
    for (const std::string& seed : fuzz::Seeds(target.name)) {
      std::ofstream(folder / target.name / fmt::format("seed{:04}", number++), std::ios::binary)
          << seed;
    }
  }
  std::ofstream words(folder / "words");
  for (const std::string& word : fuzz::Words()) words << Quoted(word) << "\n";
  return 0;
}
