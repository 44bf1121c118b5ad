#include "azexporter/kube/reflector.h"

#include <algorithm>
#include <utility>

#include "azexporter/base/text.h"
#include "decode.h"

namespace azexporter::kube {
namespace {

using base::ErrorCode;

// How a watch ended, as the health counts it.
WatchEnd EndOf(const ApiResult<void>& ended) {
  if (ended) return WatchEnd::kClosed;
  if (ended.error().http_status != 0) return WatchEnd::kRefused;
  return ended.error().error.code() == ErrorCode::kTimeout ? WatchEnd::kIdle : WatchEnd::kCut;
}

}  // namespace

template <class T>
Reflector<T>::Reflector(ReflectorOptions options, ApiClient& client, ObjectCache<T>& cache,
                        const base::Clock& clock, base::Logger log)
    : options_(std::move(options)),
      client_(client),
      cache_(cache),
      clock_(clock),
      log_(std::move(log)),
      decoder_(std::make_unique<Decoder>()),
      streamed_lists_(options_.streamed_lists),
      backoff_ms_(options_.min_backoff_ms),
      jitter_(static_cast<std::uint64_t>(clock.SteadyNs())) {
  cache_.UpdateHealth([this](ResourceHealth& health) { health.optional = options_.optional; });
}

template <class T>
Reflector<T>::~Reflector() = default;

template <class T>
std::string Reflector<T>::QueryPath(const std::string& query) const {
  return path() + "?" + query + (options_.selectors.empty() ? "" : "&" + options_.selectors);
}

template <class T>
std::string Reflector<T>::WatchPath() const {
  const std::string from = list_reason_ ? "sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
                                        : "resourceVersion=" + base::UrlEscape(resource_version_);
  return QueryPath("watch=1&allowWatchBookmarks=true&" + from +
                   "&timeoutSeconds=" + std::to_string(options_.watch_timeout_ms / 1000));
}

template <class T>
void Reflector<T>::OnAnswer() {
  backoff_ms_ = options_.min_backoff_ms;
  answered_ns_ = clock_.SteadyNs();
  cache_.UpdateHealth([now = clock_.NowMs()](ResourceHealth& health) {
    health.last_contact_ms = now;
    health.last_error.clear();
    health.absent = false;
  });
}

template <class T>
bool Reflector<T>::NoteAbsence(const ApiFailure& failure) {
  // A server that does not know even what every server has is another failure: a wrong address.
  if (!options_.optional || failure.http_status != 404) return false;
  bool known = false;
  cache_.UpdateHealth([&](ResourceHealth& health) {
    known = std::exchange(health.absent, true);
    health.synced = false;
    health.last_error.clear();
  });
  if (!known) {
    log_.Info("the API server does not have this resource",
              {{"resource", std::string(T::kResource)}, {"path", options_.path}});
  }
  return true;
}

template <class T>
void Reflector<T>::OnFailure(std::string_view doing, const ApiFailure& failure,
                             const std::stop_token& stop) {
  if (stop.stop_requested()) return;
  const base::Error error =
      failure.error.WithContext(std::string(doing) + " " + std::string(T::kResource));
  retry_after_ms_ = failure.retry_after_ms;
  bool repeated = false;
  cache_.UpdateHealth([&](ResourceHealth& health) {
    repeated = health.last_error == error.message();
    health.last_error = error.message();
  });
  if (repeated) {
    log_.Debug("Kubernetes request failed again", {{"error", error.message()}});
  } else {
    log_.Warn("Kubernetes request failed", {{"error", error.message()}});
  }
}

template <class T>
void Reflector<T>::NoteDecodeError(const std::string& error) {
  bool repeated = false;
  std::uint64_t count = 0;
  cache_.UpdateHealth([&](ResourceHealth& health) {
    count = ++health.decode_errors;
    repeated = std::exchange(health.last_decode_error, error) == error;
  });
  constexpr std::uint64_t kLogged = 5;  // broken objects must not fill the log
  if (count <= kLogged && !repeated) {
    log_.Warn("object not understood, left out", {{"error", error}});
  }
}

template <class T>
void Reflector<T>::TakeAll(Objects<T> objects, std::int64_t started_ns) {
  cache_.Replace(std::move(objects));
  const ListReason reason = list_reason_.value_or(ListReason::kStart);
  list_reason_.reset();
  silent_watches_ = 0;
  cache_.UpdateHealth([&](ResourceHealth& health) {
    ++health.lists[static_cast<std::size_t>(reason)];
    health.list_seconds = static_cast<double>(clock_.SteadyNs() - started_ns) / 1e9;
  });
  log_.Debug("listed", {{"resource", std::string(T::kResource)},
                        {"reason", std::string(ListReasonName(reason))}});
  OnAnswer();
}

template <class T>
ApiResult<void> Reflector<T>::ReadPages(const std::stop_token& stop) {
  // A continue token that expires in the middle starts the list again, a bounded number of times.
  constexpr int kMaxRestarts = 3;
  const std::int64_t started_ns = clock_.SteadyNs();
  Objects<T> objects;
  std::string continue_token;
  for (int restarts = 0;;) {
    std::string query = "limit=" + std::to_string(options_.page_size);
    if (!continue_token.empty()) query += "&continue=" + base::UrlEscape(continue_token);
    auto answer = client_.Get(QueryPath(query), accept(), options_.list_timeout_ms, stop);
    if (!answer) {
      const bool expired = answer.error().http_status == 410 && !continue_token.empty();
      if (!expired || ++restarts > kMaxRestarts) return tl::unexpected(std::move(answer).error());
      continue_token.clear();
      objects.clear();
      continue;
    }
    cache_.UpdateHealth([&](ResourceHealth& health) { health.bytes_read += answer->body.size(); });
    auto page = decoder_->template List<T>(answer->body, answer->encoding);
    if (!page) {
      return tl::unexpected<ApiFailure>(
          {page.error().WithContext("GET " + net::RedactUrl(client_.access().server) + path()), 0,
           0});
    }
    for (const std::string& error : page->item_errors) NoteDecodeError(error);
    std::move(page->items.begin(), page->items.end(), std::back_inserter(objects));
    continue_token = std::move(page->continue_token);
    if (continue_token.empty()) {
      resource_version_ = std::move(page->resource_version);
      break;
    }
  }
  TakeAll(std::move(objects), started_ns);
  return {};
}

template <class T>
ApiResult<void> Reflector<T>::ReadAll(const std::stop_token& stop) {
  for (std::size_t asked = 0;; ++asked) {
    auto listed = ReadPages(stop);
    if (listed || listed.error().http_status != 404 || asked == options_.older_paths.size()) {
      return listed;
    }
    older_ = (older_ + 1) % (options_.older_paths.size() + 1);
  }
}

template <class T>
base::Result<void> Reflector<T>::ListOnce(std::stop_token stop) {
  auto listed = ReadAll(stop);
  if (listed || NoteAbsence(listed.error())) return {};
  OnFailure("list", listed.error(), stop);
  return base::Fail(listed.error().error.WithContext("list " + std::string(T::kResource)));
}

template <class T>
typename Reflector<T>::Next Reflector<T>::ListInPages(const std::stop_token& stop) {
  const auto listed = ReadAll(stop);
  if (listed) return Next::kGoOn;
  if (NoteAbsence(listed.error())) return Next::kAbsent;
  OnFailure("list", listed.error(), stop);
  return options_.custom && listed.error().http_status == 403 ? Next::kAbsent : Next::kBackOff;
}

template <class T>
bool Reflector<T>::OnFrame(std::string& frame, Encoding encoding) {
  cache_.UpdateHealth([size = frame.size()](ResourceHealth& health) { health.bytes_read += size; });
  auto event = decoder_->template Event<T>(frame, encoding);
  if (!event) {
    NoteDecodeError(event.error().message());
    // One of all objects is left out, as in a list. Later its version is unknown, so that the
    // watch cannot be resumed behind it with certainty.
    if (initial_) return true;
    ListAnew(ListReason::kUnreadable);
    return false;
  }
  if (event->type == EventType::kError) {
    OnError(*event);
    return false;
  }
  if (!event->resource_version.empty()) resource_version_ = event->resource_version;
  if (initial_) {
    OnInitialObject(*event, std::move(event->object));
  } else {
    OnObject(*event, std::move(event->object));
    OnAnswer();
  }
  return streamed_lists_ || !initial_;
}

template <class T>
void Reflector<T>::OnInitialObject(const EventHead& event, Object<T> object) {
  Objects<T>& objects = initial_->objects;
  switch (event.type) {
    case EventType::kAdded:
    case EventType::kModified:
      objects.push_back(std::move(object));  // of two with one name the later one counts
      break;
    case EventType::kDeleted:
      std::erase_if(objects, [&](const auto& o) { return KeyOf(*o) == KeyOf(*object); });
      break;
    case EventType::kBookmark: {
      if (!event.initial_events_end) {
        // A server from before streamed lists passes over what it does not know.
        streamed_lists_ = false;
        break;
      }
      Initial all = std::move(*initial_);
      initial_.reset();
      TakeAll(std::move(all.objects), all.started_ns);
      break;
    }
    case EventType::kError:
      break;
  }
}

template <class T>
void Reflector<T>::OnObject(const EventHead& event, Object<T> object) {
  if (event.type == EventType::kBookmark) return;
  const std::int64_t now = clock_.NowMs();
  const std::int64_t created = object->meta.created_ms;
  cache_.UpdateHealth([&](ResourceHealth& health) {
    health.last_event_ms = now;
    if (event.type == EventType::kAdded && created > 0) {
      health.event_lag_ms = std::max<std::int64_t>(0, now - created);
    }
  });
  if (event.type == EventType::kDeleted) {
    cache_.Remove(*object);
  } else {
    cache_.Upsert(std::move(object));
  }
}

template <class T>
void Reflector<T>::OnError(const EventHead& event) {
  log_.Info("watch ended by the server", {{"resource", std::string(T::kResource)},
                                          {"code", std::to_string(event.error_code)},
                                          {"message", event.error_message}});
  if (event.error_code == 410) {
    ListAnew(ListReason::kExpired);
  } else {
    event_error_ = true;
  }
}

template <class T>
typename Reflector<T>::Next Reflector<T>::Watch(const std::stop_token& stop) {
  const std::int64_t started_ns = clock_.SteadyNs();
  if (!list_reason_ && started_ns - answered_ns_ > options_.outage_ms * 1'000'000) {
    ListAnew(ListReason::kOutage);
    if (!streamed_lists_) return Next::kGoOn;
  }
  initial_.reset();
  if (list_reason_) initial_.emplace().started_ns = started_ns;
  event_error_ = false;
  bool heard = false;
  const auto ended = client_.Watch(
      WatchPath(), accept(), options_.idle_timeout_ms,
      [&](std::string& frame, Encoding encoding) {
        heard = true;
        return OnFrame(frame, encoding);
      },
      stop);
  if (stop.stop_requested()) return Next::kGoOn;
  return AfterWatch(ended, heard, started_ns, stop);
}

template <class T>
typename Reflector<T>::Next Reflector<T>::AfterWatch(const ApiResult<void>& ended, bool heard,
                                                     std::int64_t started_ns,
                                                     const std::stop_token& stop) {
  const int status = ended ? 0 : ended.error().http_status;
  if (initial_) {
    // Refused as it was asked for (400, 404, 422, ...): what is wrong is said by a list in pages.
    const bool refused = status >= 400 && status < 500 && status != 410 && status != 429;
    const bool unfinished = !ended && EndOf(ended) == WatchEnd::kIdle;
    if (unfinished || (refused && status != 403 && status != 404)) streamed_lists_ = false;
    initial_.reset();
    if (refused) return ListInPages(stop);
    if (!streamed_lists_) return Next::kGoOn;
  } else {
    cache_.UpdateHealth([&](ResourceHealth& health) {
      ++health.watch_ends[static_cast<std::size_t>(EndOf(ended))];
    });
  }
  if (status == 410) ListAnew(ListReason::kExpired);
  if (!ended && status != 410) OnFailure("watch", ended.error(), stop);
  // A server whose versions went back (etcd from a backup) does not know ours yet: it answers 200
  // and closes an empty stream, until it has given out as many versions anew; what changed
  // meanwhile is never told. A watch that is open but says nothing is given a second chance.
  constexpr int kMostSilentWatches = 2;
  const std::int64_t lasted_ns = clock_.SteadyNs() - started_ns;
  if (!heard && ended && lasted_ns < options_.watch_timeout_ms * 1'000'000 / 2) {
    ListAnew(ListReason::kSilent);
  }
  const bool idle = !heard && (ended || EndOf(ended) == WatchEnd::kIdle);
  silent_watches_ = idle ? silent_watches_ + 1 : 0;
  if (silent_watches_ >= kMostSilentWatches) ListAnew(ListReason::kSilent);
  if (!ended && status != 410) return Next::kBackOff;
  // A server that closes every watch at once must not be asked in a tight loop.
  constexpr std::int64_t kShortNs = 1'000'000'000;
  return event_error_ || lasted_ns < kShortNs ? Next::kBackOff : Next::kGoOn;
}

template <class T>
bool Reflector<T>::BackOff(const std::stop_token& stop) {
  // Half of the pause is fixed, half random, so that many clients do not return together.
  jitter_ = jitter_ * 6364136223846793005ULL + 1442695040888963407ULL;
  const auto half = std::max<std::int64_t>(1, backoff_ms_ / 2);
  const auto random = static_cast<std::int64_t>((jitter_ >> 33) % static_cast<std::uint64_t>(half));
  const std::int64_t ms = std::max(half + random, std::exchange(retry_after_ms_, 0));
  backoff_ms_ = std::min(backoff_ms_ * 2, options_.max_backoff_ms);
  return options_.wait(stop, ms);
}

template <class T>
void Reflector<T>::Run(std::stop_token stop) {
  while (!stop.stop_requested()) {
    const Next next = list_reason_ && !streamed_lists_ ? ListInPages(stop) : Watch(stop);
    if (next == Next::kBackOff && !BackOff(stop)) return;
    if (next == Next::kAbsent && !options_.wait(stop, options_.absent_retry_ms)) return;
  }
}

#define AZX_INSTANTIATE(T) template class Reflector<T>;
AZX_FOR_ALL_RESOURCES(AZX_INSTANTIATE)
#undef AZX_INSTANTIATE

}  // namespace azexporter::kube
