#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "azexporter/base/database.h"

namespace azexporter::test {

// The file with the tables that `create` makes, which must be whole where it is there already; null
// where it cannot be opened.
inline std::unique_ptr<base::Database> OpenDatabase(const std::string& path,
                                                    base::Result<void> (*create)(base::Database&),
                                                    const char* vfs = nullptr) {
  std::string set_aside;
  auto db =
      base::Database::Open(path,
                           {.application = 1,
                            .upgrade = [create](base::Database& made, int) { return create(made); },
                            .vfs = vfs},
                           0, set_aside);
  EXPECT_TRUE(db.has_value()) << db.error().message();
  EXPECT_EQ(set_aside, "");
  return db ? std::move(*db) : nullptr;
}

}  // namespace azexporter::test
