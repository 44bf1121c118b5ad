#pragma once

// An array of fixed size. A large one lies in huge pages where the system grants them: going
// through millions of bytes then waits far less for the processor to find the next page.
//
// Thread safety: thread-compatible.

#include <cstddef>
#include <memory>
#include <utility>

namespace azexporter::base {

// Memory that is aligned for any object, and asks for huge pages where it is large enough for them.
// Never null: ends the program where there is none. To be given to FreeLarge.
void* AllocateLarge(std::size_t bytes);
void FreeLarge(void* memory);

template <class T>
class LargeArray {
 public:
  LargeArray() = default;
  // `size` objects T().
  explicit LargeArray(std::size_t size)
      : data_(static_cast<T*>(AllocateLarge(size * sizeof(T)))), size_(size) {
    std::uninitialized_value_construct_n(data_, size);
  }
  LargeArray(LargeArray&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  LargeArray& operator=(LargeArray&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~LargeArray() {
    std::destroy_n(data_, size_);
    FreeLarge(data_);
  }

  std::size_t size() const { return size_; }
  T* get() const { return data_; }
  T& operator[](std::size_t i) const { return data_[i]; }

 private:
  T* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace azexporter::base
