#pragma once

// A request as the handlers see it, and the parameters that Prometheus's API has in common.
// Private to `web`.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/base/result.h"
#include "azexporter/model/matcher.h"
#include "azexporter/model/sample.h"
#include "azexporter/storage/storage.h"
#include "connection_watch.h"

namespace azexporter::web {

struct Request {
  std::string method;  // "GET", "HEAD", "POST", "PUT"
  std::string path;
  std::multimap<std::string, std::string> params = {};      // of a form body and the URL, decoded
  std::multimap<std::string, std::string> url_params = {};  // of the URL alone
  std::map<std::string, std::string> path_params = {};      // "name" of /api/v1/label/<name>/values
  std::string content_type = {};
  std::string content_encoding = {};
  bool accepts_gzip = false;
  std::string accept = {};
  std::string_view body = {};
  Connection connection = {};

  // The first value, "" where there is none; a form body goes before the URL, as in Go.
  std::string Param(const std::string& name) const;
  std::vector<std::string> Params(const std::string& name) const;
  std::string UrlParam(const std::string& name) const;
};

// Adds "a=1&b=2", decoded, to `params`.
void AddParams(std::string_view text, std::multimap<std::string, std::string>& params);

// True when `path` has the form of `pattern`; a segment ":name" takes what stands in its place.
bool MatchPath(std::string_view pattern, std::string_view path,
               std::map<std::string, std::string>& found);

// kBadData `invalid parameter "NAME": MESSAGE`.
tl::unexpected<base::Error> InvalidParam(std::string_view name, std::string_view message);

// The first and the last time there is for the API: what `start` and `end` are where they are not
// given. Far enough from the ends of the type that a look-back does not pass them.
inline constexpr model::TimestampMs kMinTime = -9'223'309'901'257'974'000;
inline constexpr model::TimestampMs kMaxTime = 9'223'309'901'257'974'999;

// A time, RFC 3339 or seconds. kBadData `cannot parse "noon" to a valid timestamp`.
base::Result<model::TimestampMs> ParseTime(const std::string& text);
// Of a parameter that may be missing.
base::Result<model::TimestampMs> TimeParam(const Request& request, const std::string& name,
                                           model::TimestampMs fallback);

// "30s", or seconds as a number that may be negative, in milliseconds.
base::Result<double> ParseDurationOrSeconds(const std::string& text);

// The parameter `limit`; 0 is no limit.
base::Result<std::size_t> LimitParam(const Request& request);
// A whole number as Go's strconv.Atoi reads it; the error is Go's.
base::Result<std::int64_t> ParseInt(const std::string& text);

// The selectors of match[], one list of matchers each. The message of a fault has no prefix.
using storage::Selectors;
base::Result<Selectors> MatchParams(const Request& request);

// What Prometheus warns with where `limit` cut an answer.
inline constexpr char kTruncated[] = "results truncated due to limit";

}  // namespace azexporter::web
