#pragma once

// A label matcher: name="value", !=, =~, !~. Regular expressions are RE2's, anchored at both ends,
// and "." matches a newline too, as in Prometheus 3.
//
// Thread safety: immutable after Create; thread-safe.

#include <memory>
#include <string>
#include <string_view>

#include "azexporter/base/result.h"
#include "azexporter/model/labels.h"

namespace azexporter::model {

enum class MatchType { kEqual, kNotEqual, kRegexp, kNotRegexp };

// "=", "!=", "=~", "!~".
std::string_view MatchTypeText(MatchType type);

class Matcher {
 public:
  // kBadData when a regular expression does not parse.
  static base::Result<Matcher> Create(MatchType type, std::string name, std::string value);

  MatchType type() const { return type_; }
  const std::string& name() const { return name_; }
  const std::string& value() const { return value_; }

  // An absent label has the value "".
  bool Matches(std::string_view value) const;
  bool Matches(const Labels& labels) const { return Matches(labels.Get(name_)); }

  // name="value", quoted as PromQL prints it.
  std::string ToString() const;

  friend bool operator==(const Matcher& a, const Matcher& b) {
    return a.type_ == b.type_ && a.name_ == b.name_ && a.value_ == b.value_;
  }

 private:
  struct Regexp;
  Matcher(MatchType type, std::string name, std::string value)
      : type_(type), name_(std::move(name)), value_(std::move(value)) {}

  MatchType type_;
  std::string name_;
  std::string value_;
  std::shared_ptr<const Regexp> regexp_;
};

}  // namespace azexporter::model
