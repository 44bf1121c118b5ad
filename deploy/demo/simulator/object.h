#pragma once

// A stored object: compact JSON text that never changes, and the handle that reads it.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "azexporter/base/mutex.h"
#include "simulator/json.h"
#include "simulator/resources.h"

namespace azexporter::simulator {

struct ObjectKey {
  const ResourceType* type = nullptr;
  std::string ns;  // empty for cluster-scoped resources
  std::string name;

  // Where etcd would keep it below the resource: "namespace/name" or "name". Lists are in this
  // order.
  std::string Path() const { return ns.empty() ? name : ns + "/" + name; }
};

// kBadData when kind, apiVersion, name or (where one is needed) namespace is missing or unknown.
base::Result<ObjectKey> KeyOf(const Json& object);

// A shared, immutable object; null when default-made. Reads like a pointer to its JSON, which is
// parsed at the first look and lives as long as any handle that has looked at it: what is only
// passed on, selected or served is never parsed, and who keeps a handle spares others the parsing.
//
// Thread safety: a value, thread-compatible; handles to one object are independent of each other.
class ObjectPtr {
 public:
  ObjectPtr() = default;
  ObjectPtr(std::nullptr_t) {}
  // REQUIRES: `text` is one compact JSON object, as Dump writes it.
  ObjectPtr(std::string path, std::string text);

  explicit operator bool() const { return stored_ != nullptr; }
  friend bool operator==(const ObjectPtr& a, const ObjectPtr& b) { return a.stored_ == b.stored_; }

  // REQUIRES of all below: not null.
  const Json& operator*() const&;
  const Json* operator->() const& { return &**this; }
  // Of a handle that ends with the expression: a value, since a reference would dangle.
  Json operator*() const&& { return *static_cast<const ObjectPtr&>(*this); }
  const Json* operator->() const&& = delete;
  const std::string& text() const { return stored_->text; }
  // As ObjectKey::Path() says it.
  const std::string& path() const { return stored_->path; }
  // Empty for cluster-scoped resources.
  std::string_view ns() const;
  std::string_view name() const;

 private:
  struct Stored {
    Stored(std::string path_in, std::string text_in)
        : path(std::move(path_in)), text(std::move(text_in)) {}

    const std::string path;
    const std::string text;
    mutable base::Mutex mu;
    mutable std::weak_ptr<const Json> parsed AZX_GUARDED_BY(mu);
  };

  std::shared_ptr<const Stored> stored_;
  mutable std::shared_ptr<const Json> parsed_;
};

}  // namespace azexporter::simulator
