#pragma once

// The objects of one resource at one time, in order of namespace and name: an immutable list in
// chunks, which its versions share. The next version after a change of one object costs one chunk,
// and what two versions differ in is found without looking at the chunks they share.
//
// Thread safety: immutable.

#include <algorithm>
#include <compare>
#include <cstddef>
#include <iterator>
#include <memory>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace azexporter::kube {

template <class T>
using Object = std::shared_ptr<const T>;
template <class T>
using Objects = std::vector<Object<T>>;

// What lists are sorted by.
template <class T>
std::tuple<std::string_view, std::string_view> KeyOf(const T& object) {
  return {object.meta.ns, object.meta.name};
}

// The objects of a list between two of its places.
template <class Iterator>
class ObjectRange {
 public:
  ObjectRange() = default;
  ObjectRange(Iterator first, Iterator last) : first_(first), last_(last) {}
  Iterator begin() const { return first_; }
  Iterator end() const { return last_; }
  bool empty() const { return first_ == last_; }
  std::size_t size() const { return last_.place() - first_.place(); }

 private:
  Iterator first_;
  Iterator last_;
};

template <class T>
class ObjectList {
 public:
  // Never empty, sorted.
  using Chunk = Objects<T>;
  using Chunks = std::vector<std::shared_ptr<const Chunk>>;

  class Iterator {
   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = Object<T>;
    using difference_type = std::ptrdiff_t;
    using pointer = const Object<T>*;
    using reference = const Object<T>&;

    Iterator() = default;
    reference operator*() const { return (**chunk_)[index_]; }
    pointer operator->() const { return &**this; }
    Iterator& operator++() {
      ++place_;
      if (++index_ == (*chunk_)->size()) {
        ++chunk_;
        index_ = 0;
      }
      return *this;
    }
    Iterator operator++(int) {
      Iterator before = *this;
      ++*this;
      return before;
    }
    // How many objects of the list stand before.
    std::size_t place() const { return place_; }
    friend bool operator==(const Iterator& a, const Iterator& b) {
      return a.chunk_ == b.chunk_ && a.index_ == b.index_;
    }

   private:
    friend class ObjectList;
    using ChunkPointer = const std::shared_ptr<const Chunk>*;
    Iterator(ChunkPointer chunk, std::size_t index, std::size_t place)
        : chunk_(chunk), index_(index), place_(place) {}

    ChunkPointer chunk_ = nullptr;
    std::size_t index_ = 0;
    std::size_t place_ = 0;
  };
  using const_iterator = Iterator;
  using Range = ObjectRange<Iterator>;

  ObjectList() = default;
  // REQUIRES: no empty chunk, all sorted.
  explicit ObjectList(Chunks chunks) : chunks_(std::move(chunks)) {
    starts_.reserve(chunks_.size());
    for (const auto& chunk : chunks_) {
      starts_.push_back(size_);
      size_ += chunk->size();
    }
  }
  // REQUIRES: sorted.
  explicit ObjectList(Objects<T> sorted) : ObjectList(Cut(std::move(sorted))) {}

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  Iterator begin() const { return {chunks_.data(), 0, 0}; }
  Iterator end() const { return {chunks_.data() + chunks_.size(), 0, size_}; }
  const Object<T>& front() const { return chunks_.front()->front(); }
  const Object<T>& back() const { return chunks_.back()->back(); }
  // O(log n).
  const Object<T>& operator[](std::size_t place) const {
    const auto chunk =
        std::upper_bound(starts_.begin(), starts_.end(), place) - starts_.begin() - 1;
    return (*chunks_[static_cast<std::size_t>(chunk)])[place -
                                                       starts_[static_cast<std::size_t>(chunk)]];
  }
  const Chunks& chunks() const { return chunks_; }
  // The very same objects.
  friend bool operator==(const ObjectList& a, const ObjectList& b) {
    return a.chunks_ == b.chunks_ || std::equal(a.begin(), a.end(), b.begin(), b.end());
  }

  // nullptr where there is none. O(log n).
  const T* Find(std::string_view ns, std::string_view name) const {
    const std::tuple wanted{ns, name};
    const Iterator found = FirstNot([&](const T& object) { return KeyOf(object) < wanted; });
    return found == end() || KeyOf(**found) != wanted ? nullptr : found->get();
  }
  // Of one namespace. O(log n).
  Range In(std::string_view ns) const {
    return {FirstNot([&](const T& object) { return object.meta.ns < ns; }),
            FirstNot([&](const T& object) { return object.meta.ns <= ns; })};
  }

  // How many objects a chunk has at most. A change copies one chunk and the list of all of them:
  // at 150,000 objects some 256 and 900 pointers.
  static constexpr std::size_t kMostInChunk = 256;

 private:
  // The first for which `before` does not hold; it holds for a first part of the list.
  template <class Before>
  Iterator FirstNot(Before before) const {
    const auto chunk = std::partition_point(chunks_.begin(), chunks_.end(),
                                            [&](const auto& c) { return before(*c->back()); });
    if (chunk == chunks_.end()) return end();
    const Chunk& objects = **chunk;
    const auto object = std::partition_point(objects.begin(), objects.end(),
                                             [&](const auto& o) { return before(*o); });
    const auto index = static_cast<std::size_t>(object - objects.begin());
    const auto number = static_cast<std::size_t>(chunk - chunks_.begin());
    return {chunks_.data() + number, index, starts_[number] + index};
  }

  static Chunks Cut(Objects<T> sorted) {
    Chunks chunks;
    for (std::size_t begin = 0; begin < sorted.size(); begin += kMostInChunk) {
      const auto first = sorted.begin() + static_cast<std::ptrdiff_t>(begin);
      const auto last = sorted.begin() +
                        static_cast<std::ptrdiff_t>(std::min(begin + kMostInChunk, sorted.size()));
      chunks.push_back(
          std::make_shared<const Chunk>(std::move_iterator(first), std::move_iterator(last)));
    }
    return chunks;
  }

  Chunks chunks_;
  std::vector<std::size_t> starts_;  // of each chunk: how many objects stand before it
  std::size_t size_ = 0;
};

template <class T>
using SharedList = std::shared_ptr<const ObjectList<T>>;

// In whatever order they are.
template <class T>
SharedList<T> MakeList(Objects<T> objects) {
  std::stable_sort(objects.begin(), objects.end(),
                   [](const auto& a, const auto& b) { return KeyOf(*a) < KeyOf(*b); });
  return std::make_shared<const ObjectList<T>>(std::move(objects));
}

// The objects of several lists, each of which stands before the next, in the chunks that they have.
template <class T>
SharedList<T> JoinLists(const std::vector<SharedList<T>>& lists) {
  if (lists.size() == 1) return lists.front();
  typename ObjectList<T>::Chunks chunks;
  for (const SharedList<T>& list : lists) {
    chunks.insert(chunks.end(), list->chunks().begin(), list->chunks().end());
  }
  return std::make_shared<const ObjectList<T>>(std::move(chunks));
}

// Calls `visit(was, is)` for each object that two versions of a list do not share, in order; null
// where it came or went. One with the same key in both is one visit.
template <class T, class Visit>
void ForEachChange(const ObjectList<T>& before, const ObjectList<T>& after, Visit visit) {
  if (&before == &after) return;
  auto old_chunk = before.chunks().begin();
  auto new_chunk = after.chunks().begin();
  std::size_t old_index = 0;
  std::size_t new_index = 0;
  const auto step = [](auto& chunk, std::size_t& index) {
    if (++index == (*chunk)->size()) {
      ++chunk;
      index = 0;
    }
  };
  while (old_chunk != before.chunks().end() || new_chunk != after.chunks().end()) {
    const bool has_old = old_chunk != before.chunks().end();
    const bool has_new = new_chunk != after.chunks().end();
    if (has_old && has_new && old_index == 0 && new_index == 0 && *old_chunk == *new_chunk) {
      ++old_chunk;
      ++new_chunk;
      continue;
    }
    const T* was = has_old ? (**old_chunk)[old_index].get() : nullptr;
    const T* is = has_new ? (**new_chunk)[new_index].get() : nullptr;
    if (was != is) {
      if (was != nullptr && is != nullptr && KeyOf(*was) != KeyOf(*is)) {
        (KeyOf(*was) < KeyOf(*is) ? is : was) = nullptr;
      }
      visit(was, is);
    }
    if (was != nullptr) step(old_chunk, old_index);
    if (is != nullptr) step(new_chunk, new_index);
  }
}

}  // namespace azexporter::kube
