#include "azexporter/base/database.h"

#include <sqlite3.h>

#include <filesystem>
#include <string_view>
#include <utility>

#include "azexporter/base/check.h"
#include "azexporter/base/time_text.h"

namespace azexporter::base {
namespace {

constexpr std::string_view kInUse = "in use by another process";
// What a large transaction changed stays in memory up to this.
constexpr int kCacheKb = 32 * 1024;
// The log is written back into the file when it has so many pages (4 MB).
constexpr int kLogPages = 1'000;

// Bad data: what is in the file. Unavailable: what keeps us from it.
Error ErrorOf(sqlite3* db, int code) {
  const int basic = code & 0xff;
  if (basic == SQLITE_BUSY || basic == SQLITE_LOCKED) {
    return {ErrorCode::kUnavailable, std::string(kInUse)};
  }
  const bool damaged = basic == SQLITE_CORRUPT || basic == SQLITE_NOTADB;
  return {damaged ? ErrorCode::kBadData : ErrorCode::kUnavailable,
          db == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(db)};
}

void Rename(const std::string& from, const std::string& to) {
  std::error_code ignored;  // the log need not be there
  std::filesystem::rename(from, to, ignored);
}

}  // namespace

bool IsInUse(const Error& error) {
  return error.code() == ErrorCode::kUnavailable && error.message().ends_with(kInUse);
}

std::int64_t Row::Int(int column) const { return sqlite3_column_int64(statement_, column); }
std::string_view Row::Text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  if (text == nullptr) return {};
  return {text, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

void Statement::Finalize::operator()(sqlite3_stmt* statement) const {
  static_cast<void>(sqlite3_finalize(statement));
}

void Statement::Reset() { static_cast<void>(sqlite3_reset(statement_.get())); }

void Statement::Bind(int place, std::string_view text) {
  static_cast<void>(sqlite3_bind_text64(statement_.get(), place, text.data(), text.size(),
                                        SQLITE_TRANSIENT, SQLITE_UTF8));
}
void Statement::BindInt(int place, std::int64_t value) {
  static_cast<void>(sqlite3_bind_int64(statement_.get(), place, value));
}

Result<void> Statement::Step(const std::function<void(const Row&)>& visit) {
  int code = sqlite3_step(statement_.get());
  for (; code == SQLITE_ROW; code = sqlite3_step(statement_.get())) visit(Row(statement_.get()));
  Result<void> outcome;
  if (code != SQLITE_DONE) outcome = Fail(ErrorOf(sqlite3_db_handle(statement_.get()), code));
  Reset();
  return outcome;
}

void Database::Close::operator()(sqlite3* db) const { static_cast<void>(sqlite3_close_v2(db)); }

Database::~Database() = default;

Result<Statement> Database::Prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v2(handle_.get(), sql.data(), static_cast<int>(sql.size()),
                                      &statement, nullptr);
  if (code != SQLITE_OK) return Fail(ErrorOf(handle_.get(), code));
  AZX_CHECK(statement != nullptr, "there is a statement");
  return Statement(statement);
}

Result<void> Database::Execute(const std::string& sql) {
  const int code = sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return Fail(ErrorOf(handle_.get(), code));
  return {};
}

Result<void> Database::Transact(const std::function<Result<void>()>& body) {
  MutexLock lock(mu_);
  AZX_RETURN_IF_ERROR(Execute("BEGIN IMMEDIATE"));
  auto done = body();
  if (done) done = Execute("COMMIT");
  // A commit that fails may have ended the transaction, or not.
  if (!done && sqlite3_get_autocommit(handle_.get()) == 0) static_cast<void>(Execute("ROLLBACK"));
  return done;
}

Result<std::int64_t> Database::Pragma(const std::string& name) {
  std::int64_t value = 0;
  AZX_ASSIGN_OR_RETURN(Statement ask, Prepare("PRAGMA " + name));
  AZX_RETURN_IF_ERROR(ask.Each([&](const Row& row) { value = row.Int(0); }));
  return value;
}

// Another application's file is left as it is: nothing is written before we know that it is ours.
Result<void> Database::Begin(const DatabaseOptions& options) {
  // Before anything is read: the file is ours alone then, and needs no memory shared with others.
  AZX_RETURN_IF_ERROR(Execute("PRAGMA locking_mode = EXCLUSIVE"));
  AZX_ASSIGN_OR_RETURN(const std::int64_t application, Pragma("application_id"));
  AZX_ASSIGN_OR_RETURN(const std::int64_t format, Pragma("user_version"));
  AZX_ASSIGN_OR_RETURN(const std::int64_t tables, Pragma("schema_version"));
  if (application != options.application && (application != 0 || format != 0 || tables != 0)) {
    return BadData("belongs to another application");
  }
  if (format > options.format) {
    return BadData("has format " + std::to_string(format) + ", newer than " +
                   std::to_string(options.format));
  }
  if (sqlite3_db_readonly(handle_.get(), "main") != 0) {
    return Fail(ErrorCode::kUnavailable, "may only be read");
  }
  AZX_RETURN_IF_ERROR(Execute(
      "PRAGMA journal_mode = WAL;"
      "PRAGMA synchronous = FULL; PRAGMA cache_size = " +
      std::to_string(-kCacheKb) + "; PRAGMA wal_autocheckpoint = " + std::to_string(kLogPages)));
  std::string health;
  AZX_ASSIGN_OR_RETURN(Statement check, Prepare("PRAGMA quick_check(1)"));
  AZX_RETURN_IF_ERROR(check.Each([&](const Row& row) { health = row.Text(0); }));
  if (health != "ok") return BadData("is damaged: " + health);
  if (format == options.format) return {};
  return Transact([&]() -> Result<void> {
    for (int from = static_cast<int>(format); from < options.format; ++from) {
      AZX_RETURN_IF_ERROR(options.upgrade(*this, from));
    }
    return Execute("PRAGMA application_id = " + std::to_string(options.application) +
                   "; PRAGMA user_version = " + std::to_string(options.format));
  });
}

Result<std::unique_ptr<Database>> Database::TryOpen(const std::string& path,
                                                    const DatabaseOptions& options) {
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &raw,
                                   SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                                   options.vfs);
  Handle handle(raw);
  if (code != SQLITE_OK) return Fail(ErrorOf(raw, code));
  static_cast<void>(sqlite3_busy_timeout(raw, options.busy_timeout_ms));
  std::unique_ptr<Database> db(new Database(std::move(handle)));
  AZX_RETURN_IF_ERROR(db->Begin(options));
  return db;
}

Result<std::unique_ptr<Database>> Database::Open(const std::string& path, DatabaseOptions options,
                                                 std::int64_t now_ms, std::string& set_aside) {
  auto opened = TryOpen(path, options);
  if (opened || opened.error().code() != ErrorCode::kBadData) {
    if (!opened) return Fail(opened.error().WithContext(path));
    return opened;
  }
  const std::string aside = path + ".set-aside-" + FormatRfc3339(now_ms);
  std::error_code failed;
  std::filesystem::rename(path, aside, failed);
  if (failed) {
    return Fail(ErrorCode::kUnavailable, path + ": " + opened.error().message() +
                                             ", and it cannot be set aside: " + failed.message());
  }
  Rename(path + "-wal", aside + "-wal");
  Rename(path + "-shm", aside + "-shm");
  set_aside = path + " " + opened.error().message() + "; it is " + aside + " now";
  opened = TryOpen(path, options);
  if (!opened) return Fail(opened.error().WithContext(path));
  return opened;
}

}  // namespace azexporter::base
