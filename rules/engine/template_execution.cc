#include "template_execution.h"

#include <algorithm>

#include "template_format.h"
#include "template_quote.h"

namespace azexporter::rules::text_template {
namespace {

constexpr int kMaxDepth = 200;

template <class Variables>
auto FindNewest(Variables& variables, std::string_view name) {
  const auto found = std::find_if(variables.rbegin(), variables.rend(),
                                  [&](const auto& variable) { return variable.name == name; });
  return found == variables.rend() ? nullptr : &*found;
}

}  // namespace

tl::unexpected<base::Error> Execution::Fail(const std::string& why) const {
  const std::string_view before = std::string_view(tree_.source).substr(0, place_->position);
  const auto line = 1 + std::ranges::count(before, '\n');
  const std::size_t column = before.size() - (before.rfind('\n') + 1);
  return Failure("template: " + tree_.name + ":" + std::to_string(line) + ":" +
                 std::to_string(column) + ": executing " + Quote(frame_.name, {}) + " at <" +
                 place_->text + ">: " + why);
}

base::Result<void> Execution::Spend(std::size_t steps) {
  if (!context_.budget.Take(steps)) return Fail("the template takes too many steps");
  return {};
}

base::Result<void> Execution::CheckDepth() const {
  if (depth_ <= kMaxDepth) return {};
  return Fail("exceeded maximum template depth (" + std::to_string(kMaxDepth) + ")");
}

base::Result<Value> Execution::Find(std::string_view name) const {
  const auto* variable = FindNewest(frame_.variables, name);
  if (variable == nullptr) return Fail("undefined variable: " + std::string(name));
  return variable->value;
}

base::Result<void> Execution::Assign(std::string_view name, Value value) {
  auto* variable = FindNewest(frame_.variables, name);
  if (variable == nullptr) return Fail("undefined variable: " + std::string(name));
  variable->value = std::move(value);
  return {};
}

void Execution::Drop(std::size_t count) {
  if (frame_.variables.size() <= count) return;
  frame_.variables.erase(frame_.variables.begin() + static_cast<std::ptrdiff_t>(count),
                         frame_.variables.end());
}

}  // namespace azexporter::rules::text_template
