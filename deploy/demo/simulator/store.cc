#include "simulator/store.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>

#include "simulator/json_text.h"

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

std::int64_t VersionIn(std::string_view text) {
  const std::string version_text = TextAt(text, {"metadata", "resourceVersion"});
  std::int64_t version = 0;
  std::from_chars(version_text.data(), version_text.data() + version_text.size(), version);
  return version;
}

ObjectPtr WithVersion(const std::string& path, Json object, std::int64_t version) {
  object["metadata"]["resourceVersion"] = std::to_string(version);
  return ObjectPtr(path, Dump(object));
}

// What a server fills in and a client cannot change.
void KeepIdentity(Json& object, std::string_view previous) {
  Json& metadata = object["metadata"];
  for (const char* field : {"uid", "creationTimestamp", "generation"}) {
    const std::string_view value = RawAt(previous, {"metadata", field});
    if (!value.empty()) metadata[field] = Json::parse(value);
  }
  metadata["resourceVersion"] = TextAt(previous, {"metadata", "resourceVersion"});
}

// Whether the wanted state changed, of an object that counts its generations.
bool SpecChanged(const Json& object, std::string_view previous) {
  const std::string_view before = RawAt(previous, {"spec"});
  const Json* after = Find(object, {"spec"});
  return !before.empty() && after != nullptr && before != Dump(*after);
}

}  // namespace

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
  const ObjectPtr previous = NewestLocked(*key.type).Find(key.Path());
  if (previous == nullptr && mode == WriteMode::kReplace) {
    return Fail(ErrorCode::kNotFound,
                fmt::format("{} \"{}\" not found", key.type->Qualified(), key.name));
  }
  if (previous != nullptr && mode == WriteMode::kCreate) {
    return Fail(ErrorCode::kExecution,
                fmt::format("{} \"{}\" already exists", key.type->Qualified(), key.name));
  }
  if (!expected_version.empty() &&
      TextAt(previous.text(), {"metadata", "resourceVersion"}) != expected_version) {
    return Fail(ErrorCode::kExecution,
                fmt::format("{} \"{}\" was modified", key.type->Qualified(), key.name));
  }
  return CommitLocked(key, std::move(normalized), previous);
}

ObjectPtr Store::CommitLocked(const ObjectKey& key, Json object, const ObjectPtr& previous) {
  Json& metadata = object["metadata"];
  if (previous != nullptr) {
    KeepIdentity(object, previous.text());
    if (Dump(object) == previous.text()) return previous;
    const Json* generation = Find(object, {"metadata", "generation"});
    if (generation != nullptr && generation->is_number_integer() &&
        SpecChanged(object, previous.text())) {
      metadata["generation"] = generation->get<std::int64_t>() + 1;
    }
  } else {
    if (!metadata.contains("uid")) metadata["uid"] = NewUidLocked();
    if (!metadata.contains("creationTimestamp")) {
      metadata["creationTimestamp"] = Rfc3339(clock_.NowMs());
    }
  }
  const std::int64_t version = version_ + 1;
  ObjectPtr stored = WithVersion(key.Path(), std::move(object), version);
  RecordLocked({.resource_version = version,
                .type = previous == nullptr ? EventType::kAdded : EventType::kModified,
                .resource = key.type,
                .object = stored,
                .previous = previous},
               NewestLocked(*key.type).With(stored));
  return stored;
}

Store::Moments& Store::MomentsLocked(const ResourceType& type) {
  Moments& moments = moments_[&type];
  if (moments.empty()) moments.emplace_back();
  return moments;
}

const ObjectTree& Store::NewestLocked(const ResourceType& type) const {
  static const ObjectTree none;
  const auto found = moments_.find(&type);
  return found == moments_.end() ? none : found->second.back().objects;
}

void Store::RecordLocked(Event event, ObjectTree objects) {
  version_ = event.resource_version;
  MomentsLocked(*event.resource).push_back({version_, std::move(objects)});
  events_.push_back(std::move(event));
  while (events_.size() > event_log_size_) {
    oldest_ = events_.front().resource_version;
    ForgetLocked(MomentsLocked(*events_.front().resource));
    events_.pop_front();
  }
  changed_.notify_all();
}

void Store::ForgetLocked(Moments& moments) {
  while (moments.size() > 1 && moments[1].resource_version <= oldest_) moments.pop_front();
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
    if (edited == *current) return current;
    Result<ObjectPtr> written =
        Replace(std::move(edited), TextAt(current.text(), {"metadata", "resourceVersion"}));
    if (written || written.error().code() != ErrorCode::kExecution) return written;
  }
}

Result<ObjectPtr> Store::Delete(const ObjectKey& key) {
  base::MutexLock lock(mu_);
  const ObjectTree& objects = NewestLocked(*key.type);
  const ObjectPtr previous = objects.Find(key.Path());
  if (previous == nullptr) {
    return Fail(ErrorCode::kNotFound,
                fmt::format("{} \"{}\" not found", key.type->Qualified(), key.name));
  }
  const std::int64_t version = version_ + 1;
  RecordLocked({.resource_version = version,
                .type = EventType::kDeleted,
                .resource = key.type,
                .object = WithVersion(key.Path(), *previous, version),
                .previous = previous},
               objects.Without(key.Path()));
  return previous;
}

Result<void> Store::Load(Json object) {
  AZX_ASSIGN_OR_RETURN(const ObjectKey key, KeyOf(object));
  std::string text = Dump(Normalized(object, *key.type));
  base::MutexLock lock(mu_);
  LoadLocked(key, std::move(text));
  return {};
}

Result<void> Store::LoadText(std::string text) {
  Json identity = {{"kind", TextAt(text, {"kind"})},
                   {"apiVersion", TextAt(text, {"apiVersion"})},
                   {"metadata",
                    {{"name", TextAt(text, {"metadata", "name"})},
                     {"namespace", TextAt(text, {"metadata", "namespace"})}}}};
  AZX_ASSIGN_OR_RETURN(const ObjectKey key, KeyOf(identity));
  base::MutexLock lock(mu_);
  LoadLocked(key, std::move(text));
  return {};
}

void Store::LoadLocked(const ObjectKey& key, std::string text) {
  const std::int64_t version = VersionIn(text);
  ObjectTree& objects = MomentsLocked(*key.type).back().objects;
  objects = objects.With(ObjectPtr(key.Path(), std::move(text)));
  version_ = std::max(version_, version);
  oldest_ = std::max(oldest_, version);
}

void Store::AdvanceTo(std::int64_t resource_version) {
  base::MutexLock lock(mu_);
  version_ = std::max(version_, resource_version);
}

void Store::Compact() {
  base::MutexLock lock(mu_);
  events_.clear();
  oldest_ = version_;
  for (auto& [type, moments] : moments_) ForgetLocked(moments);
  changed_.notify_all();
}

Store::Checkpoint Store::TakeCheckpoint() const {
  base::MutexLock lock(mu_);
  Checkpoint checkpoint;
  for (const auto& [type, moments] : moments_) checkpoint.objects_[type] = moments.back().objects;
  checkpoint.version_ = version_;
  return checkpoint;
}

void Store::RestoreCheckpoint(const Checkpoint& checkpoint) {
  base::MutexLock lock(mu_);
  version_ = checkpoint.version_;
  oldest_ = version_;
  events_.clear();
  moments_.clear();
  for (const auto& [type, objects] : checkpoint.objects_) {
    moments_[type].push_back({version_, objects});
  }
  ++epoch_;
  changed_.notify_all();
}

ObjectPtr Store::Get(const ObjectKey& key) const {
  base::MutexLock lock(mu_);
  return NewestLocked(*key.type).Find(key.Path());
}

Snapshot Store::Now(const ResourceType& type) const {
  base::MutexLock lock(mu_);
  return {.resource_version = version_, .objects = NewestLocked(type)};
}

std::optional<Snapshot> Store::At(const ResourceType& type, std::int64_t resource_version) const {
  base::MutexLock lock(mu_);
  if (resource_version < oldest_) return std::nullopt;
  Snapshot snapshot{.resource_version = resource_version};
  const auto moments = moments_.find(&type);
  if (moments == moments_.end()) return snapshot;
  const auto after = std::upper_bound(
      moments->second.begin() + 1, moments->second.end(), resource_version,
      [](std::int64_t version, const Moment& m) { return version < m.resource_version; });
  snapshot.objects = std::prev(after)->objects;
  return snapshot;
}

ObjectList Store::List(const ResourceType& type, std::string_view ns) const {
  const Snapshot now = Now(type);
  ObjectList list{.resource_version = now.resource_version};
  const std::string prefix = ns.empty() ? std::string() : std::string(ns) + "/";
  now.objects.VisitFrom(prefix, [&](const ObjectPtr& object) {
    if (!object.path().starts_with(prefix)) return false;
    list.items.push_back(object);
    return true;
  });
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
    return epoch_ != epoch || after < oldest_ ||
           MomentsLocked(type).back().resource_version > after;
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
