#include "template_queries.h"

namespace azexporter::rules::text_template {
namespace {

class Collector {
 public:
  void Collect(const Nodes& nodes) {
    for (const Node& node : nodes) {
      if (node.pipeline) Collect(*node.pipeline);
      if (node.body) Collect(*node.body);
      if (node.otherwise) Collect(*node.otherwise);
    }
  }

  std::vector<std::string> Take() { return std::move(queries_); }

 private:
  void Collect(const Pipeline& pipeline) {
    const Operand* before = nullptr;  // the command before, where it is one operand
    for (const Command& command : pipeline.commands) {
      const Operand& first = command.operands[0];
      if (first.kind == Operand::Kind::kIdentifier && first.text == "query") {
        Add(command.operands.size() > 1 ? &command.operands[1] : before);
      }
      for (const Operand& operand : command.operands) Collect(operand);
      before = command.operands.size() == 1 ? &first : nullptr;
    }
  }

  void Collect(const Operand& operand) {
    if (operand.pipeline) Collect(*operand.pipeline);
    if (operand.inner) Collect(*operand.inner);
  }

  void Add(const Operand* argument) {
    if (argument == nullptr || argument->kind != Operand::Kind::kString) return;
    queries_.push_back(argument->text);
  }

  std::vector<std::string> queries_;
};

}  // namespace

std::vector<std::string> Queries(const Tree& tree) {
  Collector collector;
  for (const auto& [name, nodes] : tree.templates) collector.Collect(nodes);
  return collector.Take();
}

}  // namespace azexporter::rules::text_template
