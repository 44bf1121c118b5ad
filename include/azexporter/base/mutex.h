#pragma once

// std::mutex with the annotations that clang's -Wthread-safety checks. libstdc++'s own mutex
// carries none, hence this wrapper. `AZX_GUARDED_BY(mu_)` on a member and `AZX_REQUIRES(mu_)` on a
// function are then compile-time errors when broken; g++ ignores them.

#include <condition_variable>
#include <mutex>
#include <shared_mutex>

#if defined(__clang__)
#define AZX_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define AZX_THREAD_ANNOTATION(x)
#endif

#define AZX_GUARDED_BY(mu) AZX_THREAD_ANNOTATION(guarded_by(mu))
#define AZX_REQUIRES(mu) AZX_THREAD_ANNOTATION(requires_capability(mu))
#define AZX_REQUIRES_SHARED(mu) AZX_THREAD_ANNOTATION(requires_shared_capability(mu))
#define AZX_EXCLUDES(mu) AZX_THREAD_ANNOTATION(locks_excluded(mu))

namespace azexporter::base {

class AZX_THREAD_ANNOTATION(capability("mutex")) Mutex {
 public:
  void lock() AZX_THREAD_ANNOTATION(acquire_capability()) { mu_.lock(); }
  void unlock() AZX_THREAD_ANNOTATION(release_capability()) { mu_.unlock(); }
  bool try_lock() AZX_THREAD_ANNOTATION(try_acquire_capability(true)) { return mu_.try_lock(); }

 private:
  std::mutex mu_;
};

class AZX_THREAD_ANNOTATION(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mu) AZX_THREAD_ANNOTATION(acquire_capability(mu)) : mu_(mu) {
    mu_.lock();
  }
  ~MutexLock() AZX_THREAD_ANNOTATION(release_capability()) { mu_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mu_;
};

// Many readers or one writer.
class AZX_THREAD_ANNOTATION(capability("mutex")) SharedMutex {
 public:
  void lock() AZX_THREAD_ANNOTATION(acquire_capability()) { mu_.lock(); }
  void unlock() AZX_THREAD_ANNOTATION(release_capability()) { mu_.unlock(); }
  void lock_shared() AZX_THREAD_ANNOTATION(acquire_shared_capability()) { mu_.lock_shared(); }
  void unlock_shared() AZX_THREAD_ANNOTATION(release_shared_capability()) { mu_.unlock_shared(); }

 private:
  std::shared_mutex mu_;
};

class AZX_THREAD_ANNOTATION(scoped_lockable) WriterLock {
 public:
  explicit WriterLock(SharedMutex& mu) AZX_THREAD_ANNOTATION(acquire_capability(mu)) : mu_(mu) {
    mu_.lock();
  }
  ~WriterLock() AZX_THREAD_ANNOTATION(release_capability()) { mu_.unlock(); }
  WriterLock(const WriterLock&) = delete;
  WriterLock& operator=(const WriterLock&) = delete;

 private:
  SharedMutex& mu_;
};

class AZX_THREAD_ANNOTATION(scoped_lockable) ReaderLock {
 public:
  explicit ReaderLock(SharedMutex& mu) AZX_THREAD_ANNOTATION(acquire_shared_capability(mu))
      : mu_(mu) {
    mu_.lock_shared();
  }
  ~ReaderLock() AZX_THREAD_ANNOTATION(release_capability()) { mu_.unlock_shared(); }
  ReaderLock(const ReaderLock&) = delete;
  ReaderLock& operator=(const ReaderLock&) = delete;

 private:
  SharedMutex& mu_;
};

// Waits on a base::Mutex that the caller holds: `cv.wait(mu_, token, predicate)`.
using CondVar = std::condition_variable_any;

}  // namespace azexporter::base
