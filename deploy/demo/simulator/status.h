#pragma once

// The API server's way of saying no: a Status object with code, reason and message.

#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "simulator/json.h"
#include "simulator/request_info.h"
#include "simulator/resources.h"

namespace azexporter::simulator {

struct ApiError {
  int code = 500;      // the HTTP status
  std::string reason;  // empty: the field is absent
  std::string message;
  Json details = nullptr;        // null: the field is absent
  std::string continue_token{};  // only for an expired list: how to go on all the same
};

template <class T>
using ApiResult = tl::expected<T, ApiError>;

Json StatusBody(const ApiError& error);

ApiError Unauthorized();
// `reason` says why the authoriser granted nothing; usually empty.
ApiError Forbidden(const RequestInfo& info, std::string_view user, std::string_view reason);
ApiError ObjectNotFound(const ResourceType& type, std::string_view name);
ApiError AlreadyExists(const ResourceType& type, std::string_view name);
ApiError Conflict(const ResourceType& type, std::string_view name);
// 422 for one field of one object. `cause` "FieldValueInvalid", ...
ApiError Invalid(std::string_view group, std::string_view kind, std::string_view name,
                 std::string_view field, std::string_view cause, std::string_view message);
ApiError BadRequest(std::string message);
ApiError MethodNotAllowed();
ApiError NotAcceptable();
ApiError Expired(std::string message);
ApiError VersionInFuture(std::int64_t asked, std::int64_t current);
ApiError Internal(std::string message);

}  // namespace azexporter::simulator
