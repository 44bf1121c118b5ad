#pragma once

// A file of tables that survives a kill at any moment: SQLite with a write-ahead log. What a
// transaction wrote is there after a crash, or none of it is.
//
//   AZX_ASSIGN_OR_RETURN(const auto db, Database::Open("/data/azexporter.db", {...}));
//   AZX_RETURN_IF_ERROR(db->Transact([&]() -> Result<void> {
//     AZX_ASSIGN_OR_RETURN(Statement put, db->Prepare("INSERT INTO seen VALUES (?, ?)"));
//     return put.Run("node-1", now_ms);
//   }));
//
// Semantics: sqlite.org/wal.html, sqlite.org/pragma.html.
//
// Thread safety: Transact, and what happens in its body, excludes other threads; a Statement is
// used by one thread, within the body. Open and the destructor: one thread only.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "azexporter/base/mutex.h"
#include "azexporter/base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace azexporter::base {

// A row of an answer; columns are counted from 0. Valid until the next one.
class Row {
 public:
  std::int64_t Int(int column) const;
  std::string_view Text(int column) const;

 private:
  friend class Statement;
  explicit Row(sqlite3_stmt* statement) : statement_(statement) {}
  sqlite3_stmt* statement_;
};

// Values are bound in the order of the question marks: integers and text.
class Statement {
 public:
  template <class... Values>
  Result<void> Run(const Values&... values) {
    return Each([](const Row&) {}, values...);
  }
  template <class Visit, class... Values>
  Result<void> Each(const Visit& visit, const Values&... values) {
    Reset();
    int place = 0;
    (Bind(++place, values), ...);
    return Step(visit);
  }

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}

  void Reset();
  void Bind(int place, std::string_view text);
  template <class Int>
  requires std::is_integral_v<Int>
  void Bind(int place, Int value) { BindInt(place, static_cast<std::int64_t>(value)); }
  void BindInt(int place, std::int64_t value);
  Result<void> Step(const std::function<void(const Row&)>& visit);

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

struct DatabaseOptions {
  // Both are written into the file. A file of another application, or of a newer format, is set
  // aside; one of an older format is upgraded, a step a format.
  std::int32_t application = 0;
  int format = 1;
  // Makes of format `from` the next; from 0: of an empty file.
  std::function<Result<void>(class Database&, int from)> upgrade;
  // How long another process, one that is just stopping, may take to let go of the file.
  int busy_timeout_ms = 5'000;
  // SQLite's own layer below: for tests that make a disk fail.
  const char* vfs = nullptr;
};

// The file cannot be had because another process holds it.
bool IsInUse(const Error& error);

class Database {
 public:
  // Opens or makes the file. What cannot be read, is not ours or is of a newer format is renamed to
  // "PATH.set-aside-TIME", with its log; `set_aside` then says to what and why. kUnavailable when
  // another process holds it or the folder cannot be written.
  static Result<std::unique_ptr<Database>> Open(const std::string& path, DatabaseOptions options,
                                                std::int64_t now_ms, std::string& set_aside);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // All or nothing. A body that fails undoes what it did; its error is returned. Not reentrant.
  Result<void> Transact(const std::function<Result<void>()>& body) AZX_EXCLUDES(mu_);

  // REQUIRES: within a transaction.
  Result<Statement> Prepare(std::string_view sql);
  // Of statements that answer nothing, separated by semicolons. REQUIRES: within a transaction.
  Result<void> Execute(const std::string& sql);

 private:
  struct Close {
    void operator()(sqlite3* db) const;
  };
  using Handle = std::unique_ptr<sqlite3, Close>;

  explicit Database(Handle handle) : handle_(std::move(handle)) {}
  static Result<std::unique_ptr<Database>> TryOpen(const std::string& path,
                                                   const DatabaseOptions& options);
  Result<void> Begin(const DatabaseOptions& options);
  Result<std::int64_t> Pragma(const std::string& name);

  Mutex mu_;
  Handle handle_;
};

}  // namespace azexporter::base
