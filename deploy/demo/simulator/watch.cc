#include "simulator/watch.h"

#include <fmt/format.h>

#include <algorithm>

#include "simulator/base64.h"
#include "simulator/table.h"

namespace azexporter::simulator {
namespace {

// A watch without timeoutSeconds lasts this long. The real server draws from 30 to 60 minutes.
constexpr std::int64_t kDefaultTimeoutMs = 45 * 60'000;
// A watch from a version that does not exist yet is closed after this long, empty.
constexpr std::int64_t kFutureVersionMs = 3'000;
// How often a quiet watch looks whether its client is still there.
constexpr std::int64_t kPollMs = 250;

std::string_view TypeName(EventType type) {
  switch (type) {
    case EventType::kAdded:
      return "ADDED";
    case EventType::kModified:
      return "MODIFIED";
    case EventType::kDeleted:
      return "DELETED";
  }
  return "";
}

// The object of a bookmark is the kind's zero value, as Go writes it.
Json EmptyObject(const ResourcePath& path, Json metadata) {
  Json object = Json::object();
  object["kind"] = path.type->kind;
  object["apiVersion"] = path.type->ApiVersion(path.version);
  object["metadata"] = std::move(metadata);
  if (path.type->custom) return object;
  object["spec"] = Json::object();
  if (path.type->kind == "Pod") object["spec"]["containers"] = nullptr;
  if (path.type->has_status) object["status"] = Json::object();
  if (path.type->kind == "Node") {
    object["status"]["daemonEndpoints"]["kubeletEndpoint"]["Port"] = 0;
    Json& info = object["status"]["nodeInfo"];
    for (const char* field : {"machineID", "systemUUID", "bootID", "kernelVersion", "osImage",
                              "containerRuntimeVersion", "kubeletVersion", "kubeProxyVersion",
                              "operatingSystem", "architecture"}) {
      info[field] = "";
    }
  }
  return object;
}

// One watch in progress.
class Watch {
 public:
  Watch(Store& store, const base::Clock& clock, const ResourcePath& path,
        const WatchOptions& options, BodyStream& body)
      : store_(store), clock_(clock), path_(path), options_(options), body_(body) {}

  StreamEnd Run() {
    const std::int64_t asked = options_.list.Version();
    epoch_ = store_.epoch();
    std::int64_t lifetime_ms = options_.list.timeout_seconds > 0
                                   ? options_.list.timeout_seconds * 1000
                                   : kDefaultTimeoutMs;
    if (asked > store_.resource_version()) lifetime_ms = std::min(lifetime_ms, kFutureVersionMs);
    start_ms_ = NowMs();
    end_ms_ = start_ms_ + lifetime_ms;
    cursor_ = asked;
    if (asked == 0 || options_.list.send_initial_events.value_or(false)) {
      if (!SendInitial()) return StreamEnd::kCut;
    } else if (options_.list.expired || asked < store_.oldest_version()) {
      SendTooOld();
      return StreamEnd::kComplete;
    }
    next_bookmark_ms_ = std::min(start_ms_ + options_.bookmark_interval_ms, FinalBookmarkMs());
    return Follow();
  }

 private:
  std::int64_t NowMs() const { return clock_.SteadyNs() / 1'000'000; }
  std::int64_t FinalBookmarkMs() const { return end_ms_ - options_.final_bookmark_ms; }

  StreamEnd Follow() {
    while (NowMs() < end_ms_ && body_.Alive()) {
      if (options_.close_now && options_.close_now()) return StreamEnd::kComplete;
      const std::int64_t wake = std::min(end_ms_, BookmarkDueMs());
      const std::int64_t wait = std::clamp<std::int64_t>(wake - NowMs(), 0, kPollMs);
      const EventBatch batch = store_.WaitForEvents(*path_.type, cursor_, wait, body_.stop());
      // The store went back in time: what this watch has told may never have happened.
      if (batch.epoch != epoch_) return StreamEnd::kCut;
      if (batch.too_old) {
        SendTooOld();
        return StreamEnd::kComplete;
      }
      for (const Event& event : batch.events) {
        if (!SendEvent(event)) return StreamEnd::kCut;
      }
      cursor_ = batch.resource_version;
      if (!SendBookmarkIfDue()) return StreamEnd::kCut;
    }
    return body_.Alive() ? StreamEnd::kComplete : StreamEnd::kCut;
  }

  // What exists, as ADDED; then the bookmark that says that this is all.
  bool SendInitial() {
    const ObjectList list = store_.List(*path_.type, path_.ns);
    cursor_ = std::max(cursor_, list.resource_version);
    for (const ObjectPtr& object : list.items) {
      if (Selected(object) && !Send("ADDED", object)) return false;
    }
    if (!options_.list.bookmarks) return true;
    const Json blueprint = {{"kind", path_.type->ListKind()},
                            {"apiVersion", path_.type->ApiVersion(path_.version)},
                            {"metadata", Json::object()},
                            {"items", nullptr}};
    return SendBookmark(
        {{"k8s.io/initial-events-end", "true"},
         {"kubernetes.io/initial-events-list-blueprint", Base64(Dump(blueprint) + "\n")}});
  }

  bool SendEvent(const Event& event) {
    const bool is = event.type != EventType::kDeleted && Selected(event.object);
    const bool was = event.previous != nullptr && Selected(event.previous);
    if (!is && !was) return true;
    if (is && was) return Send(TypeName(event.type), event.object);
    return Send(is ? "ADDED" : "DELETED", event.object);
  }

  bool Selected(const ObjectPtr& object) const {
    return (path_.ns.empty() || object.ns() == path_.ns) && options_.list.Selects(object);
  }

  bool Send(std::string_view type, const ObjectPtr& object) {
    std::string text;
    switch (options_.representation) {
      case Representation::kTable: {
        const TableOptions table{.now_ms = clock_.NowMs(),
                                 .include_object = options_.list.include_object,
                                 .with_columns = !std::exchange(columns_sent_, true)};
        text = Dump(MakeTable(path_, {&object, 1}, Metadata(*object), table));
        break;
      }
      case Representation::kPartialMetadata:
        AppendMetadata(text, object);
        break;
      case Representation::kObject:
        AppendObject(text, object, path_, KindFields::kWith);
        break;
    }
    return SendLine(type, text);
  }

  static Json Metadata(const Json& object) {
    Json metadata = Json::object();
    metadata["resourceVersion"] = StringAt(object, {"metadata", "resourceVersion"});
    return metadata;
  }

  std::int64_t BookmarkDueMs() const {
    return options_.list.bookmarks ? next_bookmark_ms_ : end_ms_;
  }

  bool SendBookmarkIfDue() {
    const std::int64_t now = NowMs();
    if (!options_.list.bookmarks || now < next_bookmark_ms_) return true;
    // Of a version that is still to come there is nothing to say.
    if (cursor_ > store_.resource_version()) return true;
    const bool final = next_bookmark_ms_ >= FinalBookmarkMs();
    next_bookmark_ms_ =
        final ? end_ms_ + 1 : std::min(now + options_.bookmark_interval_ms, FinalBookmarkMs());
    return SendBookmark(Json());
  }

  bool SendBookmark(Json annotations) {
    Json metadata = Json::object();
    metadata["resourceVersion"] = std::to_string(cursor_);
    metadata["creationTimestamp"] = nullptr;
    if (!annotations.is_null()) metadata["annotations"] = std::move(annotations);
    if (options_.representation == Representation::kTable) {
      return SendLine("BOOKMARK",
                      Dump(MakeTable(path_, {}, std::move(metadata), {.with_columns = false})));
    }
    return SendLine("BOOKMARK", Dump(EmptyObject(path_, std::move(metadata))));
  }

  void SendTooOld() {
    SendLine("ERROR", Dump(StatusBody(Expired(fmt::format("too old resource version: {} ({})",
                                                          cursor_, store_.oldest_version())))));
  }

  // `object` is JSON text.
  bool SendLine(std::string_view type, std::string_view object) {
    return body_.Write(fmt::format("{{\"type\":\"{}\",\"object\":{}}}\n", type, object));
  }

  Store& store_;
  const base::Clock& clock_;
  const ResourcePath& path_;
  const WatchOptions& options_;
  BodyStream& body_;
  std::int64_t start_ms_ = 0;
  std::int64_t end_ms_ = 0;
  std::int64_t next_bookmark_ms_ = 0;
  std::int64_t epoch_ = 0;   // the store's when the watch began
  std::int64_t cursor_ = 0;  // everything up to here has been sent
  bool columns_sent_ = false;
};

}  // namespace

ApiResult<void> CheckWatchOptions(const ListOptions& options) {
  const auto forbidden = [](std::string_view why) {
    return tl::unexpected(Invalid("meta.k8s.io", "ListOptions", "", "resourceVersionMatch",
                                  "FieldValueForbidden", fmt::format("Forbidden: {}", why)));
  };
  if (options.send_initial_events && options.version_match != "NotOlderThan") {
    return forbidden("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
  }
  if (!options.send_initial_events && !options.version_match.empty()) {
    return forbidden(
        "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
  }
  return {};
}

StreamEnd StreamWatch(Store& store, const base::Clock& clock, const ResourcePath& path,
                      const WatchOptions& options, BodyStream& body) {
  return Watch(store, clock, path, options, body).Run();
}

}  // namespace azexporter::simulator
