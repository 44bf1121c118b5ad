#include "simulator/object.h"

#include <fmt/format.h>

namespace azexporter::simulator {

ObjectPtr::ObjectPtr(std::string path, std::string text) {
  // What is kept for long should not keep room to grow.
  path.shrink_to_fit();
  text.shrink_to_fit();
  stored_ = std::make_shared<const Stored>(std::move(path), std::move(text));
}

const Json& ObjectPtr::operator*() const& {
  if (parsed_ != nullptr) return *parsed_;
  base::MutexLock lock(stored_->mu);
  parsed_ = stored_->parsed.lock();
  if (parsed_ == nullptr) {
    parsed_ = std::make_shared<const Json>(Json::parse(stored_->text));
    stored_->parsed = parsed_;
  }
  return *parsed_;
}

std::string_view ObjectPtr::ns() const {
  const std::string_view path = stored_->path;
  const std::size_t slash = path.find('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

std::string_view ObjectPtr::name() const {
  const std::string_view path = stored_->path;
  const std::size_t slash = path.find('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

base::Result<ObjectKey> KeyOf(const Json& object) {
  const std::string api_version = StringAt(object, {"apiVersion"});
  const std::string kind = StringAt(object, {"kind"});
  const ResourceType* type = FindKind(api_version, kind);
  if (type == nullptr) {
    return base::BadData(fmt::format("no kind \"{}\" in \"{}\" is served", kind, api_version));
  }
  ObjectKey key{.type = type,
                .ns = StringAt(object, {"metadata", "namespace"}),
                .name = StringAt(object, {"metadata", "name"})};
  if (key.name.empty()) return base::BadData(fmt::format("a {} without metadata.name", kind));
  if (type->namespaced && key.ns.empty()) {
    return base::BadData(fmt::format("{} \"{}\" without metadata.namespace", kind, key.name));
  }
  if (!type->namespaced) key.ns.clear();
  return key;
}

}  // namespace azexporter::simulator
