#include "template_evaluator.h"

#include "template_format.h"
#include "template_functions.h"

namespace azexporter::rules::text_template {

using base::Result;

Result<Value> Evaluator::Evaluate(const Pipeline& pipeline, const Value& dot) {
  const Execution::Deeper deeper(execution_);
  execution_.LookAt(pipeline.place);
  AZX_RETURN_IF_ERROR(execution_.CheckDepth());
  Final value;
  for (const Command& command : pipeline.commands) {
    AZX_ASSIGN_OR_RETURN(value, Evaluate(command, dot, std::move(value)));
    if (std::holds_alternative<Nil>(*value)) value = Nil();
    AZX_RETURN_IF_ERROR(execution_.Spend(Weight(*value)));
  }
  for (const std::string& name : pipeline.variables) {
    if (pipeline.assigns) {
      AZX_RETURN_IF_ERROR(execution_.Assign(name, *value));
    } else {
      execution_.Declare(name, *value);
    }
  }
  return std::move(*value);
}

Result<Value> Evaluator::Evaluate(const Command& command, const Value& dot, Final final) {
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
      execution_.LookAt(first.place);
      return Call({*FindFunction(first.text), command.place, nullptr}, dot, arguments,
                  std::move(final));
    case Operand::Kind::kPipeline:
      break;
    default:
      execution_.LookAt(first.place);
      break;
  }
  if (has_arguments) {
    if (first.kind == Operand::Kind::kVariable) execution_.LookAt(first.place);
    return execution_.Fail("can't give argument to non-function " + first.place.text);
  }
  if (first.kind == Operand::Kind::kNil) return execution_.Fail("nil is not a command");
  return EvaluateOperand(first, dot);
}

// One that stands alone, or as an argument of any type.
Result<Value> Evaluator::EvaluateOperand(const Operand& operand, const Value& dot) {
  if (operand.kind != Operand::Kind::kPipeline) execution_.LookAt(operand.place);
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
      if (operand.fields.empty()) return execution_.Find(operand.text);
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

// .A.B, $x.A.B, (...).A.B: the last field takes the arguments where it is a method.
Result<Value> Evaluator::EvaluateFields(const Operand& operand, const Value& dot,
                                        std::span<const Operand> arguments, Final final) {
  execution_.LookAt(operand.place);
  Value value = dot;
  if (operand.kind == Operand::Kind::kVariable) {
    AZX_ASSIGN_OR_RETURN(value, execution_.Find(operand.text));
  } else if (operand.kind == Operand::Kind::kChain) {
    if (operand.inner->kind == Operand::Kind::kNil) {
      return execution_.Fail("indirection through explicit nil in " + operand.place.text);
    }
    AZX_ASSIGN_OR_RETURN(value, EvaluateOperand(*operand.inner, dot));
  }
  for (std::size_t i = 0; i + 1 < operand.fields.size(); ++i) {
    AZX_ASSIGN_OR_RETURN(value, Field({operand, operand.fields[i], value}, dot, {}, {}));
  }
  return Field({operand, operand.fields.back(), value}, dot, arguments, std::move(final));
}

Result<Value> Evaluator::Field(const FieldAccess& field, const Value& dot,
                               std::span<const Operand> arguments, Final final) {
  const Value& receiver = field.receiver;
  const bool has_arguments = !arguments.empty() || final.has_value();
  if (const auto* nil = std::get_if<Nil>(&receiver)) {
    if (nil->of_interface)
      return execution_.Fail("nil pointer evaluating interface {}." + field.name);
    return Value(Nil());
  }
  if (const Function* method = FindMethod(receiver, field.name)) {
    return Call({*method, field.operand.place, &receiver}, dot, arguments, std::move(final));
  }
  const auto* labels = std::get_if<model::Labels>(&receiver);
  const auto* args = std::get_if<Args>(&receiver);
  if (labels != nullptr || args != nullptr) {
    if (has_arguments) return execution_.Fail(field.name + " is not a method but has arguments");
    // A label that is not there is the empty string.
    if (labels != nullptr) return Value(std::string(labels->Get(field.name)));
    const auto found = (*args)->values.find(field.name);
    return found == (*args)->values.end() ? Value(Nil{true}) : found->second;
  }
  AZX_ASSIGN_OR_RETURN(Value value, StructField(field));
  if (!has_arguments) return value;
  return execution_.Fail(field.name + " has arguments but cannot be invoked as function");
}

Result<Value> Evaluator::StructField(const FieldAccess& field) const {
  if (const auto* root = std::get_if<Root>(&field.receiver)) {
    const TemplateData& data = *root->data;
    if (field.name == "Labels") return Value(data.labels);
    if (field.name == "ExternalLabels") return Value(data.external_labels);
    if (field.name == "ExternalURL") return Value(data.external_url);
    if (field.name == "Value") return Value(data.value);
  }
  const auto* sample = std::get_if<Sample>(&field.receiver);
  if (sample != nullptr && (field.name == "Labels" || field.name == "Value")) {
    if (*sample == nullptr)
      return execution_.Fail("nil pointer evaluating *template.sample." + field.name);
    return field.name == "Labels" ? Value((*sample)->labels) : Value((*sample)->f);
  }
  return execution_.Fail("can't evaluate field " + field.name + " in type " +
                         TypeName(field.receiver));
}

Result<Value> Evaluator::Call(const Callee& callee, const Value& dot,
                              std::span<const Operand> operands, Final final) {
  const Function& function = callee.function;
  AZX_RETURN_IF_ERROR(CheckCount(callee, operands.size(), final.has_value()));
  if (function.call == nullptr) {
    return ShortCircuit(function.name == "or", dot, operands, std::move(final));
  }
  auto arguments = ArgumentsOf(callee, dot, operands, std::move(final));
  if (!arguments) return base::Fail(std::move(arguments).error());
  auto result = function.call(execution_.context(), *arguments);
  if (!result) {
    execution_.LookAt(callee.place);
    return execution_.Fail("error calling " + std::string(function.name) + ": " +
                           result.error().message());
  }
  AZX_RETURN_IF_ERROR(execution_.Spend(Weight(*result)));
  const std::string* text = TextOf(*result);
  if (text == nullptr || text->size() <= kMaxTextBytes) return result;
  return execution_.Fail("text is longer than " + std::to_string(kMaxTextBytes) + " bytes");
}

Result<Arguments> Evaluator::ArgumentsOf(const Callee& callee, const Value& dot,
                                         std::span<const Operand> operands, Final final) {
  const Function& function = callee.function;
  Arguments arguments;
  if (callee.receiver != nullptr) arguments.push_back(*callee.receiver);
  const auto next_type = [&] {
    return arguments.size() < function.count ? function.parameters[arguments.size()] : Type::kAny;
  };
  for (const Operand& operand : operands) {
    AZX_ASSIGN_OR_RETURN(Value argument, Argument(operand, next_type(), dot));
    AZX_RETURN_IF_ERROR(execution_.Spend(Weight(argument)));
    arguments.push_back(std::move(argument));
  }
  if (final) {
    AZX_ASSIGN_OR_RETURN(Value argument, Fit(std::move(*final), next_type()));
    arguments.push_back(std::move(argument));
  }
  return arguments;
}

Result<void> Evaluator::CheckCount(const Callee& callee, std::size_t operands,
                                   bool has_final) const {
  const Function& function = callee.function;
  const std::size_t wanted = function.count - (callee.receiver != nullptr ? 1 : 0);
  const std::size_t got = operands + (has_final ? 1 : 0);
  if (function.variadic ? got >= wanted : got == wanted) return {};
  return execution_.Fail("wrong number of args for " + std::string(function.name) + ": want " +
                         (function.variadic ? "at least " : "") + std::to_string(wanted) + " got " +
                         std::to_string(function.variadic ? operands : got));
}

// The first argument that decides, or the last.
Result<Value> Evaluator::ShortCircuit(bool decisive, const Value& dot,
                                      std::span<const Operand> operands, Final final) {
  Value value;
  for (const Operand& operand : operands) {
    AZX_ASSIGN_OR_RETURN(value, Argument(operand, Type::kAny, dot));
    if (IsTrue(value) == decisive) return value;
  }
  if (final) value = std::move(*final);
  return value;
}

Result<Value> Evaluator::Argument(const Operand& operand, Type type, const Value& dot) {
  execution_.LookAt(operand.place);
  const bool constant = operand.kind == Operand::Kind::kBool ||
                        operand.kind == Operand::Kind::kNumber ||
                        operand.kind == Operand::Kind::kString;
  if (operand.kind == Operand::Kind::kNil) return NilArgument(type);
  if (constant && type != Type::kAny) return ConstantArgument(operand, type);
  AZX_ASSIGN_OR_RETURN(Value value, EvaluateOperand(operand, dot));
  return Fit(std::move(value), type);
}

Result<Value> Evaluator::NilArgument(Type type) const {
  if (type == Type::kAny) return Value(Nil{true});
  if (type == Type::kSample) return Value(Sample());
  if (type == Type::kVector) return Value(Vector());
  return execution_.Fail("cannot assign nil to " + std::string(TypeName(type)));
}

Result<Value> Evaluator::ConstantArgument(const Operand& operand, Type type) const {
  const bool number = operand.kind == Operand::Kind::kNumber;
  switch (type) {
    case Type::kString:
      if (operand.kind == Operand::Kind::kString) return Value(operand.text);
      return execution_.Fail("expected string; found " + operand.place.text);
    case Type::kInt:
    case Type::kDuration:
      if (!number || !operand.whole)
        return execution_.Fail("expected integer; found " + operand.place.text);
      return type == Type::kInt ? Value(Integer{*operand.whole})
                                : Value(Duration{*operand.whole, false});
    default:
      return execution_.Fail("can't handle " + operand.place.text + " for arg of type " +
                             std::string(TypeName(type)));
  }
}

// The value as an argument of that type.
Result<Value> Evaluator::Fit(Value value, Type type) const {
  if (type == Type::kAny) return value;
  if (const auto* nil = std::get_if<Nil>(&value)) {
    if (nil->of_interface) {
      return execution_.Fail("wrong type for value; expected " + std::string(TypeName(type)) +
                             "; got interface {}");
    }
    if (type == Type::kSample || type == Type::kVector) return NilArgument(type);
    return execution_.Fail("invalid value; expected " + std::string(TypeName(type)));
  }
  const auto* whole = std::get_if<Integer>(&value);
  const bool fits = (type == Type::kString && std::holds_alternative<std::string>(value)) ||
                    (type == Type::kInt && whole && whole->type == Integer::Type::kInt) ||
                    (type == Type::kDuration && std::holds_alternative<Duration>(value)) ||
                    (type == Type::kTime && std::holds_alternative<Time>(value)) ||
                    (type == Type::kSample && std::holds_alternative<Sample>(value)) ||
                    (type == Type::kVector && std::holds_alternative<Vector>(value));
  if (fits) return value;
  return execution_.Fail("wrong type for value; expected " + std::string(TypeName(type)) +
                         "; got " + TypeName(value));
}

}  // namespace azexporter::rules::text_template
