#include "simulator/selectors.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "simulator/json_text.h"

namespace azexporter::simulator {

using base::BadData;
using base::Result;

namespace {

std::string_view Trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// Splits at commas that stand outside parentheses.
std::vector<std::string_view> SplitTop(std::string_view text) {
  std::vector<std::string_view> parts;
  int depth = 0;
  std::size_t start = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i == text.size() || (text[i] == ',' && depth == 0)) {
      const std::string_view part = Trim(text.substr(start, i - start));
      if (!part.empty()) parts.push_back(part);
      start = i + 1;
    } else if (text[i] == '(') {
      ++depth;
    } else if (text[i] == ')') {
      --depth;
    }
  }
  return parts;
}

bool IsKey(std::string_view key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_' || c == '/';
  });
}

}  // namespace

Result<LabelSelector::Requirement> LabelSelector::ParseRequirement(std::string_view text) {
  Requirement requirement;
  const auto fail = [&] { return BadData(fmt::format("unable to parse requirement: {}", text)); };
  if (const std::size_t at = text.find('='); at != std::string_view::npos) {
    const bool negative = at > 0 && text[at - 1] == '!';
    const bool twice = at + 1 < text.size() && text[at + 1] == '=';
    requirement.key = Trim(text.substr(0, negative ? at - 1 : at));
    requirement.op = negative ? Operator::kNotIn : Operator::kIn;
    requirement.values = {std::string(Trim(text.substr(at + (twice ? 2 : 1))))};
  } else if (const std::size_t open = text.find('('); open != std::string_view::npos) {
    const std::string_view head = Trim(text.substr(0, open));
    const std::size_t space = head.find(' ');
    if (space == std::string_view::npos || text.back() != ')') return fail();
    const std::string_view word = Trim(head.substr(space));
    if (word != "in" && word != "notin") return fail();
    requirement.key = head.substr(0, space);
    requirement.op = word == "in" ? Operator::kIn : Operator::kNotIn;
    for (std::string_view value : SplitTop(text.substr(open + 1, text.size() - open - 2))) {
      requirement.values.emplace_back(value);
    }
  } else if (text.front() == '!') {
    requirement.key = Trim(text.substr(1));
    requirement.op = Operator::kNotExists;
  } else {
    requirement.key = text;
  }
  if (!IsKey(requirement.key)) return fail();
  return requirement;
}

Result<LabelSelector> LabelSelector::Parse(std::string_view text) {
  LabelSelector selector;
  for (std::string_view part : SplitTop(text)) {
    AZX_ASSIGN_OR_RETURN(Requirement requirement, ParseRequirement(part));
    selector.requirements_.push_back(std::move(requirement));
  }
  return selector;
}

LabelSelector LabelSelector::FromObject(const Json* selector) {
  LabelSelector out;
  if (selector == nullptr || !selector->is_object()) {
    out.nothing_ = true;
    return out;
  }
  if (const Json* labels = Find(*selector, {"matchLabels"})) {
    for (const auto& [key, value] : labels->items()) {
      if (!value.is_string()) continue;
      out.requirements_.push_back({key, Operator::kIn, {value.get<std::string>()}});
    }
  }
  const Json* expressions = Find(*selector, {"matchExpressions"});
  if (expressions == nullptr || !expressions->is_array()) return out;
  for (const Json& expression : *expressions) {
    Requirement requirement{.key = StringAt(expression, {"key"})};
    const std::string op = StringAt(expression, {"operator"});
    if (op == "In") requirement.op = Operator::kIn;
    if (op == "NotIn") requirement.op = Operator::kNotIn;
    if (op == "DoesNotExist") requirement.op = Operator::kNotExists;
    if (const Json* values = Find(expression, {"values"}); values && values->is_array()) {
      for (const Json& value : *values) {
        if (value.is_string()) requirement.values.push_back(value.get<std::string>());
      }
    }
    out.requirements_.push_back(std::move(requirement));
  }
  return out;
}

template <class Value>
bool LabelSelector::MatchesAll(const Value& value_of) const {
  if (nothing_) return false;
  return std::all_of(requirements_.begin(), requirements_.end(), [&](const Requirement& r) {
    const std::optional<std::string> value = value_of(r.key);
    const bool listed =
        value && std::find(r.values.begin(), r.values.end(), *value) != r.values.end();
    switch (r.op) {
      case Operator::kIn:
        return listed;
      case Operator::kNotIn:
        return !listed;
      case Operator::kExists:
        return value.has_value();
      case Operator::kNotExists:
        return !value.has_value();
    }
    return false;
  });
}

bool LabelSelector::Matches(const Json* labels) const {
  return MatchesAll([&](const std::string& key) -> std::optional<std::string> {
    const Json* value = labels == nullptr ? nullptr : Find(*labels, {key});
    if (value == nullptr || !value->is_string()) return std::nullopt;
    return value->get<std::string>();
  });
}

bool LabelSelector::MatchesText(std::string_view labels) const {
  return MatchesAll([&](const std::string& key) -> std::optional<std::string> {
    const std::string_view value = RawAt(labels, {key});
    if (value.empty()) return std::nullopt;
    return Unquoted(value);
  });
}

Result<FieldSelector> FieldSelector::Parse(std::string_view text) {
  FieldSelector selector;
  for (std::string_view part : SplitTop(text)) {
    const std::size_t at = part.find('=');
    if (at == std::string_view::npos || at == 0) {
      return BadData(fmt::format("invalid selector: '{}'; can't understand '{}'", text, part));
    }
    const bool negative = part[at - 1] == '!';
    const bool twice = at + 1 < part.size() && part[at + 1] == '=';
    selector.terms_.push_back({.field = std::string(part.substr(0, negative ? at - 1 : at)),
                               .equal = !negative,
                               .value = std::string(part.substr(at + (twice ? 2 : 1)))});
  }
  return selector;
}

bool FieldSelector::Matches(std::string_view object) const {
  return std::all_of(terms_.begin(), terms_.end(), [&](const Term& term) {
    const std::string_view raw = RawAtDotted(object, term.field);
    const std::string value = raw.starts_with('"') ? Unquoted(raw) : std::string(raw);
    return (value == term.value) == term.equal;
  });
}

std::string FieldSelector::Required(std::string_view field) const {
  for (const Term& term : terms_) {
    if (term.field == field && term.equal) return term.value;
  }
  return {};
}

std::vector<std::string> FieldSelector::Fields() const {
  std::vector<std::string> fields;
  for (const Term& term : terms_) fields.push_back(term.field);
  return fields;
}

}  // namespace azexporter::simulator
