#pragma once

// A disk below SQLite that fails on demand: full, or losing what is written, or calling back at
// each write, where a test may end the process.
//
//   test::FaultyDisk disk;
//   base::Database::Open(path, {..., .vfs = disk.name()}, ...);
//   disk.full = true;
//
// One at a time. Thread-compatible.

#include <sqlite3.h>

#include <cstdint>
#include <cstring>
#include <functional>

namespace azexporter::test {

class FaultyDisk {
 public:
  FaultyDisk() {
    self_ = this;
    below_ = sqlite3_vfs_find(nullptr);
    vfs_ = *below_;
    vfs_.zName = kName;
    vfs_.szOsFile = static_cast<int>(sizeof(File)) + below_->szOsFile;
    vfs_.xOpen = Open;
    sqlite3_vfs_register(&vfs_, 0);
  }
  ~FaultyDisk() {
    sqlite3_vfs_unregister(&vfs_);
    self_ = nullptr;
  }
  FaultyDisk(const FaultyDisk&) = delete;
  FaultyDisk& operator=(const FaultyDisk&) = delete;

  const char* name() const { return kName; }

  bool full = false;   // writes fail
  bool loses = false;  // writes and syncs do nothing, and say that they did
  std::function<void()> on_write;

 private:
  static constexpr char kName[] = "faulty";

  // What SQLite sees, before the file of the disk below.
  struct File {
    sqlite3_file base;
    sqlite3_file* below() { return reinterpret_cast<sqlite3_file*>(this + 1); }
  };
  static sqlite3_file* Below(sqlite3_file* file) { return reinterpret_cast<File*>(file)->below(); }

  static int Open(sqlite3_vfs*, const char* path, sqlite3_file* file, int flags, int* out) {
    static const sqlite3_io_methods kMethods = Methods();
    const int code = below_->xOpen(below_, path, Below(file), flags, out);
    file->pMethods = code == SQLITE_OK ? &kMethods : nullptr;
    return code;
  }

  static int Write(sqlite3_file* file, const void* data, int size, sqlite3_int64 at) {
    if (self_->on_write) self_->on_write();
    if (self_->full) return SQLITE_FULL;
    if (self_->loses) return SQLITE_OK;
    return Below(file)->pMethods->xWrite(Below(file), data, size, at);
  }
  static int Sync(sqlite3_file* file, int flags) {
    if (self_->on_write) self_->on_write();
    if (self_->full) return SQLITE_FULL;
    return self_->loses ? SQLITE_OK : Below(file)->pMethods->xSync(Below(file), flags);
  }

  // Version 1: no memory shared with other processes, which the exclusive lock makes needless.
  static sqlite3_io_methods Methods() {
    sqlite3_io_methods methods;
    std::memset(&methods, 0, sizeof methods);
    methods.iVersion = 1;
    methods.xClose = [](sqlite3_file* f) { return Below(f)->pMethods->xClose(Below(f)); };
    methods.xRead = [](sqlite3_file* f, void* to, int size, sqlite3_int64 at) {
      return Below(f)->pMethods->xRead(Below(f), to, size, at);
    };
    methods.xWrite = Write;
    methods.xTruncate = [](sqlite3_file* f, sqlite3_int64 size) {
      return Below(f)->pMethods->xTruncate(Below(f), size);
    };
    methods.xSync = Sync;
    methods.xFileSize = [](sqlite3_file* f, sqlite3_int64* size) {
      return Below(f)->pMethods->xFileSize(Below(f), size);
    };
    methods.xLock = [](sqlite3_file* f, int lock) {
      return Below(f)->pMethods->xLock(Below(f), lock);
    };
    methods.xUnlock = [](sqlite3_file* f, int lock) {
      return Below(f)->pMethods->xUnlock(Below(f), lock);
    };
    methods.xCheckReservedLock = [](sqlite3_file* f, int* held) {
      return Below(f)->pMethods->xCheckReservedLock(Below(f), held);
    };
    methods.xFileControl = [](sqlite3_file* f, int op, void* arg) {
      return Below(f)->pMethods->xFileControl(Below(f), op, arg);
    };
    methods.xSectorSize = [](sqlite3_file* f) { return Below(f)->pMethods->xSectorSize(Below(f)); };
    methods.xDeviceCharacteristics = [](sqlite3_file* f) {
      return Below(f)->pMethods->xDeviceCharacteristics(Below(f));
    };
    return methods;
  }

  static inline FaultyDisk* self_ = nullptr;
  static inline sqlite3_vfs* below_ = nullptr;
  sqlite3_vfs vfs_ = {};
};

}  // namespace azexporter::test
