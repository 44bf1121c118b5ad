#pragma once

// The values of a template's pipelines. Private to `rules`.
// Semantics: golang.org/src/text/template/exec.go.
//
// Thread safety: one thread only.

#include <optional>
#include <span>

#include "azexporter/base/result.h"
#include "template_execution.h"
#include "template_tree.h"

namespace azexporter::rules::text_template {

class Evaluator {
 public:
  // `execution` must outlive this.
  explicit Evaluator(Execution& execution) : execution_(execution) {}

  // Its variables take the value; new ones stay until the block around it ends.
  base::Result<Value> Evaluate(const Pipeline& pipeline, const Value& dot);

 private:
  // An argument that comes from the command before, if any.
  using Final = std::optional<Value>;
  // A field, or a method, of `receiver`, as it stands in `operand`.
  struct FieldAccess {
    const Operand& operand;
    const std::string& name;
    const Value& receiver;
  };
  struct Callee {
    const Function& function;
    const Place& place;     // of the call, for its errors
    const Value* receiver;  // of a method
  };

  base::Result<Value> Evaluate(const Command& command, const Value& dot, Final final);
  base::Result<Value> EvaluateOperand(const Operand& operand, const Value& dot);
  base::Result<Value> EvaluateFields(const Operand& operand, const Value& dot,
                                     std::span<const Operand> arguments, Final final);
  base::Result<Value> Field(const FieldAccess& field, const Value& dot,
                            std::span<const Operand> arguments, Final final);
  base::Result<Value> StructField(const FieldAccess& field) const;
  base::Result<Value> Call(const Callee& callee, const Value& dot,
                           std::span<const Operand> operands, Final final);
  base::Result<Arguments> ArgumentsOf(const Callee& callee, const Value& dot,
                                      std::span<const Operand> operands, Final final);
  base::Result<void> CheckCount(const Callee& callee, std::size_t operands, bool has_final) const;
  base::Result<Value> ShortCircuit(bool decisive, const Value& dot,
                                   std::span<const Operand> operands, Final final);
  base::Result<Value> Argument(const Operand& operand, Type type, const Value& dot);
  base::Result<Value> NilArgument(Type type) const;
  base::Result<Value> ConstantArgument(const Operand& operand, Type type) const;
  base::Result<Value> Fit(Value value, Type type) const;

  Execution& execution_;
};

}  // namespace azexporter::rules::text_template
