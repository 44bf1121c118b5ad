#pragma once

// Runs a command of the program within the test, as its main() would.

#include <gtest/gtest.h>

#include <iterator>
#include <string>

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

}  // namespace azexporter::app
