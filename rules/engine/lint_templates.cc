// What the templates of a rule print. A scan for variables is enough: whether a template is a
// template was told when the file was read.

#include <algorithm>
#include <set>

#include "lint_rule.h"

namespace azexporter::rules {
namespace {

constexpr std::string_view kNameCharacters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";

// An action: what stands between {{ and }}.
struct Action {
  std::string_view text;
  std::size_t offset = 0;
};

// The end of the quoted text that begins at `at`.
std::size_t SkipQuoted(std::string_view text, std::size_t at) {
  const char quote = text[at];
  for (std::size_t i = at + 1; i < text.size(); ++i) {
    if (text[i] == '\\' && quote != '`') {
      ++i;
    } else if (text[i] == quote) {
      return i + 1;
    }
  }
  return text.size();
}

bool IsQuote(char c) { return c == '"' || c == '`' || c == '\''; }

std::vector<Action> ActionsOf(std::string_view text) {
  std::vector<Action> actions;
  for (std::size_t at = text.find("{{"); at != std::string_view::npos; at = text.find("{{", at)) {
    at += 2;
    std::size_t end = at;
    while (end < text.size() && text.substr(end, 2) != "}}") {
      end = IsQuote(text[end]) ? SkipQuoted(text, end) : end + 1;
    }
    actions.push_back({text.substr(at, end - at), at});
    at = end;
  }
  return actions;
}

std::string_view FirstWord(std::string_view action) {
  const std::size_t start = std::min(action.find_first_not_of("- \t\n"), action.size());
  action.remove_prefix(start);
  return action.substr(0, action.find_first_of(" \t\n"));
}

// Whether it decides what is printed, and prints nothing itself.
bool IsCondition(std::string_view action) {
  const std::string_view word = FirstWord(action);
  return word == "if" || word == "with" || word == "else" || word == "range";
}

std::vector<TemplateUse> UsesIn(const Action& action) {
  constexpr std::string_view kLabels = "$labels.";
  constexpr std::string_view kValue = "$value";
  std::vector<TemplateUse> uses;
  if (action.text.find("/*") != std::string_view::npos) return uses;
  for (std::size_t at = 0; at < action.text.size();) {
    if (IsQuote(action.text[at])) {
      at = SkipQuoted(action.text, at);
      continue;
    }
    const std::string_view rest = action.text.substr(at);
    if (rest.starts_with(kLabels)) {
      const std::string_view name = rest.substr(kLabels.size());
      const std::size_t end = std::min(name.find_first_not_of(kNameCharacters), name.size());
      uses.push_back({std::string(name.substr(0, end)), action.offset + at});
    } else if (rest.starts_with(kValue) &&
               (rest.size() == kValue.size() ||
                kNameCharacters.find(rest[kValue.size()]) == std::string_view::npos)) {
      uses.push_back({"", action.offset + at});
    }
    ++at;
  }
  return uses;
}

}  // namespace

std::vector<TemplateUse> PrintedBy(std::string_view text) {
  std::vector<TemplateUse> printed;
  std::set<std::string> tested;
  for (const Action& action : ActionsOf(text)) {
    for (TemplateUse& use : UsesIn(action)) {
      if (IsCondition(action.text)) {
        tested.insert(std::move(use.name));
      } else {
        printed.push_back(std::move(use));
      }
    }
  }
  std::erase_if(printed, [&](const TemplateUse& use) {
    return !use.name.empty() && tested.contains(use.name);
  });
  return printed;
}

}  // namespace azexporter::rules
