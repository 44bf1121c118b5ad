#include "request.h"

#include <charconv>
#include <cmath>

#include "azexporter/base/duration.h"
#include "azexporter/base/float_format.h"
#include "azexporter/base/time_text.h"
#include "azexporter/promql/parser.h"

namespace azexporter::web {

using base::BadData;
using base::Result;

namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string UrlDecode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '%' && i + 2 < text.size() && HexDigit(text[i + 1]) >= 0 &&
                        HexDigit(text[i + 2]) >= 0;
    if (escape) {
      out += static_cast<char>(HexDigit(text[i + 1]) * 16 + HexDigit(text[i + 2]));
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

std::string First(const std::multimap<std::string, std::string>& params, const std::string& name) {
  // Not find: of equal keys it may give any.
  const auto found = params.lower_bound(name);
  return found == params.end() || found->first != name ? std::string() : found->second;
}

}  // namespace

std::string Request::Param(const std::string& name) const { return First(params, name); }

std::string Request::UrlParam(const std::string& name) const { return First(url_params, name); }

std::vector<std::string> Request::Params(const std::string& name) const {
  std::vector<std::string> values;
  const auto [begin, end] = params.equal_range(name);
  for (auto it = begin; it != end; ++it) values.push_back(it->second);
  return values;
}

// A value may itself hold '=', as in query=up{zone="a"}: httplib's own parser would cut it there.
void AddParams(std::string_view text, std::multimap<std::string, std::string>& params) {
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(pair.size() + 1, text.size()));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const std::string_view value = pair.substr(std::min(equals + 1, pair.size()));
    params.emplace(UrlDecode(pair.substr(0, equals)), UrlDecode(value));
  }
}

bool MatchPath(std::string_view pattern, std::string_view path,
               std::map<std::string, std::string>& found) {
  while (!pattern.empty() && !path.empty()) {
    const std::string_view want = pattern.substr(0, pattern.find('/', 1));
    const std::string_view have = path.substr(0, path.find('/', 1));
    if (want.starts_with("/:") && have.size() > 1) {
      found[std::string(want.substr(2))] = have.substr(1);
    } else if (want != have) {
      return false;
    }
    pattern.remove_prefix(want.size());
    path.remove_prefix(have.size());
  }
  return pattern.empty() && path.empty();
}

tl::unexpected<base::Error> InvalidParam(std::string_view name, std::string_view message) {
  return BadData("invalid parameter \"" + std::string(name) + "\": " + std::string(message));
}

Result<model::TimestampMs> ParseTime(const std::string& text) {
  // Clients send Prometheus's own bounds, which are no RFC 3339: their years have six digits.
  if (text == "-292273086-05-16T16:47:06Z") return kMinTime;
  if (text == "+292277025-08-18T07:12:54.999999999Z") return kMaxTime;
  return base::ParseTimeMs(text);
}

Result<model::TimestampMs> TimeParam(const Request& request, const std::string& name,
                                     model::TimestampMs fallback) {
  const std::string text = request.Param(name);
  if (text.empty()) return fallback;
  auto time = ParseTime(text);
  if (time) return *time;
  return InvalidParam(name, "invalid time value for '" + name + "': " + time.error().message());
}

Result<double> ParseDurationOrSeconds(const std::string& text) {
  if (auto seconds = base::ParseFloat(text)) {
    constexpr double kMostSeconds = 9'223'372'036.854775807;  // Go counts nanoseconds
    if (std::fabs(*seconds) <= kMostSeconds) return *seconds * 1000;
    return BadData("cannot parse \"" + text + "\" to a valid duration. It overflows int64");
  }
  if (auto duration = base::ParseDurationMs(text)) return static_cast<double>(*duration);
  return BadData("cannot parse \"" + text + "\" to a valid duration");
}

Result<std::int64_t> ParseInt(const std::string& text) {
  const auto fault = [&text](const char* what) {
    std::string quoted;
    model::AppendQuoted(quoted, text);
    return BadData("strconv.Atoi: parsing " + quoted + ": " + what);
  };
  const char* begin = text.data();
  const char* end = begin + text.size();
  if (text.starts_with('+')) ++begin;
  std::int64_t value = 0;
  const auto [ptr, error] = std::from_chars(begin, end, value);
  if (ptr != end || error == std::errc::invalid_argument || text.starts_with("+-")) {
    return fault("invalid syntax");
  }
  if (error != std::errc()) return fault("value out of range");
  return value;
}

Result<std::size_t> LimitParam(const Request& request) {
  const std::string text = request.Param("limit");
  if (text.empty()) return std::size_t{0};
  const auto limit = ParseInt(text);
  if (!limit) return InvalidParam("limit", limit.error().message());
  if (*limit < 0) return InvalidParam("limit", "limit must be non-negative");
  return static_cast<std::size_t>(*limit);
}

Result<Selectors> MatchParams(const Request& request) {
  Selectors selectors;
  for (const std::string& text : request.Params("match[]")) {
    auto matchers = promql::ParseMetricSelector(text);
    if (matchers) {
      selectors.push_back(std::move(*matchers));
      continue;
    }
    constexpr std::string_view kEmpty = "must contain at least one non-empty matcher";
    if (matchers.error().message().find(kEmpty) != std::string::npos) {
      return BadData("match[] " + std::string(kEmpty));
    }
    return base::Fail(std::move(matchers).error());
  }
  return selectors;
}

}  // namespace azexporter::web
