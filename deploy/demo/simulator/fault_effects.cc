#include "simulator/fault_effects.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "simulator/responses.h"
#include "simulator/status.h"

namespace azexporter::simulator {
namespace {

using Stream = std::function<StreamEnd(BodyStream&)>;

// No status: the connection is closed without a byte.
HttpResponse NoAnswer() { return {.status = 0}; }

// Sends the first bytes of a body, however it comes.
class FirstBytes final : public BodyStream {
 public:
  FirstBytes(BodyStream& inner, std::int64_t bytes) : inner_(inner), left_(bytes) {}

  bool Write(std::string_view chunk) override {
    const auto size = std::min(left_, static_cast<std::int64_t>(chunk.size()));
    left_ -= size;
    return inner_.Write(chunk.substr(0, static_cast<std::size_t>(size))) && left_ > 0;
  }
  bool Alive() override { return left_ > 0 && inner_.Alive(); }
  const std::stop_token& stop() const override { return inner_.stop(); }

 private:
  BodyStream& inner_;
  std::int64_t left_;
};

// Sends half of the first chunk and no more.
class HalfAChunk final : public BodyStream {
 public:
  explicit HalfAChunk(BodyStream& inner) : inner_(inner) {}

  bool Write(std::string_view chunk) override {
    if (!std::exchange(sent_, true)) inner_.Write(chunk.substr(0, chunk.size() / 2));
    return false;
  }
  bool Alive() override { return !sent_ && inner_.Alive(); }
  const std::stop_token& stop() const override { return inner_.stop(); }

 private:
  BodyStream& inner_;
  bool sent_ = false;
};

Stream StreamOf(HttpResponse& response) {
  if (response.stream != nullptr) return std::move(response.stream);
  return [body = std::move(response.body)](BodyStream& out) {
    return out.Write(body) ? StreamEnd::kComplete : StreamEnd::kCut;
  };
}

HttpResponse CutAfter(HttpResponse response, std::int64_t bytes) {
  response.stream = [stream = StreamOf(response), bytes](BodyStream& out) {
    FirstBytes first(out, bytes);
    if (bytes > 0) (void)stream(first);
    return StreamEnd::kCut;
  };
  return response;
}

HttpResponse Truncated(HttpResponse response) {
  if (response.stream == nullptr) {
    response.body.resize(response.body.size() / 2);
    return response;
  }
  response.stream = [stream = std::move(response.stream)](BodyStream& out) {
    HalfAChunk half(out);
    (void)stream(half);
    return StreamEnd::kComplete;
  };
  return response;
}

HttpResponse Garbage(GarbageKind kind, const FaultContext& context) {
  switch (kind) {
    case GarbageKind::kTruncated:
      return Truncated(context.answer(Versions::kKept));
    case GarbageKind::kText:
      return {.body = "<html><body>The service is temporarily unavailable.</body></html>\n"};
    case GarbageKind::kShape:
      break;
  }
  if (context.info.verb == "watch") {
    return {.body = "{\"type\":\"ADDED\",\"object\":[\"no object\"]}\n"};
  }
  return {.body = "{\"kind\":[\"List\"],\"metadata\":\"none\",\"items\":{\"first\":1}}\n"};
}

HttpResponse ReplayNamed(const std::string& name, const FaultContext& context) {
  const Recording* recording =
      context.recordings == nullptr ? nullptr : context.recordings->Find(name);
  if (recording == nullptr) {
    return ErrorResponse(context.request, Internal(fmt::format("no recording \"{}\"", name)));
  }
  return Replay(*recording);
}

ApiError ErrorOf(int status, const FaultContext& context) {
  switch (status) {
    case 401:
      return Unauthorized();
    case 403:
      return Forbidden(context.info, context.user, "");
    case 404:
      return {404, "NotFound", "the server could not find the requested resource", Json::object()};
    case 409:
      return {409, "Conflict",
              "Operation cannot be fulfilled: the object has been modified; please apply your "
              "changes to the latest version and try again",
              Json::object()};
    case 410:
      return Expired("The resourceVersion for the provided list is too old.");
    case 500:
      // What etcd's trouble looks like: no reason is given.
      return {500, "", "etcdserver: request timed out"};
    case 503:
      return {503, "ServiceUnavailable", "apiserver not ready", {{"retryAfterSeconds", 1}}};
    case 504:
      return {504, "Timeout", "Timeout: request did not complete within the allotted timeout",
              Json::object()};
    default:
      break;
  }
  return {status, "", "the server was told to answer with this status"};
}

HttpResponse StatusAnswer(int status, const FaultContext& context) {
  const RequestInfo& info = context.info;
  if (status == 429) {
    // Priority and fairness turns requests away before anything else looks at them.
    HttpResponse response = TextResponse(429, "Too many requests, please try again later.\n");
    response.headers.emplace_back("Retry-After", "1");
    return response;
  }
  if (status == 404 && info.verb != "get") return TextResponse(404, "404 page not found\n");
  if (status == 410 && info.verb == "list" && context.request.HasQuery("continue")) {
    // With a token for the rest of the list.
    return context.answer(Versions::kExpired);
  }
  return ErrorResponse(context.request, ErrorOf(status, context));
}

}  // namespace

HttpResponse FaultyAnswer(const Faults::Entry& hit, const FaultContext& context) {
  const Fault& fault = hit.fault;
  switch (fault.effect) {
    case FaultEffect::kStatus:
      return StatusAnswer(fault.status, context);
    case FaultEffect::kCut:
      return NoAnswer();
    case FaultEffect::kCutAfter:
      return CutAfter(context.answer(Versions::kKept), fault.bytes);
    case FaultEffect::kHang:
    case FaultEffect::kDelay: {
      const std::int64_t ms = fault.effect == FaultEffect::kHang ? -1 : fault.delay_ms;
      const bool held = context.faults.Hold(hit.id, ms, context.clock, *context.request.client);
      return held ? context.answer(Versions::kKept) : NoAnswer();
    }
    case FaultEffect::kSilent:
      break;  // the watch's stream asks for itself
    case FaultEffect::kExpire:
      return context.answer(Versions::kExpired);
    case FaultEffect::kGarbage:
      return Garbage(fault.garbage, context);
    case FaultEffect::kReplay:
      return ReplayNamed(fault.recording, context);
  }
  return context.answer(Versions::kKept);
}

bool SilenceableStream::Write(std::string_view chunk) {
  return faults_.HoldWhileSilent(info_, hit_, inner_) && inner_.Write(chunk);
}

bool SilenceableStream::Alive() {
  return faults_.HoldWhileSilent(info_, hit_, inner_) && inner_.Alive();
}

}  // namespace azexporter::simulator
