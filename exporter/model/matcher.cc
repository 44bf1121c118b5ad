#include "azexporter/model/matcher.h"

#include "azexporter/model/regexp.h"

namespace azexporter::model {

struct Matcher::Regexp {
  AnchoredRegexp re;
};

std::string_view MatchTypeText(MatchType type) {
  switch (type) {
    case MatchType::kEqual:
      return "=";
    case MatchType::kNotEqual:
      return "!=";
    case MatchType::kRegexp:
      return "=~";
    case MatchType::kNotRegexp:
      return "!~";
  }
  return "=";
}

base::Result<Matcher> Matcher::Create(MatchType type, std::string name, std::string value) {
  Matcher matcher(type, std::move(name), std::move(value));
  if (type == MatchType::kRegexp || type == MatchType::kNotRegexp) {
    AZX_ASSIGN_OR_RETURN(AnchoredRegexp re, AnchoredRegexp::Create(matcher.value_));
    matcher.regexp_ = std::make_shared<const Regexp>(Regexp{std::move(re)});
  }
  return matcher;
}

bool Matcher::Matches(std::string_view value) const {
  switch (type_) {
    case MatchType::kEqual:
      return value == value_;
    case MatchType::kNotEqual:
      return value != value_;
    case MatchType::kRegexp:
      return regexp_->re.Matches(value);
    case MatchType::kNotRegexp:
      return !regexp_->re.Matches(value);
  }
  return false;
}

std::string Matcher::ToString() const {
  std::string out;
  if (IsLegacyLabelName(name_)) {
    out = name_;
  } else {
    AppendQuoted(out, name_);
  }
  out += MatchTypeText(type_);
  AppendQuoted(out, value_);
  return out;
}

}  // namespace azexporter::model
