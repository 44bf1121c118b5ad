#pragma once

// A folder of a test's own, gone with the object: declare it before what writes into it.

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

#include "azexporter/base/check.h"

namespace azexporter::test {

class TempFolder {
 public:
  TempFolder() {
    std::string name = std::filesystem::temp_directory_path() / "azx-test-XXXXXX";
    AZX_CHECK(::mkdtemp(name.data()) != nullptr, "no folder for a test");
    path_ = std::filesystem::canonical(name);
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::string string() const { return path_.string(); }
  std::filesystem::path operator/(const std::filesystem::path& name) const { return path_ / name; }

  // The path of the file that was written. It appears whole: a thread that reads the file meanwhile
  // finds what was there before, or all of the text.
  std::filesystem::path Write(const std::string& name, const std::string& text) const {
    std::filesystem::path path = path_ / name;
    const std::filesystem::path unfinished = path.string() + ".unfinished";
    std::ofstream(unfinished, std::ios::binary) << text;
    std::filesystem::rename(unfinished, path);
    return path;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace azexporter::test
