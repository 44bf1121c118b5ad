#include "template_executor.h"

#include <algorithm>

#include "template_format.h"
#include "template_functions.h"
#include "template_quote.h"

namespace azexporter::rules::text_template {
namespace {

using base::Result;

// Templates, blocks and pipelines within each other, at run time.
constexpr int kMaxDepth = 200;

// What a node asks of the range around it.
enum class Flow { kNext, kBreak, kContinue };

struct Variable {
  std::string_view name;
  Value value;
};

// What a template sees that another calls: none of the other's variables.
struct Frame {
  std::string_view name;
  std::vector<Variable> variables;
};

class Executor {
 public:
  Executor(const Tree& tree, const TemplateData& data) : tree_(tree), context_{data} {}

  Result<std::string> Run() {
    const Value dot = Root{&context_.data};
    frame_ = {tree_.name, {{"$", dot}}};
    AZX_RETURN_IF_ERROR(Walk(tree_.templates.find(tree_.name)->second, dot));
    return std::move(out_);
  }

 private:
  // An argument that comes from the command before, if any.
  using Final = std::optional<Value>;

  class Deeper {
   public:
    explicit Deeper(int& depth) : depth_(depth) { ++depth_; }
    ~Deeper() { --depth_; }
    Deeper(const Deeper&) = delete;
    Deeper& operator=(const Deeper&) = delete;

   private:
    int& depth_;
  };

  // At the place that was last looked at, as Go tells errors.
  tl::unexpected<base::Error> Fail(const std::string& why) const {
    const std::string_view before = std::string_view(tree_.source).substr(0, place_->position);
    const std::size_t line = 1 + static_cast<std::size_t>(std::ranges::count(before, '\n'));
    const std::size_t column = before.size() - (before.rfind('\n') + 1);
    return Failure("template: " + tree_.name + ":" + std::to_string(line) + ":" +
                   std::to_string(column) + ": executing " + Quote(frame_.name, {}) + " at <" +
                   place_->text + ">: " + why);
  }
  void At(const Place& place) { place_ = &place; }

  Result<void> Spend(std::size_t steps) {
    if (!context_.budget.Take(steps)) return Fail("the template takes too many steps");
    return {};
  }
  Result<void> CheckDepth() const {
    if (depth_ <= kMaxDepth) return {};
    return Fail("exceeded maximum template depth (" + std::to_string(kMaxDepth) + ")");
  }

  Result<void> Write(std::string_view text) {
    constexpr std::size_t kBytesAStep = 16;
    AZX_RETURN_IF_ERROR(Spend(1 + text.size() / kBytesAStep));
    out_ += text;
    if (out_.size() <= kMaxTextBytes) return {};
    return Fail("text is longer than " + std::to_string(kMaxTextBytes) + " bytes");
  }

  Result<Flow> Walk(const Nodes& nodes, const Value& dot) {
    const Deeper deeper(depth_);
    AZX_RETURN_IF_ERROR(CheckDepth());
    for (const Node& node : nodes) {
      AZX_ASSIGN_OR_RETURN(const Flow flow, Walk(node, dot));
      if (flow != Flow::kNext) return flow;
    }
    return Flow::kNext;
  }

  Result<Flow> Walk(const Node& node, const Value& dot) {
    At(node.place);
    AZX_RETURN_IF_ERROR(Spend(1));
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
    AZX_ASSIGN_OR_RETURN(const Value value, Evaluate(*node.pipeline, dot));
    if (!node.pipeline->variables.empty()) return {};
    At(node.place);
    return Write(ActionText(value));
  }

  Result<Flow> WalkIfOrWith(const Node& node, const Value& dot) {
    const std::size_t variables = frame_.variables.size();
    AZX_ASSIGN_OR_RETURN(const Value value, Evaluate(*node.pipeline, dot));
    Result<Flow> flow = Flow::kNext;
    if (IsTrue(value)) {
      flow = Walk(*node.body, node.kind == Node::Kind::kWith ? value : dot);
    } else if (node.otherwise) {
      flow = Walk(*node.otherwise, dot);
    }
    Drop(variables);
    return flow;
  }

  Result<Flow> WalkRange(const Node& node, const Value& dot) {
    const std::size_t variables = frame_.variables.size();
    AZX_ASSIGN_OR_RETURN(const Value value, Evaluate(*node.pipeline, dot));
    AZX_ASSIGN_OR_RETURN(const bool any, WalkElements(node, value));
    Result<Flow> flow = Flow::kNext;
    if (!any && node.otherwise) flow = Walk(*node.otherwise, dot);
    Drop(variables);
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
    return Fail("range can't iterate over " + PlainText(value));
  }

  // {{range 3}} goes through 0, 1, 2.
  Result<bool> WalkNumbers(const Node& node, const Integer& limit) {
    if (node.pipeline->variables.size() > 1) {
      return Fail("can't use " + PlainText(limit) + " to iterate over more than one variable");
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
    const std::size_t variables = frame_.variables.size();
    AZX_RETURN_IF_ERROR(Spend(Weight(element)));
    for (std::size_t i = 0; i < names.size(); ++i) {
      // Of two variables the first is the index.
      const Value& value = i + 1 == names.size() ? element : index;
      if (node.pipeline->assigns) {
        AZX_RETURN_IF_ERROR(Assign(names[i], value));
      } else {
        frame_.variables[variables - names.size() + i].value = value;
      }
    }
    AZX_ASSIGN_OR_RETURN(const Flow flow, Walk(*node.body, element));
    Drop(variables);
    return flow != Flow::kBreak;
  }

  Result<void> WalkTemplate(const Node& node, const Value& dot) {
    const auto found = tree_.templates.find(node.name);
    if (found == tree_.templates.end()) {
      return Fail("template " + Quote(node.name, {}) + " not defined");
    }
    AZX_RETURN_IF_ERROR(CheckDepth());
    Value argument;
    if (node.pipeline) {
      AZX_ASSIGN_OR_RETURN(argument, Evaluate(*node.pipeline, dot));
    }
    Frame frame = {found->first, {{"$", argument}}};
    std::swap(frame, frame_);
    AZX_RETURN_IF_ERROR(Walk(found->second, argument));
    std::swap(frame, frame_);
    return {};
  }

  Result<void> Assign(std::string_view name, Value value) {
    const auto found = std::find_if(frame_.variables.rbegin(), frame_.variables.rend(),
                                    [&](const Variable& v) { return v.name == name; });
    if (found == frame_.variables.rend()) return Fail("undefined variable: " + std::string(name));
    found->value = std::move(value);
    return {};
  }
  // The variables of a block end with it.
  void Drop(std::size_t count) {
    if (frame_.variables.size() > count) {
      frame_.variables.erase(frame_.variables.begin() + static_cast<std::ptrdiff_t>(count),
                             frame_.variables.end());
    }
  }

  Result<Value> Evaluate(const Pipeline& pipeline, const Value& dot) {
    const Deeper deeper(depth_);
    At(pipeline.place);
    AZX_RETURN_IF_ERROR(CheckDepth());
    Final value;
    for (const Command& command : pipeline.commands) {
      AZX_ASSIGN_OR_RETURN(value, Evaluate(command, dot, std::move(value)));
      if (std::holds_alternative<Nil>(*value)) value = Nil();
      AZX_RETURN_IF_ERROR(Spend(Weight(*value)));
    }
    for (const std::string& name : pipeline.variables) {
      if (pipeline.assigns) {
        AZX_RETURN_IF_ERROR(Assign(name, *value));
      } else {
        frame_.variables.push_back({name, *value});
      }
    }
    return std::move(*value);
  }

  Result<Value> Evaluate(const Command& command, const Value& dot, Final final) {
    const Operand& first = command.operands[0];
    const std::span<const Operand> arguments = std::span(command.operands).subspan(1);
    const bool has_arguments = !arguments.empty() || final.has_value();
    switch (first.kind) {
      case Operand::Kind::kField:
      case Operand::Kind::kChain:
        return EvaluateFields(first, dot, arguments, std::move(final));
      case Operand::Kind::kVariable:
        if (!first.fields.empty()) {
          return EvaluateFields(first, dot, arguments, std::move(final));
        }
        break;
      case Operand::Kind::kIdentifier:
        At(first.place);
        return Call({*FindFunction(first.text), command.place, nullptr}, dot, arguments,
                    std::move(final));
      case Operand::Kind::kPipeline:
        break;
      default:
        At(first.place);
        break;
    }
    if (has_arguments) {
      if (first.kind == Operand::Kind::kVariable) At(first.place);
      return Fail("can't give argument to non-function " + first.place.text);
    }
    if (first.kind == Operand::Kind::kNil) return Fail("nil is not a command");
    return EvaluateOperand(first, dot);
  }

  // One that stands alone, or as an argument of any type.
  Result<Value> EvaluateOperand(const Operand& operand, const Value& dot) {
    if (operand.kind != Operand::Kind::kPipeline) At(operand.place);
    switch (operand.kind) {
      case Operand::Kind::kBool:
        return Value(operand.flag);
      case Operand::Kind::kNil:
        return Value(Nil{true});
      case Operand::Kind::kNumber:
        if (operand.is_float) return Value(operand.number);
        return Value(Integer{*operand.whole});
      case Operand::Kind::kString:
        return Value(operand.text);
      case Operand::Kind::kDot:
        return dot;
      case Operand::Kind::kVariable:
        if (operand.fields.empty()) return VariableValue(operand.text);
        return EvaluateFields(operand, dot, {}, {});
      case Operand::Kind::kField:
      case Operand::Kind::kChain:
        return EvaluateFields(operand, dot, {}, {});
      case Operand::Kind::kIdentifier:
        return Call({*FindFunction(operand.text), operand.place, nullptr}, dot, {}, {});
      case Operand::Kind::kPipeline:
        return Evaluate(*operand.pipeline, dot);
    }
    return Value();
  }

  Result<Value> VariableValue(std::string_view name) const {
    const auto found = std::find_if(frame_.variables.rbegin(), frame_.variables.rend(),
                                    [&](const Variable& v) { return v.name == name; });
    if (found == frame_.variables.rend()) return Fail("undefined variable: " + std::string(name));
    return found->value;
  }

  // .A.B, $x.A.B, (...).A.B: the last field takes the arguments where it is a method.
  Result<Value> EvaluateFields(const Operand& operand, const Value& dot,
                               std::span<const Operand> arguments, Final final) {
    At(operand.place);
    Value value = dot;
    if (operand.kind == Operand::Kind::kVariable) {
      AZX_ASSIGN_OR_RETURN(value, VariableValue(operand.text));
    } else if (operand.kind == Operand::Kind::kChain) {
      if (operand.inner->kind == Operand::Kind::kNil) {
        return Fail("indirection through explicit nil in " + operand.place.text);
      }
      AZX_ASSIGN_OR_RETURN(value, EvaluateOperand(*operand.inner, dot));
    }
    for (std::size_t i = 0; i + 1 < operand.fields.size(); ++i) {
      AZX_ASSIGN_OR_RETURN(value, Field({operand, operand.fields[i], value}, dot, {}, {}));
    }
    return Field({operand, operand.fields.back(), value}, dot, arguments, std::move(final));
  }

  struct FieldAccess {
    const Operand& operand;
    const std::string& name;
    const Value& receiver;
  };

  Result<Value> Field(const FieldAccess& field, const Value& dot,
                      std::span<const Operand> arguments, Final final) {
    const Value& receiver = field.receiver;
    const bool has_arguments = !arguments.empty() || final.has_value();
    if (const auto* nil = std::get_if<Nil>(&receiver)) {
      if (nil->of_interface) return Fail("nil pointer evaluating interface {}." + field.name);
      return Value(Nil());
    }
    if (const Function* method = FindMethod(receiver, field.name)) {
      return Call({*method, field.operand.place, &receiver}, dot, arguments, std::move(final));
    }
    const auto* labels = std::get_if<model::Labels>(&receiver);
    const auto* args = std::get_if<Args>(&receiver);
    if (labels != nullptr || args != nullptr) {
      if (has_arguments) return Fail(field.name + " is not a method but has arguments");
      // A label that is not there is the empty string.
      if (labels != nullptr) return Value(std::string(labels->Get(field.name)));
      const auto found = (*args)->values.find(field.name);
      return found == (*args)->values.end() ? Value(Nil{true}) : found->second;
    }
    AZX_ASSIGN_OR_RETURN(Value value, StructField(field));
    if (!has_arguments) return value;
    return Fail(field.name + " has arguments but cannot be invoked as function");
  }

  Result<Value> StructField(const FieldAccess& field) const {
    if (const auto* root = std::get_if<Root>(&field.receiver)) {
      const TemplateData& data = *root->data;
      if (field.name == "Labels") return Value(data.labels);
      if (field.name == "ExternalLabels") return Value(data.external_labels);
      if (field.name == "ExternalURL") return Value(data.external_url);
      if (field.name == "Value") return Value(data.value);
    }
    const auto* sample = std::get_if<Sample>(&field.receiver);
    if (sample != nullptr && (field.name == "Labels" || field.name == "Value")) {
      if (*sample == nullptr) return Fail("nil pointer evaluating *template.sample." + field.name);
      return field.name == "Labels" ? Value((*sample)->labels) : Value((*sample)->f);
    }
    return Fail("can't evaluate field " + field.name + " in type " + TypeName(field.receiver));
  }

  struct Callee {
    const Function& function;
    const Place& place;     // of the call, for its errors
    const Value* receiver;  // of a method
  };

  Result<Value> Call(const Callee& callee, const Value& dot, std::span<const Operand> operands,
                     Final final) {
    const Function& function = callee.function;
    AZX_RETURN_IF_ERROR(CheckCount(callee, operands.size(), final.has_value()));
    if (function.call == nullptr) {
      return ShortCircuit(function.name == "or", dot, operands, std::move(final));
    }
    Arguments arguments;
    if (callee.receiver != nullptr) arguments.push_back(*callee.receiver);
    const auto next_type = [&] {
      return arguments.size() < function.count ? function.parameters[arguments.size()] : Type::kAny;
    };
    for (const Operand& operand : operands) {
      AZX_ASSIGN_OR_RETURN(Value argument, Argument(operand, next_type(), dot));
      AZX_RETURN_IF_ERROR(Spend(Weight(argument)));
      arguments.push_back(std::move(argument));
    }
    if (final) {
      AZX_ASSIGN_OR_RETURN(Value argument, Fit(std::move(*final), next_type()));
      arguments.push_back(std::move(argument));
    }
    auto result = function.call(context_, arguments);
    if (!result) {
      At(callee.place);
      return Fail("error calling " + std::string(function.name) + ": " + result.error().message());
    }
    AZX_RETURN_IF_ERROR(Spend(Weight(*result)));
    const std::string* text = TextOf(*result);
    if (text == nullptr || text->size() <= kMaxTextBytes) return result;
    return Fail("text is longer than " + std::to_string(kMaxTextBytes) + " bytes");
  }

  Result<void> CheckCount(const Callee& callee, std::size_t operands, bool has_final) const {
    const Function& function = callee.function;
    const std::size_t wanted = function.count - (callee.receiver != nullptr ? 1 : 0);
    const std::size_t got = operands + (has_final ? 1 : 0);
    if (function.variadic ? got >= wanted : got == wanted) return {};
    return Fail("wrong number of args for " + std::string(function.name) + ": want " +
                (function.variadic ? "at least " : "") + std::to_string(wanted) + " got " +
                std::to_string(function.variadic ? operands : got));
  }

  // The first argument that decides, or the last.
  Result<Value> ShortCircuit(bool decisive, const Value& dot, std::span<const Operand> operands,
                             Final final) {
    Value value;
    for (const Operand& operand : operands) {
      AZX_ASSIGN_OR_RETURN(value, Argument(operand, Type::kAny, dot));
      if (IsTrue(value) == decisive) return value;
    }
    if (final) value = std::move(*final);
    return value;
  }

  Result<Value> Argument(const Operand& operand, Type type, const Value& dot) {
    At(operand.place);
    const bool constant = operand.kind == Operand::Kind::kBool ||
                          operand.kind == Operand::Kind::kNumber ||
                          operand.kind == Operand::Kind::kString;
    if (operand.kind == Operand::Kind::kNil) return NilArgument(type);
    if (constant && type != Type::kAny) return ConstantArgument(operand, type);
    AZX_ASSIGN_OR_RETURN(Value value, EvaluateOperand(operand, dot));
    return Fit(std::move(value), type);
  }

  Result<Value> NilArgument(Type type) const {
    if (type == Type::kAny) return Value(Nil{true});
    if (type == Type::kSample) return Value(Sample());
    if (type == Type::kVector) return Value(Vector());
    return Fail("cannot assign nil to " + std::string(TypeName(type)));
  }

  Result<Value> ConstantArgument(const Operand& operand, Type type) const {
    const bool number = operand.kind == Operand::Kind::kNumber;
    switch (type) {
      case Type::kString:
        if (operand.kind == Operand::Kind::kString) return Value(operand.text);
        return Fail("expected string; found " + operand.place.text);
      case Type::kInt:
      case Type::kDuration:
        if (!number || !operand.whole) return Fail("expected integer; found " + operand.place.text);
        return type == Type::kInt ? Value(Integer{*operand.whole})
                                  : Value(Duration{*operand.whole, false});
      default:
        return Fail("can't handle " + operand.place.text + " for arg of type " +
                    std::string(TypeName(type)));
    }
  }

  // The value as an argument of that type.
  Result<Value> Fit(Value value, Type type) const {
    if (type == Type::kAny) return value;
    if (const auto* nil = std::get_if<Nil>(&value)) {
      if (nil->of_interface) {
        return Fail("wrong type for value; expected " + std::string(TypeName(type)) +
                    "; got interface {}");
      }
      if (type == Type::kSample || type == Type::kVector) return NilArgument(type);
      return Fail("invalid value; expected " + std::string(TypeName(type)));
    }
    const auto* whole = std::get_if<Integer>(&value);
    const bool fits = (type == Type::kString && std::holds_alternative<std::string>(value)) ||
                      (type == Type::kInt && whole && whole->type == Integer::Type::kInt) ||
                      (type == Type::kDuration && std::holds_alternative<Duration>(value)) ||
                      (type == Type::kTime && std::holds_alternative<Time>(value)) ||
                      (type == Type::kSample && std::holds_alternative<Sample>(value)) ||
                      (type == Type::kVector && std::holds_alternative<Vector>(value));
    if (fits) return value;
    return Fail("wrong type for value; expected " + std::string(TypeName(type)) + "; got " +
                TypeName(value));
  }

  const Tree& tree_;
  Context context_;
  std::string out_;
  Frame frame_;
  const Place* place_ = nullptr;
  int depth_ = 0;
};

}  // namespace

Result<std::string> Execute(const Tree& tree, const TemplateData& data) {
  return Executor(tree, data).Run();
}

}  // namespace azexporter::rules::text_template
