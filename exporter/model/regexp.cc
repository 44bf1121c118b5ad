#include "azexporter/model/regexp.h"

#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

#include "azexporter/base/utf8.h"

namespace azexporter::model {
namespace {

// Go accepts (?<name>...) beside (?P<name>...); this RE2 knows only the latter.
std::string RewriteNamedGroups(std::string_view pattern) {
  std::string out;
  bool in_class = false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '\\' && i + 1 < pattern.size()) {
      out += c;
      out += pattern[++i];
      continue;
    }
    if (c == '[') in_class = true;
    if (c == ']') in_class = false;
    if (!in_class && pattern.substr(i).starts_with("(?<")) {
      out += "(?P<";
      i += 2;
      continue;
    }
    out += c;
  }
  return out;
}

bool IsNameChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// Takes a group reference ("name" or "{name}") from the front of `rest`; nullopt when there is
// none.
std::optional<std::string_view> TakeReference(std::string_view& rest) {
  const bool braced = rest.starts_with("{");
  if (braced) rest.remove_prefix(1);
  std::size_t end = 0;
  while (end < rest.size() && IsNameChar(rest[end])) ++end;
  const std::string_view name = rest.substr(0, end);
  if (name.empty()) return std::nullopt;
  if (braced && (end == rest.size() || rest[end] != '}')) return std::nullopt;
  rest.remove_prefix(braced ? end + 1 : end);
  return name;
}

using Groups = std::vector<re2::StringPiece>;

Groups GroupsOf(const re2::RE2& re) {
  return Groups(static_cast<std::size_t>(re.NumberOfCapturingGroups()) + 1);
}

// Ends early once `out` is longer than `max_bytes`.
void AppendExpanded(const re2::RE2& re, const Groups& groups, std::string_view replacement,
                    std::size_t max_bytes, std::string& out) {
  std::string_view rest = replacement;
  while (!rest.empty() && out.size() <= max_bytes) {
    const std::size_t dollar = rest.find('$');
    out += rest.substr(0, dollar);
    if (dollar == std::string_view::npos) break;
    rest.remove_prefix(dollar + 1);
    if (rest.starts_with("$")) {
      out += '$';
      rest.remove_prefix(1);
      continue;
    }
    const std::string_view before = rest;
    const auto name = TakeReference(rest);
    if (!name) {
      rest = before;
      out += '$';
      continue;
    }
    std::size_t index = 0;
    const auto [ptr, error] = std::from_chars(name->data(), name->data() + name->size(), index);
    if (error != std::errc() || ptr != name->data() + name->size()) {
      const auto& named = re.NamedCapturingGroups();
      const auto found = named.find(std::string(*name));
      if (found == named.end()) continue;
      index = static_cast<std::size_t>(found->second);
    }
    if (index < groups.size()) out.append(groups[index].data(), groups[index].size());
  }
}

// In the words of Go, whose codes are the same.
std::string_view ErrorText(re2::RE2::ErrorCode code) {
  switch (code) {
    case re2::RE2::ErrorBadEscape:
      return "invalid escape sequence";
    case re2::RE2::ErrorBadCharClass:
      return "invalid character class";
    case re2::RE2::ErrorBadCharRange:
      return "invalid character class range";
    case re2::RE2::ErrorMissingBracket:
      return "missing closing ]";
    case re2::RE2::ErrorMissingParen:
      return "missing closing )";
    case re2::RE2::ErrorUnexpectedParen:
      return "unexpected )";
    case re2::RE2::ErrorTrailingBackslash:
      return "trailing backslash at end of expression";
    case re2::RE2::ErrorRepeatArgument:
      return "missing argument to repetition operator";
    case re2::RE2::ErrorRepeatSize:
      return "invalid repeat count";
    case re2::RE2::ErrorRepeatOp:
      return "invalid nested repetition operator";
    case re2::RE2::ErrorBadPerlOp:
      return "invalid or unsupported Perl syntax";
    case re2::RE2::ErrorBadUTF8:
      return "invalid UTF-8";
    case re2::RE2::ErrorBadNamedCapture:
      return "invalid named capture";
    case re2::RE2::ErrorPatternTooLarge:
      return "expression too large";
    case re2::RE2::ErrorInternal:
    case re2::RE2::NoError:
      break;
  }
  return "regexp/syntax: internal error";
}

base::Result<std::shared_ptr<re2::RE2>> Compile(std::string_view pattern) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_dot_nl(true);
  options.set_max_mem(16 << 20);
  auto re = std::make_shared<re2::RE2>(RewriteNamedGroups(pattern), options);
  if (re->ok()) return re;
  const bool whole = re->error_code() == re2::RE2::ErrorBadUTF8;
  const std::string_view fault = whole ? pattern : std::string_view(re->error_arg());
  return base::BadData("error parsing regexp: " + std::string(ErrorText(re->error_code())) + ": `" +
                       std::string(fault) + "`");
}

}  // namespace

struct AnchoredRegexp::Impl {
  std::shared_ptr<const re2::RE2> re;
};

base::Result<AnchoredRegexp> AnchoredRegexp::Create(std::string_view pattern) {
  AZX_ASSIGN_OR_RETURN(std::shared_ptr<re2::RE2> re, Compile(pattern));
  return AnchoredRegexp(std::make_shared<Impl>(Impl{std::move(re)}));
}

bool AnchoredRegexp::Matches(std::string_view text) const {
  const re2::StringPiece piece(text.data(), text.size());
  return impl_->re->Match(piece, 0, piece.size(), re2::RE2::ANCHOR_BOTH, nullptr, 0);
}

bool AnchoredRegexp::Expand(std::string_view text, std::string_view replacement,
                            std::string& out) const {
  const re2::RE2& re = *impl_->re;
  const re2::StringPiece piece(text.data(), text.size());
  Groups groups = GroupsOf(re);
  if (!re.Match(piece, 0, piece.size(), re2::RE2::ANCHOR_BOTH, groups.data(),
                static_cast<int>(groups.size()))) {
    return false;
  }
  AppendExpanded(re, groups, replacement, std::string_view::npos, out);
  return true;
}

base::Result<std::string> ReplaceAll(std::string_view pattern, std::string_view replacement,
                                     std::string_view text, std::size_t max_bytes) {
  const auto too_long = [&] {
    return base::Fail(base::ErrorCode::kExecution,
                      "text is longer than " + std::to_string(max_bytes) + " bytes");
  };
  AZX_ASSIGN_OR_RETURN(const std::shared_ptr<re2::RE2> re, Compile(pattern));
  const re2::StringPiece piece(text.data(), text.size());
  Groups groups = GroupsOf(*re);
  std::string out;
  std::size_t done = 0;   // copied so far
  std::size_t start = 0;  // where the next match may begin
  std::size_t last_end = std::string_view::npos;
  while (start <= text.size() && re->Match(piece, start, text.size(), re2::RE2::UNANCHORED,
                                           groups.data(), static_cast<int>(groups.size()))) {
    const auto begin = static_cast<std::size_t>(groups[0].data() - text.data());
    const std::size_t end = begin + groups[0].size();
    // An empty match must not be found again at the same place; right behind a match it is none.
    start = groups[0].empty() ? end + std::max<std::size_t>(base::Utf8Length(text.substr(end)), 1)
                              : end;
    if (groups[0].empty() && begin == last_end) continue;
    out += text.substr(done, begin - done);
    AppendExpanded(*re, groups, replacement, max_bytes, out);
    if (out.size() > max_bytes) return too_long();
    done = last_end = end;
  }
  out += text.substr(done);
  if (out.size() > max_bytes) return too_long();
  return out;
}

base::Result<bool> FindsMatch(std::string_view pattern, std::string_view text) {
  AZX_ASSIGN_OR_RETURN(const std::shared_ptr<re2::RE2> re, Compile(pattern));
  return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *re);
}

}  // namespace azexporter::model
