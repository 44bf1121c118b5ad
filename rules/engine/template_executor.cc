#include "template_executor.h"

#include "template_evaluator.h"
#include "template_execution.h"
#include "template_format.h"
#include "template_quote.h"

namespace azexporter::rules::text_template {
namespace {

using base::Result;

// What a node asks of the range around it.
enum class Flow { kNext, kBreak, kContinue };

class Executor {
 public:
  Executor(const Tree& tree, const TemplateData& data) : execution_(tree, data) {}

  Result<std::string> Run() {
    const Tree& tree = execution_.tree();
    AZX_RETURN_IF_ERROR(
        Walk(tree.templates.find(tree.name)->second, Root{&execution_.context().data}));
    return std::move(out_);
  }

 private:
  Result<void> Write(std::string_view text) {
    constexpr std::size_t kBytesAStep = 16;
    AZX_RETURN_IF_ERROR(execution_.Spend(1 + text.size() / kBytesAStep));
    out_ += text;
    if (out_.size() <= kMaxTextBytes) return {};
    return execution_.Fail("text is longer than " + std::to_string(kMaxTextBytes) + " bytes");
  }

  Result<Flow> Walk(const Nodes& nodes, const Value& dot) {
    const Execution::Deeper deeper(execution_);
    AZX_RETURN_IF_ERROR(execution_.CheckDepth());
    for (const Node& node : nodes) {
      AZX_ASSIGN_OR_RETURN(const Flow flow, Walk(node, dot));
      if (flow != Flow::kNext) return flow;
    }
    return Flow::kNext;
  }

  Result<Flow> Walk(const Node& node, const Value& dot) {
    execution_.LookAt(node.place);
    AZX_RETURN_IF_ERROR(execution_.Spend(1));
    switch (node.kind) {
      case Node::Kind::kText:
        AZX_RETURN_IF_ERROR(Write(node.place.text));
        break;
      case Node::Kind::kAction:
        AZX_RETURN_IF_ERROR(WalkAction(node, dot));
        break;
      case Node::Kind::kIf:
      case Node::Kind::kWith:
        return WalkIfOrWith(node, dot);
      case Node::Kind::kRange:
        return WalkRange(node, dot);
      case Node::Kind::kTemplate:
        AZX_RETURN_IF_ERROR(WalkTemplate(node, dot));
        break;
      case Node::Kind::kBreak:
        return Flow::kBreak;
      case Node::Kind::kContinue:
        return Flow::kContinue;
    }
    return Flow::kNext;
  }

  Result<void> WalkAction(const Node& node, const Value& dot) {
    AZX_ASSIGN_OR_RETURN(const Value value, evaluator_.Evaluate(*node.pipeline, dot));
    if (!node.pipeline->variables.empty()) return {};
    execution_.LookAt(node.place);
    return Write(ActionText(value));
  }

  Result<Flow> WalkIfOrWith(const Node& node, const Value& dot) {
    const std::size_t variables = execution_.variables();
    AZX_ASSIGN_OR_RETURN(const Value value, evaluator_.Evaluate(*node.pipeline, dot));
    Result<Flow> flow = Flow::kNext;
    if (IsTrue(value)) {
      flow = Walk(*node.body, node.kind == Node::Kind::kWith ? value : dot);
    } else if (node.otherwise) {
      flow = Walk(*node.otherwise, dot);
    }
    execution_.Drop(variables);
    return flow;
  }

  Result<Flow> WalkRange(const Node& node, const Value& dot) {
    const std::size_t variables = execution_.variables();
    AZX_ASSIGN_OR_RETURN(const Value value, evaluator_.Evaluate(*node.pipeline, dot));
    AZX_ASSIGN_OR_RETURN(const bool any, WalkElements(node, value));
    Result<Flow> flow = Flow::kNext;
    if (!any && node.otherwise) flow = Walk(*node.otherwise, dot);
    execution_.Drop(variables);
    return flow;
  }

  // False where there are none.
  Result<bool> WalkElements(const Node& node, const Value& value) {
    bool go_on = true;
    if (const auto* vector = std::get_if<Vector>(&value)) {
      const std::size_t count = *vector ? (*vector)->size() : 0;
      for (std::size_t i = 0; i < count && go_on; ++i) {
        const Value index = Integer{static_cast<std::int64_t>(i)};
        AZX_ASSIGN_OR_RETURN(go_on, WalkElement(node, index, (**vector)[i]));
      }
      return count > 0;
    }
    if (const auto* labels = std::get_if<model::Labels>(&value)) {
      for (std::size_t i = 0; i < labels->size() && go_on; ++i) {
        const model::Label label = (*labels)[i];
        AZX_ASSIGN_OR_RETURN(go_on,
                             WalkElement(node, std::string(label.name), std::string(label.value)));
      }
      return !labels->empty();
    }
    if (const auto* args = std::get_if<Args>(&value)) {
      for (const auto& [name, element] : (*args)->values) {
        if (!go_on) break;
        AZX_ASSIGN_OR_RETURN(go_on, WalkElement(node, name, element));
      }
      return !(*args)->values.empty();
    }
    if (const auto* limit = std::get_if<Integer>(&value)) return WalkNumbers(node, *limit);
    if (std::holds_alternative<Nil>(value)) return false;
    return execution_.Fail("range can't iterate over " + PlainText(value));
  }

  // {{range 3}} goes through 0, 1, 2.
  Result<bool> WalkNumbers(const Node& node, const Integer& limit) {
    if (node.pipeline->variables.size() > 1) {
      return execution_.Fail("can't use " + PlainText(limit) +
                             " to iterate over more than one variable");
    }
    bool go_on = true;
    for (Integer i = {0, limit.type}; i.value < limit.value && go_on; ++i.value) {
      AZX_ASSIGN_OR_RETURN(go_on, WalkElement(node, Nil(), i));
    }
    return limit.value > 0;
  }

  // False when it was the last: at a {{break}}.
  Result<bool> WalkElement(const Node& node, const Value& index, const Value& element) {
    const std::vector<std::string>& names = node.pipeline->variables;
    const std::size_t variables = execution_.variables();
    AZX_RETURN_IF_ERROR(execution_.Spend(Weight(element)));
    for (std::size_t i = 0; i < names.size(); ++i) {
      // Of two variables the first is the index.
      const Value& value = i + 1 == names.size() ? element : index;
      if (node.pipeline->assigns) {
        AZX_RETURN_IF_ERROR(execution_.Assign(names[i], value));
      } else {
        execution_.Replace(variables - names.size() + i, value);
      }
    }
    AZX_ASSIGN_OR_RETURN(const Flow flow, Walk(*node.body, element));
    execution_.Drop(variables);
    return flow != Flow::kBreak;
  }

  Result<void> WalkTemplate(const Node& node, const Value& dot) {
    const auto found = execution_.tree().templates.find(node.name);
    if (found == execution_.tree().templates.end()) {
      return execution_.Fail("template " + Quote(node.name, {}) + " not defined");
    }
    AZX_RETURN_IF_ERROR(execution_.CheckDepth());
    Value argument;
    if (node.pipeline) {
      AZX_ASSIGN_OR_RETURN(argument, evaluator_.Evaluate(*node.pipeline, dot));
    }
    Execution::Frame caller = execution_.Enter({found->first, {{"$", argument}}});
    AZX_RETURN_IF_ERROR(Walk(found->second, argument));
    execution_.Enter(std::move(caller));
    return {};
  }

  Execution execution_;
  Evaluator evaluator_{execution_};
  std::string out_;
};

}  // namespace

Result<std::string> Execute(const Tree& tree, const TemplateData& data) {
  return Executor(tree, data).Run();
}

}  // namespace azexporter::rules::text_template
