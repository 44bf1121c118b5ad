// A template is cut into tokens (template_lexer.h), read into a tree (template_tree.h) and walked
// (template_executor.h) with the functions of template_functions.h.

#include "azexporter/rules/template.h"

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

Result<std::string> ExpandTemplate(std::string_view text, const TemplateData& data) {
  if (IsPlain(text)) return std::string(text);
  const std::string name = NameOf(data.alert);
  const auto tree = Read(text, name);
  if (!tree) return base::Fail(tree.error().WithContext("error parsing template " + name));
  auto expanded = text_template::Execute(*tree, data);
  if (expanded) return expanded;
  return base::Fail(expanded.error().WithContext("error executing template " + name));
}

std::string ExpandOrExplain(std::string_view text, const TemplateData& data) {
  auto expanded = ExpandTemplate(text, data);
  if (expanded) return std::move(*expanded);
  return "<error expanding template: " + expanded.error().message() + ">";
}

}  // namespace azexporter::rules
