// The control endpoint: POST /_platform/do with a command a line, GET /_platform/state.

#include <fmt/format.h>

#include "platform_impl.h"
#include "region.h"

namespace azexporter::platform {

using base::ErrorCode;
using simulator::DumpPretty;
using simulator::HttpRequest;
using simulator::HttpResponse;
using simulator::Json;

namespace {

HttpResponse Text(int status, std::string body) {
  return {.status = status, .content_type = "text/plain", .body = std::move(body) + "\n"};
}

int StatusOf(ErrorCode code) {
  if (code == ErrorCode::kBadData) return 400;
  return code == ErrorCode::kNotFound ? 404 : 500;
}

std::string_view NextLine(std::string_view& text) {
  const std::size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  while (!line.empty() && (line.back() == ' ' || line.back() == '\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

Json Platform::Impl::Describe() {
  Json state = Json::object();
  base::MutexLock lock(mu);
  for (const auto& [name, endpoint] : endpoints) {
    state["zones"][name] = {{"state", lost_zones.contains(name) ? "down" : "up"},
                            {"nodes", NodeNames(store, name).size()},
                            {"health_endpoint", endpoint->url()},
                            {"latency_us", endpoint->latency_us()}};
  }
  if (databases == nullptr) return state;
  for (const DatabaseView& database : databases->View()) {
    state["databases"][database.name] = {{"zone", database.zone},
                                         {"dsn", database.dsn},
                                         {"running", database.running},
                                         {"primary", database.primary}};
  }
  for (const RedisView& node : redis->View()) {
    state["redis"][node.name] = {
        {"zone", node.zone}, {"address", node.address}, {"running", node.running}};
  }
  return state;
}

HttpResponse Platform::Impl::Control(const HttpRequest& request) {
  if (request.path == "/_platform/state") {
    if (request.method != "GET") return Text(405, "only GET");
    return {.body = DumpPretty(Describe()) + "\n"};
  }
  if (request.path != "/_platform/do") {
    return Text(404, "not found: POST commands to /_platform/do, GET /_platform/state");
  }
  if (request.method != "POST") return Text(405, "only POST");
  std::string done;
  std::string_view rest = request.body;
  for (int number = 1; !rest.empty(); ++number) {
    const std::string_view line = NextLine(rest);
    if (line.empty() || line.front() == '#') continue;
    if (auto carried_out = Do(line); !carried_out) {
      return Text(StatusOf(carried_out.error().code()),
                  fmt::format("{}line {}: {}", done, number, carried_out.error().message()));
    }
    done += fmt::format("done: {}\n", line);
  }
  if (done.empty()) return Text(400, "no command: put one on each line of the body");
  done.pop_back();
  return Text(200, std::move(done));
}

}  // namespace azexporter::platform
