#pragma once

// What a real API server answered, as it was recorded.

#include <gtest/gtest.h>

#include <string>

#include "azexporter/base/file.h"
#include "support/paths.h"

namespace azexporter::kube {

inline std::string Recording(const std::string& name) {
  auto text = base::ReadFile(test::RecordingsFolder() + "/" + name);
  EXPECT_TRUE(text) << text.error().message();
  return text ? *text : std::string();
}

}  // namespace azexporter::kube
