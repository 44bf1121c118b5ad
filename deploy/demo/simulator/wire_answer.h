#pragma once

// Answers in Kubernetes's protobuf for clients that prefer it: what the server says in JSON, put
// into the other encoding on its way out. Only built-in resources are served in it, as in life.
// Source: kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding.

#include <string>

#include "azexporter/kube/wire_schema.h"
#include "simulator/http_server.h"
#include "simulator/json.h"

namespace azexporter::simulator {

// Members that the schema does not know are written too, under numbers that nobody reads: what a
// client has to pass over is as long as in life.
std::string EncodeWire(const Json& object, const kube::WireMessage& message);
// An object, a list or a Status in its envelope; "" where the kind has no protobuf form here.
std::string EncodeWireBody(const Json& object);
// An event of a watch in its frame: four bytes of length, highest first, then the event.
std::string EncodeWireEvent(const Json& event);

// Changes an answer of the server into protobuf where the request asks for that first and the
// answer has that form.
void EncodeAsAsked(const HttpRequest& request, HttpResponse& response);

}  // namespace azexporter::simulator
