// Database: what was written stays, and nothing that a file or a disk does gets in the way.

#include "azexporter/base/database.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "support/faulty_disk.h"
#include "support/temp_folder.h"

namespace azexporter::base {
namespace {

constexpr std::int64_t kNow = 1'700'000'000'000;

DatabaseOptions Options(int format = 1) {
  return {.application = 77, .format = format, .upgrade = [](Database& db, int from) {
            return db.Execute(from == 0 ? "CREATE TABLE seen (name TEXT, at INTEGER)"
                                        : "ALTER TABLE seen ADD COLUMN note TEXT");
          }};
}

class DatabaseTest : public testing::Test {
 protected:
  Result<std::unique_ptr<Database>> Open(DatabaseOptions options = Options()) {
    set_aside_.clear();
    return Database::Open(path_, std::move(options), kNow, set_aside_);
  }

  static Result<void> Put(Database& db, const std::string& name, std::int64_t at) {
    return db.Transact([&]() -> Result<void> {
      AZX_ASSIGN_OR_RETURN(Statement put, db.Prepare("INSERT INTO seen (name, at) VALUES (?, ?)"));
      return put.Run(name, at);
    });
  }

  static std::string All(Database& db) {
    std::string text;
    const auto read = db.Transact([&]() -> Result<void> {
      AZX_ASSIGN_OR_RETURN(Statement ask, db.Prepare("SELECT name, at FROM seen ORDER BY at"));
      return ask.Each([&](const Row& row) {
        text += std::string(row.Text(0)) + "=" + std::to_string(row.Int(1)) + " ";
      });
    });
    return read ? text : read.error().message();
  }

  std::vector<std::string> Files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
      names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  const test::TempFolder folder_;
  const std::string path_ = (folder_.path() / "state.db").string();
  std::string set_aside_;
};

TEST_F(DatabaseTest, KeepsWhatWasWritten) {
  {
    const auto db = Open();
    ASSERT_TRUE(db.has_value()) << db.error().message();
    ASSERT_TRUE(Put(**db, std::string("a\0b", 3), 1).has_value());
  }
  const auto db = Open();
  ASSERT_TRUE(db.has_value()) << db.error().message();
  EXPECT_EQ(All(**db), std::string("a\0b", 3) + "=1 ");
  EXPECT_EQ(set_aside_, "");
}

TEST_F(DatabaseTest, AFailingBodyChangesNothing) {
  const auto db = Open();
  ASSERT_TRUE(db.has_value());
  const auto outcome = (*db)->Transact([&]() -> Result<void> {
    AZX_RETURN_IF_ERROR((*db)->Execute("INSERT INTO seen VALUES ('a', 1)"));
    return BadData("no");
  });
  EXPECT_EQ(outcome.error().message(), "no");
  EXPECT_EQ(All(**db), "");
  EXPECT_FALSE((*db)->Transact([&] { return (*db)->Execute("nonsense"); }).has_value());
  ASSERT_TRUE(Put(**db, "b", 2).has_value());
  EXPECT_EQ(All(**db), "b=2 ");
}

TEST_F(DatabaseTest, HasOneOwner) {
  const auto db = Open();
  ASSERT_TRUE(db.has_value());
  // The same process has its own lock twice; another one is refused.
  const pid_t child = fork();
  if (child == 0) {
    std::string ignored;
    auto options = Options();
    options.busy_timeout_ms = 10;
    const auto second = Database::Open(path_, options, kNow, ignored);
    _exit(!second && IsInUse(second.error()) ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(DatabaseTest, UpgradesAnOlderFormat) {
  {
    const auto db = Open();
    ASSERT_TRUE(db.has_value());
    ASSERT_TRUE(Put(**db, "a", 1).has_value());
  }
  const auto db = Open(Options(2));
  ASSERT_TRUE(db.has_value()) << db.error().message();
  EXPECT_TRUE((*db)->Transact([&] { return (*db)->Execute("UPDATE seen SET note = 'x'"); }));
  EXPECT_EQ(All(**db), "a=1 ");
}

TEST_F(DatabaseTest, SetsANewerFormatAside) {
  { ASSERT_TRUE(Open(Options(2)).has_value()); }
  const auto db = Open(Options(1));
  ASSERT_TRUE(db.has_value()) << db.error().message();
  EXPECT_EQ(set_aside_, path_ + " has format 2, newer than 1; it is " + path_ +
                            ".set-aside-2023-11-14T22:13:20Z now");
  EXPECT_EQ(All(**db), "");
}

TEST_F(DatabaseTest, SetsAsideWhatItCannotRead) {
  const auto whole = [&] {
    const auto db = Open();
    EXPECT_TRUE(db.has_value());
    EXPECT_TRUE((*db)->Transact([&]() -> Result<void> {
      AZX_ASSIGN_OR_RETURN(Statement put, (*db)->Prepare("INSERT INTO seen VALUES (?, ?)"));
      for (int i = 0; i < 2'000; ++i) AZX_RETURN_IF_ERROR(put.Run(std::string(100, 'x'), i));
      return {};
    }));
  };
  struct Case {
    const char* name;
    std::function<void()> make;
    const char* says;
  };
  const Case cases[] = {
      {"text", [&] { folder_.Write("state.db", "alerts: []\n" + std::string(5'000, '#')); },
       "not a database"},
      {"of another",
       [&] {
         auto options = Options();
         options.application = 78;
         ASSERT_TRUE(Open(options).has_value());
       },
       "belongs to another application"},
      {"torn in the middle",
       [&] {
         whole();
         std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
         file.seekp(5 * 4096);
         file << std::string(3 * 4096, 'z');
       },
       "is damaged"},
      {"cut off",
       [&] {
         whole();
         std::filesystem::resize_file(path_, 5 * 4096);
       },
       "malformed"},
  };
  for (const Case& c : cases) {
    for (const std::string& file : Files()) std::filesystem::remove(folder_.path() / file);
    c.make();
    const auto db = Open();
    ASSERT_TRUE(db.has_value()) << c.name << ": " << db.error().message();
    EXPECT_NE(set_aside_.find(c.says), std::string::npos) << c.name << ": " << set_aside_;
    EXPECT_EQ(All(**db), "") << c.name;
    EXPECT_TRUE(std::filesystem::exists(path_ + ".set-aside-2023-11-14T22:13:20Z")) << c.name;
  }
}

TEST_F(DatabaseTest, AnEmptyFileIsAsGoodAsNone) {
  folder_.Write("state.db", "");
  const auto db = Open();
  ASSERT_TRUE(db.has_value()) << db.error().message();
  EXPECT_EQ(set_aside_, "");
}

TEST_F(DatabaseTest, LosesTheTornEndOfItsLogOnly) {
  {
    const auto db = Open();
    ASSERT_TRUE(db.has_value());
    ASSERT_TRUE(Put(**db, "a", 1).has_value());
    ASSERT_TRUE(Put(**db, "b", 2).has_value());
    // As a kill leaves them: the log is not written back.
    std::filesystem::copy_file(path_, path_ + ".copy");
    std::filesystem::copy_file(path_ + "-wal", path_ + ".copy-wal");
  }
  std::filesystem::rename(path_ + ".copy", path_);
  std::filesystem::rename(path_ + ".copy-wal", path_ + "-wal");
  std::filesystem::resize_file(path_ + "-wal", std::filesystem::file_size(path_ + "-wal") - 100);
  const auto db = Open();
  ASSERT_TRUE(db.has_value()) << db.error().message();
  EXPECT_EQ(set_aside_, "");
  EXPECT_EQ(All(**db), "a=1 ");
}

TEST_F(DatabaseTest, OutlivesAFullDisk) {
  test::FaultyDisk disk;
  auto options = Options();
  options.vfs = disk.name();
  const auto db = Open(options);
  ASSERT_TRUE(db.has_value()) << db.error().message();
  ASSERT_TRUE(Put(**db, "a", 1).has_value());
  disk.full = true;
  const auto failed = Put(**db, "b", 2);
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().message(), "database or disk is full");
  EXPECT_EQ(All(**db), "a=1 ");
  disk.full = false;
  ASSERT_TRUE(Put(**db, "c", 3).has_value());
  EXPECT_EQ(All(**db), "a=1 c=3 ");
}

TEST_F(DatabaseTest, SaysWhereItMayNotWrite) {
  auto options = Options();
  std::string set_aside;
  const auto db = Database::Open("/proc/azexporter.db", options, kNow, set_aside);
  ASSERT_FALSE(db.has_value());
  EXPECT_EQ(db.error().message(), "/proc/azexporter.db: unable to open database file");
  EXPECT_FALSE(IsInUse(db.error()));
}

}  // namespace
}  // namespace azexporter::base
