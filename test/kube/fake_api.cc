#include "kube/fake_api.h"

#include <algorithm>
#include <iterator>

#include "azexporter/kube/wire_schema.h"
#include "simulator/wire_answer.h"

namespace azexporter::kube {
namespace {

using simulator::Json;

Json MakePod(const std::string& name, std::int64_t node, std::int64_t version) {
  return {{"kind", "Pod"},
          {"apiVersion", "v1"},
          {"metadata",
           {{"name", name}, {"namespace", "n"}, {"resourceVersion", std::to_string(version)}}},
          {"spec", {{"nodeName", "n" + std::to_string(node)}}},
          {"status", {{"phase", "Running"}}}};
}

Json StatusJson(int code, const std::string& message) {
  return {{"kind", "Status"}, {"apiVersion", "v1"}, {"message", message}, {"code", code}};
}

}  // namespace

FakeApi::FakeApi(Options options, base::FakeClock& clock)
    : options_(options), clock_(clock), random_(options.seed) {
  for (int i = 0; i < 50; ++i) Change();
  backup_ = state_;
}

bool FakeApi::Chance(double probability) {
  return !calm_ && std::uniform_real_distribution<>(0, 1)(random_) < probability;
}

std::int64_t FakeApi::Between(std::int64_t least, std::int64_t most) {
  return std::uniform_int_distribution<std::int64_t>(least, most)(random_);
}

void FakeApi::Log(const char* type, const Json& pod) {
  log_.push_back({state_.version, type, pod});
  constexpr std::size_t kMostEvents = 600;
  if (log_.size() > kMostEvents || Chance(0.002)) {  // compaction
    const std::size_t kept = std::min<std::size_t>(log_.size(), 20);
    log_.erase(log_.begin(), std::prev(log_.end(), static_cast<std::ptrdiff_t>(kept)));
    oldest_ = log_.front().version;
  }
}

void FakeApi::Change() {
  ++state_.version;
  const std::int64_t kind = Between(0, 9);
  if (state_.pods.size() < 30 || kind < 3) {
    const std::string name = "p" + std::to_string(names_++ % 200);
    const bool known = state_.pods.contains(name);
    Json& pod = state_.pods[name] = MakePod(name, Between(0, 9), state_.version);
    return Log(known ? "MODIFIED" : "ADDED", pod);
  }
  auto chosen =
      std::next(state_.pods.begin(), Between(0, static_cast<std::int64_t>(state_.pods.size()) - 1));
  if (kind < 6) {
    Json gone = chosen->second;
    gone["metadata"]["resourceVersion"] = std::to_string(state_.version);
    state_.pods.erase(chosen);
    return Log("DELETED", gone);
  }
  chosen->second = MakePod(chosen->first, Between(0, 9), state_.version);
  Log("MODIFIED", chosen->second);
}

void FakeApi::Pass(std::int64_t ms) {
  while (ms > 0) {
    const std::int64_t step = std::min<std::int64_t>(ms, 1'000);
    on_second_();
    clock_.Advance(step);
    ms -= step;
    if (Chance(0.001)) {
      clock_.StepWall(Between(-3'600'000, 3'600'000));
      ++faults_["clock step"];
    }
    if (calm_ || Down()) continue;
    for (std::int64_t changes = Between(0, 4); changes > 1; --changes) Change();
    if (Chance(0.0005)) RestoreBackup();
    if (Chance(0.002)) backup_ = state_;
  }
}

// etcd from a backup: older versions are given out anew, for other changes.
void FakeApi::RestoreBackup() {
  // Who is cut off comes back within half a minute; a backup younger than that cannot be told
  // apart.
  if (state_.version - backup_.version < 200) return;
  ++faults_["restored"];
  ++restarts_;
  state_ = backup_;
  log_.clear();
  oldest_ = state_.version;
  pages_.clear();
  down_until_ns_ = clock_.SteadyNs() + Between(1, 200) * 1'000'000'000;
}

FakeApi::Query FakeApi::QueryOf(const std::string& url) {
  Query query;
  std::string rest = url.substr(std::min(url.size(), url.find('?') + 1));
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('&'), rest.size());
    const std::string part = rest.substr(0, end);
    const std::size_t equals = std::min(part.find('='), part.size());
    query[part.substr(0, equals)] = part.substr(std::min(part.size(), equals + 1));
    rest.erase(0, end + 1);
  }
  return query;
}

net::HttpResponse FakeApi::Refuse(int status, std::string body) const {
  net::HttpResponse response;
  response.status = status;
  response.headers = {{"content-type", "text/plain; charset=utf-8"}};
  if (status == 429) response.headers.emplace_back("retry-after", "3");
  response.body = std::move(body);
  return response;
}

std::optional<net::HttpResponse> FakeApi::Trouble() {
  if (Chance(0.03)) {
    ++faults_["429"];
    return Refuse(429, "Too many requests, please try again later.\n");
  }
  if (Chance(0.03)) {
    ++faults_["500"];
    return Refuse(500, "Internal Server Error: etcdserver: request timed out\n");
  }
  return std::nullopt;
}

base::Result<net::HttpResponse> FakeApi::List(const net::HttpRequest& request) {
  Pass(Between(5, 400));
  if (Down() || Chance(0.03)) {
    ++faults_["refused connection"];
    return base::Fail(base::ErrorCode::kUnavailable, "GET: connection refused");
  }
  if (auto trouble = Trouble()) return std::move(*trouble);
  const Query query = QueryOf(request.url);
  const auto limit = static_cast<std::size_t>(std::stoll(query.at("limit")));
  std::vector<Json> left;
  std::int64_t version = state_.version;
  if (const auto token = query.find("continue"); token != query.end()) {
    const auto kept = pages_.find(token->second);
    if (kept == pages_.end() || Chance(0.1)) {
      ++faults_["expired page"];
      return Refuse(410, StatusJson(410, "continue parameter is too old").dump());
    }
    left = std::move(kept->second);
    pages_.erase(kept);
    version = std::stoll(token->second.substr(0, token->second.find('-')));
  } else {
    for (const auto& [name, pod] : state_.pods) left.push_back(pod);
  }
  const std::size_t here = std::min(limit, left.size());
  Json list = {{"kind", "PodList"},
               {"apiVersion", "v1"},
               {"metadata", {{"resourceVersion", std::to_string(version)}}},
               {"items", Json::array()}};
  for (std::size_t i = 0; i < here; ++i) list["items"].push_back(left[i]);
  left.erase(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(here));
  if (!left.empty()) {
    const std::string token = std::to_string(version) + "-" + std::to_string(left.size()) + "-" +
                              std::to_string(restarts_);
    list["metadata"]["continue"] = token;
    pages_[token] = std::move(left);
  }
  net::HttpResponse response;
  response.status = 200;
  response.headers = {{"content-type", options_.protobuf ? std::string(kWireContentType)
                                                         : std::string("application/json")}};
  response.body = options_.protobuf ? simulator::EncodeWireBody(list) : list.dump();
  return response;
}

Json FakeApi::EventJson(const char* type, const Json& object) {
  return {{"type", type}, {"object", object}};
}

Json FakeApi::Bookmark(std::int64_t version, bool end) {
  Json pod = {{"kind", "Pod"},
              {"apiVersion", "v1"},
              {"metadata", {{"resourceVersion", std::to_string(version)}}}};
  if (end) pod["metadata"]["annotations"] = {{"k8s.io/initial-events-end", "true"}};
  return EventJson("BOOKMARK", pod);
}

std::string FakeApi::Frame(const Json& event) const {
  return options_.protobuf ? simulator::EncodeWireEvent(event) : event.dump() + "\n";
}

base::Result<net::HttpResponse> FakeApi::Stream(const net::HttpRequest& request,
                                                const net::ChunkHandler& on_chunk,
                                                std::stop_token) {
  if (!on_chunk) return List(request);
  Pass(Between(5, 400));
  if (Down() || Chance(0.05)) {
    ++faults_["refused connection"];
    return base::Fail(base::ErrorCode::kUnavailable, "GET: connection refused");
  }
  if (auto trouble = Trouble()) return std::move(*trouble);
  const Query query = QueryOf(request.url);
  const bool initial = query.contains("sendInitialEvents");
  if (initial && options_.streams == Options::Streams::kRefused) {
    return Refuse(422, StatusJson(422, "sendInitialEvents is forbidden for watch").dump());
  }
  net::HttpResponse head;
  head.status = 200;
  head.headers = {{"content-type", options_.protobuf
                                       ? std::string(kWireContentType) + ";stream=watch"
                                       : std::string("application/json")}};
  const std::int64_t restarts = restarts_;
  const std::int64_t end_ns =
      clock_.SteadyNs() + std::stoll(query.at("timeoutSeconds")) * 1'000'000'000;
  std::int64_t next_bookmark_ns = clock_.SteadyNs() + 60'000'000'000;
  bool cut = false;
  // In pieces; false where the client does not want more, or the connection is cut.
  bool reading_all = initial;
  const auto send = [&](const Json& event) {
    std::string frame = Frame(event);
    if (Chance(0.002)) {
      ++faults_["cut in an event"];
      cut = true;
      frame.resize(frame.size() / 2);
    } else if (!reading_all && Chance(0.001)) {
      ++faults_["garbage"];
      // Of the right length, so that only this event is lost.
      std::fill(frame.begin() + (options_.protobuf ? 4 : 0), frame.end() - 1, '?');
      if (options_.protobuf) frame.back() = '?';
    }
    while (!frame.empty()) {
      const auto size = static_cast<std::size_t>(
          Between(1, static_cast<std::int64_t>(std::min<std::size_t>(frame.size(), 300))));
      if (!on_chunk(head, std::string_view(frame).substr(0, size))) return false;
      frame.erase(0, size);
    }
    return !cut;
  };
  const auto severed = [] {
    return base::Fail(base::ErrorCode::kUnavailable, "GET: transfer closed with data remaining");
  };
  const auto ended = [&]() -> base::Result<net::HttpResponse> {
    if (cut) return severed();
    return head;
  };
  std::int64_t cursor = 0;
  if (initial || query.at("resourceVersion").empty()) {
    cursor = state_.version;
    const State now = state_;
    for (const auto& [name, pod] : now.pods) {
      if (!send(EventJson("ADDED", pod))) return ended();
      if (Chance(0.01)) Pass(200);
      if (restarts != restarts_) return severed();
    }
    const bool known = options_.streams == Options::Streams::kServed;
    if (known && !send(Bookmark(cursor, true))) return ended();
    reading_all = !known;
  } else {
    cursor = std::stoll(query.at("resourceVersion"));
    if (cursor > state_.version) {  // to come: the stream stays empty and is closed soon
      ++faults_["version to come"];
      Pass(3'000);
      return head;
    }
    if (cursor < oldest_) {
      ++faults_["expired watch"];
      if (Chance(0.3)) return Refuse(410, StatusJson(410, "too old resource version").dump());
      static_cast<void>(
          on_chunk(head, Frame(EventJson("ERROR", StatusJson(410, "too old resource version")))));
      return head;
    }
  }
  const bool falls_silent = Chance(0.03);
  while (clock_.SteadyNs() < end_ns) {
    // Nothing is told of a silence.
    told_version_ = reading_all ? 0 : cursor;
    Pass(Between(50, 2'000));
    told_version_ = 0;
    if (restarts != restarts_) return severed();
    if (Chance(0.002)) {
      ++faults_["closed"];
      return head;
    }
    if (falls_silent && Chance(0.05)) {
      ++faults_["silent"];
      Pass(request.idle_timeout_ms);
      return base::Fail(base::ErrorCode::kTimeout, "GET: operation too slow");
    }
    const std::vector<Event> events(
        std::find_if(log_.begin(), log_.end(), [&](const Event& e) { return e.version > cursor; }),
        log_.end());
    if (cursor < oldest_ && oldest_ > 1) {
      ++faults_["expired watch"];
      static_cast<void>(
          on_chunk(head, Frame(EventJson("ERROR", StatusJson(410, "too old resource version")))));
      return head;
    }
    for (const Event& event : events) {
      if (!send(EventJson(event.type, event.pod))) return ended();
      cursor = event.version;
    }
    if (clock_.SteadyNs() >= next_bookmark_ns) {
      next_bookmark_ns += 60'000'000'000;
      if (!send(Bookmark(state_.version, false))) return ended();
    }
  }
  return head;
}

}  // namespace azexporter::kube
