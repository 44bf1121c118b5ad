#pragma once

// What the faults of faults.h do to an answer.

#include <functional>
#include <string>

#include "azexporter/base/clock.h"
#include "simulator/faults.h"
#include "simulator/http_server.h"
#include "simulator/replay.h"

namespace azexporter::simulator {

// Whether the asked version counts as compacted, whatever the store still knows.
enum class Versions { kKept, kExpired };

struct FaultContext {
  Faults& faults;
  const base::Clock& clock;
  const HttpRequest& request;
  const RequestInfo& info;
  const Recordings* recordings = nullptr;  // optional
  std::string user;                        // who asks, as far as the server knows
  // The server's own answer; asked only if the fault needs one.
  std::function<HttpResponse(Versions)> answer;
};

// The answer that a request hit by `fault` gets. Blocks while it hangs or is delayed.
HttpResponse FaultyAnswer(const Faults::Entry& fault, const FaultContext& context);

// A watch's stream that faults can silence, those that are set while it is open too.
class SilenceableStream final : public BodyStream {
 public:
  // All must outlive the stream. `hit` is the fault that hit the watch, 0: none.
  SilenceableStream(BodyStream& inner, Faults& faults, const RequestInfo& info, Faults::Id hit)
      : inner_(inner), faults_(faults), info_(info), hit_(hit) {}

  bool Write(std::string_view chunk) override;
  bool Alive() override;
  const std::stop_token& stop() const override { return inner_.stop(); }

 private:
  BodyStream& inner_;
  Faults& faults_;
  const RequestInfo& info_;
  const Faults::Id hit_;
};

}  // namespace azexporter::simulator
