#pragma once

// Answers recorded from a real API server, served again byte for byte. A recording is a body NAME
// and a file NAME.headers: the request line "GET TARGET" (which may be missing, and says GET
// whatever the method was), the status line and the headers.
//
// Served are the status, the bytes of the body and all headers but Date; Content-Length or chunks
// as recorded. A watch (*.jsonl) comes line by line and then ends.
//
// Thread safety: immutable once loaded.

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "azexporter/base/result.h"
#include "simulator/http_server.h"

namespace azexporter::simulator {

struct Recording {
  std::string name;    // "nodes.list.json"
  std::string target;  // of the request; empty when it was not recorded
  int status = 0;
  std::string content_type;
  std::vector<std::pair<std::string, std::string>> headers;  // without framing, date and type
  bool chunked = false;
  std::string body;
};

class Recordings {
 public:
  Recordings() = default;
  Recordings(Recordings&&) = default;
  Recordings& operator=(Recordings&&) = default;

  // kUnavailable when the folder cannot be read.
  static base::Result<Recordings> Load(const std::string& folder);

  const std::map<std::string, Recording, std::less<>>& all() const { return all_; }
  // What lies in the folder and cannot be replayed: "NAME.headers" -> why.
  const std::map<std::string, std::string>& skipped() const { return skipped_; }

  // nullptr when there is none.
  const Recording* Find(std::string_view name) const;
  // The recording of the request's target; nullptr when there is none. Of several the first that
  // the Accept header names, in its order: protobuf, a Table, PartialObjectMetadata, aggregated
  // discovery or JSON, else JSON; compressed for who accepts gzip; successes before errors; then
  // the one of the shortest name. The others are to be had by name (the fault "replay NAME").
  const Recording* For(const HttpRequest& request) const;

 private:
  std::map<std::string, Recording, std::less<>> all_;
  std::map<std::string, std::string> skipped_;
  // Of one target: the shortest name first.
  std::map<std::string, std::vector<const Recording*>, std::less<>> by_target_;
};

// `recording` must outlive the answer.
HttpResponse Replay(const Recording& recording);

}  // namespace azexporter::simulator
