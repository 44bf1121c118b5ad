#include "simulator/store.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>

namespace azexporter::simulator {

using base::ErrorCode;
using base::Fail;
using base::Result;

namespace {

// Puts kind and apiVersion where a real server has them: first, custom resources the other way
// round.
Json Normalized(const Json& object, const ResourceType& type) {
  Json out = Json::object();
  if (type.custom) {
    out["apiVersion"] = type.ApiVersion();
    out["kind"] = type.kind;
  } else {
    out["kind"] = type.kind;
    out["apiVersion"] = type.ApiVersion();
  }
  out["metadata"] = object.at("metadata");
  for (const auto& [key, value] : object.items()) {
    if (!out.contains(key)) out[key] = value;
  }
  return out;
}

std::int64_t VersionOf(const Json& object) {
  const std::string text = StringAt(object, {"metadata", "resourceVersion"});
  std::int64_t version = 0;
  std::from_chars(text.data(), text.data() + text.size(), version);
  return version;
}

ObjectPtr WithVersion(Json object, std::int64_t version) {
  object["metadata"]["resourceVersion"] = std::to_string(version);
  return std::make_shared<const Json>(std::move(object));
}

bool InNamespace(const Json& object, std::string_view ns) {
  return ns.empty() || StringAt(object, {"metadata", "namespace"}) == ns;
}

// What a server fills in and a client cannot change.
void KeepIdentity(Json& object, const Json& previous) {
  Json& metadata = object["metadata"];
  for (const char* field : {"uid", "creationTimestamp", "generation"}) {
    if (const Json* value = Find(previous, {"metadata", field})) metadata[field] = *value;
  }
  metadata["resourceVersion"] = StringAt(previous, {"metadata", "resourceVersion"});
}

}  // namespace

Result<ObjectKey> KeyOf(const Json& object) {
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

Store::Store(StoreOptions options)
    : clock_(options.clock), event_log_size_(options.event_log_size), random_(options.seed) {}

Result<ObjectPtr> Store::Apply(Json object) {
  return Write(std::move(object), WriteMode::kUpsert, {});
}

Result<ObjectPtr> Store::Create(Json object) {
  return Write(std::move(object), WriteMode::kCreate, {});
}

Result<ObjectPtr> Store::Replace(Json object, std::string_view expected_version) {
  return Write(std::move(object), WriteMode::kReplace, expected_version);
}

Result<ObjectPtr> Store::Write(Json object, WriteMode mode, std::string_view expected_version) {
  AZX_ASSIGN_OR_RETURN(const ObjectKey key, KeyOf(object));
  Json normalized = Normalized(object, *key.type);
  base::MutexLock lock(mu_);
  PathMap& paths = objects_[key.type];
  const auto found = paths.find(key.Path());
  const ObjectPtr previous = found == paths.end() ? nullptr : found->second;
  if (previous == nullptr && mode == WriteMode::kReplace) {
    return Fail(ErrorCode::kNotFound,
                fmt::format("{} \"{}\" not found", key.type->Qualified(), key.name));
  }
  if (previous != nullptr && mode == WriteMode::kCreate) {
    return Fail(ErrorCode::kExecution,
                fmt::format("{} \"{}\" already exists", key.type->Qualified(), key.name));
  }
  if (!expected_version.empty() &&
      StringAt(*previous, {"metadata", "resourceVersion"}) != expected_version) {
    return Fail(ErrorCode::kExecution,
                fmt::format("{} \"{}\" was modified", key.type->Qualified(), key.name));
  }
  return CommitLocked(key, std::move(normalized), previous);
}

ObjectPtr Store::CommitLocked(const ObjectKey& key, Json object, const ObjectPtr& previous) {
  Json& metadata = object["metadata"];
  if (previous != nullptr) {
    KeepIdentity(object, *previous);
    if (object == *previous) return previous;
    const Json* generation = Find(*previous, {"metadata", "generation"});
    const Json* before = Find(*previous, {"spec"});
    const Json* after = Find(object, {"spec"});
    if (generation != nullptr && before != nullptr && after != nullptr && *before != *after) {
      metadata["generation"] = generation->get<std::int64_t>() + 1;
    }
  } else {
    if (!metadata.contains("uid")) metadata["uid"] = NewUidLocked();
    if (!metadata.contains("creationTimestamp")) {
      metadata["creationTimestamp"] = Rfc3339(clock_.NowMs());
    }
  }
  const std::int64_t version = version_ + 1;
  ObjectPtr stored = WithVersion(std::move(object), version);
  objects_[key.type][key.Path()] = stored;
  RecordLocked({.resource_version = version,
                .type = previous == nullptr ? EventType::kAdded : EventType::kModified,
                .resource = key.type,
                .path = key.Path(),
                .object = stored,
                .previous = previous});
  return stored;
}

void Store::RecordLocked(Event event) {
  version_ = event.resource_version;
  last_change_[event.resource] = version_;
  events_.push_back(std::move(event));
  while (events_.size() > event_log_size_) {
    oldest_ = events_.front().resource_version;
    events_.pop_front();
  }
  changed_.notify_all();
}

Result<ObjectPtr> Store::Modify(const ObjectKey& key, const std::function<void(Json&)>& edit) {
  for (;;) {
    const ObjectPtr current = Get(key);
    if (current == nullptr) {
      return Fail(ErrorCode::kNotFound,
                  fmt::format("{} \"{}\" not found", key.type->Qualified(), key.name));
    }
    Json edited = *current;
    edit(edited);
    Result<ObjectPtr> written =
        Replace(std::move(edited), StringAt(*current, {"metadata", "resourceVersion"}));
    if (written || written.error().code() != ErrorCode::kExecution) return written;
  }
}

Result<ObjectPtr> Store::Delete(const ObjectKey& key) {
  base::MutexLock lock(mu_);
  PathMap& paths = objects_[key.type];
  const auto found = paths.find(key.Path());
  if (found == paths.end()) {
    return Fail(ErrorCode::kNotFound,
                fmt::format("{} \"{}\" not found", key.type->Qualified(), key.name));
  }
  const ObjectPtr previous = found->second;
  paths.erase(found);
  const std::int64_t version = version_ + 1;
  RecordLocked({.resource_version = version,
                .type = EventType::kDeleted,
                .resource = key.type,
                .path = key.Path(),
                .object = WithVersion(*previous, version),
                .previous = previous});
  return previous;
}

Result<void> Store::Load(Json object) {
  AZX_ASSIGN_OR_RETURN(const ObjectKey key, KeyOf(object));
  Json normalized = Normalized(object, *key.type);
  const std::int64_t version = VersionOf(normalized);
  base::MutexLock lock(mu_);
  objects_[key.type][key.Path()] = std::make_shared<const Json>(std::move(normalized));
  version_ = std::max(version_, version);
  oldest_ = std::max(oldest_, version);
  return {};
}

void Store::AdvanceTo(std::int64_t resource_version) {
  base::MutexLock lock(mu_);
  version_ = std::max(version_, resource_version);
}

void Store::Compact() {
  base::MutexLock lock(mu_);
  events_.clear();
  oldest_ = version_;
  changed_.notify_all();
}

Store::Checkpoint Store::TakeCheckpoint() const {
  base::MutexLock lock(mu_);
  Checkpoint checkpoint;
  checkpoint.objects_ = objects_;
  checkpoint.version_ = version_;
  return checkpoint;
}

void Store::RestoreCheckpoint(const Checkpoint& checkpoint) {
  base::MutexLock lock(mu_);
  objects_ = checkpoint.objects_;
  version_ = checkpoint.version_;
  oldest_ = version_;
  events_.clear();
  last_change_.clear();
  ++epoch_;
  changed_.notify_all();
}

ObjectPtr Store::Get(const ObjectKey& key) const {
  base::MutexLock lock(mu_);
  const auto paths = objects_.find(key.type);
  if (paths == objects_.end()) return nullptr;
  const auto found = paths->second.find(key.Path());
  return found == paths->second.end() ? nullptr : found->second;
}

ObjectList Store::List(const ResourceType& type, std::string_view ns) const {
  base::MutexLock lock(mu_);
  ObjectList list{.resource_version = version_};
  const auto paths = objects_.find(&type);
  if (paths == objects_.end()) return list;
  for (const auto& [path, object] : paths->second) {
    if (InNamespace(*object, ns)) list.items.push_back(object);
  }
  return list;
}

std::optional<ObjectList> Store::ListAt(const ResourceType& type, std::string_view ns,
                                        std::int64_t resource_version) const {
  base::MutexLock lock(mu_);
  if (resource_version < oldest_) return std::nullopt;
  const auto found = objects_.find(&type);
  PathMap paths = found == objects_.end() ? PathMap() : found->second;
  // Undo what happened since, newest first.
  for (auto event = events_.rbegin();
       event != events_.rend() && event->resource_version > resource_version; ++event) {
    if (event->resource != &type) continue;
    if (event->previous == nullptr) {
      paths.erase(event->path);
    } else {
      paths[event->path] = event->previous;
    }
  }
  ObjectList list{.resource_version = resource_version};
  for (const auto& [path, object] : paths) {
    if (InNamespace(*object, ns)) list.items.push_back(object);
  }
  return list;
}

std::int64_t Store::resource_version() const {
  base::MutexLock lock(mu_);
  return version_;
}

std::int64_t Store::epoch() const {
  base::MutexLock lock(mu_);
  return epoch_;
}

std::int64_t Store::oldest_version() const {
  base::MutexLock lock(mu_);
  return oldest_;
}

EventBatch Store::WaitForEvents(const ResourceType& type, std::int64_t after,
                                std::int64_t timeout_ms, const std::stop_token& stop) {
  base::MutexLock lock(mu_);
  const std::int64_t epoch = epoch_;
  const auto something = [&]() AZX_REQUIRES(mu_) {
    return epoch_ != epoch || after < oldest_ || last_change_[&type] > after;
  };
  changed_.wait_for(mu_, stop, std::chrono::milliseconds(timeout_ms), something);
  EventBatch batch{.resource_version = std::max(after, version_), .epoch = epoch_};
  if (after < oldest_) {
    batch.too_old = true;
    return batch;
  }
  const auto first =
      std::upper_bound(events_.begin(), events_.end(), after,
                       [](std::int64_t v, const Event& e) { return v < e.resource_version; });
  std::copy_if(first, events_.end(), std::back_inserter(batch.events),
               [&](const Event& event) { return event.resource == &type; });
  return batch;
}

// A random UUID, version 4.
std::string Store::NewUidLocked() {
  const std::uint64_t a = random_();
  const std::uint64_t b = random_();
  return fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}", a >> 32, (a >> 16) & 0xffff, a & 0xfff,
                     0x8000 | ((b >> 48) & 0x3fff), b & 0xffffffffffff);
}

std::string Rfc3339(std::int64_t ms) {
  using namespace std::chrono;
  const sys_seconds at = floor<seconds>(sys_time<milliseconds>(milliseconds(ms)));
  const sys_days day = floor<days>(at);
  const year_month_day date(day);
  const hh_mm_ss time(at - day);
  return fmt::format("{:04d}-{:02d}-{:02d}T{:02d}:{:02d}:{:02d}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     time.hours().count(), time.minutes().count(), time.seconds().count());
}

std::int64_t ParseRfc3339Ms(std::string_view text) {
  using namespace std::chrono;
  if (text.size() < 20) return 0;
  const auto number = [&](std::size_t at, std::size_t length) {
    int value = 0;
    std::from_chars(text.data() + at, text.data() + at + length, value);
    return value;
  };
  const year_month_day date(year(number(0, 4)), month(static_cast<unsigned>(number(5, 2))),
                            day(static_cast<unsigned>(number(8, 2))));
  if (!date.ok()) return 0;
  const sys_seconds at =
      sys_days(date) + hours(number(11, 2)) + minutes(number(14, 2)) + seconds(number(17, 2));
  return duration_cast<milliseconds>(at.time_since_epoch()).count();
}

}  // namespace azexporter::simulator
