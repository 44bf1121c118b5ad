// A template is read into texts, actions and conditions (template_tree.h), then walked once for
// each alert.

#include "azexporter/rules/template.h"

#include "template_functions.h"
#include "template_tree.h"

namespace azexporter::rules {
namespace {

using base::BadData;
using base::Fail;
using base::Result;

class Walker {
 public:
  explicit Walker(const TemplateData& data) : data_(data) {}

  Result<void> Walk(const Nodes& nodes, std::string& out) const {
    for (const Node& node : nodes) {
      if (const auto* text = std::get_if<std::string>(&node.content)) {
        out += *text;
      } else if (const auto* pipeline = std::get_if<Pipeline>(&node.content)) {
        AZX_ASSIGN_OR_RETURN(const TemplateValue value, Evaluate(*pipeline));
        out += ValueText(value);
      } else {
        AZX_RETURN_IF_ERROR(WalkBranches(std::get<std::vector<Branch>>(node.content), out));
      }
    }
    return {};
  }

 private:
  Result<void> WalkBranches(const std::vector<Branch>& branches, std::string& out) const {
    for (const Branch& branch : branches) {
      if (branch.condition) {
        AZX_ASSIGN_OR_RETURN(const TemplateValue value, Evaluate(*branch.condition));
        if (!IsTruthy(value)) continue;
      }
      return Walk(*branch.body, out);
    }
    return {};
  }

  Result<TemplateValue> Evaluate(const Pipeline& pipeline) const {
    std::optional<TemplateValue> piped;
    for (const Command& command : pipeline.commands) {
      AZX_ASSIGN_OR_RETURN(piped, Evaluate(command, std::move(piped)));
    }
    return std::move(*piped);
  }

  Result<TemplateValue> Evaluate(const Command& command, std::optional<TemplateValue> piped) const {
    const Operand& first = command.operands[0];
    if (first.kind != Operand::Kind::kFunction) {
      if (command.operands.size() > 1 || piped) {
        return Fail(base::ErrorCode::kExecution, "can't give argument to non-function");
      }
      return Evaluate(first);
    }
    std::vector<TemplateValue> arguments;
    for (std::size_t i = 1; i < command.operands.size(); ++i) {
      AZX_ASSIGN_OR_RETURN(TemplateValue value, Evaluate(command.operands[i]));
      arguments.push_back(std::move(value));
    }
    if (piped) arguments.push_back(std::move(*piped));
    return CallTemplateFunction(first.name, arguments);
  }

  Result<TemplateValue> Evaluate(const Operand& operand) const {
    TemplateValue value;
    switch (operand.kind) {
      case Operand::Kind::kLiteral:
        value = operand.literal;
        break;
      case Operand::Kind::kVariable: {
        AZX_ASSIGN_OR_RETURN(value, Variable(operand.name));
        break;
      }
      case Operand::Kind::kFunction: {
        AZX_ASSIGN_OR_RETURN(value, CallTemplateFunction(operand.name, {}));
        break;
      }
      case Operand::Kind::kPipeline: {
        AZX_ASSIGN_OR_RETURN(value, Evaluate(*operand.pipeline));
        break;
      }
    }
    for (const std::string& field : operand.fields) {
      AZX_ASSIGN_OR_RETURN(value, Field(value, field));
    }
    return value;
  }

  Result<TemplateValue> Variable(const std::string& name) const {
    if (name == "$labels") return TemplateValue(data_.labels);
    if (name == "$externalLabels") return TemplateValue(data_.external_labels);
    if (name == "$externalURL") return TemplateValue(data_.external_url);
    if (name == "$value") return TemplateValue(data_.value);
    if (name == "." || name == "$") {
      return Result<TemplateValue>(tl::in_place, std::in_place_type<RootData>);
    }
    return BadData("undefined variable \"" + name + "\"");
  }

  Result<TemplateValue> Field(const TemplateValue& value, const std::string& field) const {
    // A label that is not there is the empty string, as in Prometheus.
    if (const auto* labels = std::get_if<model::Labels>(&value)) {
      return TemplateValue(std::string(labels->Get(field)));
    }
    if (std::holds_alternative<RootData>(value)) {
      if (field == "Labels") return TemplateValue(data_.labels);
      if (field == "ExternalLabels") return TemplateValue(data_.external_labels);
      if (field == "ExternalURL") return TemplateValue(data_.external_url);
      if (field == "Value") return TemplateValue(data_.value);
    }
    return Fail(base::ErrorCode::kExecution, "can't evaluate field " + field);
  }

  const TemplateData& data_;
};

}  // namespace

Result<void> CheckTemplate(std::string_view text) {
  AZX_RETURN_IF_ERROR(ReadTemplate(text));
  return {};
}

Result<std::string> ExpandTemplate(std::string_view text, const TemplateData& data) {
  AZX_ASSIGN_OR_RETURN(const Nodes nodes, ReadTemplate(text));
  std::string out;
  AZX_RETURN_IF_ERROR(Walker(data).Walk(nodes, out));
  return out;
}

std::string ExpandOrExplain(std::string_view text, const TemplateData& data) {
  if (text.find("{{") == std::string_view::npos) return std::string(text);
  auto expanded = ExpandTemplate(text, data);
  if (expanded) return std::move(*expanded);
  return "<error expanding template: " + expanded.error().message() + ">";
}

}  // namespace azexporter::rules
