#pragma once

// The objects of one resource at one moment, in the order of their paths: a persistent balanced
// tree. A change makes a new tree that shares all but a few nodes with the old one, so that the
// store can keep every version that its event log still covers, and the pages of a list can be read
// from one of them, without a lock, while others write. Reading a page costs O(page + log n).
//
// It is a treap whose priorities are hashes of the paths: the same objects make the same tree.
//
// Thread safety: a value, thread-compatible; trees that share nodes are independent of each other.

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>

#include "simulator/object.h"

namespace azexporter::simulator {

class ObjectTree {
 public:
  ObjectTree() = default;

  std::size_t size() const;
  // Null when absent.
  ObjectPtr Find(std::string_view path) const;
  // How many objects come before `path`, which need not be there itself.
  std::size_t Rank(std::string_view path) const;
  // Calls `visit` with each object from `from` (inclusive) on, until it answers false.
  void VisitFrom(std::string_view from, const std::function<bool(const ObjectPtr&)>& visit) const;

  // With `object` added, or in the place of the one of the same path.
  ObjectTree With(ObjectPtr object) const;
  ObjectTree Without(std::string_view path) const;

 private:
  struct Node;
  using NodePtr = std::shared_ptr<const Node>;

  explicit ObjectTree(NodePtr root) : root_(std::move(root)) {}

  static std::size_t SizeOf(const NodePtr& node);
  static NodePtr Make(const NodePtr& like, NodePtr left, NodePtr right);
  static NodePtr Insert(const NodePtr& node, const NodePtr& fresh);
  static NodePtr Remove(const NodePtr& node, std::string_view path);
  static NodePtr Merge(const NodePtr& left, const NodePtr& right);
  // Without the object at `path` itself.
  static void Split(const NodePtr& node, std::string_view path, NodePtr& below, NodePtr& above);
  static bool Visit(const NodePtr& node, std::string_view from,
                    const std::function<bool(const ObjectPtr&)>& visit);

  NodePtr root_;
};

}  // namespace azexporter::simulator
