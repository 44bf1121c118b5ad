#pragma once

// A value that many objects have alike, such as the labels of the pods of one template: equal ones
// that come from one API server are mostly one object. A copy costs a pointer, and so does a
// comparison of what is the same.
//
//   pod.meta.labels = {{"app", "web"}};
//   for (const auto& [key, value] : pod.meta.labels) ...
//
// Thread safety: as a shared_ptr to a constant.

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <utility>

namespace azexporter::kube {

template <class T>
class Shared {
 public:
  Shared() : value_(Empty()) {}
  Shared(T value) : value_(std::make_shared<const T>(std::move(value))) {}  // NOLINT: as T itself
  Shared(std::initializer_list<typename T::value_type> values) : Shared(T(values)) {}
  // REQUIRES: not null.
  explicit Shared(std::shared_ptr<const T> value) : value_(std::move(value)) {}

  const T& get() const { return *value_; }
  operator const T&() const { return *value_; }  // NOLINT: as T itself
  auto begin() const { return value_->begin(); }
  auto end() const { return value_->end(); }
  std::size_t size() const { return value_->size(); }
  bool empty() const { return value_->empty(); }

  // The value to change, which is nobody else's from then on.
  T& Edit() {
    auto own = std::make_shared<T>(*value_);
    value_ = own;
    return *own;
  }

  friend bool operator==(const Shared& a, const Shared& b) {
    return a.value_ == b.value_ || *a.value_ == *b.value_;
  }

 private:
  static const std::shared_ptr<const T>& Empty() {
    static const std::shared_ptr<const T> empty = std::make_shared<const T>();
    return empty;
  }

  std::shared_ptr<const T> value_;
};

}  // namespace azexporter::kube
