#include "simulator/object_tree.h"

#include <string>
#include <utility>

namespace azexporter::simulator {

struct ObjectTree::Node {
  ObjectPtr object;
  std::size_t priority = 0;  // never below a child's
  std::size_t size = 1;      // of the whole subtree
  NodePtr left;
  NodePtr right;
};

std::size_t ObjectTree::SizeOf(const NodePtr& node) { return node == nullptr ? 0 : node->size; }

ObjectTree::NodePtr ObjectTree::Make(const NodePtr& like, NodePtr left, NodePtr right) {
  const std::size_t size = 1 + SizeOf(left) + SizeOf(right);
  return std::make_shared<const Node>(
      Node{like->object, like->priority, size, std::move(left), std::move(right)});
}

void ObjectTree::Split(const NodePtr& node, std::string_view path, NodePtr& below, NodePtr& above) {
  if (node == nullptr) {
    below = above = nullptr;
    return;
  }
  const int order = node->object.path().compare(path);
  if (order == 0) {
    below = node->left;
    above = node->right;
  } else if (order < 0) {
    NodePtr middle;
    Split(node->right, path, middle, above);
    below = Make(node, node->left, std::move(middle));
  } else {
    NodePtr middle;
    Split(node->left, path, below, middle);
    above = Make(node, std::move(middle), node->right);
  }
}

// All of `left` comes before all of `right`.
ObjectTree::NodePtr ObjectTree::Merge(const NodePtr& left, const NodePtr& right) {
  if (left == nullptr) return right;
  if (right == nullptr) return left;
  return left->priority >= right->priority ? Make(left, left->left, Merge(left->right, right))
                                           : Make(right, Merge(left, right->left), right->right);
}

ObjectTree::NodePtr ObjectTree::Insert(const NodePtr& node, const NodePtr& fresh) {
  if (node == nullptr) return fresh;
  const int order = fresh->object.path().compare(node->object.path());
  if (order == 0) return Make(fresh, node->left, node->right);
  if (fresh->priority > node->priority) {
    NodePtr below, above;
    Split(node, fresh->object.path(), below, above);
    return Make(fresh, std::move(below), std::move(above));
  }
  return order < 0 ? Make(node, Insert(node->left, fresh), node->right)
                   : Make(node, node->left, Insert(node->right, fresh));
}

ObjectTree::NodePtr ObjectTree::Remove(const NodePtr& node, std::string_view path) {
  if (node == nullptr) return nullptr;
  const int order = node->object.path().compare(path);
  if (order == 0) return Merge(node->left, node->right);
  return order > 0 ? Make(node, Remove(node->left, path), node->right)
                   : Make(node, node->left, Remove(node->right, path));
}

bool ObjectTree::Visit(const NodePtr& node, std::string_view from,
                       const std::function<bool(const ObjectPtr&)>& visit) {
  if (node == nullptr) return true;
  if (node->object.path() < from) return Visit(node->right, from, visit);
  return Visit(node->left, from, visit) && visit(node->object) && Visit(node->right, {}, visit);
}

std::size_t ObjectTree::size() const { return SizeOf(root_); }

ObjectPtr ObjectTree::Find(std::string_view path) const {
  const Node* node = root_.get();
  while (node != nullptr) {
    const int order = node->object.path().compare(path);
    if (order == 0) return node->object;
    node = order > 0 ? node->left.get() : node->right.get();
  }
  return nullptr;
}

std::size_t ObjectTree::Rank(std::string_view path) const {
  std::size_t before = 0;
  const Node* node = root_.get();
  while (node != nullptr) {
    if (node->object.path() < path) {
      before += SizeOf(node->left) + 1;
      node = node->right.get();
    } else {
      node = node->left.get();
    }
  }
  return before;
}

void ObjectTree::VisitFrom(std::string_view from,
                           const std::function<bool(const ObjectPtr&)>& visit) const {
  (void)Visit(root_, from, visit);
}

ObjectTree ObjectTree::With(ObjectPtr object) const {
  const std::size_t priority = std::hash<std::string>()(object.path());
  const auto fresh = std::make_shared<const Node>(Node{std::move(object), priority});
  return ObjectTree(Insert(root_, fresh));
}

ObjectTree ObjectTree::Without(std::string_view path) const {
  return ObjectTree(Remove(root_, path));
}

}  // namespace azexporter::simulator
