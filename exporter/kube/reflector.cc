#include "azexporter/kube/reflector.h"
#include "azexporter/base/text.h"

#include <algorithm>
#include <utility>

#include "azexporter/base/wait.h"
#include "decode.h"

namespace azexporter::kube {

using base::ErrorCode;

template <class T>
Reflector<T>::Reflector(ReflectorOptions options, ApiClient& client, ObjectCache<T>& cache,
                        const base::Clock& clock, base::Logger log)
    : options_(std::move(options)),
      client_(client),
      cache_(cache),
      clock_(clock),
      log_(std::move(log)),
      pools_(std::make_unique<ValuePools>()),
      backoff_ms_(options_.min_backoff_ms),
      jitter_(static_cast<std::uint64_t>(clock.SteadyNs())) {
  cache_.UpdateHealth([this](ResourceHealth& health) { health.optional = options_.optional; });
}

template <class T>
Reflector<T>::~Reflector() = default;

template <class T>
std::string Reflector<T>::QueryPath(const std::string& query) const {
  return options_.path + "?" + query + (options_.selectors.empty() ? "" : "&" + options_.selectors);
}

template <class T>
void Reflector<T>::OnAnswer() {
  backoff_ms_ = options_.min_backoff_ms;
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
  const base::Error error = failure.error.WithContext(doing);
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
  std::uint64_t count = 0;
  cache_.UpdateHealth([&](ResourceHealth& health) { count = ++health.decode_errors; });
  constexpr std::uint64_t kLogged = 5;  // one broken object must not fill the log
  if (count <= kLogged) log_.Warn("object not understood, left out", {{"error", error}});
}

template <class T>
ApiResult<void> Reflector<T>::ListPages(const std::stop_token& stop) {
  // A continue token that expires in the middle starts the list again, a bounded number of times.
  constexpr int kMaxRestarts = 3;
  std::vector<T> objects;
  std::string continue_token;
  for (int restarts = 0;;) {
    std::string query = "limit=" + std::to_string(options_.page_size);
    if (!continue_token.empty()) query += "&continue=" + base::UrlEscape(continue_token);
    auto body = client_.Get(QueryPath(query), options_.list_timeout_ms, stop);
    if (!body) {
      const bool expired = body.error().http_status == 410 && !continue_token.empty();
      if (!expired || ++restarts > kMaxRestarts) return tl::unexpected(std::move(body).error());
      continue_token.clear();
      objects.clear();
      continue;
    }
    auto page = DecodeList<T>(*body, *pools_);
    if (!page) {
      return tl::unexpected<ApiFailure>(
          {page.error().WithContext("GET " + net::RedactUrl(client_.access().server) +
                                    options_.path),
           0, 0});
    }
    for (const std::string& error : page->item_errors) NoteDecodeError(error);
    std::move(page->items.begin(), page->items.end(), std::back_inserter(objects));
    continue_token = std::move(page->continue_token);
    if (continue_token.empty()) {
      resource_version_ = std::move(page->resource_version);
      break;
    }
  }
  cache_.Replace(std::move(objects));
  OnAnswer();
  return {};
}

template <class T>
base::Result<void> Reflector<T>::ListOnce(std::stop_token stop) {
  auto listed = ListPages(stop);
  if (listed || NoteAbsence(listed.error())) return {};
  OnFailure(std::string("list ") + std::string(T::kResource), listed.error(), stop);
  return base::Fail(listed.error().error.WithContext("list " + std::string(T::kResource)));
}

template <class T>
typename Reflector<T>::Next Reflector<T>::OnLine(std::string& line) {
  auto event = DecodeEvent<T>(line, *pools_);
  if (!event) {
    // Its version is unknown, so the watch cannot be resumed behind it with certainty.
    NoteDecodeError(event.error().message());
    return Next::kList;
  }
  if (event->type == EventType::kError) {
    const std::string code = std::to_string(event->error_code);
    log_.Info("watch ended by the server", {{"resource", std::string(T::kResource)},
                                            {"code", code},
                                            {"message", event->error_message}});
    return event->error_code == 410 ? Next::kList : Next::kBackOff;
  }
  if (!event->resource_version.empty()) resource_version_ = event->resource_version;
  OnAnswer();
  switch (event->type) {
    case EventType::kAdded:
    case EventType::kModified:
      cache_.Upsert(std::move(event->object));
      break;
    case EventType::kDeleted:
      cache_.Remove(event->object);
      break;
    case EventType::kBookmark:
    case EventType::kError:
      break;
  }
  return Next::kWatch;
}

template <class T>
typename Reflector<T>::Next Reflector<T>::WatchOnce(const std::stop_token& stop) {
  const std::string path = QueryPath(
      "watch=1&allowWatchBookmarks=true&resourceVersion=" + base::UrlEscape(resource_version_) +
      "&timeoutSeconds=" + std::to_string(options_.watch_timeout_ms / 1000));
  const std::int64_t started_ns = clock_.SteadyNs();
  Next next = Next::kWatch;
  bool heard = false;
  auto ended = client_.Watch(
      path, options_.idle_timeout_ms,
      [&](std::string& line) {
        heard = true;
        next = OnLine(line);
        return next == Next::kWatch;
      },
      stop);
  if (stop.stop_requested()) return Next::kWatch;
  cache_.UpdateHealth([](ResourceHealth& health) { ++health.watch_restarts; });
  if (!ended && ended.error().http_status == 410) return Next::kList;
  if (!ended) OnFailure("watch " + std::string(T::kResource), ended.error(), stop);
  // A server whose versions went back (etcd from a backup) does not know ours yet: it answers 200
  // and says nothing until the watch ends, again and again, and what changes meanwhile is never
  // told.
  constexpr int kMostSilentWatches = 2;
  const bool silent = !heard && (ended || ended.error().error.code() == ErrorCode::kTimeout);
  silent_watches_ = silent ? silent_watches_ + 1 : 0;
  if (silent_watches_ >= kMostSilentWatches) {
    silent_watches_ = 0;
    log_.Info("two watches without a word, listing again",
              {{"resource", std::string(T::kResource)}});
    return Next::kList;
  }
  if (!ended) return Next::kBackOff;
  // A server that closes every watch at once must not be asked in a tight loop.
  constexpr std::int64_t kShortNs = 1'000'000'000;
  if (next == Next::kWatch && clock_.SteadyNs() - started_ns < kShortNs) return Next::kBackOff;
  return next;
}

template <class T>
void Reflector<T>::Run(std::stop_token stop) {
  Next next = cache_.health().synced && !resource_version_.empty() ? Next::kWatch : Next::kList;
  while (!stop.stop_requested()) {
    bool pause = false;
    if (next == Next::kList) {
      auto listed = ListPages(stop);
      if (listed) {
        log_.Debug("listed", {{"resource", std::string(T::kResource)}});
      } else if (NoteAbsence(listed.error())) {
        if (!base::WaitFor(stop, options_.absent_retry_ms)) return;
        continue;
      } else {
        OnFailure("list " + std::string(T::kResource), listed.error(), stop);
        pause = true;
      }
      next = listed ? Next::kWatch : Next::kList;
    } else {
      const Next after = WatchOnce(stop);
      pause = after == Next::kBackOff;
      next = after == Next::kList ? Next::kList : Next::kWatch;
    }
    if (!pause) continue;
    // Half of the pause is fixed, half random, so that many clients do not return together.
    jitter_ = jitter_ * 6364136223846793005ULL + 1442695040888963407ULL;
    const auto half = std::max<std::int64_t>(1, backoff_ms_ / 2);
    const auto random =
        static_cast<std::int64_t>((jitter_ >> 33) % static_cast<std::uint64_t>(half));
    const std::int64_t wait = std::max(half + random, retry_after_ms_);
    retry_after_ms_ = 0;
    backoff_ms_ = std::min(backoff_ms_ * 2, options_.max_backoff_ms);
    if (!base::WaitFor(stop, wait)) return;
  }
}

template class Reflector<Node>;
template class Reflector<Pod>;
template class Reflector<ConfigMap>;
template class Reflector<Deployment>;
template class Reflector<ReplicaSet>;
template class Reflector<StatefulSet>;
template class Reflector<DaemonSet>;
template class Reflector<Job>;
template class Reflector<PodDisruptionBudget>;
template class Reflector<PersistentVolume>;
template class Reflector<PersistentVolumeClaim>;
template class Reflector<StorageClass>;
template class Reflector<Service>;
template class Reflector<EndpointSlice>;

}  // namespace azexporter::kube
