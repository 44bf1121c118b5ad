#pragma once

// Answers as the API server dresses them.

#include <string>

#include "simulator/http_server.h"
#include "simulator/json.h"
#include "simulator/json_document.h"
#include "simulator/status.h"

namespace azexporter::simulator {

// text/plain, as what stands in front of the resources answers: health, unknown paths, overload.
HttpResponse TextResponse(int status, std::string body);
// One line, or pretty where the client asks for it or looks like a person's.
HttpResponse JsonResponse(const HttpRequest& request, int status, const Json& body);
// The same of a document, which is streamed when it is large.
HttpResponse DocumentResponse(const HttpRequest& request, JsonDocument document);
// A Status object.
HttpResponse ErrorResponse(const HttpRequest& request, const ApiError& error);
// Compresses a large body for clients that accept it, as the real server does.
void CompressIfLarge(const HttpRequest& request, HttpResponse& response);

}  // namespace azexporter::simulator
