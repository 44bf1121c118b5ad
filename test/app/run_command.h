#pragma once

// Runs a command of the program within the test, as its main() would, on files of the test.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "azexporter/app/commands.h"

namespace azexporter::app {

struct Output {
  int code = 0;
  std::string out;
  std::string err;
};

template <class... Args>
Output RunAs(int (*command)(const Flags&), Args... args) {
  const char* const argv[] = {"azexporter", args...};
  const auto flags = ParseFlags(static_cast<int>(std::size(argv)), argv);
  EXPECT_TRUE(flags) << flags.error().text;
  if (!flags) return {};
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  Output output;
  output.code = command(*flags);
  output.out = testing::internal::GetCapturedStdout();
  output.err = testing::internal::GetCapturedStderr();
  return output;
}

// A file of a test's own; its path.
inline std::string Put(const std::string& name, std::string_view text) {
  const std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) /
      ("azx_" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
  std::filesystem::create_directories(folder);
  const std::string path = folder / name;
  std::ofstream(path) << text;
  return path;
}

}  // namespace azexporter::app
