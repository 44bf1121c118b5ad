// A template is cut into tokens (template_lexer.h), read into a tree (template_tree.h) and walked
// (template_executor.h) with the functions of template_functions.h.

#include "azexporter/rules/template.h"

#include <memory>

#include "template_executor.h"
#include "template_functions.h"
#include "template_queries.h"
#include "template_tree.h"

namespace azexporter::rules {
namespace {

using base::Result;

// In front of the text, as in Prometheus: the columns of errors count them.
constexpr std::string_view kVariables =
    "{{$labels := .Labels}}"
    "{{$externalLabels := .ExternalLabels}}"
    "{{$externalURL := .ExternalURL}}"
    "{{$value := .Value}}";

std::string NameOf(std::string_view alert) { return "__alert_" + std::string(alert); }

Result<text_template::Tree> Read(std::string_view text, std::string_view name) {
  return text_template::ReadTemplate(name, std::string(kVariables).append(text));
}

// A dot that no name follows stands for all of the data.
bool HasBareDot(std::string_view text) {
  for (std::size_t at = text.find('.'); at != std::string_view::npos; at = text.find('.', at + 1)) {
    const char next = at + 1 < text.size() ? text[at + 1] : ' ';
    const bool named = next == '_' || (next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z');
    if (!named) return true;
  }
  return false;
}

bool IsPlain(std::string_view text) { return text.find("{{") == std::string_view::npos; }

}  // namespace

Result<void> CheckTemplate(std::string_view text, std::string_view alert) {
  if (IsPlain(text)) return {};
  AZX_RETURN_IF_ERROR(Read(text, NameOf(alert)));
  return {};
}

std::vector<std::string> TemplateQueries(std::string_view text) {
  if (IsPlain(text)) return {};
  const auto tree = Read(text, "");
  return tree ? text_template::Queries(*tree) : std::vector<std::string>();
}

std::vector<std::string_view> TemplateFunctionNames() {
  std::vector<std::string_view> names;
  for (const auto& function : text_template::PrometheusFunctions()) names.push_back(function.name);
  return names;
}

// By the words in it, not by what they mean: "$value", ".Value" and `index . "Value"` all hold one.
Template::Template(std::string_view text, std::string_view alert) : name_(NameOf(alert)) {
  if (IsPlain(text)) {
    plain_ = text;
    return;
  }
  tree_ = std::make_shared<const Result<text_template::Tree>>(Read(text, name_));
  const auto has = [&](std::string_view word) { return text.find(word) != std::string_view::npos; };
  looks_outside_ = has("query") || has("now");
  looks_at_value_ = looks_outside_ || has("alue") || HasBareDot(text);
}

Result<std::string> Template::Expand(const TemplateData& data) const {
  if (tree_ == nullptr) return plain_;
  if (!*tree_) return base::Fail(tree_->error().WithContext("error parsing template " + name_));
  auto expanded = text_template::Execute(**tree_, data);
  if (expanded) return expanded;
  return base::Fail(expanded.error().WithContext("error executing template " + name_));
}

std::string Template::ExpandOrExplain(const TemplateData& data) const {
  auto expanded = Expand(data);
  if (expanded) return std::move(*expanded);
  return "<error expanding template: " + expanded.error().message() + ">";
}

Result<std::string> ExpandTemplate(std::string_view text, const TemplateData& data) {
  return Template(text, data.alert).Expand(data);
}

std::string ExpandOrExplain(std::string_view text, const TemplateData& data) {
  return Template(text, data.alert).ExpandOrExplain(data);
}

}  // namespace azexporter::rules
